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
	name   string
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
	table  map[string]*replica.Entry

	members map[string]*member
	book    *rejoin.Book
	serial  uint64
	serials map[uint64]string // process by serial
	calls   map[uint64]*call
	nextID  uint64
	watchNo uint64 // last number of its watch

	digest  uint64
	sampled bool
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

// names is the machine's table: a plain map that the run can look into.
type names struct{ n *node }

func (t names) Load(name string) (*replica.Entry, bool) { e, ok := t.n.table[name]; return e, ok }
func (t names) Store(name string, e *replica.Entry)     { t.n.table[name] = e }
func (t names) Delete(name string)                      { delete(t.n.table, name) }

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
	n, ok := c.nodes[name]
	if !ok {
		n = &node{name: name}
		c.nodes[name] = n
		i, _ := slices.BinarySearch(c.order, name)
		c.order = slices.Insert(c.order, i, name)
	} else if n.alive {
		return
	}
	n.run++
	*n = node{name: name, run: n.run, alive: true, skew: n.skew, drift: n.drift, ahead: n.ahead, since: n.since,
		table: map[string]*replica.Entry{}, members: map[string]*member{}, serials: map[uint64]string{},
		calls: map[uint64]*call{}}
	epoch := uint64(c.reading(n).Wall)
	n.self = replica.Peer{Node: name, Run: epoch}
	cfg := replica.Config{
		Self: n.self, Seed: c.draw("machine", name, ""), Policy: c.policy, Joins: true, Table: names{n},
		ForgetAfter: c.scenario.Forget, Expected: len(c.scenario.Nodes),
	}
	if c.opts.Configure != nil {
		c.opts.Configure(&cfg)
	}
	m, err := replica.New(cfg, c.reading(n))
	if err != nil {
		c.fail(0, "start "+name+": "+err.Error(), false)
		n.alive = false
		return
	}
	n.m = m
	n.book = rejoin.New(rejoin.Config{}, rand.New(rand.NewPCG(c.draw("book", name, ""), 1)))
	for _, other := range c.order {
		if other != name {
			n.book.Seed(other)
		}
	}
	for _, other := range c.nodes { // each node gets one seed more, so in any order
		if other != n && other.alive {
			other.book.Seed(name)
		}
	}
	c.parts = nil
	c.fact(history.NodeUp, n, history.Record{})
	c.snapshotOf(n)
	c.later(c.between(0, tickEvery, "phase", name, ""), "tick", name, "", func() { c.tick(n, n.run) })
}

// tick gives a node the time and looks for missing peers.
func (c *Cluster) tick(n *node, run int) {
	if !n.alive || n.run != run {
		return
	}
	c.later(tickEvery, "tick", n.name, "", func() { c.tick(n, run) })
	if n.paused {
		return
	}
	n.m.Tick(c.reading(n))
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
	for n.alive {
		n.m.Flush()
		var fx replica.Effects
		n.m.Take(&fx)
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
		c.later(c.between(0, int64(2*time.Millisecond), "exit", name, ""), "exit", n.name, name, func() {
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
	n.m.Exit(c.reading(n), p.serial)
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
	c.later(int64(d), "resume", n.name, "", func() {
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
