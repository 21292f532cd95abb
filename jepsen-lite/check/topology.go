package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// window is a stretch of time in which a component stays as it is.
type window struct {
	runs     []int // in order
	from, to int   // records: the first in it, the first after it
	fromAt   int64
	toAt     int64 // forever when it lasts to the end
	due      int64 // from then on its nodes must agree
	clique   bool  // every two nodes are linked directly
	soft     bool  // some link is degraded, so it is never due
	edges    []state
}

// has reports whether a run is in the window.
func (w *window) has(run int) bool {
	_, ok := slices.BinarySearch(w.runs, run)
	return ok
}

// last reports whether the window lasts to the end of the history.
func (x *index) last(w *window) bool { return w.to == len(x.recs) }

// network is the network while the history is read.
type network struct {
	x        *index
	n        int
	closed   []bool // by from*n+to: certainly closed
	doubt    []bool // nobody knows
	degraded []bool
	pending  []pendingFault
	current  []int // by node: the run that is up and not paused, or none

	apartAt  []int64 // by pair: since when the two cannot reach each other; never if they never could
	directAt []int64 // by pair: since when they have no direct link; never if they never had one
	together []bool
	direct   []bool
	downAt   []int64 // by node: when its last run ended

	open    []int // windows that have not ended
	suspect int   // a run that was made to suspect another, or none
}

// pendingFault is a fault between its two records.
type pendingFault struct {
	op       int
	after    []bool // the closed links when it is done; nil when nobody knows
	degraded []bool // the degraded ones
}

// readTopology finds the windows.
func (x *index) readTopology() {
	for i := range x.recs { // names of nodes that only faults mention
		for _, l := range x.recs[i].Closed {
			x.node(l.From)
			x.node(l.To)
		}
		for _, l := range x.recs[i].Degraded {
			x.node(l.From)
			x.node(l.To)
		}
	}
	n := len(x.nodes)
	t := &network{
		x: x, n: n, suspect: none, closed: make([]bool, n*n), doubt: make([]bool, n*n), degraded: make([]bool, n*n),
		current: make([]int, n), apartAt: make([]int64, n*n), directAt: make([]int64, n*n),
		together: make([]bool, n*n), direct: make([]bool, n*n), downAt: make([]int64, n),
	}
	for i := range n {
		t.current[i], t.downAt[i] = none, never
		if runs := x.runsOf[i]; len(runs) > 0 && x.runs[runs[0]].fromAt == never {
			t.current[i] = runs[0]
		}
	}
	for i := range t.apartAt {
		t.apartAt[i], t.directAt[i] = never, never
	}
	x.windowsOf = make([][]int, len(x.runs))
	if len(x.recs) > 0 {
		t.slice(0, x.recs[0].At)
	}
	after := x.outcomes(t)
	for i := range x.recs {
		if t.apply(i, &x.recs[i], after) {
			t.slice(i, x.recs[i].At)
		}
	}
}

// isFault reports whether a record is of a fault that changes links.
func isFault(f history.Func) bool {
	switch f {
	case history.Cut, history.Heal, history.OneWay, history.Degrade:
		return true
	}
	return false
}

// outcomes finds the second record of each fault.
func (x *index) outcomes(t *network) map[int]int {
	after := map[int]int{}
	for i := range x.recs {
		r := &x.recs[i]
		if isFault(r.F) && r.Type != history.Invoke && r.Op != 0 {
			after[r.Op] = i
		}
	}
	return after
}

// links returns a set of links as a matrix.
func (t *network) links(list []history.Link) []bool {
	m := make([]bool, t.n*t.n)
	for _, l := range list {
		m[t.x.nodeIDs[l.From]*t.n+t.x.nodeIDs[l.To]] = true
	}
	return m
}

// apply takes in a record and reports whether it changed the topology.
func (t *network) apply(i int, r *history.Record, after map[int]int) bool {
	run := int(t.x.runAt[i])
	switch r.F {
	case history.NodeUp, history.Resume:
		if run != none {
			t.current[t.x.runs[run].node] = run
		}
		return true
	case history.NodeDown, history.Pause:
		if run == none || t.current[t.x.runs[run].node] != run && r.F == history.Pause {
			return false
		}
		node := t.x.runs[run].node
		if t.current[node] == run {
			t.current[node] = none
		}
		if r.F == history.NodeDown {
			t.downAt[node] = r.At
		}
		return true
	case history.Suspect:
		t.suspect = run
		return true
	}
	if !isFault(r.F) {
		return false
	}
	if r.Type == history.Invoke {
		t.begin(r, after)
	} else {
		t.finish(r)
	}
	return true
}

// begin opens the window of a fault in which nobody knows.
func (t *network) begin(r *history.Record, after map[int]int) {
	p := pendingFault{op: r.Op}
	if j, ok := after[r.Op]; ok {
		done := &t.x.recs[j]
		if done.Type == history.Fail {
			return
		}
		if done.Type == history.Ok || len(done.Closed) > 0 || r.F == history.Heal {
			p.after, p.degraded = t.links(done.Closed), t.links(done.Degraded)
		}
	}
	if r.F == history.Degrade {
		p.after = t.closed
	}
	t.pending = append(t.pending, p)
}

// finish takes in how a fault ended.
func (t *network) finish(r *history.Record) {
	t.pending = slices.DeleteFunc(t.pending, func(p pendingFault) bool { return p.op == r.Op })
	if r.Type == history.Fail {
		return
	}
	sure := r.Type == history.Ok && r.Verified
	if sure {
		t.degraded = t.links(r.Degraded)
	}
	if r.F == history.Degrade {
		for i := range t.degraded {
			t.degraded[i] = t.degraded[i] || !sure
		}
		return
	}
	t.close(r)
}

func (t *network) close(r *history.Record) {
	next := t.links(r.Closed)
	if r.Type == history.Ok && r.Verified {
		t.closed = next
		clear(t.doubt)
		return
	}
	whole := len(r.Closed) == 0 && r.F != history.Heal
	for i := range t.doubt {
		if whole || next[i] != t.closed[i] {
			t.doubt[i] = true
		}
	}
}

// link says what is known of the link from a to b.
func (t *network) link(a, b int) (closed, sure bool) {
	i := a*t.n + b
	if t.doubt[i] {
		return false, false
	}
	for _, p := range t.pending {
		if p.after == nil || p.after[i] != t.closed[i] {
			return false, false
		}
	}
	return t.closed[i], true
}

// impaired reports whether the link from a to b is degraded, or may be.
func (t *network) impaired(a, b int) bool {
	i := a*t.n + b
	if t.degraded[i] {
		return true
	}
	return slices.ContainsFunc(t.pending, func(p pendingFault) bool { return p.degraded == nil || p.degraded[i] })
}

// state is what is known of a pair of nodes that are up.
type state uint8

const (
	shut  state = iota // closed both ways
	half               // open one way, or nobody knows
	joint              // open both ways
)

func (t *network) pair(a, b int) state {
	ab, sureAB := t.link(a, b)
	ba, sureBA := t.link(b, a)
	switch {
	case !sureAB || !sureBA || ab != ba:
		return half
	case ab:
		return shut
	}
	return joint
}

// unclear reports whether nobody knows about a link of a pair.
func (t *network) unclear(a, b int) bool {
	_, sureAB := t.link(a, b)
	_, sureBA := t.link(b, a)
	return !sureAB || !sureBA
}

// slice begins a slice of time: windows that go on stay open, others end.
func (t *network) slice(at int, when int64) {
	pairs := make([]state, t.n*t.n)
	for a := range t.n {
		for b := range a {
			if t.current[a] != none && t.current[b] != none {
				pairs[a*t.n+b] = t.pair(a, b)
				pairs[b*t.n+a] = pairs[a*t.n+b]
			}
		}
	}
	t.lose(pairs, when)
	was := t.open
	t.open = nil
	for _, c := range t.components(pairs, joint) {
		clean, soft := t.judge(c, pairs)
		if !clean {
			continue
		}
		w := t.window(c, pairs, at, when)
		if w.soft = soft; soft {
			w.due = forever
		}
		i := slices.IndexFunc(was, func(o int) bool {
			old := &t.x.windows[o]
			return slices.Equal(old.runs, w.runs) && slices.Equal(old.edges, w.edges) && old.soft == w.soft && !w.has(t.suspect)
		})
		if i >= 0 {
			t.open = append(t.open, was[i])
			continue
		}
		id := len(t.x.windows)
		t.x.windows = append(t.x.windows, w)
		t.open = append(t.open, id)
		for _, r := range w.runs {
			t.x.windowsOf[r] = append(t.x.windowsOf[r], id)
		}
	}
	t.suspect = none
	for _, o := range was {
		if !slices.Contains(t.open, o) {
			t.x.windows[o].to, t.x.windows[o].toAt = at, when
		}
	}
}

// lose notes which pairs of nodes have lost each other, or their direct link.
func (t *network) lose(pairs []state, when int64) {
	together := make([]bool, t.n*t.n)
	for _, c := range t.components(pairs, half) {
		for _, a := range c {
			for _, b := range c {
				together[a*t.n+b] = true
			}
		}
	}
	for i := range together {
		t.apartAt[i] = lost(t.apartAt[i], t.together[i], together[i], when)
		t.directAt[i] = lost(t.directAt[i], t.direct[i], pairs[i] == joint, when)
		t.direct[i] = pairs[i] == joint
	}
	t.together = together
}

// lost returns since when something is lost: never while it is there.
func lost(since int64, was, is bool, when int64) int64 {
	switch {
	case is:
		return never
	case was:
		return when
	}
	return since
}

// components returns the sets of nodes that are connected by links of at least
// some state, in order.
func (t *network) components(pairs []state, least state) [][]int {
	var all [][]int
	seen := make([]bool, t.n)
	for a := range t.n {
		if seen[a] || t.current[a] == none {
			continue
		}
		seen[a] = true
		c := []int{a}
		for i := 0; i < len(c); i++ {
			for b := range t.n {
				if !seen[b] && t.current[b] != none && pairs[c[i]*t.n+b] >= least {
					seen[b] = true
					c = append(c, b)
				}
			}
		}
		slices.Sort(c)
		all = append(all, c)
	}
	return all
}

// judge reports whether a component is one for certain: no link leads out of it,
// and of none in it nobody knows; and whether one in it is degraded.
func (t *network) judge(c []int, pairs []state) (clean, soft bool) {
	for _, a := range c {
		for b := range t.n {
			if a == b || t.current[b] == none {
				continue
			}
			if !slices.Contains(c, b) {
				if pairs[a*t.n+b] != shut {
					return false, false
				}
				continue
			}
			if t.unclear(a, b) {
				return false, false
			}
			soft = soft || t.impaired(a, b)
		}
	}
	return true, soft
}

// window returns the window of a component that begins now.
func (t *network) window(c []int, pairs []state, at int, when int64) window {
	w := window{from: at, to: len(t.x.recs), fromAt: when, toAt: forever, clique: true, due: when + t.x.bound}
	late := func(since int64) {
		if since != never {
			w.due = max(w.due, since+t.x.detect+t.x.bound)
		}
	}
	for _, a := range c {
		w.runs = append(w.runs, t.current[a])
		late(t.downAt[a])
		for b := range t.n {
			switch in := slices.Contains(c, b); {
			case a == b:
			case !in:
				late(t.apartAt[a*t.n+b])
			case pairs[a*t.n+b] != joint:
				w.clique = false
				late(t.directAt[a*t.n+b])
			}
			if b < a && slices.Contains(c, b) {
				w.edges = append(w.edges, pairs[a*t.n+b])
			}
		}
	}
	slices.Sort(w.runs)
	return w
}

// windowAt returns the window that a run is in throughout some records, or none.
func (x *index) windowAt(run, from, to int) int {
	if run == none {
		return none
	}
	list := x.windowsOf[run]
	n, _ := slices.BinarySearchFunc(list, from, func(w, from int) int {
		if x.windows[w].from <= from {
			return -1
		}
		return 1
	})
	if n == 0 || x.windows[list[n-1]].to <= to {
		return none
	}
	return list[n-1]
}

// shares returns the first time from which a window of both runs is due and a
// change that was made at a time has had its bound in it; forever if there is no
// such time.
func (x *index) shares(a, b int, since int64) int64 {
	if a == none || b == none {
		return forever
	}
	for _, id := range x.windowsOf[a] {
		w := &x.windows[id]
		if t := max(w.due, since+x.bound); t < w.toAt && w.has(b) {
			return t
		}
	}
	return forever
}
