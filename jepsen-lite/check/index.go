package check

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/resolve"
)

// forever is later than anything in a history, and never earlier.
const (
	forever = math.MaxInt64 / 4
	never   = math.MinInt64 / 4
)

// none stands for no record, run, process, key, pair or window.
const none = -1

// index is a history in the order in which the checks look things up. Places in
// the history are record numbers; times are those of the records.
//
// Invariant: it is complete when newIndex returns, and nothing modifies it then.
type index struct {
	h      *history.History
	recs   []history.Record
	lastAt int64

	bound, detect, claim int64

	policy     resolve.Policy // nil when it has no text form
	policyErr  error
	keep       bool // the policy keeps all claims
	lastWriter bool

	nodes   []string
	nodeIDs map[string]int
	runs    []run
	runsOf  [][]int // by node, in order
	runAt   []int32 // by record: the run that it is about, or none

	procs   []process
	procIDs map[string]int
	keys    []key
	keyIDs  map[key]int

	ops  []op
	opAt []int32 // by record: its operation, or none

	pairs    []pair
	pairIDs  map[uint64]int32
	pairsOf  [][]int32 // by key
	stints   []stint
	stintsOf [][]int32        // by key, in the order in which they begin
	stray    []int            // Lost records of processes that never claimed the name
	touches  []spans          // by key
	touched  spans            // all keys together
	forgets  map[[2]int][]int // by run and node: when the one forgot the other
	flows    []int            // the records of traffic

	windows   []window
	windowsOf [][]int // by run, in order

	reads  []read
	readsO [][]int32 // by run, in order of their ends
	viewsW [][]int32 // by window: the views and look-ups that were made after it was due
}

// run is one life of a node.
type run struct {
	node   int
	number int
	from   int
	fromAt int64
	to     int // the record that ended it, or the number of records
	toAt   int64
	pauses [][2]int64
}

// process is a process with where it ran.
type process struct {
	name   string
	run    int // none when no record tells
	exit   int // the record of its end, or the number of records
	exitAt int64
}

// key is a name or a group.
type key struct {
	group bool
	name  string
}

func (k key) String() string {
	if k.group {
		return "group " + k.name
	}
	return "name " + k.name
}

// op is an operation of a client.
type op struct {
	f       history.Func
	invoke  int
	done    int // none when nobody saw it end
	at      int64
	doneAt  int64        // forever when nobody saw it end
	outcome history.Type // empty when nobody saw it end
	run     int
	proc    int
	key     int
	value   string
	mode    string
}

// may reports whether the operation may have happened.
func (o *op) may() bool { return o.outcome != history.Fail }

// sure reports whether it happened.
func (o *op) sure() bool { return o.outcome == history.Ok }

// newIndex reads a history.
func newIndex(h *history.History) *index {
	x := &index{
		h: h, recs: h.Records, bound: h.Header.Bound, detect: h.Header.Detect, claim: h.Header.Claim,
		nodeIDs: map[string]int{}, procIDs: map[string]int{}, keyIDs: map[key]int{}, pairIDs: map[uint64]int32{},
		forgets: map[[2]int][]int{},
	}
	if n := len(x.recs); n > 0 {
		x.lastAt = x.recs[n-1].At
	}
	x.readPolicy()
	x.readLives()
	x.readOps()
	x.readTopology()
	x.readTruth()
	x.readReads()
	return x
}

func (x *index) readPolicy() {
	name := x.h.Header.Policy
	if name == "" {
		name = resolve.LastWriter().Name()
	}
	x.policy, x.policyErr = resolve.Parse(name)
	if x.policyErr != nil {
		return
	}
	x.keep = x.policy.Loss() == resolve.Keep
	x.lastWriter = strings.Contains(name, resolve.LastWriter().Name())
}

func (x *index) node(name string) int {
	id, ok := x.nodeIDs[name]
	if !ok {
		id = len(x.nodes)
		x.nodeIDs[name] = id
		x.nodes = append(x.nodes, name)
		x.runsOf = append(x.runsOf, nil)
	}
	return id
}

func (x *index) proc(name string) int {
	if name == "" {
		return none
	}
	id, ok := x.procIDs[name]
	if !ok {
		id = len(x.procs)
		x.procIDs[name] = id
		x.procs = append(x.procs, process{name: name, run: none, exit: len(x.recs), exitAt: forever})
	}
	return id
}

func (x *index) key(group bool, name string) int {
	k := key{group, name}
	id, ok := x.keyIDs[k]
	if !ok {
		id = len(x.keys)
		x.keyIDs[k] = id
		x.keys = append(x.keys, k)
		x.pairsOf = append(x.pairsOf, nil)
		x.stintsOf = append(x.stintsOf, nil)
		x.touches = append(x.touches, spans{})
	}
	return id
}

// readLives finds the runs of nodes and the lives of processes.
func (x *index) readLives() {
	born := map[string]bool{}
	for i := range x.recs {
		r := &x.recs[i]
		if r.F == history.NodeUp {
			born[r.Node] = true
		}
	}
	for _, name := range x.h.Header.Nodes {
		if n := x.node(name); !born[name] && len(x.runsOf[n]) == 0 {
			x.begin(n, 1, 0, never)
		}
	}
	x.runAt = make([]int32, len(x.recs))
	for i := range x.recs {
		x.life(i, &x.recs[i])
	}
}

func (x *index) begin(node, number, at int, when int64) int {
	id := len(x.runs)
	x.runs = append(x.runs, run{node: node, number: number, from: at, fromAt: when, to: len(x.recs), toAt: forever})
	x.runsOf[node] = append(x.runsOf[node], id)
	return id
}

// life takes in what a record says of the lives of nodes and processes.
func (x *index) life(i int, r *history.Record) {
	x.runAt[i] = none
	if r.F == history.Traffic {
		x.flows = append(x.flows, i)
	}
	if r.Node == "" {
		if r.Process != "" {
			p := x.proc(r.Process)
			x.runAt[i] = int32(x.procs[p].run)
			if r.F == history.Exit {
				x.exit(p, i, r.At)
			}
		}
		return
	}
	n := x.node(r.Node)
	if r.F == history.NodeUp {
		number := r.Run
		if number == 0 {
			number = len(x.runsOf[n]) + 1
		}
		x.runAt[i] = int32(x.begin(n, number, i, r.At))
		return
	}
	id := x.runOf(n, r.Run)
	x.runAt[i] = int32(id)
	switch r.F {
	case history.Forgot:
		about := [2]int{id, x.node(r.About)}
		x.forgets[about] = append(x.forgets[about], i)
	case history.NodeDown:
		x.end(id, i, r.At)
	case history.Pause:
		if id != none {
			x.runs[id].pauses = append(x.runs[id].pauses, [2]int64{r.At, forever})
		}
	case history.Resume:
		if id != none && len(x.runs[id].pauses) > 0 {
			x.runs[id].pauses[len(x.runs[id].pauses)-1][1] = r.At
		}
	case history.Exit:
		x.exit(x.proc(r.Process), i, r.At)
	case history.Spawn, history.Register, history.Reregister, history.Unregister, history.Update, history.Join, history.Leave:
		if p := x.proc(r.Process); p != none && x.procs[p].run == none {
			x.procs[p].run = id
		}
	}
}

func (x *index) exit(p, at int, when int64) {
	if p != none && x.procs[p].exit == len(x.recs) {
		x.procs[p].exit, x.procs[p].exitAt = at, when
	}
}

// end ends a run and the processes that are still on it.
func (x *index) end(id, at int, when int64) {
	if id == none || x.runs[id].to != len(x.recs) {
		return
	}
	x.runs[id].to, x.runs[id].toAt = at, when
	if p := x.runs[id].pauses; len(p) > 0 {
		p[len(p)-1][1] = min(p[len(p)-1][1], when)
	}
	for p := range x.procs {
		if x.procs[p].run == id {
			x.exit(p, at, when)
		}
	}
}

// runOf returns a run of a node by its number, or its latest when that is 0.
func (x *index) runOf(node, number int) int {
	runs := x.runsOf[node]
	for i := len(runs) - 1; i >= 0; i-- {
		if number == 0 || x.runs[runs[i]].number == number {
			return runs[i]
		}
	}
	return none
}

// isOp reports whether a record is of an operation of a client.
func isOp(f history.Func) bool {
	switch f {
	case history.Register, history.Reregister, history.Unregister, history.Update, history.Join,
		history.Leave, history.Lookup, history.Members, history.View:
		return true
	}
	return false
}

// readOps pairs the records of operations.
func (x *index) readOps() {
	x.opAt = make([]int32, len(x.recs))
	open := map[int]int{}
	for i := range x.recs {
		r := &x.recs[i]
		x.opAt[i] = none
		if !isOp(r.F) {
			continue
		}
		if r.Type == history.Invoke {
			x.opAt[i] = int32(len(x.ops))
			open[r.Op] = len(x.ops)
			x.ops = append(x.ops, x.newOp(i, r))
			continue
		}
		id, ok := open[r.Op]
		if !ok || x.ops[id].f != r.F {
			continue
		}
		delete(open, r.Op)
		x.opAt[i] = int32(id)
		o := &x.ops[id]
		o.done, o.doneAt, o.outcome = i, r.At, r.Type
	}
}

func (x *index) newOp(i int, r *history.Record) op {
	o := op{
		f: r.F, invoke: i, done: none, at: r.At, doneAt: forever, run: int(x.runAt[i]),
		proc: x.proc(r.Process), key: none, value: r.Value, mode: r.Mode,
	}
	switch {
	case r.F == history.Join || r.F == history.Leave || r.F == history.Members:
		o.key = x.key(true, r.Group)
	case r.F != history.View:
		o.key = x.key(false, r.Name)
	}
	return o
}

// runName returns a run as findings name it.
func (x *index) runName(id int) string {
	if id == none {
		return "an unknown node"
	}
	name := x.nodes[x.runs[id].node]
	if x.runs[id].number > 1 {
		return fmt.Sprintf("%s (run %d)", name, x.runs[id].number)
	}
	return name
}

func (x *index) procName(id int) string {
	if id == none {
		return "nobody"
	}
	return x.procs[id].name
}

// when returns a time as findings write it.
func when(at int64) string { return fmt.Sprintf("%.3fs", float64(at)/1e9) }

// at returns a record as findings refer to it.
func (x *index) at(record int) string {
	if record < 0 || record >= len(x.recs) {
		return "[end]"
	}
	return fmt.Sprintf("[%d] at %s", record, when(x.recs[record].At))
}

// span is a stretch of time, both ends included.
type span struct{ from, to int64 }

// spans answers whether any of many stretches of time meets another one.
//
// Invariant: once sealed, list is in the order of from, and reach[i] is the latest
// end among the first i+1.
type spans struct {
	list  []span
	reach []int64
}

func (s *spans) add(from, to int64) { s.list = append(s.list, span{from, to}) }

func (s *spans) seal() {
	slices.SortFunc(s.list, func(a, b span) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	s.reach = make([]int64, len(s.list))
	far := int64(never)
	for i, sp := range s.list {
		far = max(far, sp.to)
		s.reach[i] = far
	}
}

// meets reports whether some stretch has a moment in common with from..to.
func (s *spans) meets(from, to int64) bool {
	n, _ := slices.BinarySearchFunc(s.list, to, func(sp span, to int64) int {
		if sp.from <= to {
			return -1
		}
		return 1
	})
	return n > 0 && s.reach[n-1] >= from
}
