package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// overlaps walks through the pairs of stints of a name that certainly were at the
// same time, of different processes, the later one second.
func (x *index) overlaps(k int, each func(a, b *stint)) {
	var standing []int32
	list := slices.DeleteFunc(slices.Clone(x.stintsOf[k]), func(id int32) bool {
		return x.stints[id].sure == none || x.stints[id].run == none
	})
	slices.SortStableFunc(list, func(a, b int32) int { return x.stints[a].sure - x.stints[b].sure })
	for _, id := range list {
		b := &x.stints[id]
		standing = slices.DeleteFunc(standing, func(o int32) bool { return x.stints[o].quit <= b.sure })
		for _, o := range standing {
			if a := &x.stints[o]; a.proc != b.proc {
				each(a, b)
			}
		}
		standing = append(standing, id)
	}
}

// meetings walks through the windows in which two overlapping stints were both
// believed for the bound when the window was due, with the time from which.
func (x *index) meetings(a, b *stint, each func(window int, from int64) bool) {
	until := min(a.quitAt, b.quitAt)
	for _, id := range x.windowsOf[a.run] {
		w := &x.windows[id]
		if !w.has(b.run) {
			continue
		}
		from := max(w.due, b.sureAt+x.bound)
		if from < min(until, w.toAt) && from <= x.lastAt && each(id, from) {
			return
		}
	}
}

func oneBeliever(x *index, f *finder) {
	f.idle = "no two processes of a component could be seen to believe for longer than the bound"
	for k := range x.keys {
		if x.keys[k].group {
			continue
		}
		if len(x.stintsOf[k]) > 0 && x.judgeable(k) {
			f.judge()
		}
		x.overlaps(k, func(a, b *stint) {
			x.meetings(a, b, func(window int, from int64) bool {
				if x.keep {
					return x.contestedShown(f, a, b, window, from)
				}
				at := x.recordAt(from)
				f.found(at, "%s: at %s both %s on %s, since %s, and %s on %s, since %s, believe that they hold it; their component was due at %s",
					x.keys[k], when(from), x.procName(a.proc), x.runName(a.run), x.at(a.sure),
					x.procName(b.proc), x.runName(b.run), x.at(b.sure), when(x.windows[window].due))
				return true
			})
		})
	}
}

// judgeable reports whether some believer of a name was in a window that was due
// for the bound.
func (x *index) judgeable(k int) bool {
	return slices.ContainsFunc(x.stintsOf[k], func(id int32) bool {
		s := &x.stints[id]
		return s.sure != none && x.shares(s.run, s.run, s.sureAt) <= min(x.lastAt, s.quitAt)
	})
}

// recordAt returns the first record at or after a time.
func (x *index) recordAt(at int64) int {
	n, _ := slices.BinarySearchFunc(x.recs, at, func(r history.Record, at int64) int {
		if r.At < at {
			return -1
		}
		return 1
	})
	return min(n, len(x.recs)-1)
}

// contestedShown looks for a holder that is shown while two claims live.
func (x *index) contestedShown(f *finder, a, b *stint, window int, from int64) bool {
	until := min(a.quit, b.quit)
	for _, v := range x.viewsW[window] {
		r := &x.reads[v]
		if r.at < from || r.done >= until || !r.covers(a.key) {
			continue
		}
		if rows := r.of(a.key); len(rows) > 0 {
			f.found(r.done, "%s: %s shows %s (%s), though %s, since %s, and %s, since %s, contest it",
				x.keys[a.key], x.runName(r.run), x.shows(rows), x.at(r.done),
				x.procName(a.proc), x.at(a.sure), x.procName(b.proc), x.at(b.sure))
			return true
		}
	}
	return false
}

func noFlipFlop(x *index, f *finder) {
	f.idle = "no node was asked twice for one name in an unchanged stretch after the bound"
	for run := range x.runs {
		var view *read
		points := map[int]*read{}
		for _, id := range x.readsO[run] {
			r := &x.reads[id]
			if r.f == history.Snapshot || r.f == history.Members || !x.due(r) {
				continue
			}
			if r.all() {
				if view != nil && view.window == r.window {
					f.judge()
					x.flips(f, view, r)
				}
				view = r
				continue
			}
			if p := points[r.key]; p != nil && p.window == r.window {
				f.judge()
				x.flip(f, p, r, r.key)
			} else if view != nil && view.window == r.window {
				f.judge()
				x.flip(f, view, r, r.key)
			}
			points[r.key] = r
		}
	}
}

// flips looks for names that changed hands between two views.
func (x *index) flips(f *finder, a, b *read) {
	for i := range a.rows {
		if k := int(a.rows[i].key); !x.keys[k].group {
			x.flip(f, a, b, k)
		}
	}
}

// flip looks whether a name changed hands between two reads of a node without a
// reason.
func (x *index) flip(f *finder, a, b *read, k int) {
	before, after := a.of(k), b.of(k)
	if len(before) == 0 || b.invoke < a.done || len(after) > 0 && after[0].proc == before[0].proc {
		return
	}
	p := before[0].pair
	if p == none || x.isTouched(k, a.at-x.bound, b.doneAt) {
		return
	}
	for _, id := range x.pairs[p].stints {
		if s := &x.stints[id]; s.alive(a.invoke, b.done) {
			f.found(b.done, "%s: %s showed %s (%s) and now shows %s (%s), though %s still believes that it holds it and nobody challenged it",
				x.keys[k], x.runName(a.run), x.procName(s.proc), x.at(a.done), x.shows(after), x.at(b.done), x.procName(s.proc))
			return
		}
	}
}

// grant is a registration that was granted, with its fence.
type grant struct {
	op    *op
	stint *stint
	fence uint64
}

func fenceGrows(x *index, f *finder) {
	f.idle = "no fence was told twice in a way that can be compared"
	x.fencesShown(f)
	if !x.lastWriter || x.keep {
		return
	}
	for k := range x.keys {
		var grants []grant
		for _, id := range x.stintsOf[k] {
			s := &x.stints[id]
			if s.sure == none || s.fence == 0 || s.run == none || x.keys[k].group {
				continue
			}
			if o := &x.ops[x.opAt[s.sure]]; o.run == s.run {
				grants = append(grants, grant{o, s, x.recs[s.sure].Fence})
			}
		}
		x.growing(f, k, grants)
	}
}

// growing wants of each grant that it has a higher fence than those that its node
// must have seen: claims that stood for the bound in the window in which it was
// asked for, when that was due.
func (x *index) growing(f *finder, k int, grants []grant) {
	slices.SortStableFunc(grants, func(a, b grant) int { return a.op.invoke - b.op.invoke })
	top := map[int]grant{} // by window: the highest fence that all must have seen
	next := map[int]int{}  // by window: the grants that wait for that
	for _, g := range grants {
		id := x.windowAt(g.op.run, g.op.invoke, g.op.done)
		if id == none || x.windows[id].due > g.op.at {
			continue
		}
		w := &x.windows[id]
		for i := next[id]; i < len(grants); i++ {
			o := grants[i]
			if o.stint.sureAt+x.bound > g.op.at {
				break
			}
			next[id] = i + 1
			if seen := max(o.stint.sureAt+x.bound, w.due); w.has(o.stint.run) && o.stint.quitAt >= seen && o.fence > top[id].fence {
				top[id] = o
			}
		}
		o, ok := top[id]
		if !ok {
			continue
		}
		f.judge()
		if g.fence <= o.fence && g.stint != o.stint {
			f.found(g.stint.sure, "%s: %s on %s was given the fence %d (%s), not above %d of %s on %s (%s), which stood in the same component before",
				x.keys[k], x.procName(g.stint.proc), x.runName(g.stint.run), g.fence, x.at(g.stint.sure),
				o.fence, x.procName(o.stint.proc), x.runName(o.stint.run), x.at(o.stint.sure))
		}
	}
}

// fencesShown wants that a name is shown with a fence that its holder was given.
func (x *index) fencesShown(f *finder) {
	for i := range x.reads {
		r := &x.reads[i]
		for j := range r.rows {
			row := &r.rows[j]
			if row.fence == 0 || row.pair == none || x.keys[row.key].group {
				continue
			}
			p := &x.pairs[row.pair]
			if !p.whole || len(p.fences) == 0 {
				continue
			}
			f.judge()
			if !p.given(row.fence) {
				f.found(r.done, "%s: %s shows %s with the fence %d (%s), which it was never given",
					x.keys[row.key], x.runName(r.run), x.procName(int(row.proc)), row.fence, x.at(r.done))
			}
		}
	}
}
