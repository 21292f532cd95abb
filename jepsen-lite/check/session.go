package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// atOnce is how long, in nanoseconds, something may take that needs no other node:
// far more than it needs, because the machine may be busy.
const atOnce = 1_000_000_000

func readYourWrites(x *index, f *finder) {
	f.idle = "no node was asked about what its own processes had registered or joined"
	a := x.newAlive(func(s *stint) bool { return s.run != none })
	for _, id := range x.inOrder(func(r *read) bool { return r.f != history.Snapshot }) {
		r := &x.reads[id]
		a.advance(r.invoke)
		if r.all() {
			for _, k := range a.keys {
				x.ownShown(f, r, k, a.byKey[k])
			}
		} else {
			x.ownShown(f, r, r.key, a.byKey[r.key])
		}
		for j := range r.rows {
			x.ownRow(f, r, &r.rows[j])
		}
	}
}

// ownShown wants a node to show what its own processes have.
func (x *index) ownShown(f *finder, r *read, k int, stints []int32) {
	for _, id := range stints {
		s := &x.stints[id]
		if s.run != r.run || s.quit <= r.done {
			continue
		}
		group := x.keys[k].group
		if !group && (x.keep && x.challenged(s, r) || s.how == told && s.quitAt <= r.doneAt+atOnce) {
			continue
		}
		f.judge()
		rows := r.of(k)
		if !slices.ContainsFunc(rows, func(row seen) bool { return int(row.proc) == s.proc }) {
			f.found(r.done, "%s: %s shows %s (%s), but its own process %s has it since %s and was told of no loss",
				x.keys[k], x.runName(r.run), x.shows(rows), x.at(r.done), x.procName(s.proc), x.at(s.sure))
		}
	}
}

// challenged reports whether another process may have had a claim to the name of
// a stint before the end of a read: its node may show the name as contested until
// it hears that the claim is gone.
func (x *index) challenged(s *stint, r *read) bool {
	for _, id := range x.stintsOf[s.key] {
		if o := &x.stints[id]; o.proc != s.proc && o.invoke <= r.done {
			return true
		}
	}
	return false
}

// ownRow wants a node not to show what its own processes gave up or lost, and to
// show their latest values.
func (x *index) ownRow(f *finder, r *read, row *seen) {
	if row.pair == none || x.procs[row.proc].run != r.run {
		return
	}
	f.judge()
	if id := x.ended(row.pair, r.invoke, r.done); id != none {
		if s := &x.stints[id]; s.how != finished {
			f.found(r.done, "%s: %s still shows its own process %s (%s), which %s at %s",
				x.keys[row.key], x.runName(r.run), x.procName(s.proc), x.at(r.done), s.end(), x.at(s.over))
		}
		return
	}
	if r.f == history.Members {
		return
	}
	w := x.latestWrite(row.pair, r.invoke)
	if w != nil && w.value != row.value && !x.mayFollow(row.pair, row.value, w, r.done) {
		f.found(r.done, "%s: %s shows its own process %s with the value %q (%s), though %q was written at %s",
			x.keys[row.key], x.runName(r.run), x.procName(int(row.proc)), row.value, x.at(r.done), w.value, x.at(w.done))
	}
}

// latestWrite returns the write of a pair that was invoked last among those that
// were certainly done before a record, or nil.
func (x *index) latestWrite(p int32, before int) *op {
	w := x.pairs[p].writes
	for i := len(w) - 1; i >= 0; i-- {
		if o := &x.ops[w[i]]; o.sure() && o.done < before {
			return o
		}
	}
	return nil
}

// mayFollow reports whether some write of a value, invoked by a record, may have
// taken effect after the write w.
func (x *index) mayFollow(p int32, value string, w *op, by int) bool {
	list := x.pairs[p].writes
	for i := len(list) - 1; i >= 0; i-- {
		o := &x.ops[list[i]]
		if o.invoke > by {
			continue
		}
		if o.value == value && (!o.sure() || o.done >= w.invoke) {
			return true
		}
		if !x.pairs[p].loose && o.sure() && o.done < w.invoke {
			return false
		}
	}
	return false
}

// sight is what an observer last saw of a pair.
type sight struct {
	done  int
	fence uint64
	value string
}

// observer is a run of a node, or a watch on it, and a pair that it saw.
type observer struct {
	run   int
	watch int // none for the reads of the run
	pair  int32
}

func monotonicReads(x *index, f *finder) {
	f.idle = "nothing was seen twice by one node or watch"
	last := map[observer]sight{}
	reads := 0
	for i := range x.recs {
		r := &x.recs[i]
		for ; reads < len(x.reads) && x.reads[reads].done <= i; reads++ {
			rd := &x.reads[reads]
			for j := range rd.rows {
				row := &rd.rows[j]
				o := observer{rd.run, none, row.pair}
				if rd.f == history.Snapshot {
					o.watch = x.recs[rd.done].Watch
				}
				x.onward(f, last, o, sight{rd.done, row.fence, row.value}, rd.invoke, rd.f != history.Members)
			}
		}
		if r.F != history.Event || r.New == nil || x.runAt[i] == none {
			continue
		}
		if k, ok := x.keyIDs[key{r.Kind == "group", r.Key}]; ok {
			o := observer{int(x.runAt[i]), r.Watch, x.pairOf(k, x.procIDOf(r.New.Process))}
			x.onward(f, last, o, sight{i, r.New.Fence, r.New.Value}, i, true)
		}
	}
}

// onward wants that an observer never sees an older fence or value than before.
func (x *index) onward(f *finder, last map[observer]sight, o observer, now sight, invoke int, valued bool) {
	if o.pair == none {
		return
	}
	was, ok := last[o]
	if !valued {
		now.value = was.value
	}
	if now.fence == 0 {
		now.fence = was.fence
	}
	if ok && was.done >= invoke {
		return
	}
	last[o] = now
	if !ok {
		return
	}
	f.judge()
	if was == (sight{was.done, now.fence, now.value}) {
		return
	}
	p := &x.pairs[o.pair]
	if x.forgotten(o.run, x.procs[p.proc].run, was.done, now.done) {
		return
	}
	switch {
	case now.fence < was.fence:
		f.found(now.done, "%s: %s showed %s with the fence %d (%s) and now with the older fence %d (%s)",
			x.keys[p.key], x.runName(o.run), x.procName(p.proc), was.fence, x.at(was.done), now.fence, x.at(now.done))
	case now.fence == was.fence && now.value != was.value && x.older(p, now.value, was.value, was.done, now.done):
		f.found(now.done, "%s: %s showed %s with the value %q (%s) and now with the older value %q (%s)",
			x.keys[p.key], x.runName(o.run), x.procName(p.proc), was.value, x.at(was.done), now.value, x.at(now.done))
	}
}

// older reports whether every write of the value now was certainly over before
// any write of the value was began.
func (x *index) older(p *pair, now, was string, wasBy, nowBy int) bool {
	first, wrote := len(x.recs), false
	for _, w := range p.writes {
		if o := &x.ops[w]; o.value == was && o.invoke <= wasBy {
			first = min(first, o.invoke)
		}
	}
	for _, w := range p.writes {
		o := &x.ops[w]
		if o.value != now || o.invoke > nowBy {
			continue
		}
		wrote = true
		if !o.sure() || o.done >= first {
			return false
		}
	}
	return wrote && first < len(x.recs)
}
