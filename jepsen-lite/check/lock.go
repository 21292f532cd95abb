package check

import (
	"maps"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// step is one operation on a lock, as porcupine sees it.
type step struct {
	proc   int32
	take   bool
	unsure bool
}

// lock is the model of a name to which all registrations are arbitrated: the state
// is the process that holds it, or none; first holds it at the start.
func lock(first int32) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, input, _ any) (bool, any) {
			holder, s := state.(int32), input.(step)
			switch {
			case s.take && (holder == none || holder == s.proc):
				return true, s.proc
			case s.take:
				return s.unsure, holder
			case holder == s.proc:
				return true, int32(none)
			}
			return true, holder
		},
	}
}

// maxOpen is how many registrations of one name in one window may be without a
// certain end: each doubles what a search may have to try.
const maxOpen = 12

func linearizable(x *index, f *finder) {
	f.idle = "no name was registered twice, arbitrated, while the membership of a component was stable"
	for k := range x.keys {
		if x.keys[k].group || len(x.pairsOf[k]) < 2 {
			continue
		}
		byWindow := x.registrations(k)
		for _, id := range slices.Sorted(maps.Keys(byWindow)) {
			for _, c := range x.contests(k, &x.windows[id], byWindow[id]) {
				if c.collect(byWindow[id]) {
					c.judge(f)
				}
			}
		}
	}
}

// contests divides a window into the stretches in which a name is arbitrated and
// nothing else: a registration that asks nobody, optimistic or a re-registration,
// ends one, and the next begins when that one is settled.
func (x *index) contests(k int, w *window, list []*op) []*contest {
	slices.SortFunc(list, func(a, b *op) int { return a.invoke - b.invoke })
	var all []*contest
	start := x.settled(w)
	for _, o := range list {
		if o.arbitrated() {
			continue
		}
		if o.at > start {
			all = append(all, &contest{x: x, key: k, w: w, start: start, end: o.invoke})
		}
		done := int64(forever)
		if o.sure() {
			done = o.doneAt + x.settle()
		}
		start = max(start, done)
	}
	return append(all, &contest{x: x, key: k, w: w, start: start, end: w.to})
}

// arbitrated reports whether a registration asks a home.
func (o *op) arbitrated() bool { return o.f == history.Register && o.mode != history.Optimistic }

// registrations sorts the registrations of a name by the windows of directly
// linked nodes in which they were under way.
func (x *index) registrations(k int) map[int][]*op {
	by := map[int][]*op{}
	for _, p := range x.pairsOf[k] {
		for _, id := range x.pairs[p].writes {
			o := &x.ops[id]
			if o.f == history.Update || o.run == none {
				continue
			}
			list := x.windowsOf[o.run]
			from, _ := slices.BinarySearchFunc(list, o.invoke, func(w, at int) int {
				if x.windows[w].to <= at {
					return -1
				}
				return 1
			})
			for _, w := range list[from:] {
				if o.done != none && x.windows[w].from > o.done {
					break
				}
				if x.windows[w].clique {
					by[w] = append(by[w], o)
				}
			}
		}
	}
	return by
}

// contest is what happened to a name in a stretch of one window, from the time at
// which arbitration was exact and no earlier registration was under way.
type contest struct {
	x      *index
	key    int
	w      *window
	start  int64
	end    int // the first record after the stretch
	takes  []*op
	holder int32 // at the start
	sure   int   // registrations that certainly succeeded, and the first holder
	open   int   // registrations that may have
	ops    []porcupine.Operation
}

// collect sorts out what can be judged, and reports whether there is something.
func (c *contest) collect(list []*op) bool {
	for _, o := range list {
		switch {
		case o.invoke >= c.end:
		case o.at <= c.start && o.doneAt < c.start:
		case o.at <= c.start && !o.sure():
			return false
		case o.at <= c.start:
			c.start = o.doneAt
		default:
			c.takes = append(c.takes, o)
		}
	}
	return len(c.takes) > 0 && c.stand() && c.sure > 1
}

// settle returns the time within which what was not arbitrated is settled.
func (x *index) settle() int64 {
	if settle := x.h.Header.Settle; settle > 0 {
		return settle
	}
	return x.bound
}

// settled returns from when on arbitration in a window is exact.
func (x *index) settled(w *window) int64 {
	if w.soft {
		return w.due
	}
	return w.due - x.bound + x.settle()
}

// stand adds the operations: who holds the name at the start, who takes it, and
// who gives it up. It reports false when that is not clear.
func (c *contest) stand() bool {
	c.holder = none
	for _, id := range c.x.stintsOf[c.key] {
		s := &c.x.stints[id]
		if s.run == none || !c.w.has(s.run) {
			continue
		}
		began := s.sure != none && s.sureAt <= c.start
		switch {
		case began && s.quitAt > c.start && c.holder != none:
			return false
		case began && s.quitAt > c.start:
			c.holder = int32(s.proc)
			c.sure++
		case s.sure == none && c.x.recs[s.invoke].At <= c.start && s.overAt > c.start:
			return false
		}
		if s.quitAt > c.start && s.quit < c.end {
			c.add(int32(s.proc), step{proc: int32(s.proc)}, s.quit, s.over)
		}
	}
	for _, o := range c.takes {
		unsure := !o.sure() || o.done >= c.end
		done := o.done
		if unsure {
			done = math.MaxInt32
			c.open++
		} else {
			c.sure++
		}
		c.add(int32(o.proc), step{proc: int32(o.proc), take: true, unsure: unsure}, o.invoke, done)
	}
	return true
}

func (c *contest) add(client int32, s step, call, done int) {
	c.ops = append(c.ops, porcupine.Operation{ClientId: int(client), Input: s, Call: int64(call), Return: int64(max(call, done))})
}

// judge asks whether the operations are those of a lock.
func (c *contest) judge(f *finder) {
	x := c.x
	if c.open > maxOpen {
		f.lacks("%s: too many registrations without a certain end", x.keys[c.key])
		return
	}
	f.judge()
	if porcupine.CheckOperations(lock(c.holder), c.ops) {
		return
	}
	last := c.takes[len(c.takes)-1]
	for i, b := range c.takes {
		for _, id := range x.stintsOf[c.key] {
			a := &x.stints[id]
			if b.sure() && b.done < c.end && a.sure != none && a.proc != b.proc && c.w.has(a.run) && a.sure < b.done && a.quit > b.done && (i > 0 || a.sureAt <= c.start) {
				f.found(b.done, "%s: %s on %s was granted it (%s), though %s on %s holds it since %s; the component is stable, and arbitration exact since %s",
					x.keys[c.key], x.procName(b.proc), x.runName(b.run), x.at(b.done), x.procName(a.proc), x.runName(a.run), x.at(a.sure), when(x.settled(c.w)))
				return
			}
		}
	}
	f.found(last.invoke, "%s: its %d registrations since %s, when arbitration was exact, have no order in which each found it free",
		x.keys[c.key], len(c.takes), when(c.start))
}
