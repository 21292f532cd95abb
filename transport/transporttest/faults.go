package transporttest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// faultCases are about what happens when the network or a program fails.
func faultCases() []testCase {
	return []testCase{
		{"Kill", 3, kill},
		{"CutAndHeal", 2, cutAndHeal},
		{"CutOneOff", 3, cutOneOff},
		{"CutBreaksStreams", 2, cutBreaksStreams},
		{"Churn", 3, churn},
	}
}

func kill(s *suite) {
	if s.cluster.Kill == nil {
		s.Skip("the harness cannot kill a program")
	}
	nodes := s.start()
	s.cluster.Kill(0)
	for _, n := range nodes[1:] {
		s.awaitDown(n, nodes[0], transport.Failed, "it was killed")
	}
	s.close(nodes[0])
	s.checkRestart(nodes, s.restart(nodes[0]), transport.Failed)
}

func (s *suite) needCuts() {
	if s.cluster.Cut == nil {
		s.Skip("the harness cannot cut a link")
	}
	require.NotNil(s, s.cluster.Heal, "Cluster.Heal, where Cut is set")
}

func cutAndHeal(s *suite) {
	s.needCuts()
	nodes := s.start()
	a, b := nodes[0], nodes[1]
	for range 2 {
		downs := len(a.Events(b.self.Node))
		s.cluster.Cut(0, 1)
		for _, side := range [][2]*node{{a, b}, {b, a}} {
			n, peer := side[0], side[1]
			s.await(n, func() bool { return !n.Up(peer.self) },
				"%s hears PeerDown of %s, which a cut parts from it: until then it shows names that are gone", n, peer)
			require.ErrorIs(s, n.Send(peer.self, transport.Urgent, []byte("x")), transport.ErrNoLink,
				"Send to a peer that a cut parts from this node")
			_, err := n.Open(s.Context(), peer.self)
			require.ErrorIs(s, err, transport.ErrNoLink, "Open to a peer that a cut parts from this node")
		}
		require.Greater(s, len(a.Events(b.self.Node)), downs)
		s.cluster.Heal()
		// The same Peer comes back: no program ended, so nothing may be forgotten.
		s.awaitMesh(nodes)
		s.exchange(a, b, "healed")
	}
	for _, e := range append(a.Events(""), b.Events("")...) {
		if e.Kind == PeerDown {
			require.Equal(s, transport.Failed, e.Why, "the reason in %s: a cut is no leave", e)
		}
	}
}

// cutOneOff parts one node from two others.
func cutOneOff(s *suite) {
	s.needCuts()
	nodes := s.start()
	a, b, alone := nodes[0], nodes[1], nodes[2]
	s.cluster.Cut(0, 2)
	s.cluster.Cut(1, 2)
	for _, n := range []*node{a, b} {
		s.await(n, func() bool { return !n.Up(alone.self) }, "%s hears PeerDown of %s, which is cut off from all", n, alone)
		s.await(alone, func() bool { return !alone.Up(n.self) }, "%s, which is cut off from all, hears PeerDown of %s", alone, n)
	}
	s.exchange(a, b, "together")
	s.cluster.Heal()
	s.awaitMesh(nodes)
	s.exchange(a, alone, "healed")
	s.exchange(b, alone, "healed")
	for _, e := range append(a.Events(b.self.Node), b.Events(a.self.Node)...) {
		require.False(s, e.Kind == LinkDown || e.Kind == PeerDown, "%s, though these two were on one side all the time", e)
	}
}

func cutBreaksStreams(s *suite) {
	s.needCuts()
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	stream := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	s.cluster.Cut(0, 1)
	s.awaitBroken(stream, "the end of a stream whose link is cut")
	s.awaitBroken(far, "the far end of a stream whose link is cut")
	s.await(nodes[0], func() bool { return !nodes[0].Up(nodes[1].self) }, "the cut shows")
	s.cluster.Heal()
	s.awaitMesh(nodes)
}

// churn ends, restarts, cuts and heals under traffic. What it is about, the
// Recorders find: calls out of their grammar.
func churn(s *suite) {
	nodes := s.start()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var traffic sync.WaitGroup
	defer traffic.Wait()
	defer stop()
	chat := func() {
		peers := slices.Clone(nodes)
		for _, n := range peers {
			traffic.Go(func() { s.chat(ctx, n, peers) })
		}
	}
	chat()
	for round := range 3 {
		victim := round % len(nodes)
		s.close(nodes[victim])
		nodes[victim] = s.restart(nodes[victim])
		chat()
		s.awaitMesh(nodes)
		if s.cluster.Cut != nil {
			s.cluster.Cut(0, 1)
			s.await(nodes[0], func() bool { return !nodes[0].Linked(nodes[1].self) }, "%s hears LinkDown of %s", nodes[0], nodes[1])
			s.cluster.Heal()
			s.awaitMesh(nodes)
		}
	}
}

// chat sends a frame to each peer whenever something happens, until ctx ends or
// the node is closed. As a frame that comes is something too, it has an end.
func (s *suite) chat(ctx context.Context, n *node, peers []*node) {
	const rounds = 1000
	for sent := range rounds {
		changed := n.Changed()
		for _, peer := range peers {
			err := n.Send(peer.self, transport.Lane(sent%int(transport.Lanes)), []byte("chat"))
			if errors.Is(err, transport.ErrClosed) {
				return
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
