package check

import "github.com/rollcall-dev/rollcall/jepsen-lite/history"

// asked is a value that a process was to have.
type asked struct {
	pair  int32
	value string
}

// inventory says from which record on something had been asked for.
type inventory struct {
	x      *index
	f      *finder
	pairs  []int
	tried  []int // registrations that failed count too: a home keeps others out for them
	values map[asked]int
}

func nothingInvented(x *index, f *finder) {
	f.idle = "nothing was shown"
	v := &inventory{x: x, f: f, pairs: make([]int, len(x.pairs)), tried: make([]int, len(x.pairs)), values: map[asked]int{}}
	for p := range x.pairs {
		v.pairs[p] = len(x.recs)
		for _, w := range x.pairs[p].writes {
			o := &x.ops[w]
			if o.f != history.Update {
				v.pairs[p] = min(v.pairs[p], o.invoke)
			}
			if at, ok := v.values[asked{int32(p), o.value}]; !ok || o.invoke < at {
				v.values[asked{int32(p), o.value}] = o.invoke
			}
		}
	}
	copy(v.tried, v.pairs)
	for i := range x.ops {
		if o := &x.ops[i]; o.f == history.Register || o.f == history.Reregister {
			if p := x.pairOf(o.key, o.proc); p != none {
				v.tried[p] = min(v.tried[p], o.invoke)
			}
		}
	}
	for i := range x.reads {
		r := &x.reads[i]
		for j := range r.rows {
			row := &r.rows[j]
			v.hold(r.done, int(row.key), int(row.proc), row.pair, row.value, r.f != history.Members)
		}
	}
	for i := range x.recs {
		v.told(i, &x.recs[i])
	}
}

// hold wants that what is shown had been asked for.
func (v *inventory) hold(record, k, proc int, p int32, value string, valued bool) {
	x := v.x
	v.f.judge()
	if p == none || v.pairs[p] >= record {
		v.f.found(record, "%s: %s is shown or named (%s), but had not asked for it", x.keys[k], x.procName(proc), x.at(record))
		return
	}
	if !valued {
		return
	}
	if at, ok := v.values[asked{p, value}]; !ok || at >= record {
		v.f.found(record, "%s: %s is shown with the value %q (%s), which nobody had given it", x.keys[k], x.procName(proc), value, x.at(record))
	}
}

// told looks at what nodes tell: events, losses, conflicts and refusals.
func (v *inventory) told(i int, r *history.Record) {
	x := v.x
	name := func(process string) {
		if process == "" {
			return
		}
		k, ok := x.keyIDs[key{false, r.Name}]
		if p := x.procIDOf(process); ok {
			v.hold(i, k, p, x.pairOf(k, p), "", false)
		}
	}
	switch r.F {
	case history.Event:
		k, ok := x.keyIDs[key{r.Kind == "group", r.Key}]
		for _, s := range []*history.Shown{r.Old, r.New} {
			if s != nil && ok {
				p := x.procIDOf(s.Process)
				v.hold(i, k, p, x.pairOf(k, p), s.Value, true)
			}
		}
	case history.Lost, history.Conflict:
		name(r.Winner)
		for j := range r.Claims {
			name(r.Claims[j].Process)
		}
	case history.Register:
		if k := x.keyIDs[key{false, r.Name}]; r.Type == history.Fail && r.Holder != "" {
			p := x.procIDOf(r.Holder)
			if id := x.pairOf(k, p); id == none || v.tried[id] >= i {
				v.f.found(i, "%s: %s is said to keep others out (%s), but had not asked for it", x.keys[k], r.Holder, x.at(i))
			}
		}
	}
}

func noDuplicates(x *index, f *finder) {
	f.idle = "no group was shown"
	for i := range x.reads {
		r := &x.reads[i]
		for j := range r.rows {
			if !x.keys[r.rows[j].key].group {
				continue
			}
			f.judge()
			if j > 0 && r.rows[j].key == r.rows[j-1].key && r.rows[j].proc == r.rows[j-1].proc && (j < 2 || r.rows[j-2].proc != r.rows[j].proc) {
				f.found(r.done, "%s: %s shows %s more than once (%s)",
					x.keys[r.rows[j].key], x.runName(r.run), x.procName(int(r.rows[j].proc)), x.at(r.done))
			}
		}
	}
}

// stats counts the operations by what they are and how they ended.
func (x *index) stats() []Stat {
	var stats []Stat
	for _, fn := range []history.Func{
		history.Register, history.Reregister, history.Unregister, history.Update, history.Join, history.Leave,
		history.Lookup, history.Members, history.View,
	} {
		s := Stat{F: fn}
		for i := range x.ops {
			if o := &x.ops[i]; o.f == fn {
				s.count(o)
			}
		}
		if s.Invoked > 0 {
			stats = append(stats, s)
		}
	}
	return stats
}

func (s *Stat) count(o *op) {
	s.Invoked++
	switch o.outcome {
	case history.Ok:
		s.Ok++
	case history.Fail:
		s.Failed++
	case history.Info:
		s.Info++
	default:
		s.Open++
	}
}
