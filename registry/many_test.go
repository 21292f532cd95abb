package registry_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/resolve"
)

func bids(n int) []registry.Bid {
	list := make([]registry.Bid, n)
	for i := range list {
		list[i].Key = fmt.Sprintf("name-%019d", i)
	}
	return list
}

// TestRegisterManyRaced has every node claim all names at once: each name goes to
// one process, and every other one is told by whom it is taken.
func TestRegisterManyRaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := three(t, registry.Config{})
		all := bids(5000)
		var holders [3][]registry.Holder
		var errs [3]error
		var race sync.WaitGroup
		for i, r := range nodes {
			p := attach(t, r)
			race.Go(func() { holders[i], errs[i] = r.RegisterMany(t.Context(), p, all) })
		}
		race.Wait()
		for i := range all {
			winners := 0
			for n := range nodes {
				if holders[n][i].PID.IsZero() {
					var many *registry.ManyError
					require.ErrorAs(t, errs[n], &many)
					require.ErrorIs(t, many.Errs[i], registry.ErrTaken)
					continue
				}
				winners++
			}
			require.Equal(t, 1, winners, "name %d", i)
		}
		time.Sleep(3 * time.Second)
		for _, r := range nodes {
			require.Equal(t, len(all), r.Count())

		}
	})
}

func TestManyOnOneNode(t *testing.T) {
	r := open(t, registry.Config{})
	p, q := attach(t, r), attach(t, r)
	_, err := r.Register(t.Context(), "b", q)
	require.NoError(t, err)
	list := []registry.Bid{{Key: "a"}, {Key: "b"}, {Key: ""}, {Key: "c", Value: []byte("own")}}
	holders, err := r.RegisterMany(t.Context(), p, list, registry.WithValue([]byte("all")))
	var many *registry.ManyError
	require.ErrorAs(t, err, &many)
	require.Equal(t, 2, many.Failed)
	require.ErrorIs(t, many.Errs[1], registry.ErrTaken)
	require.ErrorIs(t, many.Errs[2], registry.ErrKey)
	require.ErrorContains(t, err, `2 of 4 failed; the first: registry: register "b"`)
	require.Equal(t, "all", string(holders[0].Value))
	require.Equal(t, "own", string(holders[3].Value))
	require.Zero(t, holders[1])
	require.Equal(t, []string{"a", "c"}, p.Names())

	require.NoError(t, r.JoinMany(t.Context(), p, bids(1200)))
	require.Len(t, p.Groups(), 1200)
	require.ErrorIs(t, r.LeaveMany(t.Context(), p, []string{"name-0000000000000000001", "none"}), registry.ErrNotHolder)
	require.Len(t, p.Groups(), 1199)
	require.ErrorIs(t, r.UnregisterMany(t.Context(), p, []string{"a", "b", "c"}), registry.ErrNotHolder)
	require.Empty(t, p.Names())
}

func TestManyEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, nodes := three(t, registry.Config{})
		p := attach(t, nodes[0])
		net.Pause("n2")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		all := bids(5000)
		holders, err := nodes[0].RegisterMany(ctx, p, all)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		net.Resume("n2")
		time.Sleep(10 * time.Second)
		n := 0
		for i, h := range holders {
			got, ok := nodes[2].Whereis(all[i].Key)
			require.Equal(t, !h.PID.IsZero(), ok, "what is said to have failed is not registered")
			if ok {
				require.Equal(t, h.PID, got.PID)
				n++
			}
		}
		require.Less(t, n, 5000)
		require.NoError(t, nodes[2].Close(t.Context()))
		_, err = nodes[2].RegisterMany(t.Context(), p, bids(2))
		require.ErrorIs(t, err, registry.ErrClosed)
	})
}

func BenchmarkRegisterMany(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			nodes := []*registry.Registry{open(b, registry.Config{})}
			if n == 3 {
				_, all := three(b, registry.Config{})
				nodes = all[:]
			}
			p := attach(b, nodes[0])
			b.ReportAllocs()
			for i := 0; i < b.N; i += 10_000 {
				list := make([]registry.Bid, min(10_000, b.N-i))
				for k := range list {
					list[k].Key = fmt.Sprint("name-", i+k)
				}
				_, err := nodes[0].RegisterMany(b.Context(), p, list)
				require.NoError(b, err)
			}
		})
	}
}

// TestNodeWithManyNamesGoesAndComesBack takes more entries than one piece of long
// work: a watch sees each go and come once, and calls go on meanwhile.
func TestNodeWithManyNamesGoesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, nodes := three(t, registry.Config{WatchBuffer: 100_000, Policy: resolve.WithLoss(resolve.LastWriter(), resolve.Notify)})
		p, q := attach(t, nodes[0]), attach(t, nodes[1])
		all := bids(20_000)
		_, err := nodes[0].RegisterMany(t.Context(), p, all, registry.Optimistic())
		require.NoError(t, err)
		require.NoError(t, nodes[0].JoinMany(t.Context(), p, all[:5000]))
		time.Sleep(3 * time.Second)
		w, err := nodes[1].Watch(registry.Everything())
		require.NoError(t, err)
		defer w.Close()
		first, err := w.Next(t.Context())
		require.NoError(t, err)
		require.Len(t, first.Entries, 25_000)

		net.Isolate("n1")
		time.Sleep(time.Second)
		require.Zero(t, nodes[1].Count())
		require.Empty(t, nodes[1].Groups())
		_, err = nodes[1].Register(t.Context(), all[19_999].Key, q)
		require.NoError(t, err, "what is hidden is free")
		net.Heal()
		time.Sleep(3 * time.Second)
		require.Equal(t, len(all), nodes[1].Count())
		require.Len(t, nodes[1].Groups(), 5000)
		h, _ := nodes[0].Whereis(all[19_999].Key)
		require.Equal(t, q.PID(), h.PID, "the later registration won")

		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		reasons := map[registry.Reason]int{}
		for range 2 * 25_000 {
			e, err := w.Next(soon)
			require.NoError(t, err)
			require.False(t, e.Snapshot)
			reasons[e.Reason]++
		}
		require.Equal(t, map[registry.Reason]int{
			registry.NodeDown: 25_000, registry.NodeUp: 24_999, registry.Registered: 1,
		}, reasons)
	})
}
