package replica

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// cluster drives machines under one queue of frames with virtual time. Frames
// travel in order on each lane of each link, unless chaos is on.
type cluster struct {
	t      testing.TB
	now    int64
	nodes  map[string]*node
	order  []string
	cut    map[[2]string]bool
	queue  []flight
	rng    *rand.Rand
	loss   float64
	dup    float64
	jumble bool
	lazy   bool              // machines put long work off at random
	drop   func(flight) bool // frames that are lost, when set
}

type flight struct {
	from, to Peer
	frame    []byte
}

type node struct {
	m       *Machine
	self    Peer
	changes []Change
	told    map[string]*Entry // what the changes led to
	results map[uint64]Result
	losses  []Loss
	notices []Notice
	serial  uint64
	nextID  uint64
	peers   map[string]Peer // what the transport says is up
}

func newCluster(t testing.TB, seed uint64) *cluster {
	return &cluster{
		t: t, now: int64(time.Hour), nodes: map[string]*node{}, cut: map[[2]string]bool{},
		rng: rand.New(rand.NewPCG(seed, 1)),
	}
}

func (c *cluster) reading() crdt.Reading {
	return crdt.Reading{Wall: 1_700_000_000_000_000_000 + c.now, Mono: c.now}
}

func (c *cluster) start(name string, adjust ...func(*Config)) *node {
	c.t.Helper()
	cfg := Config{Self: Peer{name, uint64(c.now)}, Seed: c.rng.Uint64(), Joins: true}
	for _, a := range adjust {
		a(&cfg)
	}
	m, err := New(cfg, c.reading())
	require.NoError(c.t, err)
	n := &node{m: m, self: cfg.Self, results: map[uint64]Result{}, peers: map[string]Peer{}}
	c.nodes[name] = n
	if !slices.Contains(c.order, name) {
		c.order = append(c.order, name)
	}
	for _, other := range c.order {
		if o := c.nodes[other]; o != nil && other != name && !c.isCut(name, other) {
			c.connect(n, o)
		}
	}
	c.collect(n)
	return n
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

func (c *cluster) isCut(a, b string) bool { return c.cut[pair(a, b)] }

func (c *cluster) connect(a, b *node) {
	for _, d := range [][2]*node{{a, b}, {b, a}} {
		d[0].peers[d[1].self.Node] = d[1].self
		d[0].m.PeerUp(c.reading(), d[1].self, "")
		d[0].m.LinkUp(c.reading(), d[1].self)
		c.collect(d[0])
	}
}

func (c *cluster) disconnect(a, b *node, left bool) {
	if p, ok := a.peers[b.self.Node]; ok && p == b.self {
		delete(a.peers, b.self.Node)
		a.m.PeerDown(c.reading(), b.self, left)
		c.collect(a)
	}
}

// partition cuts all links between the sides.
func (c *cluster) partition(sides ...[]string) {
	for i, a := range sides {
		for _, b := range sides[i+1:] {
			for _, x := range a {
				for _, y := range b {
					c.cutLink(x, y)
				}
			}
		}
	}
}

func (c *cluster) cutLink(x, y string) {
	c.cut[pair(x, y)] = true
	nx, ny := c.nodes[x], c.nodes[y]
	if nx == nil || ny == nil {
		return
	}
	c.queue = slices.DeleteFunc(c.queue, func(f flight) bool { return pair(f.from.Node, f.to.Node) == pair(x, y) })
	c.disconnect(nx, ny, false)
	c.disconnect(ny, nx, false)
}

func (c *cluster) heal() {
	c.cut = map[[2]string]bool{}
	for i, a := range c.order {
		for _, b := range c.order[i+1:] {
			na, nb := c.nodes[a], c.nodes[b]
			if na != nil && nb != nil && na.peers[b] != nb.self {
				c.connect(na, nb)
			}
		}
	}
}

func (c *cluster) kill(name string) {
	gone := c.nodes[name]
	c.nodes[name] = nil
	c.queue = slices.DeleteFunc(c.queue, func(f flight) bool { return f.from == gone.self || f.to == gone.self })
	for _, o := range c.order {
		if n := c.nodes[o]; n != nil {
			c.disconnect(n, gone, false)
		}
	}
}

func (c *cluster) leave(name string) {
	gone := c.nodes[name]
	gone.m.Leave(c.reading())
	c.nodes[name] = nil
	for _, o := range c.order {
		if n := c.nodes[o]; n != nil {
			c.disconnect(n, gone, true)
		}
	}
}

// collect takes a machine's effects.
func (c *cluster) collect(n *node) {
	for n.m.Busy() && (!c.lazy || c.rng.IntN(3) == 0) {
		n.m.Work(c.reading())
	}
	n.m.Flush()
	var fx Effects
	n.m.Take(&fx)
	for _, s := range fx.Sends {
		c.queue = append(c.queue, flight{n.self, s.To, s.Frame})
	}
	n.changes = append(n.changes, fx.Changes...)
	for _, r := range fx.Results {
		n.results[r.ID] = r
	}
	n.losses = append(n.losses, fx.Losses...)
	n.notices = append(n.notices, fx.Notices...)
}

// settle delivers all frames under way.
func (c *cluster) settle() {
	for steps := 0; len(c.queue) > 0; steps++ {
		require.Less(c.t, steps, 2_000_000, "the machines never stop talking")
		i := 0
		if c.jumble {
			i = c.rng.IntN(len(c.queue))
		}
		f := c.queue[i]
		c.queue = slices.Delete(c.queue, i, i+1)
		if c.drop != nil && c.drop(f) {
			continue
		}
		if c.loss > 0 && c.rng.Float64() < c.loss {
			continue
		}
		if c.dup > 0 && c.rng.Float64() < c.dup {
			c.queue = append(c.queue, f)
		}
		n := c.nodes[f.to.Node]
		if n == nil || n.self != f.to || c.isCut(f.from.Node, f.to.Node) {
			continue
		}
		frame := slices.Clone(f.frame)
		require.NoError(c.t, n.m.Step(c.reading(), f.from, frame))
		for i := range frame {
			frame[i] = 0xff // the memory of a frame is the caller's again
		}
		c.collect(n)
	}
}

// run lets time pass in steps of 100 ms.
func (c *cluster) run(d time.Duration) {
	c.settle()
	for end := c.now + int64(d); c.now < end; {
		c.now += int64(100 * time.Millisecond)
		for _, name := range c.order {
			if n := c.nodes[name]; n != nil {
				n.m.Tick(c.reading())
				c.collect(n)
			}
		}
		c.settle()
	}
}

// calm turns all faults off.
func (c *cluster) calm() { c.loss, c.dup, c.jumble, c.lazy = 0, 0, false, false }

func (n *node) spawn() uint64 {
	n.serial++
	n.m.Spawn(n.serial)
	return n.serial
}

// register registers and waits for the answer in virtual time.
func (c *cluster) register(n *node, name string, adjust ...func(*Register)) (*Entry, error) {
	c.t.Helper()
	id := c.registerAsync(n, name, adjust...)
	for range 200 {
		if r, ok := n.results[id]; ok {
			return r.Entry, r.Err
		}
		c.run(100 * time.Millisecond)
	}
	require.Fail(c.t, "no answer to a registration", name)
	return nil, nil
}

func (c *cluster) registerAsync(n *node, name string, adjust ...func(*Register)) uint64 {
	n.nextID++
	call := Register{ID: n.nextID, Serial: n.spawn(), Name: name}
	for _, a := range adjust {
		a(&call)
	}
	e, err, done := n.m.Register(c.reading(), call)
	if done {
		n.results[call.ID] = Result{call.ID, e, err}
	}
	c.collect(n)
	return call.ID
}

func (c *cluster) join(n *node, group string) *Entry {
	e, err := n.m.Join(c.reading(), n.spawn(), group, nil)
	require.NoError(c.t, err)
	c.collect(n)
	return e
}

func (c *cluster) holder(n *node, name string) string {
	e, ok := n.m.Holder(name)
	if !ok {
		return "none"
	}
	return e.PID().String()
}

func (n *node) view() string {
	var s []string
	table := n.m.cfg.Table.(mapTable)
	for name, e := range table {
		s = append(s, fmt.Sprintf("%s=%s %s %q", name, e.PID(), e.birth, e.value))
	}
	for _, g := range n.m.Groups() {
		for _, e := range n.m.Members(nil, g.Name) {
			s = append(s, fmt.Sprintf("%s+%s %q", g.Name, e.PID(), e.value))
		}
	}
	slices.Sort(s)
	return fmt.Sprint(s)
}

// requireAgreement checks that all nodes that live show the same.
func (c *cluster) requireAgreement() {
	c.t.Helper()
	first := ""
	for _, name := range c.order {
		n := c.nodes[name]
		if n == nil {
			continue
		}
		if first == "" {
			first = n.view()
			continue
		}
		require.Equal(c.t, first, n.view(), "node %s shows something else", name)
	}
}

func optimistic(r *Register) { r.Optimistic = true }
func again(r *Register)      { r.Again = true }

func byPolicy(p resolve.Policy) func(*Config) { return func(c *Config) { c.Policy = p } }
