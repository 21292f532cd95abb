package transporttest

import (
	"context"
	"io"
	"net"
	"runtime"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// lifeCases are about Start, Close and the errors around them.
func lifeCases() []testCase {
	return []testCase{
		{"BeforeStart", 1, beforeStart},
		{"CloseBeforeStart", 1, closeBeforeStart},
		{"StartTwice", 1, startTwice},
		{"Closed", 2, afterClose},
		{"CloseWaitsForCalls", 2, closeWaits},
		{"UnknownPeer", 2, unknownPeer},
		{"Counters", 2, counters},
	}
}

func beforeStart(s *suite) {
	n := s.node(0)
	require.Empty(s, n.Addr(), "Addr before Start: nothing listens yet")
	stranger := transport.Peer{Node: Name(1), Run: 1}
	require.ErrorIs(s, n.Send(stranger, transport.Urgent, nil), transport.ErrClosed, "Send before Start")
	_, err := n.Open(s.Context(), stranger)
	require.ErrorIs(s, err, transport.ErrClosed, "Open before Start")
}

func closeBeforeStart(s *suite) {
	n := s.node(0)
	s.close(n)
	require.ErrorIs(s, n.Start(n.self, n.Recorder), transport.ErrClosed, "Start after Close: a transport lives once")
}

func startTwice(s *suite) {
	n := s.start()[0]
	require.NotEmpty(s, n.Addr(), "Addr after Start: people ask where a node listens")
	again := transport.Peer{Node: n.self.Node, Run: n.self.Run + 1}
	require.ErrorIs(s, n.Start(again, &Recorder{}), transport.ErrStarted,
		"the second Start: two registries must not share one transport")
}

func afterClose(s *suite) {
	nodes := s.start()
	n, peer := nodes[0], nodes[1]
	s.exchange(n, peer, "before")
	s.close(n)
	require.ErrorIs(s, n.Send(peer.self, transport.Urgent, []byte("x")), transport.ErrClosed, "Send after Close")
	_, err := n.Open(s.Context(), peer.self)
	require.ErrorIs(s, err, transport.ErrClosed, "Open after Close")
	require.ErrorIs(s, n.Leave(s.Context()), transport.ErrClosed, "Leave after Close")
	require.ErrorIs(s, n.Start(n.self, n.Recorder), transport.ErrClosed, "Start after Close")
	require.NoError(s, n.Close(), "Close after Close does nothing")
	require.NotNil(s, n.Counters(), "Counters after Close: what was counted is still of interest")
	s.awaitDown(peer, n, transport.Failed, "its transport was closed without Leave")
	s.never(n, func() bool { return len(n.Faults()) > 0 }, "the handler of a closed transport is called")
}

// closeWaits closes a transport while Receive and Accept run. The end of the case
// finds calls that Close did not wait for.
func closeWaits(s *suite) {
	release := make(chan struct{})
	receiving, accepting := make(chan struct{}), make(chan struct{})
	nodes := s.start(func(nodes []*node) {
		nodes[1].OnReceive = func(transport.Peer, transport.Lane, []byte) {
			close(receiving)
			<-release
			yield()
		}
		nodes[1].OnAccept = func(_ transport.Peer, stream net.Conn) {
			close(accepting)
			_, _ = io.Copy(io.Discard, stream) // until Close breaks the stream
			yield()
			_ = stream.Close()
		}
	})
	stream, err := nodes[0].Open(s.Context(), nodes[1].self)
	require.NoError(s, err, "Open to %s, whose link is up", nodes[1])
	defer func() { _ = stream.Close() }()
	_, err = stream.Write([]byte("x"))
	require.NoError(s, err, "Write to a stream that was just opened")
	s.awaitDone(accepting, "Accept is called for a stream that a peer opened")
	require.NoError(s, nodes[0].Send(nodes[1].self, transport.Urgent, []byte("x")))
	s.awaitDone(receiving, "Receive is called")

	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = nodes[1].Close()
		nodes[1].Finish()
	}()
	select {
	case <-closed:
		require.Fail(s, "Close returned while a call to the handler was running")
	case <-time.After(100 * time.Millisecond): // it waits, as it should
	}
	close(release)
	s.awaitDone(closed, "Close returns once the calls to the handler have: it breaks the streams, so that Accept can return")
}

// yield gives others a chance to go ahead where they should not.
func yield() {
	for range 100 {
		runtime.Gosched()
	}
}

func unknownPeer(s *suite) {
	nodes := s.start()
	n, peer := nodes[0], nodes[1]
	for _, stranger := range []transport.Peer{
		{Node: "nobody", Run: 1},
		{Node: peer.self.Node, Run: peer.self.Run + 1},
		n.self,
	} {
		require.ErrorIs(s, n.Send(stranger, transport.Deltas, []byte("x")), transport.ErrNoLink,
			"Send to %s, to which there is no link: a frame must not reach another run", stranger)
		_, err := n.Open(s.Context(), stranger)
		require.ErrorIs(s, err, transport.ErrNoLink, "Open to %s, to which there is no link", stranger)
	}
	s.exchange(n, peer, "still there")
}

func counters(s *suite) {
	nodes := s.start()
	s.exchange(nodes[0], nodes[1], "x")
	total := uint64(0)
	for _, count := range nodes[0].Counters() {
		total += count
	}
	require.NotZero(s, total, "the sum of all counters after a frame each way: operators see nothing else of a transport")
}

// background returns a context for what a case does until its end, within the
// patience of the cluster.
func (s *suite) background() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	s.Cleanup(cancel)
	return ctx
}
