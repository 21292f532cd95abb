package gossip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// testNode is a node on loopback.
type testNode struct {
	*Transport
	rec  *transporttest.Recorder
	self transport.Peer
}

// newNode makes a node with a run of its own.
func newNode(t *testing.T, name string, cfg Config) *testNode {
	t.Helper()
	if cfg.Bind == "" {
		cfg.Bind = "127.0.0.1:0"
	}
	cfg.Logger = quietLog()
	tr, err := New(cfg)
	require.NoError(t, err)
	return &testNode{Transport: tr, rec: &transporttest.Recorder{}, self: transport.Peer{Node: name, Run: rand.Uint64()}}
}

// startNode starts a node that is closed at the end of the test.
func startNode(t *testing.T, name string, cfg Config) *testNode {
	t.Helper()
	n := newNode(t, name, cfg)
	require.NoError(t, n.Start(n.self, n.rec))
	t.Cleanup(func() {
		require.NoError(t, n.Close())
		n.rec.Finish()
		require.Empty(t, n.rec.Faults())
	})
	return n
}

// tryStart starts a node that may fail to start, and closes it.
func tryStart(t *testing.T, name string, cfg Config) error {
	t.Helper()
	n := newNode(t, name, cfg)
	err := n.Start(n.self, n.rec)
	require.NoError(t, n.Close())
	return err
}

// awaitMesh waits until each has a link to each.
func awaitMesh(t *testing.T, nodes ...*testNode) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b {
				require.NoError(t, a.rec.Wait(ctx, func() bool { return a.rec.Linked(b.self) }), "%s hears LinkUp of %s\n%s", a.self, b.self, a.rec)
			}
		}
	}
}

func TestClustersNeverMix(t *testing.T) {
	addrs := freePorts(t, 6)
	var nodes [3][]*testNode
	for i, addr := range addrs {
		cluster := []string{"red", "blue", ""}[i%3]
		nodes[i%3] = append(nodes[i%3], startNode(t, "n"+cluster+addr, Config{Bind: addr, Seeds: addrs, Cluster: cluster}))
	}
	for _, own := range nodes {
		awaitMesh(t, own...)
	}
	time.Sleep(1500 * time.Millisecond) // real clock: real sockets
	for i, own := range nodes {
		for _, n := range own {
			require.NotZero(t, n.Counters()["refused_cluster"])
			for _, e := range n.rec.Events("") {
				require.Contains(t, []string{own[0].self.Node, own[1].self.Node}, e.Peer.Node, "cluster %d", i)
			}
			require.Equal(t, 2, n.members.list.NumMembers())
		}
	}
	err := tryStart(t, "x", Config{Cluster: "green", Seeds: addrs[:2], RequireSeed: true})
	var seeds *SeedError
	require.ErrorAs(t, err, &seeds)
	require.Len(t, seeds.Causes, 2)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, ForeignCluster, refused.Why)
	require.ErrorContains(t, err, "Config.Cluster")
}

// TestClustersWithKeys tells a foreign cluster apart although the keys differ too.
func TestClustersWithKeys(t *testing.T) {
	a := startNode(t, "a", Config{Cluster: "red", Key: testKey('r')})
	err := tryStart(t, "b", Config{Cluster: "blue", Key: testKey('b'), Seeds: []string{a.Addr()}, RequireSeed: true})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, ForeignCluster, refused.Why)
}

// TestForeignMembers lets a stock memberlist join: it speaks the same protocol on
// the same port, and is no node of the registry.
func TestForeignMembers(t *testing.T) {
	a := startNode(t, "a", Config{})
	mc := memberlist.DefaultLANConfig()
	mc.Name, mc.BindAddr, mc.BindPort, mc.LogOutput = "stock", "127.0.0.1", 0, &libraryLog{log: quietLog(), count: &counters{}}
	stock, err := memberlist.Create(mc)
	require.NoError(t, err)
	defer func() { _ = stock.Shutdown() }()
	n, err := stock.Join([]string{a.Addr()})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 2, stock.NumMembers(), "the stock library understood the answer")
	time.Sleep(300 * time.Millisecond) // real clock: real sockets
	require.Empty(t, a.rec.Events(""))
	require.Equal(t, 1, a.members.list.NumMembers())
}

func TestRestartElsewhere(t *testing.T) {
	for _, name := range []string{"a", "z"} { // the restarted node sorts before and behind the others
		t.Run(name, func(t *testing.T) {
			m := startNode(t, "m", Config{})
			n := startNode(t, "n", Config{Seeds: []string{m.Addr()}})
			old := newNode(t, name, Config{Seeds: []string{m.Addr()}})
			require.NoError(t, old.Start(old.self, old.rec))
			awaitMesh(t, m, n, old)
			require.NoError(t, old.Close())
			begin := time.Now()
			again := startNode(t, name, Config{Seeds: []string{m.Addr()}, RequireSeed: true})
			awaitMesh(t, m, n, again)
			require.Less(t, time.Since(begin), 2*time.Second)
			for _, o := range []*testNode{m, n} {
				require.False(t, o.rec.Up(old.self))
				require.True(t, o.rec.Up(again.self))
			}
		})
	}
}

func TestDuplicateName(t *testing.T) {
	a := startNode(t, "a", Config{})
	b := startNode(t, "b", Config{Seeds: []string{a.Addr()}})
	awaitMesh(t, a, b)
	for _, seed := range []*testNode{a, b} {
		var taken *transport.DuplicateNodeError
		require.ErrorAs(t, tryStart(t, "a", Config{Seeds: []string{seed.Addr()}}), &taken)
		require.Equal(t, &transport.DuplicateNodeError{Node: "a", Addr: a.Addr()}, taken)
	}
	// Two that did not know of each other at their start.
	twin := startNode(t, "a", Config{})
	c := startNode(t, "c", Config{Seeds: []string{b.Addr(), twin.Addr()}})
	awaitMesh(t, b, c)
	require.Eventually(t, func() bool { return c.Counters()["refused_duplicate"] > 0 }, 5*time.Second, 10*time.Millisecond)
	time.Sleep(1200 * time.Millisecond) // real clock: real sockets
	up := 0
	for _, p := range []transport.Peer{a.self, twin.self} {
		if c.rec.Up(p) {
			up++
		}
	}
	require.Equal(t, 1, up, "one of the two is shown: %s", c.rec)
	require.True(t, b.rec.Linked(a.self), "the one that was there first is not disturbed")
	require.Empty(t, twin.rec.Events("a"))
	require.LessOrEqual(t, len(c.rec.Events("a")), 4, "no flapping between the two: %s", c.rec)
	require.Len(t, b.rec.Events("a"), 2, "only PeerUp and LinkUp: %s", b.rec)
}

func TestSeeds(t *testing.T) {
	nobody := freePorts(t, 2)
	begin := time.Now()
	a := startNode(t, "a", Config{Seeds: nobody})
	require.Less(t, time.Since(begin), 2*time.Second, "seeds that do not answer hold nobody up")
	err := tryStart(t, "b", Config{Seeds: nobody, RequireSeed: true})
	var seeds *SeedError
	require.ErrorAs(t, err, &seeds)
	for _, addr := range nobody {
		require.ErrorContains(t, err, addr)
	}
	require.ErrorContains(t, err, "connection refused")
	b := startNode(t, "b", Config{Bind: nobody[1]})
	awaitMesh(t, a, b)
	require.NoError(t, tryStart(t, "c", Config{Seeds: append(nobody, a.Addr()), RequireSeed: true}), "one seed is enough")
	own := freePorts(t, 1)
	require.NoError(t, tryStart(t, "d", Config{Bind: own[0], Seeds: own, RequireSeed: true}), "the only seed is the node itself: it is the first")
}

func TestBind(t *testing.T) {
	a := startNode(t, "a", Config{})
	err := tryStart(t, "b", Config{Bind: a.Addr()})
	require.ErrorContains(t, err, a.Addr())
	require.ErrorContains(t, err, "in use")
	require.ErrorContains(t, err, "Config.Bind")
	for range 20 { // the TCP port of that number may be taken, too
		pc, perr := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, perr)
		err = tryStart(t, "b", Config{Bind: pc.LocalAddr().String()})
		require.NoError(t, pc.Close())
		require.ErrorContains(t, err, "in use")
		if !strings.Contains(err.Error(), "tcp") {
			break
		}
	}
	require.ErrorContains(t, err, "udp")
	require.ErrorContains(t, tryStart(t, "b", Config{Bind: "192.0.2.1:0"}), "address of this machine")
	for _, name := range []string{"", "a#b", "a\nb", "\xff", string(make([]byte, 129))} {
		n := newNode(t, "x", Config{})
		require.Error(t, n.Start(transport.Peer{Node: name}, n.rec), "%q", name)
		require.NoError(t, n.Close())
	}
}

func TestValidate(t *testing.T) {
	_, err := New(Config{
		Bind: "nonsense", Advertise: ":1", Seeds: []string{"a:0", "b"}, Cluster: string(make([]byte, 300)),
		Key: []byte("short"), Keys: [][]byte{make([]byte, 31)}, Preset: 9, ForgetAfter: -1, Queue: QueueLimits{Frames: -1},
	})
	for _, part := range []string{"Bind", "Advertise", "Seeds[0]", "Seeds[1]", "Cluster", "number 1: the key has 5 bytes", "number 2: the key has 31", "Preset", "ForgetAfter", "Queue"} {
		require.ErrorContains(t, err, part)
	}
	_, err = New(Config{RequireSeed: true})
	require.ErrorContains(t, err, "Config.Seeds is empty")
	_, err = New(Config{})
	require.NoError(t, err, "the zero value is what one would want")
}

func TestAdvertise(t *testing.T) {
	a := startNode(t, "a", Config{Advertise: "localhost:0"})
	host, _, err := net.SplitHostPort(a.Addr())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	b := startNode(t, "b", Config{Bind: "0.0.0.0:0", Advertise: "127.0.0.1:0", Seeds: []string{a.Addr()}})
	awaitMesh(t, a, b)
}

// TestNoFlap closes a node without a farewell: memberlist calls it alive for some
// seconds more, which must not bring it back.
func TestNoFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := bubble(t, 4, Config{})
		until(t, 10*time.Second, "the nodes meet", func() bool { return meshed(nodes) })
		time.Sleep(3 * time.Second)
		require.NoError(t, nodes[3].Close())
		time.Sleep(100 * time.Millisecond)
		for _, n := range nodes[:3] {
			require.False(t, n.rec.Up(nodes[3].self), "the end is noticed at once")
		}
		stay(3 * time.Minute)
		for _, n := range nodes[:3] {
			downs := 0
			for _, e := range n.rec.Events(nodes[3].self.Node) {
				if e.Kind == transporttest.PeerDown {
					downs++
				}
			}
			require.Equal(t, 1, downs, "%s", n.rec)
			require.NoError(t, n.Close())
		}
		time.Sleep(2 * time.Minute)
	})
}

// TestPartialCut cuts two nodes off from each other while both reach the third:
// they stay up for each other in its judgement, without a link.
func TestPartialCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := bubble(t, 3, Config{})
		until(t, 10*time.Second, "the nodes meet", func() bool { return meshed(nodes) })
		time.Sleep(3 * time.Second)
		require.NoError(t, nodes[0].Fault().Block(nodes[1].addr))
		require.NoError(t, nodes[1].Fault().Block(nodes[0].addr))
		time.Sleep(time.Minute)
		require.False(t, nodes[0].rec.Linked(nodes[1].self))
		require.True(t, nodes[0].rec.Up(nodes[1].self), "%s", nodes[0].rec)
		require.True(t, nodes[1].rec.Up(nodes[0].self), "%s", nodes[1].rec)
		heal(t, nodes)
		until(t, 2*time.Second, "the link comes back", func() bool { return meshed(nodes) })
		for _, n := range nodes {
			require.NoError(t, n.Close())
		}
		time.Sleep(2 * time.Minute)
	})
}

// TestPacketsLost drops all packets and no connection: memberlist doubts everybody,
// and nobody goes down.
func TestPacketsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := bubble(t, 4, Config{})
		until(t, 10*time.Second, "the nodes meet", func() bool { return meshed(nodes) })
		nodes[0].port.net.(*memnet).mute.Store(true)
		stay(10 * time.Minute)
		for _, n := range nodes {
			require.Len(t, n.rec.Events(""), 6, "three peers came up with their links, and nothing else: %s", n.rec)
		}
		for _, n := range nodes {
			require.NoError(t, n.Close())
		}
		time.Sleep(2 * time.Minute)
	})
}

// TestCrossing starts two nodes at once, each the seed of the other: one link is
// left, and it is not made and broken on the way there more than once.
func TestCrossing(t *testing.T) {
	flaps := 0
	for range 20 {
		addrs := freePorts(t, 2)
		nodes := []*testNode{newNode(t, "a", Config{Bind: addrs[0], Seeds: addrs}), newNode(t, "b", Config{Bind: addrs[1], Seeds: addrs})}
		var both sync.WaitGroup
		for _, n := range nodes {
			both.Go(func() { assert.NoError(t, n.Start(n.self, n.rec)) })
		}
		both.Wait()
		awaitMesh(t, nodes...)
		time.Sleep(50 * time.Millisecond) // real clock: real sockets
		awaitMesh(t, nodes...)
		for _, n := range nodes {
			for _, e := range n.rec.Events("") {
				if e.Kind == transporttest.LinkDown {
					flaps++
				}
			}
		}
		for _, n := range nodes {
			require.NoError(t, n.Close())
		}
	}
	t.Logf("%d links of 40 ends were replaced", flaps)
	require.LessOrEqual(t, flaps, 10)
}

// TestSlowHandler keeps a handler busy for longer than a link may be silent: time
// that a handler takes is no silence.
func TestSlowHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := make([]*bubbleNode, 0, 3)
		var busy atomic.Int32
		for i, n := range bubble(t, 3, Config{}) {
			if i == 1 {
				n.rec.OnReceive = func(transport.Peer, transport.Lane, []byte) { busy.Add(1); time.Sleep(12 * time.Second) }
			}
			nodes = append(nodes, n)
		}
		until(t, 10*time.Second, "the nodes meet", func() bool { return meshed(nodes) })
		time.Sleep(2 * time.Second)
		for range 2 {
			require.NoError(t, nodes[0].Send(nodes[1].self, transport.Deltas, []byte("x")))
		}
		time.Sleep(50 * time.Second)
		require.EqualValues(t, 2, busy.Load())
		for _, n := range nodes {
			require.Len(t, n.rec.Events(""), 4, "two peers came up with their links, and nothing else: %s", n.rec)
		}
		for _, n := range nodes {
			require.NoError(t, n.Close())
		}
		time.Sleep(2 * time.Minute)
	})
}

// TestCloseWhileProbing closes a node whose memberlist waits for the answer of a
// peer that is cut off.
func TestCloseWhileProbing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	a := newNode(t, "a", Config{})
	require.NoError(t, a.Start(a.self, a.rec))
	b := newNode(t, "b", Config{Seeds: []string{a.Addr()}})
	require.NoError(t, b.Start(b.self, b.rec))
	awaitMesh(t, a, b)
	require.NoError(t, a.Fault().Block(b.Addr()))
	time.Sleep(1300 * time.Millisecond) // real clock: real sockets
	begin := time.Now()
	require.NoError(t, errors.Join(a.Close(), b.Close()))
	t.Logf("closed after %s", time.Since(begin))
	require.Less(t, time.Since(begin), 3*time.Second)
	require.NoError(t, goleak.Find(before))
}
