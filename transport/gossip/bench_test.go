package gossip

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// sink is a handler that counts frames and passes them to a function.
type sink struct {
	linked chan struct{}
	frames atomic.Int64
	on     func(frame []byte)
}

func (s *sink) PeerUp(transport.Peer, string)             {}
func (s *sink) LinkUp(transport.Peer)                     { close(s.linked) }
func (s *sink) LinkDown(transport.Peer)                   {}
func (s *sink) PeerDown(transport.Peer, transport.Reason) {}
func (s *sink) Accept(_ transport.Peer, c net.Conn)       { _ = c.Close() }
func (s *sink) Receive(_ transport.Peer, _ transport.Lane, f []byte) {
	s.frames.Add(1)
	if s.on != nil {
		s.on(f)
	}
}

// benchPair starts two nodes and returns them linked.
func benchPair(b *testing.B, cfg Config, onA, onB func(a, b *Transport, peerOfA, peerOfB transport.Peer) func([]byte)) (ta, tb *Transport, pa, pb transport.Peer, sa, sb *sink) {
	cfg.Bind, cfg.Logger = "127.0.0.1:0", quietLog()
	ta, err := New(cfg)
	require.NoError(b, err)
	pa, pb = transport.Peer{Node: "a", Run: rand.Uint64()}, transport.Peer{Node: "b", Run: rand.Uint64()}
	sa, sb = &sink{linked: make(chan struct{})}, &sink{linked: make(chan struct{})}
	require.NoError(b, ta.Start(pa, sa))
	cfg.Seeds = []string{ta.Addr()}
	tb, err = New(cfg)
	require.NoError(b, err)
	if onA != nil {
		sa.on = onA(ta, tb, pb, pa)
	}
	if onB != nil {
		sb.on = onB(ta, tb, pb, pa)
	}
	require.NoError(b, tb.Start(pb, sb))
	b.Cleanup(func() { _ = ta.Close(); _ = tb.Close() })
	<-sa.linked
	<-sb.linked
	return ta, tb, pa, pb, sa, sb
}

func BenchmarkFrames(b *testing.B) {
	for _, key := range []bool{false, true} {
		for _, size := range []int{64, 4096, 64 << 10} {
			b.Run(fmt.Sprintf("key=%t/%dB", key, size), func(b *testing.B) {
				var cfg Config
				if key {
					cfg.Key = testKey('k')
				}
				ta, _, _, pb, _, sb := benchPair(b, cfg, nil, nil)
				frame := make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					for {
						err := ta.Send(pb, transport.Deltas, frame)
						if err == nil {
							break
						}
						if !errors.Is(err, transport.ErrQueueFull) {
							b.Fatal(err)
						}
						time.Sleep(20 * time.Microsecond)
					}
				}
				for sb.frames.Load() < int64(b.N) {
					time.Sleep(100 * time.Microsecond)
				}
			})
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	back := make(chan struct{}, 1)
	onA := func(_, _ *Transport, _, _ transport.Peer) func([]byte) { return func([]byte) { back <- struct{}{} } }
	onB := func(_, tb *Transport, _, pa transport.Peer) func([]byte) {
		return func(f []byte) { _ = tb.Send(pa, transport.Urgent, f) }
	}
	ta, _, _, pb, _, _ := benchPair(b, Config{}, onA, onB)
	frame := make([]byte, 64)
	all := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		begin := time.Now()
		_ = ta.Send(pb, transport.Urgent, frame)
		<-back
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}
