package transporttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// streamCases are about streams.
func streamCases() []testCase {
	return []testCase{
		{"Stream16MiBBothWays", 2, streamBothWays},
		{"StreamsAtOnce", 3, streamsAtOnce},
		{"StreamClose", 2, streamClose},
		{"StreamHalfClose", 2, streamHalfClose},
		{"StreamDeadline", 2, streamDeadline},
		{"OpenCancelled", 2, openCancelled},
		{"FramesPassStuckStream", 2, framesPassStuckStream},
		{"CrashBreaksStreams", 2, crashBreaksStreams},
	}
}

// acceptor hands the streams that a node accepts to the case.
type acceptor struct{ streams chan net.Conn }

func newAcceptor() *acceptor { return &acceptor{streams: make(chan net.Conn, 1)} }

// take is a Recorder.OnAccept. The case, which takes the stream, closes it.
func (a *acceptor) take(_ transport.Peer, stream net.Conn) { a.streams <- stream }

// open opens a stream, which is closed at the end of the case.
func (s *suite) open(from, to *node) net.Conn {
	s.Helper()
	stream, err := from.Open(s.background(), to.self)
	require.NoError(s, err, "Open from %s to %s, whose link is up", from, to)
	s.Cleanup(func() { _ = stream.Close() })
	_, err = stream.Write([]byte("!")) // a transport may tell the peer with the first bytes
	require.NoError(s, err, "Write to a stream that was just opened")
	return stream
}

// accept waits for the other end of a stream that open opened.
func (s *suite) accept(a *acceptor) net.Conn {
	s.Helper()
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case stream := <-a.streams:
		s.Cleanup(func() { _ = stream.Close() })
		s.limit(stream)
		_, err := io.ReadFull(stream, make([]byte, 1))
		require.NoError(s, err, "Read of the first byte of a stream")
		return stream
	case <-timer.C:
		s.Fatalf("expected within %s: Accept is called for a stream that a peer opened", s.patience)
		return nil
	}
}

// limit makes reads and writes fail when patience ends.
func (s *suite) limit(stream net.Conn) {
	s.Helper()
	require.NoError(s, stream.SetDeadline(time.Now().Add(s.patience)), "SetDeadline")
}

// awaitBroken waits until a stream can neither be read nor written any more.
func (s *suite) awaitBroken(stream net.Conn, what string) {
	s.Helper()
	s.limit(stream)
	_, err := io.Copy(io.Discard, stream)
	require.NotErrorIs(s, err, context.DeadlineExceeded)
	require.False(s, isTimeout(err), "Read at %s hangs: whoever waits for the rest must learn that it will not come", what)
	chunk := make([]byte, 1<<16)
	for range loadLimit {
		if _, err = stream.Write(chunk); err != nil {
			break
		}
	}
	require.Error(s, err, "Write at %s", what)
	require.False(s, isTimeout(err), "Write at %s hangs: a sender must learn that it sends in vain", what)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// noise returns so many bytes that look random, the same for each seed.
func noise(seed byte, size int) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), int64(size))
}

// digest reads all and returns its hash.
func digest(r io.Reader) ([]byte, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return h.Sum(nil), err
}

// duplex writes so many bytes of noise and reads as many of another, at once, and
// checks what it reads.
func duplex(stream net.Conn, writes, reads byte, size int) error {
	wrote := make(chan error, 1)
	go func() {
		_, err := io.Copy(stream, noise(writes, size))
		wrote <- err
	}()
	want, _ := digest(noise(reads, size))
	got, err := digest(io.LimitReader(stream, int64(size)))
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("the hash of %d bytes read is %x; expected %x", size, got, want)
	}
	return errors.Join(err, <-wrote)
}

func streamBothWays(s *suite) {
	const size = 16 << 20
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	s.limit(near)
	var group sync.WaitGroup
	group.Go(func() {
		if err := duplex(far, 2, 1, size); err != nil {
			s.Errorf("the accepting end of a stream with %d bytes each way: %v", size, err)
		}
	})
	if err := duplex(near, 1, 2, size); err != nil {
		s.Errorf("the opening end of a stream with %d bytes each way: %v", size, err)
	}
	group.Wait()
}

// streamsAtOnce opens many streams from one node to two others, and back.
func streamsAtOnce(s *suite) {
	const streams, size = 16, 128 << 10
	echo := func(_ transport.Peer, stream net.Conn) {
		defer func() { _ = stream.Close() }()
		_, _ = io.Copy(stream, io.LimitReader(stream, 1+size))
	}
	nodes := s.start(func(nodes []*node) {
		for _, n := range nodes {
			n.OnAccept = echo
		}
	})
	var group sync.WaitGroup
	for i, from := range nodes {
		to := nodes[(i+1)%len(nodes)]
		for number := range streams {
			stream := s.open(from, to)
			s.limit(stream)
			group.Go(func() {
				if _, err := io.ReadFull(stream, make([]byte, 1)); err != nil {
					s.Errorf("stream %d from %s to %s: %v", number, from, to, err)
					return
				}
				if err := duplex(stream, byte(number), byte(number), size); err != nil {
					s.Errorf("stream %d from %s to %s: %v", number, from, to, err)
				}
			})
		}
	}
	group.Wait()
}

// streamClose closes an end whose bytes have not been read.
func streamClose(s *suite) {
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	text := bytes.Repeat([]byte("all of it "), 1000)
	_, err := near.Write(text)
	require.NoError(s, err, "Write to a stream")
	require.NoError(s, near.Close(), "Close of a stream")
	got, err := io.ReadAll(far)
	require.NoError(s, err, "Read at the other end, up to the end of file")
	require.True(s, bytes.Equal(text, got), "what was written before Close is read, and then the end of file: "+
		"%d of %d bytes came; a snapshot without its tail is worse than none", len(got), len(text))
	_, err = near.Write(text)
	require.Error(s, err, "Write after Close")
	s.exchange(nodes[0], nodes[1], "a stream's end is not the link's")
}

// streamHalfClose ends one direction, where streams can.
func streamHalfClose(s *suite) {
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	half, ok := near.(interface{ CloseWrite() error })
	if !ok {
		s.Skip("streams of this transport have no CloseWrite")
	}
	s.limit(near)
	_, err := near.Write([]byte("question"))
	require.NoError(s, err, "Write to a stream")
	require.NoError(s, half.CloseWrite(), "CloseWrite")
	got, err := io.ReadAll(far)
	require.NoError(s, err, "Read up to CloseWrite")
	require.Equal(s, "question", string(got))
	_, err = far.Write([]byte("answer"))
	require.NoError(s, err, "Write towards an end that called CloseWrite: it still reads")
	require.NoError(s, far.Close(), "Close of the other end")
	got, err = io.ReadAll(near)
	require.NoError(s, err, "Read after CloseWrite")
	require.Equal(s, "answer", string(got))
}

func streamDeadline(s *suite) {
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	require.NoError(s, near.SetReadDeadline(time.Now().Add(time.Millisecond)), "SetReadDeadline")
	_, err := near.Read(make([]byte, 1))
	require.True(s, isTimeout(err), "Read past its deadline returned %v; expected a net.Error with Timeout", err)
	s.limit(near)
	_, err = far.Write([]byte("x"))
	require.NoError(s, err, "Write to a stream")
	_, err = io.ReadFull(near, make([]byte, 1))
	require.NoError(s, err, "Read with a new deadline: a deadline that passed does not break the stream")
}

func openCancelled(s *suite) {
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := nodes[0].Open(ended, nodes[1].self)
	require.ErrorIs(s, err, context.Canceled, "Open with a context that has ended")

	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	near, err := nodes[0].Open(ctx, nodes[1].self)
	require.NoError(s, err, "Open after one that was cancelled")
	defer func() { _ = near.Close() }()
	cancel()
	_, err = near.Write([]byte("!"))
	require.NoError(s, err, "Write after the context of Open ended: it is for opening alone, as with net.Dialer")
	_ = s.accept(accepted)
}

// framesPassStuckStream writes to a stream that nobody reads.
func framesPassStuckStream(s *suite) {
	const frames = 500
	const tooMuch = 256 << 20
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	var written atomic.Int64
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		chunk := make([]byte, 64<<10)
		for written.Load() < tooMuch {
			n, err := near.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	for i := range frames {
		s.exchange(nodes[0], nodes[1], fmt.Sprintf("frame %d", i))
	}
	s.limit(far)
	other := make(chan error, 1)
	go func() { other <- s.secondStream(nodes, accepted) }()
	require.NoError(s, <-other, "another stream while one is stuck")
	_ = near.Close()
	s.awaitDone(stuck, "Close of a stream ends a Write that waits")
	require.Less(s, written.Load(), int64(tooMuch),
		"a stream that nobody reads took all that was written: streams are flow-controlled, or a slow peer fills the memory")
}

// secondStream passes a few bytes over a further stream.
func (s *suite) secondStream(nodes []*node, accepted *acceptor) error {
	near, err := nodes[0].Open(s.background(), nodes[1].self)
	if err != nil {
		return err
	}
	defer func() { _ = near.Close() }()
	if _, err = near.Write([]byte("x")); err != nil {
		return err
	}
	select {
	case far := <-accepted.streams:
		defer func() { _ = far.Close() }()
		if err = far.SetDeadline(time.Now().Add(s.patience)); err != nil {
			return err
		}
		_, err = io.ReadFull(far, make([]byte, 1))
		return err
	case <-s.background().Done():
		return errors.New("Accept was not called")
	}
}

func crashBreaksStreams(s *suite) {
	accepted := newAcceptor()
	nodes := s.start(func(nodes []*node) { nodes[1].OnAccept = accepted.take })
	near := s.open(nodes[0], nodes[1])
	far := s.accept(accepted)
	s.close(nodes[1])
	s.awaitBroken(far, "the end of a stream whose own node was closed")
	s.awaitBroken(near, "the end of a stream whose peer was closed")
}
