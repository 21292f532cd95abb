package check

import (
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// pair is a process with a name or a group that it was ever to have.
type pair struct {
	key    int
	proc   int
	stints []int32
	writes []int32 // operations that may have given it a value, in the order of invocation
	// loose says that writes overlap, or that one may have happened at any time.
	loose  bool
	fences []uint64 // in order
	whole  bool     // all fences that it was given are known
	quits  []int32
}

// ending says how a stint ended.
type ending uint8

const (
	lasting  ending = iota
	given           // unregistered or left
	told            // the process was told that it lost the name
	finished        // the process ended
)

// stint is a stretch in which a process held a name or was in a group, as the
// process sees it.
//
// Invariant: invoke < quit <= over, and sure < quit unless sure is none.
type stint struct {
	pair   int32
	key    int
	proc   int
	run    int
	invoke int // the record from which it may be
	sure   int // the record from which it certainly is, or none
	sureAt int64
	fence  uint64
	quit   int // the record from which it need not be; the number of records when it lasts
	quitAt int64
	how    ending
	over   int // the record from which it certainly is not
	overAt int64
	losses []int32 // the Lost records that it was told by, Contested ones aside
	rivals []int32 // the Contested ones
}

// alive reports whether the stint certainly was throughout some records.
func (s *stint) alive(from, to int) bool { return s.sure != none && s.sure < from && s.quit > to }

// possible reports whether it may have been at some time in some records.
func (s *stint) possible(from, to int) bool { return s.invoke <= to && s.over > from }

// Reasons of Lost and Event records.
const (
	contested    = "contested"
	reregistered = "reregistered"
	nodeDown     = "node down"
)

// truth is what certainly is and what may be, while the history is read.
type truth struct {
	x       *index
	last    map[int32]int   // by pair: its latest stint
	opening map[int32][]int // by pair: registrations and joins under way
	closing map[int32][]int // by pair: removals under way
	early   map[int][]int32 // by operation: Lost records that came before its end
	procs   map[int][]int32 // by process: its pairs
	mixed   map[int]bool    // operations that a removal overlapped
	ends    map[int]int     // by removal: the latest stint that it ends
	stands  map[int32][]int // by pair: the stints that may not be over
}

// pairOf returns the number of a pair, or none when the process was never to
// have it.
func (x *index) pairOf(key, proc int) int32 {
	if id, ok := x.pairIDs[uint64(key)<<32|uint64(uint32(proc))]; ok {
		return id
	}
	return none
}

// pair returns the pair that an operation is about, making it if it is new.
func (t *truth) pair(o *op) int32 {
	x := t.x
	id := x.pairOf(o.key, o.proc)
	if id == none {
		id = int32(len(x.pairs))
		x.pairIDs[uint64(o.key)<<32|uint64(uint32(o.proc))] = id
		x.pairs = append(x.pairs, pair{key: o.key, proc: o.proc, whole: true})
		x.pairsOf[o.key] = append(x.pairsOf[o.key], id)
		t.procs[o.proc] = append(t.procs[o.proc], id)
	}
	return id
}

// readTruth finds who held what, and when each name and group was touched.
func (x *index) readTruth() {
	t := &truth{
		x: x, last: map[int32]int{}, opening: map[int32][]int{}, closing: map[int32][]int{},
		early: map[int][]int32{}, procs: map[int][]int32{}, mixed: map[int]bool{}, ends: map[int]int{},
		stands: map[int32][]int{},
	}
	for i := range x.recs {
		switch r := &x.recs[i]; {
		case x.opAt[i] != none:
			t.operation(i, int(x.opAt[i]))
		case r.F == history.Lost:
			t.lost(i, r)
		case r.F == history.Exit:
			t.exit(i, x.proc(r.Process))
		case r.F == history.NodeDown:
			for p := range x.procs {
				if x.procs[p].exit == i {
					t.exit(i, p)
				}
			}
		}
	}
	for i := range x.stints {
		x.stintsOf[x.stints[i].key] = append(x.stintsOf[x.stints[i].key], int32(i))
	}
	for i := range x.pairs {
		slices.Sort(x.pairs[i].fences)
		x.loosen(&x.pairs[i])
	}
	for i := range x.touches {
		for _, s := range x.touches[i].list {
			x.touched.add(s.from, s.to)
		}
		x.touches[i].seal()
	}
	x.touched.seal()
}

// operation takes in one record of an operation.
func (t *truth) operation(i, id int) {
	o := &t.x.ops[id]
	if o.key == none || o.proc == none {
		return
	}
	switch o.f {
	case history.Register, history.Reregister, history.Join, history.Update:
		p := t.pair(o)
		if i == o.invoke {
			t.touch(o)
			if o.may() {
				t.x.pairs[p].writes = append(t.x.pairs[p].writes, int32(id))
			}
		}
		if o.f != history.Update {
			t.open(i, id, o, p)
		}
	case history.Unregister, history.Leave:
		p := t.pair(o)
		if i == o.invoke {
			t.touch(o)
		}
		t.close(i, id, o, p)
	}
}

// touch notes when an operation may have changed a name or a group.
func (t *truth) touch(o *op) {
	if !o.may() {
		return
	}
	from, to := o.at, o.doneAt
	if o.outcome == history.Info {
		to += t.x.claim
	}
	if o.run != none {
		for _, p := range t.x.runs[o.run].pauses {
			if o.outcome != history.Ok && p[0] <= to && p[1] >= from && to < forever {
				to = max(to, p[1]+t.x.claim)
			}
		}
		to = min(to, max(from, t.x.runs[o.run].toAt))
	}
	t.x.touches[o.key].add(from, to)
}

// open takes in a registration or a join.
func (t *truth) open(i, id int, o *op, p int32) {
	if i == o.invoke {
		t.opening[p] = append(t.opening[p], id)
		if len(t.closing[p]) > 0 {
			t.mixed[id] = true
		}
		if o.may() && !o.sure() {
			t.x.pairs[p].whole = false
			t.begin(id, o, p, none)
		}
		return
	}
	t.opening[p] = slices.DeleteFunc(t.opening[p], func(e int) bool { return e == id })
	if !o.sure() {
		return
	}
	pr := &t.x.pairs[p]
	fence := t.x.recs[i].Fence
	if pr.fences = append(pr.fences, fence); fence == 0 {
		pr.whole = false
	}
	sure := i
	if t.mixed[id] {
		sure = none
	}
	t.begin(id, o, p, sure)
}

// begin begins a stint, or makes the one that stands sure.
func (t *truth) begin(id int, o *op, p int32, sure int) {
	x := t.x
	if last, ok := t.last[p]; ok && x.stints[last].how == lasting && x.stints[last].invoke <= o.invoke {
		s := &x.stints[last]
		if s.sure == none && sure != none {
			s.sure, s.sureAt = sure, x.recs[sure].At
		}
		if sure != none {
			s.fence = x.recs[sure].Fence
		}
		t.heard(last, id)
		return
	}
	s := stint{
		pair: p, key: o.key, proc: o.proc, run: x.procs[o.proc].run, invoke: o.invoke, sure: sure, sureAt: forever,
		quit: len(x.recs), quitAt: forever, over: len(x.recs), overAt: forever,
	}
	if sure != none {
		s.sureAt, s.fence = x.recs[sure].At, x.recs[sure].Fence
	}
	n := len(x.stints)
	x.stints = append(x.stints, s)
	x.pairs[p].stints = append(x.pairs[p].stints, int32(n))
	t.last[p] = n
	t.stands[p] = append(t.stands[p], n)
	t.heard(n, id)
	if end := x.procs[o.proc].exit; sure != none && end < sure {
		x.stints[n].finish(finished, sure, x.recs[sure].At)
	}
}

// heard gives a stint the losses that were told while its registration was still
// under way.
func (t *truth) heard(n, id int) {
	for _, l := range t.early[id] {
		t.tell(n, int(l), max(int(l), t.x.ops[id].done))
	}
	delete(t.early, id)
}

// finish ends a stint for certain.
func (s *stint) finish(how ending, at int, when int64) {
	if s.how == lasting {
		s.how, s.quit, s.quitAt = how, at, when
	}
	if s.overAt == forever {
		s.over, s.overAt = at, when
	}
}

// close takes in a removal.
func (t *truth) close(i, id int, o *op, p int32) {
	x := t.x
	if !o.may() {
		return
	}
	if i == o.invoke {
		x.pairs[p].quits = append(x.pairs[p].quits, int32(id))
		t.closing[p] = append(t.closing[p], id)
		for _, e := range t.opening[p] {
			t.mixed[e] = true
		}
		if n, ok := t.last[p]; ok && x.stints[n].overAt == forever {
			s := &x.stints[n]
			if s.how == lasting {
				s.how, s.quit, s.quitAt = given, i, x.recs[i].At
			}
			if len(t.opening[p]) == 0 {
				t.ends[id] = n
			}
		}
		return
	}
	t.closing[p] = slices.DeleteFunc(t.closing[p], func(e int) bool { return e == id })
	if last, ok := t.ends[id]; ok && o.sure() && len(t.opening[p]) == 0 {
		t.stands[p] = slices.DeleteFunc(t.stands[p], func(n int) bool {
			if n <= last {
				x.stints[n].finish(given, i, x.recs[i].At)
			}
			return x.stints[n].overAt != forever
		})
	}
	delete(t.ends, id)
}

// lost takes in that a process was told that it lost a name.
func (t *truth) lost(i int, r *history.Record) {
	x := t.x
	proc, ok := x.procIDs[r.Process]
	k, known := x.keyIDs[key{false, r.Name}]
	p := int32(none)
	if ok && known {
		p = x.pairOf(k, proc)
	}
	if p == none {
		x.stray = append(x.stray, i)
		return
	}
	n, held := t.last[p]
	early := slices.IndexFunc(t.opening[p], func(id int) bool { return x.ops[id].sure() })
	switch {
	case held && x.stints[n].how == lasting:
		t.tell(n, i, i)
	case early >= 0:
		id := t.opening[p][early]
		t.early[id] = append(t.early[id], int32(i))
	case held:
		t.tell(n, i, i)
	default:
		x.stray = append(x.stray, i)
	}
}

// tell notes a Lost record of a stint; from the record at on it is over.
func (t *truth) tell(n, record, at int) {
	s := &t.x.stints[n]
	r := &t.x.recs[record]
	if isContested(r.Reason) {
		s.rivals = append(s.rivals, int32(record))
		return
	}
	s.losses = append(s.losses, int32(record))
	s.finish(told, at, t.x.recs[at].At)
}

func isContested(reason string) bool { return strings.Contains(strings.ToLower(reason), contested) }

func isReregistered(reason string) bool {
	return strings.Contains(strings.ToLower(reason), reregistered)
}

// exit takes in the end of a process.
func (t *truth) exit(i, proc int) {
	x := t.x
	when := x.recs[i].At
	for _, p := range t.procs[proc] {
		k := x.pairs[p].key
		if list := x.touches[k].list; len(list) == 0 || list[len(list)-1] != (span{when, when}) {
			x.touches[k].add(when, when)
		}
		for _, n := range t.stands[p] {
			x.stints[n].finish(finished, i, when)
		}
		delete(t.stands, p)
	}
}

// loosen finds whether the writes of a pair are in one certain order.
func (x *index) loosen(p *pair) {
	far := none
	for _, w := range p.writes {
		o := &x.ops[w]
		if !o.sure() || o.invoke < far {
			p.loose = true
			return
		}
		far = o.done
	}
}

// lives reports whether a pair may have been at some time in some records.
func (x *index) lives(p int32, from, to int) bool {
	if p == none {
		return false
	}
	list := x.pairs[p].stints
	for i := len(list) - 1; i >= 0; i-- {
		if x.stints[list[i]].possible(from, to) {
			return true
		}
	}
	return false
}

// given reports whether a process was given a fence, as far as all of them are
// known.
func (p *pair) given(fence uint64) bool {
	_, ok := slices.BinarySearch(p.fences, fence)
	return ok
}

// isTouched reports whether a name or a group may have been changed in a time.
func (x *index) isTouched(key int, from, to int64) bool { return x.touches[key].meets(from, to) }
