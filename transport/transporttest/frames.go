package transporttest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// frameCases are about frames that arrive: which, whole, and in what order.
func frameCases() []testCase {
	return []testCase{
		{"FrameSizes", 2, frameSizes},
		{"FrameOwned", 3, frameOwned},
		{"FrameOrder", 2, frameOrder},
		{"FrameOrderManySenders", 2, frameOrderManySenders},
		{"FrameOrderAllToAll", 4, frameOrderAllToAll},
	}
}

func frameSizes(s *suite) {
	nodes := s.start()
	a, b := nodes[0], nodes[1]
	for lane := range transport.Lanes {
		for _, size := range []int{0, 1, transport.MaxFrame - 1, transport.MaxFrame} {
			frame := bytes.Repeat([]byte{byte(lane) + 1}, size)
			s.pass(a, b, lane, frame)
			got := b.Frames(a.self, lane)
			require.True(s, bytes.Equal(frame, got[len(got)-1]),
				"a frame of %d bytes in lane %s came as another of %d: frames come whole", size, lane, len(got[len(got)-1]))
		}
		large := make([]byte, transport.MaxFrame+1)
		require.ErrorIs(s, a.Send(b.self, lane, large), transport.ErrTooLarge,
			"Send of MaxFrame+1 bytes: a sender must learn at once that it needs a stream")
	}
	s.exchange(a, b, "after all that")
}

// frameOwned has handlers write into what they were given.
func frameOwned(s *suite) {
	const count = 100
	var damaged sync.Map
	scribble := func(at string) func(transport.Peer, transport.Lane, []byte) {
		return func(_ transport.Peer, _ transport.Lane, frame []byte) {
			if !bytes.Equal(frame, []byte("shared")) {
				damaged.Store(at, string(frame))
			}
			for i := range frame {
				frame[i] = 'X'
			}
		}
	}
	nodes := s.start(func(nodes []*node) {
		nodes[1].OnReceive = scribble("the first peer")
		nodes[2].OnReceive = scribble("the second peer")
	})
	frame := []byte("shared")
	for range count {
		for _, peer := range nodes[1:] {
			require.NoError(s, sendAll(s.background(), nodes[0], peer, transport.Deltas, frame))
		}
	}
	for _, peer := range nodes[1:] {
		s.await(peer, func() bool { return peer.Received(nodes[0].self, transport.Deltas) == count },
			"%s receives %d frames of %s", peer, count, nodes[0])
	}
	require.Equal(s, "shared", string(frame), "the sender's slice, after handlers wrote into their frames: a frame belongs to its handler alone")
	damaged.Range(func(at, got any) bool {
		s.Errorf("%s received %q, which another handler wrote: a frame belongs to its handler alone", at, got)
		return true
	})
}

func frameOrder(s *suite) {
	sequences := make([]*sequence, 2)
	nodes := s.start(func(nodes []*node) { observe(nodes, sequences) })
	s.sendSequences(nodes[0], nodes[1], 1, 1_000)
	s.awaitSequences(nodes[1], sequences[1], 1_000)
}

func frameOrderManySenders(s *suite) {
	sequences := make([]*sequence, 2)
	nodes := s.start(func(nodes []*node) { observe(nodes, sequences) })
	s.sendSequences(nodes[0], nodes[1], 8, 10_000)
	s.awaitSequences(nodes[1], sequences[1], 10_000)
}

func frameOrderAllToAll(s *suite) {
	const each = 500
	sequences := make([]*sequence, s.size)
	nodes := s.start(func(nodes []*node) { observe(nodes, sequences) })
	var group sync.WaitGroup
	for _, from := range nodes {
		for _, to := range nodes {
			if from != to {
				group.Go(func() { s.sendSequences(from, to, 2, each) })
			}
		}
	}
	group.Wait()
	for i, n := range nodes {
		s.awaitSequences(n, sequences[i], each*(len(nodes)-1))
	}
}

// observe gives each node a sequence that checks what it receives.
func observe(nodes []*node, sequences []*sequence) {
	for i, n := range nodes {
		sequences[i] = &sequence{last: make(map[track]uint64)}
		n.OnReceive = sequences[i].receive
	}
}

// sendSequences sends so many numbered frames in all from several goroutines, over
// all lanes.
func (s *suite) sendSequences(from, to *node, senders, frames int) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			random := rand.New(rand.NewPCG(from.self.Run, uint64(sender)))
			for number := range frames / senders {
				lane := transport.Lane(number % int(transport.Lanes))
				frame := numbered(sender, number+1, random.IntN(700))
				if err := sendAll(ctx, from, to, lane, frame); err != nil {
					s.Errorf("Send from %s to %s, whose link is up: %v", from, to, err)
					return
				}
			}
		})
	}
	group.Wait()
}

// awaitSequences waits until all frames have come and reports what was wrong.
func (s *suite) awaitSequences(n *node, q *sequence, frames int) {
	s.Helper()
	s.await(n, func() bool { return q.count() >= frames },
		"%s receives all %d frames: nothing is lost while no link breaks", n, frames)
	q.mu.Lock()
	defer q.mu.Unlock()
	require.Empty(s, q.faults, "frames of one lane come in the order in which each goroutine sent them, each once, whole: "+
		"a delta that comes before the one it builds on is a gap, and costs a repair")
	require.Equal(s, frames, q.received, "how many frames came")
}

// numberedHead is the length of a numbered frame without its filling.
const numberedHead = 16

// numbered makes a frame with a sender, a number, a filling and a checksum.
func numbered(sender, number, filling int) []byte {
	frame := make([]byte, numberedHead+filling)
	for i := range filling {
		frame[numberedHead+i] = byte(number + i)
	}
	binary.BigEndian.PutUint32(frame[4:], uint32(sender))
	binary.BigEndian.PutUint64(frame[8:], uint64(number))
	binary.BigEndian.PutUint32(frame, crc32.ChecksumIEEE(frame[4:]))
	return frame
}

// sequence checks numbered frames as they come.
type sequence struct {
	mu       sync.Mutex
	last     map[track]uint64
	received int
	faults   []string
}

// track is what frames have in order: a peer, a lane, a goroutine.
type track struct {
	from   transport.Peer
	lane   transport.Lane
	sender uint32
}

func (q *sequence) receive(from transport.Peer, lane transport.Lane, frame []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.received++
	if len(frame) < numberedHead || binary.BigEndian.Uint32(frame) != crc32.ChecksumIEEE(frame[4:]) {
		q.fault("a frame of %d bytes from %s in lane %s is damaged", len(frame), from, lane)
		return
	}
	at := track{from, lane, binary.BigEndian.Uint32(frame[4:])}
	number := binary.BigEndian.Uint64(frame[8:])
	if number <= q.last[at] {
		q.fault("frame %d of sender %d of %s in lane %s came after frame %d", number, at.sender, from, lane, q.last[at])
	}
	q.last[at] = number
}

func (q *sequence) fault(format string, args ...any) {
	if len(q.faults) < maxFaults {
		q.faults = append(q.faults, fmt.Sprintf(format, args...))
	}
}

func (q *sequence) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.received
}
