package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
)

// node is a node of the cluster: the present run of it, or its last.
type node struct {
	name  string
	index int    // among all
	hash  uint64 // of the name
	alone uint64 // hash of the name and nobody's, for draws
	ties  [nodeKinds]uint32
	drawn [nodeKinds]uint32
	part  int // the connected component it is in, when the cluster is parted

	present
}

// present is what begins anew with each run of a node, but for its clocks.
type present struct {
	run    int // counts starts
	alive  bool
	paused bool
	held   []func() // what came while it was paused
	m      *replica.Machine
	self   replica.Peer
	skew   int64   // of the wall clock
	drift  float64 // of both clocks
	ahead  int64   // what drift had added when it last changed, at since
	since  int64
	table  []*replica.Entry // by the number of the name; nil where it shows nobody

	book    *rejoin.Book
	serial  uint64
	serials map[uint64]string // process by serial
	calls   map[uint64]*call
	nextID  uint64
	watch   int    // its watch: the same for the whole run of the node
	watchNo uint64 // last number of its watch
	forgets bool   // the machine forgets others within the time of a scenario
	nobody  uint64 // the shape of the network in which there was nobody to be found

	digest  uint64
	sampled bool

	// What the last view showed, for as long as it stays so.
	digestWord uint64
	digestText string
	names      map[string]history.Shown
	groups     map[string][]history.Shown
}

// process is a process of the story.
type process struct {
	name   string
	node   string
	run    int
	serial uint64
	pid    resolve.PID
	alive  bool
}

// call is a registration under way.
type call struct {
	op      int
	process string
	name    string
	f       history.Func
	mode    string
	want    string
	line    int
}

// names is the machine's table, which the run can look into. The names of a run
// are numbered, so that a thousand nodes do not keep a map of them each.
type names struct {
	c *Cluster
	n *node
}

// Load returns the holder of a name.
func (t names) Load(name string) (*replica.Entry, bool) {
	i, known := t.c.numbers[name]
	if !known || i >= len(t.n.table) {
		return nil, false
	}
	return t.n.table[i], t.n.table[i] != nil
}

// Store sets the holder of a name.
func (t names) Store(name string, e *replica.Entry) {
	i, known := t.c.numbers[name]
	if !known {
		i = len(t.c.numbers)
		t.c.numbers[name] = i
	}
	if more := i + 1 - len(t.n.table); more > 0 {
		t.n.table = append(t.n.table, make([]*replica.Entry, more)...)
	}
	t.n.table[i], t.n.names = e, nil
}

// Delete leaves a name without a holder.
func (t names) Delete(name string) {
	if i, known := t.c.numbers[name]; known && i < len(t.n.table) {
		t.n.table[i], t.n.names = nil, nil
	}
}

// holder returns whom a node shows as the holder of a name.
func (c *Cluster) holder(n *node, name string) (*replica.Entry, bool) { return names{c, n}.Load(name) }

// lead returns by how much drift has put the node's clocks ahead. A drift that
// changes takes effect from then on, so that the monotonic clock never jumps.
func (n *node) lead(now int64) int64 { return n.ahead + int64(float64(now-n.since)*n.drift) }

// reading returns what the node's clocks show.
func (c *Cluster) reading(n *node) crdt.Reading {
	mono := c.now + n.lead(c.now)
	return crdt.Reading{Wall: wallBase + mono + n.skew, Mono: mono}
}

// startNode begins a run of a node.
func (c *Cluster) startNode(name string) {
	n := c.nodes[name]
	if n.alive {
		return
	}
	if n.run == 0 {
		i, _ := slices.BinarySearch(c.order, name)
		c.order, c.sorted = slices.Insert(c.order, i, name), slices.Insert(c.sorted, i, n)
	}
	c.watches++
	n.present = present{run: n.run + 1, alive: true, watch: c.watches,
		skew: n.skew, drift: n.drift, ahead: n.ahead, since: n.since,
		serials: map[uint64]string{}, calls: map[uint64]*call{}}
	for _, other := range c.all {
		c.pair(n, other).reset(0)
	}
	c.alive, c.parted = nil, false
	c.shapes++
	epoch := replica.RunAt(c.reading(n).Wall, c.drawAt(ofRun, n))
	n.self = replica.Peer{Node: name, Run: epoch}
	cfg := replica.Config{
		Self: n.self, Seed: c.drawAt(ofMachine, n), Policy: c.policy, Joins: true, Table: names{c, n},
		ForgetAfter: c.scenario.Forget, Expected: len(c.scenario.Nodes),
	}
	if c.opts.Configure != nil {
		c.opts.Configure(&cfg)
	}
	n.forgets = cfg.ForgetAfter > 0
	m, err := replica.New(cfg, c.reading(n))
	if err != nil {
		c.fail(0, "start "+name+": "+err.Error(), false)
		n.alive, c.alive = false, nil
		return
	}
	n.m = m
	n.book = rejoin.New(rejoin.Config{}, rand.New(rand.NewPCG(c.drawAt(ofBook, n), 1)))
	for _, other := range c.sorted {
		if other == n {
			continue
		}
		if c.seeds(other) {
			n.book.Seed(other.name)
		}
		if other.alive && c.seeds(n) {
			other.book.Seed(name)
		}
	}
	c.fact(history.NodeUp, n, history.Record{})
	c.snapshotOf(n)
	c.laterAt(between(0, tickEvery, c.drawAt(ofPhase, n)), ofTick, n, 0, nil)
}

// seeds reports whether a node is one that others are told of beforehand: in a
// large cluster a few are, and the rest is met through them.
func (c *Cluster) seeds(n *node) bool { return len(c.all) <= manyNodes || n.index < fewSeeds }

const fewSeeds = 8

// tick gives a node the time and looks for missing peers. The first tick has run
// 0: it is of whichever run there is.
func (c *Cluster) tick(n *node, run int) {
	if !n.alive || run != 0 && n.run != run {
		return
	}
	c.laterAt(tickEvery, ofTick, n, n.run, nil)
	if n.paused {
		return
	}
	c.machineTick(n)
	c.seek(n)
	c.collect(n)
}

// on runs something on a node, now or when it is no longer paused.
func (c *Cluster) on(n *node, run int, f func()) {
	switch {
	case !n.alive || n.run != run:
	case n.paused:
		n.held = append(n.held, f)
	default:
		f()
		c.collect(n)
	}
}

// collect does what the machine wants done.
func (c *Cluster) collect(n *node) {
	fx := &c.fx
	for n.alive {
		for n.m.Busy() {
			n.m.Work(c.reading(n))
		}
		n.m.Flush()
		n.m.Take(fx)
		if fx.Empty() {
			return
		}
		for _, ch := range fx.Changes {
			c.eventOf(n, ch)
		}
		for _, s := range fx.Sends {
			c.transmit(n, s)
		}
		for _, r := range fx.Results {
			c.answered(n, r)
		}
		for _, l := range fx.Losses {
			c.loses(n, l)
		}
		for _, notice := range fx.Notices {
			c.trace.fold(uint64(notice.Kind))
		}
		fx.Reset()
	}
}

// loses tells a process that it lost a name.
func (c *Cluster) loses(n *node, l replica.Loss) {
	name := n.serials[l.Serial]
	c.lost[name]++
	rec := history.Record{
		Process: name, Name: l.Name, Reason: l.Reason.String(), Rule: c.policy.Name(), Claims: c.claims(l.Claims),
	}
	if !l.Winner.Holder.IsZero() {
		rec.Winner = c.byPID[l.Winner.Holder]
	}
	c.fact(history.Lost, n, rec)
	if l.Action == resolve.Exit {
		process := hashText(name)
		word := c.dice.rollFor(source{ofExit, false, [2]uint64{process, c.nobody}})
		c.later(between(0, int64(2*time.Millisecond), word), ofExit, [2]uint64{n.hash, process}, func() {
			c.on(n, n.run, func() { c.exit(name) })
		})
	}
}

// exit ends a process.
func (c *Cluster) exit(name string) {
	p, ok := c.procs[name]
	if !ok || !p.alive {
		return
	}
	p.alive = false
	n := c.nodes[p.node]
	c.fact(history.Exit, n, history.Record{Process: name})
	for n.m.Exit(c.reading(n), p.serial) {
	}
}

// processOn returns the live process of a name on a node, making it if it is new.
func (c *Cluster) processOn(n *node, name string) (*process, error) {
	if p, ok := c.procs[name]; ok {
		if p.node != n.name || p.run != n.run || !p.alive {
			return p, fmt.Errorf("process %s has ended, or is not on %s", name, n.name)
		}
		return p, nil
	}
	n.serial++
	p := &process{name: name, node: n.name, run: n.run, serial: n.serial, alive: true}
	p.pid = resolve.PID{Node: n.name, Epoch: n.m.Epoch(), Serial: n.serial}
	n.m.Spawn(n.serial)
	n.serials[n.serial] = name
	c.procs[name], c.byPID[p.pid] = p, name
	c.fact(history.Spawn, n, history.Record{Process: name})
	return p, nil
}

// killNode ends a node's run, and its processes with it.
func (c *Cluster) killNode(n *node, left bool) {
	if !n.alive {
		return
	}
	how := "killed"
	if left {
		how = "left"
		n.m.Leave(c.reading(n))
		c.collect(n)
	}
	n.alive, n.paused, n.held = false, false, nil
	c.alive = nil
	for _, p := range c.sortedProcs() {
		if p.node == n.name && p.run == n.run && p.alive {
			p.alive = false
			c.fact(history.Exit, n, history.Record{Process: p.name})
		}
	}
	c.fact(history.NodeDown, n, history.Record{Reason: how})
	c.states = append(c.states, Sample{At: c.now, Node: n.name})
	c.gone(n, left)
}

func (c *Cluster) sortedProcs() []*process {
	all := make([]*process, 0, len(c.procs))
	for _, p := range c.procs { // sorted below, so in any order
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *process) int { return a.pid.Compare(b.pid) })
	return all
}

// pauseNode freezes a node as SIGSTOP does.
func (c *Cluster) pauseNode(n *node, d time.Duration) {
	if !n.alive || n.paused {
		return
	}
	n.paused = true
	c.fact(history.Pause, n, history.Record{})
	c.topologyChanged()
	run := n.run
	c.laterAt(int64(d), ofResume, n, n.run, func() {
		if !n.alive || n.run != run {
			return
		}
		n.paused = false
		c.fact(history.Resume, n, history.Record{})
		held := n.held
		n.held = nil
		for _, f := range held {
			c.on(n, run, f)
		}
		c.topologyChanged()
	})
}
