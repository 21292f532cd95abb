package transporttest_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

func Example() {
	network := memory.NewNetwork(memory.Config{})
	a, b := network.Transport(), network.Transport()
	var heard transporttest.Recorder
	peer := transport.Peer{Node: "b", Run: 1}
	_ = a.Start(transport.Peer{Node: "a", Run: 1}, &heard)
	_ = b.Start(peer, &transporttest.Recorder{})

	_ = heard.Wait(context.Background(), func() bool { return heard.Linked(peer) })
	network.Cut("a", "b")
	_ = heard.Wait(context.Background(), func() bool { return !heard.Up(peer) })
	_, _ = a.Close(), b.Close()
	heard.Finish()

	fmt.Print(heard.String())
	fmt.Println("faults:", len(heard.Faults()))
	// Output:
	// PeerUp(b#1, memory:b)
	// LinkUp(b#1)
	// LinkDown(b#1)
	// PeerDown(b#1, failed)
	// faults: 0
}

func TestRecorderGrammar(t *testing.T) {
	one, two := transport.Peer{Node: "x", Run: 1}, transport.Peer{Node: "x", Run: 2}
	up := func(r *transporttest.Recorder) { r.PeerUp(one, "") }
	linkUp := func(r *transporttest.Recorder) { r.LinkUp(one) }
	receive := func(r *transporttest.Recorder) { r.Receive(one, transport.Bulk, nil) }
	linkDown := func(r *transporttest.Recorder) { r.LinkDown(one) }
	down := func(r *transporttest.Recorder) { r.PeerDown(one, transport.Failed) }
	other := func(r *transporttest.Recorder) { r.PeerUp(two, "") }
	accept := func(r *transporttest.Recorder) {
		near, far := net.Pipe()
		r.Accept(one, near)
		_ = far.Close()
	}
	finish := func(r *transporttest.Recorder) { r.Finish() }
	tests := []struct {
		name  string
		calls []func(*transporttest.Recorder)
		fault string // part of the first fault; empty for none
	}{
		{"all of it", []func(*transporttest.Recorder){up, linkUp, receive, accept, linkDown, linkUp, linkDown, down, other, finish}, ""},
		{"up and down without a link", []func(*transporttest.Recorder){up, down, up, down}, ""},
		{"a stream that is late", []func(*transporttest.Recorder){up, linkUp, linkDown, down, accept}, ""},
		{"up twice", []func(*transporttest.Recorder){up, up}, "is up already"},
		{"link without peer", []func(*transporttest.Recorder){linkUp}, "the peer is not up"},
		{"link twice", []func(*transporttest.Recorder){up, linkUp, linkUp}, "the link is up already"},
		{"frame without link", []func(*transporttest.Recorder){up, receive}, "the link is not up"},
		{"frame after the link", []func(*transporttest.Recorder){up, linkUp, linkDown, receive}, "the link is not up"},
		{"link down without link", []func(*transporttest.Recorder){up, linkDown}, "the link is not up"},
		{"down with a link", []func(*transporttest.Recorder){up, linkUp, down}, "without LinkDown"},
		{"down twice", []func(*transporttest.Recorder){up, down, down}, "the peer is not up"},
		{"two runs at once", []func(*transporttest.Recorder){up, other}, "the old run of a node goes down"},
		{"a stream that is early", []func(*transporttest.Recorder){up, accept}, "no LinkUp"},
		{"a call after Close", []func(*transporttest.Recorder){up, finish, down}, "after Close"},
		{"a frame after Close", []func(*transporttest.Recorder){up, linkUp, finish, receive}, "after Close"},
		{"a stream after Close", []func(*transporttest.Recorder){up, linkUp, finish, accept}, "after Close"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var r transporttest.Recorder
			for _, call := range test.calls {
				call(&r)
			}
			if test.fault == "" {
				require.Empty(t, r.Faults())
				return
			}
			require.NotEmpty(t, r.Faults())
			require.Contains(t, r.Faults()[0], test.fault)
		})
	}
}

// TestRecorderFindsOverlap makes calls while another is running.
func TestRecorderFindsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &transporttest.Recorder{
			OnReceive: func(transport.Peer, transport.Lane, []byte) { <-release },
			OnAccept:  func(transport.Peer, net.Conn) { <-release },
		}
		p := transport.Peer{Node: "x", Run: 1}
		r.PeerUp(p, "")
		r.LinkUp(p)
		var calls sync.WaitGroup
		calls.Go(func() { r.Receive(p, transport.Bulk, nil) })
		synctest.Wait()
		require.Empty(t, r.Faults())
		require.Zero(t, r.Received(p, transport.Bulk), "it has not returned")
		calls.Go(func() { r.Receive(p, transport.Urgent, nil) })
		synctest.Wait()
		require.Len(t, r.Faults(), 1)
		calls.Go(func() { r.Accept(p, nil) })
		synctest.Wait()
		require.Len(t, r.Faults(), 1, "Accept runs beside others")
		r.LinkDown(p)
		require.Len(t, r.Faults(), 2)
		calls.Go(func() { r.LinkUp(p); r.Receive(p, transport.Bulk, nil) })
		synctest.Wait()
		r.Finish()
		require.Len(t, r.Faults(), 4, "a call about the peer and one of Accept were running")
		close(release)
		calls.Wait()
	})
}

func TestRecorderWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r transporttest.Recorder
		p := transport.Peer{Node: "x", Run: 1}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.Wait(ctx, func() bool { return r.Up(p) }), context.DeadlineExceeded)
		time.AfterFunc(time.Minute, func() { r.PeerUp(p, "") })
		begin := time.Now()
		require.NoError(t, r.Wait(t.Context(), func() bool { return r.Up(p) }))
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestRecorderLimits(t *testing.T) {
	var r transporttest.Recorder
	p := transport.Peer{Node: "x", Run: 1}
	for range transporttest.MaxEvents/2 + 1 {
		r.PeerUp(p, "")
		r.PeerDown(p, transport.Left)
	}
	require.Len(t, r.Events(""), transporttest.MaxEvents)
	r.PeerUp(p, "")
	r.LinkUp(p)
	require.True(t, r.Linked(p), "what is not kept still counts")
	for range transporttest.MaxFrames + 1 {
		r.Receive(p, transport.Bulk, nil)
	}
	require.Len(t, r.Frames(p, transport.Bulk), transporttest.MaxFrames)
	require.Equal(t, transporttest.MaxFrames+1, r.Received(p, transport.Bulk))
	require.Empty(t, r.Faults())
}
