package transporttest

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// memberCases are about who is there.
func memberCases() []testCase {
	return []testCase{
		{"Meet2", 2, meet},
		{"Meet3", 3, meet},
		{"Meet8", 8, meet},
		{"LateJoin", 3, lateJoin},
		{"Leave", 3, leave},
		{"LeaveDeliversFirst", 2, leaveDeliversFirst},
		{"LeaveWithoutTime", 2, leaveWithoutTime},
		{"CrashByClose", 3, crash},
		{"Restart", 3, restart},
		{"RestartAfterLeave", 3, restartAfterLeave},
		{"DuplicateName", 3, duplicateName},
		{"Labels", 3, labels},
		{"Encryption", 3, encryption},
	}
}

// meet starts all nodes at once and passes a frame between any two.
func meet(s *suite) {
	nodes := s.start()
	for i, a := range nodes {
		for _, b := range nodes[i+1:] {
			s.exchange(a, b, "hello")
		}
	}
	for _, n := range nodes {
		for _, e := range n.Events("") {
			require.NotEqual(s, PeerDown, e.Kind, "nobody went down while the nodes met\n%s", n.log())
			if e.Kind == PeerUp {
				require.NotEmpty(s, e.Addr, "the address in %s is for people to read", e)
			}
		}
	}
}

func lateJoin(s *suite) {
	early := []*node{s.node(0), s.node(1)}
	s.startAll(early)
	s.awaitMesh(early)
	late := s.node(2)
	require.NoError(s, late.Start(late.self, late.Recorder), "Start of %s after the others", late)
	s.awaitMesh(append(early, late))
	for _, n := range early {
		s.exchange(n, late, "welcome")
	}
}

func leave(s *suite) {
	nodes := s.start()
	require.NoError(s, nodes[0].Leave(s.background()), "Leave of %s", nodes[0])
	for _, n := range nodes[1:] {
		s.awaitDown(n, nodes[0], transport.Left,
			"it called Leave; peers forget at once what a node that left owned, and keep what a failed one owned")
	}
	s.close(nodes[0])
	s.exchange(nodes[1], nodes[2], "the others stay")
	require.ErrorIs(s, nodes[1].Send(nodes[0].self, transport.Urgent, []byte("x")), transport.ErrNoLink,
		"Send to a peer that left")
}

// leaveDeliversFirst sends a node's last words right before it leaves.
func leaveDeliversFirst(s *suite) {
	const words = 100
	nodes := s.start()
	for range words {
		require.NoError(s, sendAll(s.background(), nodes[0], nodes[1], transport.Deltas, []byte("last words")))
	}
	require.NoError(s, nodes[0].Leave(s.background()), "Leave of %s", nodes[0])
	s.awaitDown(nodes[1], nodes[0], transport.Left, "it called Leave")
	if got := nodes[1].Received(nodes[0].self, transport.Deltas); got != words {
		s.Logf("%d of %d frames that were queued before Leave were lost; this is allowed, but a node's last changes are then repaired by others", words-got, words)
	}
}

// leaveWithoutTime leaves with a context that has ended.
func leaveWithoutTime(s *suite) {
	nodes := s.start()
	ctx, cancel := context.WithCancel(s.background())
	cancel()
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = nodes[0].Leave(ctx) // nil where there was nothing to wait for
	}()
	s.awaitDone(left, "Leave returns when its context ends: a program that must stop cannot wait for its peers")
	s.close(nodes[0])
	s.await(nodes[1], func() bool { return !nodes[1].Up(nodes[0].self) },
		"%s hears PeerDown of %s, whatever the reason", nodes[1], nodes[0])
}

func crash(s *suite) {
	nodes := s.start()
	s.close(nodes[0])
	for _, n := range nodes[1:] {
		s.awaitDown(n, nodes[0], transport.Failed, "it was closed without Leave, as a crash")
	}
	s.exchange(nodes[1], nodes[2], "the others stay")
}

func restart(s *suite) {
	nodes := s.start()
	s.close(nodes[0])
	again := s.restart(nodes[0])
	s.checkRestart(nodes, again, transport.Failed)
}

func restartAfterLeave(s *suite) {
	nodes := s.start()
	require.NoError(s, nodes[0].Leave(s.background()), "Leave of %s", nodes[0])
	s.close(nodes[0])
	again := s.restart(nodes[0])
	s.checkRestart(nodes, again, transport.Left)
}

// checkRestart waits until nodes know the new run of their first. The Recorders
// find a new run that comes up before the old one is down.
func (s *suite) checkRestart(nodes []*node, again *node, why transport.Reason) {
	s.Helper()
	for _, n := range nodes[1:] {
		s.awaitDown(n, nodes[0], why, "its program ended, and a new run has started")
		s.awaitLink(n, again)
		s.awaitLink(again, n)
		s.exchange(n, again, "again")
		require.ErrorIs(s, n.Send(nodes[0].self, transport.Urgent, []byte("x")), transport.ErrNoLink,
			"Send to the old run: what is meant for it must not reach the new one")
	}
}

// duplicateName starts node 2 under the name of node 0, which lives.
func duplicateName(s *suite) {
	nodes := []*node{s.node(0), s.node(1)}
	s.startAll(nodes)
	s.awaitMesh(nodes)
	double := s.node(2)
	double.self.Node = nodes[0].self.Node
	err := double.Start(double.self, double.Recorder)
	var duplicate *transport.DuplicateNodeError
	require.True(s, errors.As(err, &duplicate), "Start under the name of a live node returned %v; expected a "+
		"*transport.DuplicateNodeError, for two nodes of one name would answer for each other's processes", err)
	require.Equal(s, nodes[0].self.Node, duplicate.Node, "the name in the error")
	require.NotEmpty(s, duplicate.Addr, "the address of the holder in the error: it says which program to stop")
	s.close(double)
	s.never(nodes[1], func() bool { return !nodes[1].Linked(nodes[0].self) },
		"the holder of a name loses its link because another node tried to take the name")
	s.exchange(nodes[0], nodes[1], "undisturbed")
}

func labels(s *suite) {
	if s.cluster.Labelled == nil {
		s.Skip("the harness has no labels")
	}
	s.apart(func(i int) transport.Transport {
		return s.cluster.Labelled(i, []string{"red", "red", "blue"}[i])
	}, "label")
}

func encryption(s *suite) {
	if s.cluster.Encrypted == nil {
		s.Skip("the harness has no encryption")
	}
	s.apart(func(i int) transport.Transport {
		return s.cluster.Encrypted(i, bytes.Repeat([]byte{"rrb"[i]}, 32))
	}, "key")
}

// apart starts two nodes that belong together and one that does not.
func (s *suite) apart(factory func(i int) transport.Transport, what string) {
	nodes := []*node{s.nodeOn(0, factory(0)), s.nodeOn(1, factory(1)), s.nodeOn(2, factory(2))}
	stranger := nodes[2]
	var group sync.WaitGroup
	group.Go(func() {
		// Whether it may be alone is the transport's to say.
		if err := stranger.Start(stranger.self, stranger.Recorder); err != nil {
			s.Logf("Start of a node with another %s: %v", what, err)
		}
	})
	s.startAll(nodes[:2])
	group.Wait()
	s.awaitMesh(nodes[:2])
	s.exchange(nodes[0], nodes[1], "ours")
	for _, n := range nodes[:2] {
		s.never(n, func() bool { return n.Up(stranger.self) }, "%s sees %s, which has another %s", n, stranger, what)
	}
	require.Empty(s, stranger.Events(""), "a node with another %s sees nobody", what)
}
