package replica

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// forest starts n nodes whose changes travel along trees.
func forest(t *testing.T, n int) (*cluster, []*node) {
	c := newCluster(t, 1)
	var nodes []*node
	for i := range n {
		nodes = append(nodes, c.start(fmt.Sprintf("n%02d", i), func(cfg *Config) { cfg.TreeAbove = 10 }))
	}
	c.run(4 * time.Second)
	return c, nodes
}

// counting counts the frames of a kind that arrive.
func (c *cluster) counting(kind string) *int {
	n := 0
	drop := c.drop
	c.drop = func(f flight) bool {
		if drop != nil && drop(f) {
			return true
		}
		if FrameKind(f.frame) == kind {
			n++
		}
		return false
	}
	return &n
}

// TestTreeBringsOnePayloadToEachNode lets each of three nodes of forty make
// changes. The first of a node goes over every link; after a few its tree is
// bare, and each node gets each change once.
func TestTreeBringsOnePayloadToEachNode(t *testing.T) {
	c, nodes := forest(t, 40)
	for _, n := range nodes {
		require.GreaterOrEqual(t, n.m.tree.Neighbors(), 3)
		require.Less(t, n.m.tree.Neighbors(), 8)
	}
	payloads := c.counting("delta")
	for round := range 6 {
		*payloads = 0
		for i := range 3 {
			_, err := c.register(nodes[i], fmt.Sprint("k", round, i), optimistic)
			require.NoError(t, err)
		}
		c.settle()
		for _, n := range nodes {
			require.Equal(t, 3*(round+1), n.m.Names(), "what the tree brings needs no repair")
		}
		t.Logf("round %d: %.2f payloads for each node and change", round, float64(*payloads)/(39*3))
	}
	require.Equal(t, 39*3, *payloads)
	for _, source := range nodes[:3] {
		for _, x := range nodes {
			for _, y := range nodes {
				ox, oy := x.m.known(source.m.self.id), y.m.known(source.m.self.id)
				require.Equal(t, x.m.tree.IsLazy(&ox.tree, y.self), y.m.tree.IsLazy(&oy.tree, x.self), "both ends think alike")
			}
		}
	}
	c.run(3 * time.Second)
	c.requireAgreement()
}

// TestTreeReachesAllWhileSomeAreDead has one node in ten fall silent, which
// nobody has noticed yet, in the middle of settled trees.
func TestTreeReachesAllWhileSomeAreDead(t *testing.T) {
	c, nodes := forest(t, 50)
	for i := range 5 {
		_, err := c.register(nodes[0], fmt.Sprint("before", i), optimistic)
		require.NoError(t, err)
		c.run(300 * time.Millisecond)
	}
	dead := []string{"n07", "n13", "n22", "n31", "n48"}
	c.drop = func(f flight) bool { return slices.Contains(dead, f.from.Node) || slices.Contains(dead, f.to.Node) }
	payloads := c.counting("delta")
	fetched := c.counting("adds")
	pulls := uint64(0)
	for _, n := range nodes {
		n.m.nextSync = c.now + int64(time.Minute) // the tree alone
		pulls += n.m.count.Pulls
	}
	_, err := c.register(nodes[0], "after", optimistic)
	require.NoError(t, err)
	c.run(800 * time.Millisecond)
	for _, n := range nodes {
		_, has := n.m.Holder("after")
		require.Equal(t, !slices.Contains(dead, n.self.Node), has, n.self.Node)
	}
	t.Logf("%d payloads and %d fetched for 44 nodes", *payloads, *fetched)
	require.LessOrEqual(t, float64(*payloads+*fetched), 1.2*44)
}

// TestTreeEndsWithTheLargeCluster has a cluster shrink: what is left goes back to
// sending to all.
func TestTreeEndsWithTheLargeCluster(t *testing.T) {
	c, nodes := forest(t, 12)
	require.True(t, nodes[0].m.tree.On())
	for i := 5; i < 12; i++ {
		c.leave(fmt.Sprintf("n%02d", i))
	}
	c.run(time.Second)
	require.False(t, nodes[0].m.tree.On())
	payloads := c.counting("delta")
	_, err := c.register(nodes[0], "k", optimistic)
	require.NoError(t, err)
	c.settle()
	require.Equal(t, 4, *payloads)
	c.requireAgreement()
}

// TestStrayNeighborIsTold has a node believe that another one is its neighbor,
// which does not: it gets things twice until it says so.
func TestStrayNeighborIsTold(t *testing.T) {
	c, nodes := forest(t, 12)
	_, err := c.register(nodes[1], "k", optimistic)
	require.NoError(t, err)
	c.settle()
	a, b := nodes[0], nodes[2]
	b.m.tree.Down(a.self)
	b.m.tree.Up(a.self)
	if !a.m.tree.Has(b.self) {
		a.m.tree.Receive(b.self, 0)
	}
	a.m.tree.Take()
	for i := range 3 {
		_, err := c.register(nodes[1], fmt.Sprint("k", i), optimistic)
		require.NoError(t, err)
		c.run(500 * time.Millisecond)
	}
	require.False(t, a.m.tree.Has(b.self) && !b.m.tree.Has(a.self), "both ends think alike again")
}

// TestRingPassesOn has ten nodes of which each reaches two, and all know that all
// are up: what one says goes round without a comparison.
func TestRingPassesOn(t *testing.T) {
	c := newCluster(t, 1)
	var nodes []*node
	for i := range 10 {
		nodes = append(nodes, c.start(fmt.Sprintf("n%02d", i)))
	}
	c.run(3 * time.Second)
	for i, a := range nodes {
		for k, b := range nodes {
			if d := (i - k + 10) % 10; d > 1 && d < 9 {
				c.cut[pair(a.self.Node, b.self.Node)] = true
				a.m.LinkDown(c.reading(), b.self)
				c.collect(a)
			}
		}
	}
	c.run(3 * time.Second)
	payloads := c.counting("delta")
	for i := range 4 {
		for _, n := range nodes {
			n.m.nextSync = c.now + int64(time.Minute)
		}
		*payloads = 0
		_, err := c.register(nodes[i], fmt.Sprint("k", i), optimistic)
		require.NoError(t, err)
		c.settle()
		for _, n := range nodes {
			require.Equal(t, i+1, n.m.Names(), n.self.Node)
		}
		t.Logf("%d payloads", *payloads)
	}
	for i, a := range nodes {
		for k, b := range nodes {
			if i != k && c.cut[pair(a.self.Node, b.self.Node)] {
				a.m.LinkUp(c.reading(), b.self)
				c.collect(a)
			}
		}
	}
	c.cut = map[[2]string]bool{}
	c.run(3 * time.Second)
	require.False(t, nodes[0].m.tree.On(), "every node reaches every other one again")
	c.requireAgreement()
}

// TestPruneIsToldToTheOtherEnd gives a node the same thing from two neighbors: the
// second hears that its link is lazy, and sends there no more.
func TestPruneIsToldToTheOtherEnd(t *testing.T) {
	c, nodes := forest(t, 12)
	source, x := nodes[0], nodes[1]
	var ends []Peer
	for _, p := range x.m.tree.Eager(nil, &source.m.self.tree) {
		if p != source.self {
			ends = append(ends, p)
		}
	}
	require.GreaterOrEqual(t, len(ends), 2)
	_, err := c.register(source, "k", optimistic)
	require.NoError(t, err)
	frame := c.queue[0].frame
	c.queue = nil
	for _, p := range ends[:2] {
		require.NoError(t, x.m.Step(c.reading(), p, slices.Clone(frame)))
	}
	c.collect(x)
	told := c.counting("tree")
	c.queue = slices.DeleteFunc(c.queue, func(f flight) bool { return FrameKind(f.frame) != "tree" })
	c.settle()
	require.Equal(t, 1, *told)
	second := c.nodes[ends[1].Node].m
	require.True(t, second.tree.IsLazy(&second.known(source.m.self.id).tree, x.self))
}
