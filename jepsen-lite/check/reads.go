package check

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// seen is a process that a read shows.
type seen struct {
	key   int32
	proc  int32
	pair  int32 // none when the process was never to have it
	fence uint64
	value string
}

// read is something that a node showed: a view, a look-up, the members of a group
// or the snapshot of a watch.
type read struct {
	f      history.Func
	invoke int
	done   int
	at     int64
	doneAt int64
	run    int
	window int // the window that the node was in throughout, or none
	key    int // of a look-up or of members; none for a view
	digest string
	rows   []seen // in the order of keys and processes
}

// all reports whether the read shows all that its node shows.
func (r *read) all() bool { return r.f == history.View }

// of returns the rows of a key.
func (r *read) of(key int) []seen {
	from, _ := slices.BinarySearchFunc(r.rows, int32(key), func(s seen, k int32) int { return cmp.Compare(s.key, k) })
	to := from
	for to < len(r.rows) && r.rows[to].key == int32(key) {
		to++
	}
	return r.rows[from:to]
}

// covers reports whether the read says all there is to a key.
func (r *read) covers(key int) bool { return r.all() || r.key == key && r.f != history.Snapshot }

// due reports whether the read was made in a window that was due.
func (x *index) due(r *read) bool { return r.window != none && x.windows[r.window].due <= r.at }

// readReads takes the reads out of the records.
func (x *index) readReads() {
	x.readsO = make([][]int32, len(x.runs))
	x.viewsW = make([][]int32, len(x.windows))
	for i := range x.recs {
		r := &x.recs[i]
		x.meet(r)
		var rd read
		switch {
		case r.F == history.Snapshot:
			rd = read{f: r.F, invoke: i, at: r.At, run: int(x.runAt[i]), key: none}
		case x.opAt[i] != none && r.Type == history.Ok && (r.F == history.View || r.F == history.Lookup || r.F == history.Members):
			o := &x.ops[x.opAt[i]]
			rd = read{f: r.F, invoke: o.invoke, at: o.at, run: o.run, key: o.key}
		default:
			continue
		}
		if rd.run == none {
			continue
		}
		rd.done, rd.doneAt, rd.digest = i, r.At, r.Digest
		rd.window = x.windowAt(rd.run, rd.invoke, rd.done)
		rd.rows = x.rows(r, rd.key)
		id := int32(len(x.reads))
		x.reads = append(x.reads, rd)
		x.readsO[rd.run] = append(x.readsO[rd.run], id)
		if rd.f != history.Snapshot && x.due(&rd) {
			x.viewsW[rd.window] = append(x.viewsW[rd.window], id)
		}
	}
}

// meet makes the keys and processes known that only what nodes tell mentions.
func (x *index) meet(r *history.Record) {
	switch r.F {
	case history.Event:
		x.key(r.Kind == "group", r.Key)
		for _, s := range []*history.Shown{r.Old, r.New} {
			if s != nil {
				x.proc(s.Process)
			}
		}
	case history.Lost, history.Conflict:
		x.key(false, r.Name)
		x.proc(r.Process)
		x.proc(r.Winner)
		for i := range r.Claims {
			x.proc(r.Claims[i].Process)
		}
	}
}

// rows returns what a record shows.
func (x *index) rows(r *history.Record, k int) []seen {
	var rows []seen
	row := func(key int, s history.Shown) {
		p := x.proc(s.Process)
		rows = append(rows, seen{key: int32(key), proc: int32(p), pair: x.pairOf(key, p), fence: s.Fence, value: s.Value})
	}
	switch r.F {
	case history.Lookup:
		if r.Holder != "" {
			row(k, history.Shown{Process: r.Holder, Value: r.Value, Fence: r.Fence})
		}
	case history.Members:
		for _, m := range r.Members {
			row(k, history.Shown{Process: m})
		}
	default:
		rows = make([]seen, 0, len(r.Names)+len(r.Groups))
		for _, name := range slices.Sorted(maps.Keys(r.Names)) {
			row(x.key(false, name), r.Names[name])
		}
		for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
			id := x.key(true, name)
			for _, m := range r.Groups[name] {
				row(id, m)
			}
		}
	}
	slices.SortFunc(rows, func(a, b seen) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.proc, b.proc)
	})
	return rows
}
