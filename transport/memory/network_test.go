package memory_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// node is one run of a node under test.
type node struct {
	*memory.Transport
	*transporttest.Recorder
	self transport.Peer
}

// join starts nodes on a network, in order, and closes them at the end of the test.
func join(t *testing.T, network *memory.Network, names ...string) []*node {
	t.Helper()
	nodes := make([]*node, len(names))
	for i, name := range names {
		nodes[i] = start(t, network, transport.Peer{Node: name, Run: 1}, &transporttest.Recorder{})
	}
	synctest.Wait()
	return nodes
}

func start(t *testing.T, network *memory.Network, self transport.Peer, r *transporttest.Recorder) *node {
	t.Helper()
	n := &node{Transport: network.Transport(), Recorder: r, self: self}
	require.NoError(t, n.Start(self, r))
	t.Cleanup(func() {
		require.NoError(t, n.Close())
		n.Finish()
		require.Empty(t, n.Faults())
	})
	return n
}

// heard returns the kinds of what n heard about a node, in order.
func heard(n *node, peer string) []string {
	var kinds []string
	for _, e := range n.Events(peer) {
		kinds = append(kinds, e.Kind.String())
	}
	return kinds
}

// links returns which of the nodes have a link, as "ab ac".
func links(nodes []*node) []string {
	found := []string{}
	for i, a := range nodes {
		for _, b := range nodes[i+1:] {
			if a.Linked(b.self) && b.Linked(a.self) {
				found = append(found, a.self.Node+b.self.Node)
			}
		}
	}
	return found
}

func TestFaultsBreakLinks(t *testing.T) {
	tests := []struct {
		name   string
		faults func(n *memory.Network)
		want   []string
	}{
		{"none", func(*memory.Network) {}, []string{"ab", "ac", "ad", "bc", "bd", "cd"}},
		{"cut", func(n *memory.Network) { n.Cut("b", "a") }, []string{"ac", "ad", "bc", "bd", "cd"}},
		{"isolate", func(n *memory.Network) { n.Isolate("b") }, []string{"ac", "ad", "cd"}},
		{"two sides", func(n *memory.Network) { n.Partition([]string{"a", "b"}, []string{"c", "d"}) }, []string{"ab", "cd"}},
		{"the rest is a side", func(n *memory.Network) { n.Partition([]string{"a"}) }, []string{"bc", "bd", "cd"}},
		{"a bridge", func(n *memory.Network) { n.Partition([]string{"a", "b"}, []string{"b", "c", "d"}) }, []string{"ab", "bc", "bd", "cd"}},
		{"the last partition holds", func(n *memory.Network) {
			n.Partition([]string{"a", "b"})
			n.Partition([]string{"a", "c"})
		}, []string{"ac", "bd"}},
		{"a mended link of a partition", func(n *memory.Network) {
			n.Partition([]string{"a", "b"})
			n.HealLink("a", "c")
		}, []string{"ab", "ac", "cd"}},
		{"a mended link of an isolated node", func(n *memory.Network) {
			n.Isolate("a")
			n.HealLink("b", "a")
		}, []string{"ab", "bc", "bd", "cd"}},
		{"isolated after mending", func(n *memory.Network) {
			n.HealLink("a", "b")
			n.Isolate("a")
		}, []string{"bc", "bd", "cd"}},
		{"cut after mending", func(n *memory.Network) {
			n.HealLink("a", "b")
			n.Cut("a", "b")
		}, []string{"ac", "ad", "bc", "bd", "cd"}},
		{"all healed", func(n *memory.Network) {
			n.Cut("a", "b")
			n.Isolate("c")
			n.Partition([]string{"d"})
			n.Heal()
		}, []string{"ab", "ac", "ad", "bc", "bd", "cd"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memory.NewNetwork(memory.Config{})
				nodes := join(t, network, "a", "b", "c", "d")
				test.faults(network)
				synctest.Wait()
				require.Equal(t, test.want, links(nodes))
			})
			t.Run("before the start", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := memory.NewNetwork(memory.Config{})
					test.faults(network)
					require.Equal(t, test.want, links(join(t, network, "a", "b", "c", "d")))
				})
			})
		})
	}
}

func TestRelayKeepsPeerUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		nodes := join(t, network, "a", "b", "c")
		network.Cut("a", "b")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown"}, heard(nodes[0], "b"), "c relays")
		require.ErrorIs(t, nodes[0].Send(nodes[1].self, transport.Urgent, nil), transport.ErrNoLink)
		network.Isolate("c")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown"}, heard(nodes[0], "b"), "nobody relays")
		network.Heal()
		synctest.Wait()
		require.Equal(t, []string{"ab", "ac", "bc"}, links(nodes))
	})
}

func TestPeerUpWithoutLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		network.Cut("a", "c")
		nodes := join(t, network, "a", "b", "c")
		require.Equal(t, []string{"PeerUp"}, heard(nodes[0], "c"))
		require.NoError(t, nodes[2].Leave(t.Context()))
		require.Equal(t, []string{"PeerUp", "PeerDown"}, heard(nodes[0], "c"))
		require.Equal(t, transport.Left, nodes[0].Events("c")[1].Why, "others say that it left")
	})
}

func TestNoRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{NoRelay: true})
		nodes := join(t, network, "a", "b", "c")
		network.Cut("a", "b")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown"}, heard(nodes[0], "b"))
	})
}

func TestDetect(t *testing.T) {
	const detect = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{Detect: detect})
		nodes := join(t, network, "a", "b")
		network.Cut("a", "b")
		time.Sleep(detect - 1)
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown"}, heard(nodes[0], "b"), "just before")
		network.Heal()
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "LinkUp"}, heard(nodes[0], "b"), "back in time")
		require.True(t, network.Kill("b"))
		time.Sleep(detect)
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "LinkUp", "LinkDown", "PeerDown"}, heard(nodes[0], "b"))
	})
}

// TestRestartIsNotDetected: who restarts says so, and nobody waits for a timeout.
func TestRestartIsNotDetected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{Detect: time.Hour})
		nodes := join(t, network, "a", "b")
		require.True(t, network.Kill("b"))
		again := start(t, network, transport.Peer{Node: "b", Run: 2}, &transporttest.Recorder{})
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown", "PeerUp", "LinkUp"}, heard(nodes[0], "b"))
		require.True(t, nodes[0].Linked(again.self))
	})
}

// TestRestartBehindCut: a node on the other side cannot know of the restart.
func TestRestartBehindCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{Detect: time.Minute})
		nodes := join(t, network, "a", "b")
		network.Cut("a", "b")
		network.Kill("b")
		again := start(t, network, transport.Peer{Node: "b", Run: 2}, &transporttest.Recorder{})
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown"}, heard(nodes[0], "b"))
		network.Heal()
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown", "PeerUp", "LinkUp"}, heard(nodes[0], "b"))
		require.True(t, nodes[0].Linked(again.self))
	})
}

// TestCutShows: a cut that is healed before anybody could look is not hidden.
func TestCutShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		nodes := join(t, network, "a", "b")
		network.Cut("a", "b")
		network.Heal()
		synctest.Wait()
		for _, n := range nodes {
			require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown", "PeerUp", "LinkUp"}, heard(n, ""))
		}
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		nodes := join(t, network, "a", "b", "c")
		a, b, c := nodes[0], nodes[1], nodes[2]
		require.True(t, network.Pause("a"))
		require.NoError(t, a.Send(b.self, transport.Urgent, []byte("out")))
		require.NoError(t, b.Send(a.self, transport.Urgent, []byte("in")))
		require.NoError(t, b.Send(c.self, transport.Urgent, []byte("past")))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Zero(t, b.Received(a.self, transport.Urgent), "what a paused node sends waits")
		require.Zero(t, a.Received(b.self, transport.Urgent), "what is sent to it waits")
		require.Equal(t, 1, c.Received(b.self, transport.Urgent))
		require.Equal(t, []string{"PeerUp", "LinkUp"}, heard(b, "a"), "nobody detects a pause")

		require.True(t, network.Resume("a"))
		synctest.Wait()
		require.Equal(t, 1, b.Received(a.self, transport.Urgent))
		require.Equal(t, 1, a.Received(b.self, transport.Urgent))
		require.False(t, network.Pause("nobody"))
		require.False(t, network.Resume("nobody"))
	})
}

// TestPauseDetected is how a test has a pause detected.
func TestPauseDetected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		nodes := join(t, network, "a", "b")
		network.Pause("a")
		network.Isolate("a")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown"}, heard(nodes[1], "a"))
		require.Equal(t, []string{"PeerUp", "LinkUp"}, heard(nodes[0], "b"), "a stopped program hears nothing")
		network.Heal()
		network.Resume("a")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown", "PeerUp", "LinkUp"}, heard(nodes[0], "b"))
		require.Equal(t, []string{"ab"}, links(nodes))
	})
}

func TestPausedNodeLeavesAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		nodes := join(t, network, "a", "b")
		network.Pause("a")
		require.NoError(t, nodes[0].Leave(t.Context()))
		require.Equal(t, transport.Left, nodes[1].Events("a")[3].Why)
		require.NoError(t, nodes[0].Close())
		start(t, network, transport.Peer{Node: "a", Run: 2}, &transporttest.Recorder{})
		synctest.Wait()
		require.True(t, network.Pause("a"))
		require.True(t, network.Kill("a"))
		last := start(t, network, transport.Peer{Node: "a", Run: 3}, &transporttest.Recorder{})
		synctest.Wait()
		require.True(t, nodes[1].Linked(last.self), "a new run is not paused")
		require.NoError(t, last.Send(nodes[1].self, transport.Urgent, nil))
		synctest.Wait()
		require.Equal(t, 1, nodes[1].Received(last.self, transport.Urgent))
	})
}

func TestKillFromHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		r := &transporttest.Recorder{OnReceive: func(transport.Peer, transport.Lane, []byte) { network.Kill("b") }}
		b := start(t, network, transport.Peer{Node: "b", Run: 1}, r)
		a := join(t, network, "a")[0]
		for range 3 {
			require.NoError(t, a.Send(b.self, transport.Urgent, []byte("x")))
		}
		synctest.Wait()
		require.Equal(t, 1, b.Received(a.self, transport.Urgent), "a killed node receives nothing more")
		require.ErrorIs(t, b.Send(a.self, transport.Urgent, nil), transport.ErrClosed)
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown"}, heard(a, "b"))
		require.Equal(t, []string{"a"}, network.Nodes())
		require.False(t, network.Kill("b"))
	})
}

// TestStuckHandlerHearsWhatMatters holds a handler up through restarts and cuts.
func TestStuckHandlerHearsWhatMatters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		release := make(chan struct{})
		r := &transporttest.Recorder{OnReceive: func(transport.Peer, transport.Lane, []byte) { <-release }}
		stuck := start(t, network, transport.Peer{Node: "stuck", Run: 1}, r)
		peer := join(t, network, "peer")[0]
		require.NoError(t, peer.Send(stuck.self, transport.Urgent, nil))
		synctest.Wait()
		for run := range uint64(100) {
			network.Kill("peer")
			peer = start(t, network, transport.Peer{Node: "peer", Run: run + 2}, &transporttest.Recorder{})
			network.Isolate("peer")
			network.Heal()
		}
		close(release)
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown", "PeerUp", "LinkUp"}, heard(stuck, "peer"))
		require.True(t, stuck.Linked(peer.self))
	})
}

func TestLeaveWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		release := make(chan struct{})
		r := &transporttest.Recorder{OnReceive: func(transport.Peer, transport.Lane, []byte) { <-release }}
		stuck := start(t, network, transport.Peer{Node: "stuck", Run: 1}, r)
		leaver := join(t, network, "leaver")[0]
		for range 3 {
			require.NoError(t, leaver.Send(stuck.self, transport.Bulk, nil))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, leaver.Leave(ctx), context.DeadlineExceeded)
		require.ErrorIs(t, leaver.Send(stuck.self, transport.Bulk, nil), transport.ErrNoLink)
		require.NoError(t, leaver.Close())
		close(release)
		synctest.Wait()
		require.Equal(t, 3, stuck.Received(leaver.self, transport.Bulk), "what was sent before Leave comes first")
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown", "PeerDown"}, heard(stuck, "leaver"))
		require.Equal(t, transport.Left, stuck.Events("leaver")[3].Why)
	})
}

func TestLeaverHearsLinkDownOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := join(t, memory.NewNetwork(memory.Config{}), "a", "b")
		require.NoError(t, nodes[0].Leave(t.Context()))
		require.NoError(t, nodes[0].Leave(t.Context()), "again")
		synctest.Wait()
		require.Equal(t, []string{"PeerUp", "LinkUp", "LinkDown"}, heard(nodes[0], "b"))
	})
}

func TestStartRefuses(t *testing.T) {
	network := memory.NewNetwork(memory.Config{})
	tr := network.Transport()
	require.Error(t, tr.Start(transport.Peer{}, &transporttest.Recorder{}), "no name")
	require.Error(t, tr.Start(transport.Peer{Node: "a"}, nil), "no handler")
	require.NoError(t, tr.Start(transport.Peer{Node: "a"}, &transporttest.Recorder{}))
	require.Error(t, tr.Send(transport.Peer{Node: "b"}, transport.Lanes, nil), "no such lane")
	require.NoError(t, tr.Close())
}

func TestManyNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		names := make([]string, 40)
		for i := range names {
			names[i] = fmt.Sprintf("n%02d", i)
		}
		nodes := join(t, network, names...)
		require.Len(t, links(nodes), 40*39/2)
		network.Partition(names[:20])
		synctest.Wait()
		require.Len(t, links(nodes), 2*20*19/2)
		require.Equal(t, names, slices.Sorted(slices.Values(network.Nodes())))
		network.Heal()
		synctest.Wait()
		require.Len(t, links(nodes), 40*39/2)
	})
}
