package transporttest

import (
	"errors"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// loadFrame is the size of the frames that fill a queue.
	loadFrame = 64 << 10
	// loadLimit is how many of them a queue must not take: 1 GiB.
	loadLimit = 1 << 14
)

// loadCases are about peers that are too slow.
func loadCases() []testCase {
	return []testCase{
		{"UrgentPassesBulk", 2, urgentPassesBulk},
		{"SlowReceiver", 3, slowReceiver},
	}
}

// stall is a handler that stops in its first Receive, and notes the lanes of all
// frames.
type stall struct {
	release chan struct{}
	mu      sync.Mutex
	lanes   []transport.Lane
}

func (s *stall) receive(_ transport.Peer, lane transport.Lane, _ []byte) {
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lanes = append(s.lanes, lane)
}

// fill sends to a peer that is stalled until its queue is full, and returns how
// many frames were queued.
func (s *suite) fill(from, to *node, lane transport.Lane) int {
	s.Helper()
	frame := make([]byte, loadFrame)
	queued := 0
	var err error
	full := make(chan struct{})
	go func() {
		defer close(full)
		for ; err == nil && queued < loadLimit; queued++ {
			err = from.Send(to.self, lane, frame)
		}
	}()
	s.awaitDone(full, "Send never blocks, and a queue has a limit; %s does not read, and Send to it has not come back", to)
	require.ErrorIs(s, err, transport.ErrQueueFull,
		"Send to a peer that does not read, after %d frames of %d bytes: a queue without a limit takes the program down with its slowest peer",
		queued, loadFrame)
	return queued - 1
}

// urgentPassesBulk sends an urgent frame behind a backlog.
func urgentPassesBulk(s *suite) {
	slow := &stall{release: make(chan struct{})}
	nodes := s.start(func(nodes []*node) { nodes[1].OnReceive = slow.receive })
	a, b := nodes[0], nodes[1]
	release := sync.OnceFunc(func() { close(slow.release) })
	s.Cleanup(release)
	queued := s.fill(a, b, transport.Bulk)
	require.NoError(s, a.Send(b.self, transport.Urgent, []byte("claim")),
		"Send in lane urgent while lane bulk is full: a repair must not refuse claims")
	release()
	s.await(b, func() bool {
		return b.Received(a.self, transport.Bulk) >= queued && b.Received(a.self, transport.Urgent) == 1
	}, "%s receives %d frames in lane bulk and one in lane urgent, which were queued, and the link stayed up", b, queued)
	slow.mu.Lock()
	defer slow.mu.Unlock()
	require.NotEqual(s, transport.Urgent, slow.lanes[len(slow.lanes)-1],
		"the urgent frame came after all %d frames of the bulk backlog: a claim must pass a repair that waits in the same queue", queued)
}

// slowReceiver has one of three nodes stop reading.
func slowReceiver(s *suite) {
	const others = 200
	slow := &stall{release: make(chan struct{})}
	nodes := s.start(func(nodes []*node) { nodes[1].OnReceive = slow.receive })
	a, stuck, c := nodes[0], nodes[1], nodes[2]
	release := sync.OnceFunc(func() { close(slow.release) })
	s.Cleanup(release)
	s.fill(a, stuck, transport.Deltas)
	for range others {
		s.exchange(a, c, "not delayed")
	}
	for _, e := range a.Events(stuck.self.Node) {
		require.False(s, e.Kind == LinkDown || e.Kind == PeerDown,
			"%s, though its peer is only slow: ErrQueueFull leaves the link up", e)
	}
	release()
	s.await(stuck, func() bool {
		// The queue has room again when frames have come out of it.
		err := a.Send(stuck.self, transport.Deltas, []byte("room"))
		if err != nil && !errors.Is(err, transport.ErrQueueFull) {
			s.Errorf("Send to a peer that was slow: %v", err)
		}
		return err == nil
	}, "Send to %s succeeds again once it reads", stuck)
	s.pass(a, stuck, transport.Urgent, []byte("in time again"))
}
