package registry_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
)

type sum struct{ A, B int }

func TestCallAcrossNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		p := register(t, n[0], "calculator")
		registry.Handle(p, func(_ context.Context, s sum) (int, error) {
			if s.A < 0 {
				return 0, errors.New("negative")
			}
			return s.A + s.B, nil
		})
		_, err := n[1].Await(t.Context(), "calculator")
		require.NoError(t, err)
		for _, r := range n[:2] {
			got, err := registry.Call[sum, int](t.Context(), r, registry.Name("calculator"), sum{5, 3})
			require.NoError(t, err)
			require.Equal(t, 8, got)
			_, err = registry.Call[sum, int](t.Context(), r, registry.To(p.PID()), sum{-1, 3})
			var failed *registry.HandlerError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, "negative", failed.Text)
			_, err = r.CallBytes(t.Context(), p, []byte{0xc1})
			require.ErrorAs(t, err, &failed)
		}
	})
}

func TestCallFailsFastAndTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, n := three(t, registry.Config{Mailbox: 2})
		ctx := t.Context()
		begun := time.Now()
		_, err := n[0].CallBytes(ctx, registry.Name("nobody"), nil)
		require.ErrorIs(t, err, registry.ErrNotFound)
		dead := attach(t, n[1])
		dead.Stop(nil)
		_, err = n[0].CallBytes(ctx, dead, nil)
		require.ErrorIs(t, err, registry.ErrNoProcess)
		deaf := attach(t, n[1])
		_, err = n[0].CallBytes(ctx, deaf, nil)
		require.ErrorIs(t, err, registry.ErrNoHandler)
		_, err = n[0].CallBytes(ctx, deaf, make([]byte, registry.MaxMessage+1))
		require.ErrorIs(t, err, registry.ErrMessage)
		panics := attach(t, n[1])
		panics.Handle(func(context.Context, registry.Message) ([]byte, error) { panic("boom") })
		var failed *registry.HandlerError
		_, err = n[0].CallBytes(ctx, panics, nil)
		require.ErrorAs(t, err, &failed)
		require.Contains(t, failed.Text, "boom")
		require.NoError(t, panics.Err(), "the process lives on")
		require.Zero(t, time.Since(begun))

		stuck := attach(t, n[1])
		goOn := make(chan struct{})
		defer close(goOn)
		stuck.Handle(func(context.Context, registry.Message) ([]byte, error) { <-goOn; return nil, nil })
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := n[0].CallBytes(ctx, stuck, nil)
			require.ErrorIs(t, err, registry.ErrUnreachable)
		})
		synctest.Wait()
		for range 2 {
			require.NoError(t, n[0].Send(ctx, stuck, nil))
		}
		synctest.Wait()
		_, err = n[0].CallBytes(ctx, stuck, nil)
		require.ErrorIs(t, err, registry.ErrBusy)
		short, end := context.WithTimeout(ctx, time.Second)
		defer end()
		sleeper := attach(t, n[1])
		sleeper.Handle(func(ctx context.Context, _ registry.Message) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
		_, err = n[0].CallBytes(short, sleeper, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		net.Partition([]string{"n1"}, []string{"n2", "n3"})
		wg.Wait()
		_, err = n[0].CallBytes(ctx, stuck, nil)
		require.ErrorIs(t, err, registry.ErrUnreachable)
		require.ErrorIs(t, n[0].Send(ctx, stuck, nil), registry.ErrUnreachable)
	})
}

func TestMessagesOfAnySizeArrive(t *testing.T) {
	_, n := three(t, registry.Config{})
	p := attach(t, n[1])
	p.Handle(func(_ context.Context, m registry.Message) ([]byte, error) { return m.Payload, nil })
	for _, size := range []int{0, 1, 32 << 10, 64 << 10, 128 << 10, 1 << 20, registry.MaxMessage} {
		payload := bytes.Repeat([]byte{byte(size >> 8), 7}, size/2)
		got, err := n[0].CallBytes(t.Context(), p, payload)
		require.NoError(t, err)
		require.True(t, bytes.Equal(payload, got), "%d bytes", size)
	}
}

func TestSendsArriveInOrder(t *testing.T) {
	_, n := three(t, registry.Config{Mailbox: 10_000})
	p := attach(t, n[1])
	got := make(chan byte, 10_000)
	p.Handle(func(_ context.Context, m registry.Message) ([]byte, error) {
		got <- m.Payload[0]
		return nil, nil
	})
	for i := range 2_000 {
		require.NoError(t, n[0].Send(t.Context(), p, []byte{byte(i)}))
	}
	for i := range 2_000 {
		require.Equal(t, byte(i), <-got)
	}
}

func TestPublishAndMultiCall(t *testing.T) {
	_, n := three(t, registry.Config{})
	var mu sync.Mutex
	heard := map[registry.PID]int{}
	all := make(chan struct{}, 100)
	for i, r := range n {
		for k := range 5 {
			p := attach(t, r)
			require.NoError(t, r.Join(t.Context(), "room", p))
			if i == 2 && k == 0 {
				continue // in the group, without a handler
			}
			p.Handle(func(_ context.Context, m registry.Message) ([]byte, error) {
				if m.Wants {
					return []byte("from " + m.To.String()), nil
				}
				mu.Lock()
				heard[m.To]++
				mu.Unlock()
				all <- struct{}{}
				return nil, nil
			})
		}
	}
	eventually(t, func() bool { return len(n[0].Members("room")) == 15 })
	sent, err := n[0].Publish(t.Context(), "room", []byte("hello"))
	require.NoError(t, err)
	require.Equal(t, 15, sent)
	for range 14 {
		<-all
	}
	require.Len(t, heard, 14)
	replies := n[0].MultiCall(t.Context(), "room", []byte("who"))
	require.Len(t, replies, 15)
	failed := 0
	for _, r := range replies {
		if r.Err != nil {
			require.ErrorIs(t, r.Err, registry.ErrNoHandler)
			failed++
			continue
		}
		require.Equal(t, "from "+r.PID.String(), string(r.Payload))
	}
	require.Equal(t, 1, failed)
}

func TestHandlerContextEndsWithTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		for _, from := range n[:2] {
			p := attach(t, n[1])
			p.Handle(func(ctx context.Context, _ registry.Message) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			time.AfterFunc(time.Second, func() { p.Stop(nil) })
			_, err := from.CallBytes(t.Context(), p, nil)
			require.Error(t, err)
		}
	})
}
