package replica

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/resolve"
)

// truth is what an all-knowing observer knows: which processes live, what they
// were told they hold, and what they were told they lost. Convergence alone
// finds no entry that was lost everywhere.
type truth struct {
	members map[string]map[resolve.PID]string // group -> live member -> value
	names   map[string]map[resolve.PID]bool   // name -> live believers
	told    map[resolve.PID]map[string]int
}

func newTruth() *truth {
	return &truth{
		members: map[string]map[resolve.PID]string{}, names: map[string]map[resolve.PID]bool{},
		told: map[resolve.PID]map[string]int{},
	}
}

func (w *truth) join(group string, p resolve.PID, value string) {
	if w.members[group] == nil {
		w.members[group] = map[resolve.PID]string{}
	}
	w.members[group][p] = value
}

func (w *truth) believe(name string, p resolve.PID) {
	if w.names[name] == nil {
		w.names[name] = map[resolve.PID]bool{}
	}
	w.names[name][p] = true
}

func (w *truth) end(gone func(resolve.PID) bool) {
	for _, g := range w.members {
		for p := range g {
			if gone(p) {
				delete(g, p)
			}
		}
	}
	for _, n := range w.names {
		for p := range n {
			if gone(p) {
				delete(n, p)
			}
		}
	}
}

// hear takes in what processes were told.
func (w *truth) hear(t testing.TB, n *node) {
	for _, l := range n.losses {
		p := n.m.pid(l.Serial)
		if w.told[p] == nil {
			w.told[p] = map[string]int{}
		}
		w.told[p][l.Name]++
		require.Equal(t, 1, w.told[p][l.Name], "%s was told twice that it lost %s", p, l.Name)
		require.True(t, w.names[l.Name][p], "%s was told that it lost %s, which it did not hold", p, l.Name)
		delete(w.names[l.Name], p)
	}
	n.losses = nil
}

func (w *truth) check(t testing.TB, c *cluster) {
	for _, name := range c.order {
		n := c.nodes[name]
		if n == nil {
			continue
		}
		for group, members := range w.members {
			shown := map[resolve.PID]string{}
			for _, e := range n.m.Members(nil, group) {
				shown[e.PID()] = string(e.Value())
			}
			require.Equal(t, len(members), len(shown), "%s: group %s: truth %v, shown %v", name, group, members, shown)
			for p, v := range members {
				got, ok := shown[p]
				require.True(t, ok, "%s: live member %s of %s was lost", name, p, group)
				require.Equal(t, v, got)
			}
		}
		for key, believers := range w.names {
			e, ok := n.m.Holder(key)
			require.LessOrEqual(t, len(believers), 1, "more than one believer of %s after the heal: %v", key, believers)
			require.Equal(t, len(believers) == 1, ok, "%s: name %s: believers %v", name, key, believers)
			if ok {
				require.True(t, believers[e.PID()], "%s shows a holder of %s that does not believe", name, key)
			}
		}
		require.Empty(t, n.m.contended, "traces of conflicts are left on %s", name)
	}
}

func TestChaos(t *testing.T) {
	seeds := 150
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaos(t, uint64(seed), func(*Config) {}, "n1", "n2", "n3", "n4") })
	}
}

// TestChaosOfLongWork is TestChaos where nodes are hidden, shown and forgotten one
// entry at a time, with anything in between.
func TestChaosOfLongWork(t *testing.T) {
	seeds := 100
	if testing.Short() {
		seeds = 15
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaosOf(t, uint64(seed), true, func(*Config) {}, "n1", "n2", "n3", "n4") })
	}
}

// TestChaosOfATree is TestChaos where changes travel along the tree.
func TestChaosOfATree(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 8
	}
	tree := func(c *Config) { c.TreeAbove = 2 }
	relayed, grafts := uint64(0), uint64(0)
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := chaos(t, uint64(seed), tree, "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9")
			for _, name := range c.order {
				relayed += c.nodes[name].m.Counters().Relayed
				grafts += c.nodes[name].m.Counters().Grafts
			}
		})
	}
	t.Logf("%d frames travelled along trees, %d links were mended", relayed, grafts)
	require.Positive(t, relayed)
	require.Positive(t, grafts)
}

// chaos is one random history of calls, losses, splits, crashes and restarts,
// then calm, then the check against the truth.
func chaos(t *testing.T, seed uint64, adjust func(*Config), names ...string) *cluster {
	return chaosOf(t, seed, false, adjust, names...)
}

func chaosOf(t *testing.T, seed uint64, lazy bool, adjust func(*Config), names ...string) *cluster {
	policies := []resolve.Policy{resolve.LastWriter(), resolve.FirstWriter(), resolve.Priority()}
	policy := byPolicy(policies[seed%3])
	c, w := newCluster(t, seed), newTruth()
	c.lazy = lazy
	start := func(name string) {
		if n := c.start(name, policy, adjust); lazy {
			n.m.walkStep = 1
		}
	}
	for _, n := range names {
		start(n)
	}
	c.run(2 * time.Second)
	c.loss, c.dup, c.jumble = float64(seed%4)*0.1, float64(seed%3)*0.1, seed%2 == 0
	for range 250 {
		n := c.nodes[names[c.rng.IntN(len(names))]]
		switch r := c.rng.IntN(100); {
		case n == nil && r < 30:
			for _, name := range names {
				if c.nodes[name] == nil {
					start(name)
					break
				}
			}
		case n == nil:
		default:
			c.act(w, n, names, r)
		}
		if c.rng.IntN(3) == 0 {
			c.run(time.Duration(c.rng.IntN(600)) * time.Millisecond)
		}
		for _, name := range names {
			if n := c.nodes[name]; n != nil {
				w.hear(t, n)
				n.follow(t)
			}
		}
	}
	c.calm()
	for _, name := range names {
		if c.nodes[name] == nil {
			start(name)
		}
	}
	c.heal()
	c.run(12 * time.Second)
	for _, name := range names {
		if n := c.nodes[name]; n != nil {
			w.hear(t, n)
		}
	}
	c.requireAgreement()
	w.check(t, c)
	return c
}

// follow applies the changes that a machine reported to what they led to before:
// that is what it shows, in the middle of long work too.
func (n *node) follow(t testing.TB) {
	if n.told == nil {
		n.told = map[string]*Entry{}
	}
	for _, ch := range n.changes {
		key := ch.Key
		if ch.Kind == Group {
			e := ch.New
			if e == nil {
				e = ch.Old
			}
			key += "+" + e.PID().String()
		}
		require.Same(t, n.told[key], ch.Old, "%s: %v", key, ch.Reason)
		if n.told[key] = ch.New; ch.New == nil {
			delete(n.told, key)
		}
	}
	n.changes = nil
	shown := n.m.Names()
	for _, g := range n.m.Groups() {
		shown += g.Members
		require.Len(t, n.m.Members(nil, g.Name), g.Members)
	}
	require.Len(t, n.told, shown)
	for key, e := range n.told {
		if e.kind == Name {
			holder, _ := n.m.Holder(key)
			require.Same(t, e, holder)
		}
	}
}

// act does one random thing on a node.
func (c *cluster) act(w *truth, n *node, names []string, r int) {
	key := fmt.Sprint("k", c.rng.IntN(8))
	switch {
	case r < 25:
		e, err := n.m.Join(c.reading(), n.spawn(), "g"+key, []byte("v0"))
		require.NoError(c.t, err)
		w.join("g"+key, e.PID(), "v0")
	case r < 50:
		call := Register{ID: 1, Serial: n.spawn(), Name: key, Optimistic: true, Again: r < 28, Priority: int64(r % 3)}
		e, err, done := n.m.Register(c.reading(), call)
		require.True(c.t, done)
		if err == nil {
			w.believe(key, e.PID())
		}
	case r < 65 && n.serial > 0:
		serial := 1 + c.rng.Uint64N(n.serial)
		pid := n.m.pid(serial)
		n.m.Exit(c.reading(), serial)
		c.collect(n)
		w.hear(c.t, n)
		w.end(func(p resolve.PID) bool { return p == pid })
	case r < 78 && n.serial > 0:
		c.updateSome(w, n, fmt.Sprint("v", r))
	case r < 85:
		side := slices.Clone(names)
		c.rng.Shuffle(len(side), func(i, j int) { side[i], side[j] = side[j], side[i] })
		at := 1 + c.rng.IntN(len(side)-1)
		c.partition(side[:at], side[at:])
	case r < 91:
		c.heal()
	case r < 94:
		name, epoch := n.self.Node, n.self.Run
		c.collect(n)
		w.hear(c.t, n)
		c.kill(name)
		w.end(func(p resolve.PID) bool { return p.Node == name && p.Epoch == epoch })
	}
	c.collect(n)
}

// updateSome gives one entry of a node another value.
func (c *cluster) updateSome(w *truth, n *node, value string) {
	serial := 1 + c.rng.Uint64N(n.serial)
	entries := n.m.Entries(serial)
	if len(entries) == 0 {
		return
	}
	e := entries[0]
	if e.kind == Group {
		_, err := n.m.Join(c.reading(), serial, e.key, []byte(value))
		require.NoError(c.t, err)
		w.join(e.key, e.PID(), value)
		return
	}
	_, err := n.m.Update(c.reading(), serial, e.key, []byte(value))
	require.NoError(c.t, err)
}
