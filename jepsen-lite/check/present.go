package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// alive is the set of stints that certainly are, by key, while a sweep moves
// through the history.
//
// Invariant: place[s] is where stint s stands in its key's list, and at[k] where
// key k stands in keys.
type alive struct {
	begin []int32 // stints in the order of sure
	end   []int32 // stints in the order of quit
	b, e  int
	x     *index
	byKey map[int][]int32
	place map[int32]int
	keys  []int
	at    map[int]int
}

// newAlive returns the sweep over the stints that want takes.
func (x *index) newAlive(want func(*stint) bool) *alive {
	a := &alive{x: x, byKey: map[int][]int32{}, place: map[int32]int{}, at: map[int]int{}}
	for i := range x.stints {
		if s := &x.stints[i]; s.sure != none && want(s) {
			a.begin = append(a.begin, int32(i))
		}
	}
	a.end = slices.Clone(a.begin)
	slices.SortStableFunc(a.begin, func(p, q int32) int { return x.stints[p].sure - x.stints[q].sure })
	slices.SortStableFunc(a.end, func(p, q int32) int { return x.stints[p].quit - x.stints[q].quit })
	return a
}

// advance moves the sweep to a record: stints that began before it and have not
// ended by it are in the set.
func (a *alive) advance(to int) {
	for a.b < len(a.begin) && a.x.stints[a.begin[a.b]].sure < to {
		if s := a.begin[a.b]; a.x.stints[s].quit > to {
			a.put(s)
		}
		a.b++
	}
	for a.e < len(a.end) && a.x.stints[a.end[a.e]].quit <= to {
		a.drop(a.end[a.e])
		a.e++
	}
}

func (a *alive) put(s int32) {
	k := a.x.stints[s].key
	if len(a.byKey[k]) == 0 {
		a.at[k] = len(a.keys)
		a.keys = append(a.keys, k)
	}
	a.place[s] = len(a.byKey[k])
	a.byKey[k] = append(a.byKey[k], s)
}

func (a *alive) drop(s int32) {
	i, ok := a.place[s]
	if !ok {
		return
	}
	delete(a.place, s)
	k := a.x.stints[s].key
	list := a.byKey[k]
	last := list[len(list)-1]
	list[i] = last
	if last != s {
		a.place[last] = i
	}
	if a.byKey[k] = list[:len(list)-1]; len(list) > 1 {
		return
	}
	delete(a.byKey, k)
	j, end := a.at[k], a.keys[len(a.keys)-1]
	a.keys[j] = end
	a.at[end] = j
	a.keys = a.keys[:len(a.keys)-1]
	delete(a.at, k)
}

// inOrder returns reads in the order in which they began.
func (x *index) inOrder(want func(*read) bool) []int32 {
	var list []int32
	for i := range x.reads {
		if want(&x.reads[i]) {
			list = append(list, int32(i))
		}
	}
	slices.SortStableFunc(list, func(a, b int32) int { return x.reads[a].invoke - x.reads[b].invoke })
	return list
}

// presences walks through what must be shown: for each view or look-up that was
// made in a window that was due, and each key, the stints that have certainly been
// in that window for the bound.
func (x *index) presences(group bool, each func(r *read, key int, stints []int32)) {
	a := x.newAlive(func(s *stint) bool { return x.keys[s.key].group == group && s.run != none })
	var ready []int32
	visit := func(r *read, k int) {
		ready = ready[:0]
		w := &x.windows[r.window]
		for _, id := range a.byKey[k] {
			s := &x.stints[id]
			if s.sureAt+x.bound <= r.at && s.quit > r.done && w.has(s.run) {
				ready = append(ready, id)
			}
		}
		if len(ready) > 0 {
			slices.Sort(ready)
			each(r, k, ready)
		}
	}
	for _, id := range x.inOrder(func(r *read) bool { return r.f != history.Snapshot && x.due(r) }) {
		r := &x.reads[id]
		a.advance(r.invoke)
		if r.all() {
			for _, k := range a.keys {
				visit(r, k)
			}
			continue
		}
		visit(r, r.key)
	}
}

// missing calls found for each member that a read should show and does not.
func (x *index) missing(judge func(id int32) bool, found func(*read, *stint)) {
	x.presences(true, func(r *read, k int, stints []int32) {
		rows := r.of(k)
		for _, id := range stints {
			s := &x.stints[id]
			if !judge(id) {
				continue
			}
			if _, ok := slices.BinarySearchFunc(rows, int32(s.proc), func(row seen, p int32) int { return int(row.proc) - int(p) }); !ok {
				found(r, s)
			}
		}
	})
}

// unfound calls found for each name that a read should show with a live believer
// and does not. A name that is just being changed is left out.
func (x *index) unfound(judge func(id int32) bool, found func(*read, *stint, []seen)) {
	x.presences(false, func(r *read, k int, stints []int32) {
		if x.isTouched(k, r.at-x.bound, r.doneAt) {
			return
		}
		s := &x.stints[stints[0]]
		if x.keep && x.claimants(k, r) > 1 || !judge(stints[0]) {
			return
		}
		rows := r.of(k)
		if !slices.ContainsFunc(rows, func(row seen) bool { return x.lives(row.pair, r.invoke, r.done) }) {
			found(r, s, rows)
		}
	})
}

// claimants returns how many processes may have claims to a name during a read.
func (x *index) claimants(k int, r *read) int {
	n := 0
	for _, p := range x.pairsOf[k] {
		if x.lives(p, r.invoke, r.done) {
			n++
		}
	}
	return n
}

func noLostMember(x *index, f *finder) {
	f.idle = "no group was read in a component of a member, both settled for the bound"
	x.missing(func(int32) bool { f.judge(); return true }, func(r *read, s *stint) {
		f.found(r.done, "%s: %s does not show %s (%s), which joined at %s and lives on %s in the same component, due at %s",
			x.keys[s.key], x.runName(r.run), x.procName(s.proc), x.at(r.done), x.at(s.sure), x.runName(s.run), when(x.windows[r.window].due))
	})
}

func noLostName(x *index, f *finder) {
	f.idle = "no name was read in a component of a believer, both settled for the bound"
	x.unfound(func(int32) bool { f.judge(); return true }, func(r *read, s *stint, rows []seen) {
		f.found(r.done, "%s: %s shows %s (%s), but %s believes that it holds it since %s and lives on %s in the same component, due at %s",
			x.keys[s.key], x.runName(r.run), x.shows(rows), x.at(r.done), x.procName(s.proc), x.at(s.sure), x.runName(s.run),
			when(x.windows[r.window].due))
	})
}

// contended finds the adds that a removal could wrongly have taken along: those of
// what its process had before, and those made within the bound of a removal by
// another process.
func (x *index) contended() []bool {
	quits := make([]spans, len(x.keys))
	for i := range x.stints {
		if s := &x.stints[i]; s.quit < len(x.recs) {
			quits[s.key].add(s.quitAt-x.bound, s.quitAt+x.bound)
		}
	}
	for k := range quits {
		quits[k].seal()
	}
	found := make([]bool, len(x.stints))
	for i := range x.stints {
		s := &x.stints[i]
		again := x.pairs[s.pair].stints[0] != int32(i)
		found[i] = s.sure != none && (again || quits[s.key].meets(s.sureAt, s.sureAt))
	}
	return found
}

func addWins(x *index, f *finder) {
	f.idle = "nothing that was added again, or while something was removed beside it, was read after the bound"
	contended := x.contended()
	judge := func(id int32) bool {
		if contended[id] {
			f.judge()
		}
		return contended[id]
	}
	found := func(r *read, s *stint, rows []seen) {
		f.found(r.done, "%s: %s shows %s (%s) and not what %s added at %s; only an earlier add, or one of another process, was removed",
			x.keys[s.key], x.runName(r.run), x.shows(rows), x.at(r.done), x.procName(s.proc), x.at(s.sure))
	}
	x.missing(judge, func(r *read, s *stint) { found(r, s, r.of(s.key)) })
	x.unfound(judge, found)
}

func removesOnlyObserved(x *index, f *finder) {
	f.idle = "no event tells of a removal, and no process lost a name to a re-registration"
	for i := range x.recs {
		r := &x.recs[i]
		switch {
		case r.F == history.Event && r.Old != nil && (r.New == nil || r.New.Process != r.Old.Process):
			x.removalEvent(f, i, r)
		case r.F == history.Lost && isReregistered(r.Reason):
			x.replacement(f, i, r)
		}
	}
}

// removalEvent wants a reason for a removal that a watch tells of.
func (x *index) removalEvent(f *finder, i int, r *history.Record) {
	if !removes(r.Reason) {
		return
	}
	k, known := x.keyIDs[key{r.Kind == "group", r.Key}]
	p, ok := x.procIDs[r.Old.Process]
	if !known || !ok || x.pairOf(k, p) == none {
		return
	}
	f.judge()
	pr := &x.pairs[x.pairOf(k, p)]
	if x.procs[p].exitAt <= r.At+atOnce {
		return
	}
	for _, id := range pr.stints {
		s := &x.stints[id]
		if s.alive(i, i) && s.quitAt > r.At+atOnce && s.fence != 0 && s.fence == r.Old.Fence {
			x.unasked(f, i, k)
			return
		}
	}
	for _, id := range pr.stints {
		if s := &x.stints[id]; s.invoke < i && (s.quit < i || s.quitAt <= r.At+atOnce) {
			return
		}
	}
	if slices.ContainsFunc(pr.quits, func(id int32) bool { return x.ops[id].invoke < i }) {
		return
	}
	x.unasked(f, i, k)
}

func (x *index) unasked(f *finder, i, k int) {
	r := &x.recs[i]
	f.found(i, "%s: %s says that %s was removed (%s, %s), but it had not given it up, lost it or ended",
		x.keys[k], x.runName(int(x.runAt[i])), r.Old.Process, r.Reason, x.at(i))
}

// replacement wants a re-registration that can have seen what it replaced: some
// time at which the two nodes were not cut off from each other.
func (x *index) replacement(f *finder, i int, r *history.Record) {
	k, known := x.keyIDs[key{false, r.Name}]
	p, ok := x.procIDs[r.Process]
	q, winner := x.procIDs[r.Winner]
	if !known || !ok || !winner || x.pairOf(k, p) == none || x.pairOf(k, q) == none {
		return
	}
	f.judge()
	born := len(x.recs)
	for _, id := range x.pairs[x.pairOf(k, p)].stints {
		if s := &x.stints[id]; s.invoke < i {
			born = min(born, s.invoke)
		}
	}
	again := false
	for _, id := range x.pairs[x.pairOf(k, q)].writes {
		o := &x.ops[id]
		if o.f != history.Reregister || o.invoke > i {
			continue
		}
		again = true
		to := i
		if o.sure() {
			to = min(to, o.done)
		}
		if x.mayMeet(x.procs[p].run, x.procs[q].run, born, to) {
			return
		}
	}
	if !again {
		f.found(i, "%s: %s was told that %s re-registered it (%s), but it never did", x.keys[k], r.Process, r.Winner, x.at(i))
		return
	}
	f.found(i, "%s: the re-registration by %s replaced the claim of %s (%s), which its node cannot have seen: the two were cut off from each other all along",
		x.keys[k], r.Winner, r.Process, x.at(i))
}

// mayMeet reports whether news of run a can have come to run b between two
// records: false only if b was throughout alone, or in windows without a that were
// due, so that others that had seen a hid it.
func (x *index) mayMeet(a, b, from, to int) bool {
	if a == b || a == none || b == none {
		return true
	}
	for at := from; at <= to; {
		id := x.windowAt(b, at, at)
		if id == none {
			return true
		}
		w := &x.windows[id]
		if w.has(a) || len(w.runs) > 1 && w.due > x.recs[at].At {
			return true
		}
		at = w.to
	}
	return false
}
