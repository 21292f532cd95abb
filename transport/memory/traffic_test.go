package memory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

func TestQueueLimitFrames(t *testing.T) {
	const limit = 7
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{QueueFrames: limit})
		nodes := join(t, network, "a", "b", "c")
		network.Pause("b")
		for range limit {
			require.NoError(t, nodes[0].Send(nodes[1].self, transport.Bulk, nil))
		}
		require.ErrorIs(t, nodes[0].Send(nodes[1].self, transport.Bulk, nil), transport.ErrQueueFull)
		require.NoError(t, nodes[0].Send(nodes[1].self, transport.Deltas, nil), "another lane")
		require.NoError(t, nodes[2].Send(nodes[1].self, transport.Bulk, nil), "another sender")
		require.NoError(t, nodes[0].Send(nodes[2].self, transport.Bulk, nil), "another peer")
		network.Resume("b")
		synctest.Wait()
		require.Equal(t, limit, nodes[1].Received(nodes[0].self, transport.Bulk))
		require.NoError(t, nodes[0].Send(nodes[1].self, transport.Bulk, nil), "room again")
		require.EqualValues(t, 1, nodes[0].Counters()["frames_refused"])
	})
}

func TestQueueLimitBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{QueueBytes: 100})
		nodes := join(t, network, "a", "b")
		network.Pause("b")
		send := func(size int) error { return nodes[0].Send(nodes[1].self, transport.Bulk, make([]byte, size)) }
		require.NoError(t, send(60))
		require.ErrorIs(t, send(41), transport.ErrQueueFull, "one byte too many")
		require.NoError(t, send(40), "exactly the limit")
		require.ErrorIs(t, send(1), transport.ErrQueueFull)
		require.NoError(t, send(0), "nothing needs no room")
		network.Resume("b")
		synctest.Wait()
		require.NoError(t, send(transport.MaxFrame), "an empty queue takes any frame")
	})
}

func TestUrgentPassesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		var mu sync.Mutex
		var lanes []transport.Lane
		b := start(t, network, transport.Peer{Node: "b", Run: 1}, &transporttest.Recorder{
			OnReceive: func(_ transport.Peer, lane transport.Lane, _ []byte) {
				mu.Lock()
				defer mu.Unlock()
				lanes = append(lanes, lane)
			},
		})
		a := join(t, network, "a")[0]
		network.Pause("b")
		for _, lane := range []transport.Lane{transport.Bulk, transport.Deltas, transport.Bulk, transport.Urgent, transport.Deltas} {
			require.NoError(t, a.Send(b.self, lane, nil))
		}
		network.Resume("b")
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, []transport.Lane{transport.Urgent, transport.Deltas, transport.Deltas, transport.Bulk, transport.Bulk}, lanes)
	})
}

func TestLatency(t *testing.T) {
	const latency = 20 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{Latency: latency})
		nodes := join(t, network, "a", "b")
		begin := time.Now()
		for range 10 {
			require.NoError(t, nodes[0].Send(nodes[1].self, transport.Urgent, nil))
		}
		time.Sleep(latency - 1)
		synctest.Wait()
		require.Zero(t, nodes[1].Received(nodes[0].self, transport.Urgent))
		require.NoError(t, nodes[1].Wait(t.Context(), func() bool {
			return nodes[1].Received(nodes[0].self, transport.Urgent) == 10
		}))
		require.Equal(t, latency, time.Since(begin), "frames do not wait for each other")
	})
}

func TestCutLosesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{Latency: time.Second})
		nodes := join(t, network, "a", "b")
		require.NoError(t, nodes[0].Send(nodes[1].self, transport.Urgent, []byte("lost")))
		network.Cut("a", "b")
		network.Heal()
		synctest.Wait()
		require.NoError(t, nodes[0].Send(nodes[1].self, transport.Urgent, []byte("kept")))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, [][]byte{[]byte("kept")}, nodes[1].Frames(nodes[0].self, transport.Urgent))
		require.EqualValues(t, 1, nodes[1].Counters()["frames_lost"])
	})
}

// streams starts two nodes of which the second hands over what it accepts.
func streams(t *testing.T, network *memory.Network) (a, b *node, accepted chan net.Conn) {
	t.Helper()
	accepted = make(chan net.Conn, 64)
	b = start(t, network, transport.Peer{Node: "b", Run: 1}, &transporttest.Recorder{
		OnAccept: func(_ transport.Peer, stream net.Conn) { accepted <- stream },
	})
	return join(t, network, "a")[0], b, accepted
}

func TestStreamWindow(t *testing.T) {
	const window = 1000
	synctest.Test(t, func(t *testing.T) {
		a, b, accepted := streams(t, memory.NewNetwork(memory.Config{StreamWindow: window}))
		near, err := a.Open(t.Context(), b.self)
		require.NoError(t, err)
		far := <-accepted
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := near.Write(make([]byte, 2*window))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, window, n, "what fits was written")
		n, err = io.ReadFull(far, make([]byte, window))
		require.NoError(t, err)
		require.Equal(t, window, n)
		require.NoError(t, near.SetWriteDeadline(time.Time{}))
		_, err = near.Write(make([]byte, window))
		require.NoError(t, err, "room again, and no deadline")
		require.NoError(t, far.Close())
		_, err = near.Write([]byte("x"))
		require.ErrorIs(t, err, syscall.EPIPE)
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		require.NoError(t, near.Close())
		require.NoError(t, near.Close(), "again")
	})
}

func TestStreamsLimit(t *testing.T) {
	const limit = 3
	synctest.Test(t, func(t *testing.T) {
		a, b, accepted := streams(t, memory.NewNetwork(memory.Config{Streams: limit}))
		var last net.Conn
		for range limit {
			var err error
			last, err = a.Open(t.Context(), b.self)
			require.NoError(t, err)
		}
		_, err := a.Open(t.Context(), b.self)
		require.ErrorIs(t, err, transport.ErrQueueFull)
		require.NoError(t, last.Close())
		_, err = a.Open(t.Context(), b.self)
		require.ErrorIs(t, err, transport.ErrQueueFull, "the other end is still open")
		for range limit {
			require.NoError(t, (<-accepted).Close())
		}
		_, err = a.Open(t.Context(), b.self)
		require.NoError(t, err, "one has closed both ends")
	})
}

func TestStreamLatency(t *testing.T) {
	const latency = 50 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		a, b, accepted := streams(t, memory.NewNetwork(memory.Config{Latency: latency}))
		near, err := a.Open(t.Context(), b.self)
		require.NoError(t, err)
		far := <-accepted
		begin := time.Now()
		_, err = near.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, near.Close())
		got, err := io.ReadAll(far)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got), "Close does not overtake what was written")
		require.Equal(t, latency, time.Since(begin))
		require.NoError(t, far.Close())
	})
}

func TestStreamCutAndPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		a, b, accepted := streams(t, network)
		near, err := a.Open(t.Context(), b.self)
		require.NoError(t, err)
		far := <-accepted

		network.Pause("a")
		_, err = near.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, far.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing comes from a paused node")
		require.NoError(t, far.SetReadDeadline(time.Time{}))
		network.Resume("a")
		_, err = far.Read(make([]byte, 1))
		require.NoError(t, err)

		reading := make(chan error, 1)
		go func() {
			_, err := far.Read(make([]byte, 1))
			reading <- err
		}()
		synctest.Wait()
		network.Cut("a", "b")
		err = <-reading
		require.ErrorIs(t, err, syscall.ECONNRESET, "not an end of file: the rest is missing")
		var op *net.OpError
		require.True(t, errors.As(err, &op))
		require.Equal(t, "memory:a", op.Addr.String())
		_, err = near.Write([]byte("x"))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	})
}

func TestOpenWaitsForPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork(memory.Config{})
		a, b, accepted := streams(t, network)
		network.Pause("b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Open(ctx, b.self)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		opened := make(chan error, 2)
		open := func() {
			_, err := a.Open(t.Context(), b.self)
			opened <- err
		}
		go open()
		synctest.Wait()
		network.Cut("a", "b")
		require.ErrorIs(t, <-opened, transport.ErrNoLink)
		network.Heal()
		go open()
		synctest.Wait()
		network.Resume("b")
		require.NoError(t, <-opened)
		require.NoError(t, (<-accepted).Close())
		synctest.Wait()
		require.Empty(t, accepted, "a stream that was given up is not accepted")
	})
}

func BenchmarkSend(b *testing.B) {
	network := memory.NewNetwork(memory.Config{})
	from, to := network.Transport(), network.Transport()
	r := &transporttest.Recorder{OnReceive: func(transport.Peer, transport.Lane, []byte) {}}
	sender := &transporttest.Recorder{}
	peer := transport.Peer{Node: "to", Run: 1}
	require.NoError(b, from.Start(transport.Peer{Node: "from", Run: 1}, sender))
	require.NoError(b, to.Start(peer, r))
	require.NoError(b, sender.Wait(b.Context(), func() bool { return sender.Linked(peer) }))
	frame := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		for {
			changed := r.Changed()
			if from.Send(peer, transport.Deltas, frame) == nil {
				break
			}
			<-changed
		}
	}
	require.NoError(b, from.Close())
	require.NoError(b, to.Close())
}
