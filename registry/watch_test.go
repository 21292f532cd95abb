package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
)

// state is what a reader of a watch believes.
type state map[string]registry.Entry

func entryKey(e registry.Entry) string {
	if e.Kind == registry.NameKind {
		return "name " + e.Key
	}
	return fmt.Sprint("group ", e.Key, " ", e.PID)
}

// apply takes an event in as a reader would, and checks its grammar.
func (s state) apply(t *testing.T, e registry.Event) {
	t.Helper()
	if e.Snapshot {
		clear(s)
		for _, entry := range e.Entries {
			s[entryKey(entry)] = entry
		}
		return
	}
	if !e.Old.PID.IsZero() {
		require.Equal(t, e.Old, s[entryKey(e.Old)], "old is what was shown: %+v", e)
		delete(s, entryKey(e.Old))
	}
	if !e.New.PID.IsZero() {
		require.NotContains(t, s, entryKey(e.New), "new was not shown: %+v", e)
		s[entryKey(e.New)] = e.New
	}
}

func TestWatchIsSnapshotPlusEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, n := three(t, registry.Config{WatchBuffer: 64})
		rng := rand.New(rand.NewPCG(1, 2))
		register(t, n[0], "before")
		w, err := n[1].Watch(registry.Everything())
		require.NoError(t, err)
		s, seq, snapshots := state{}, uint64(0), 0
		read := func() {
			for {
				ctx, end := context.WithTimeout(t.Context(), time.Millisecond)
				e, err := w.Next(ctx)
				end()
				if err != nil {
					return
				}
				seq++
				require.Equal(t, seq, e.Seq, "no holes")
				if e.Snapshot {
					snapshots++
				}
				s.apply(t, e)
			}
		}
		var live []*registry.Process
		for i := range 600 {
			r := n[rng.IntN(3)]
			switch rng.IntN(10) {
			case 0, 1, 2, 3:
				p := attach(t, r)
				live = append(live, p)
				_, _ = r.Register(t.Context(), fmt.Sprint("k", rng.IntN(20)), p, registry.Optimistic())
				require.NoError(t, r.Join(t.Context(), fmt.Sprint("g", rng.IntN(4)), p))
			case 4, 5, 6:
				if len(live) > 0 {
					live[rng.IntN(len(live))].Stop(nil)
				}
			case 7:
				net.Isolate(fmt.Sprint("n", 1+rng.IntN(3)))
			case 8:
				net.Heal()
			case 9:
				if i%50 > 25 {
					read()
				}
			}
			synctest.Wait()
		}
		net.Heal()
		time.Sleep(10 * time.Second)
		read()
		require.Greater(t, snapshots, 1, "the reader was too slow at least once")
		want := state{}
		fresh, err := n[1].Watch(registry.Everything())
		require.NoError(t, err)
		e, err := fresh.Next(t.Context())
		require.NoError(t, err)
		want.apply(t, e)
		require.Equal(t, want, s)
		w.Close()
		fresh.Close()
		_, err = w.Next(t.Context())
		require.ErrorIs(t, err, registry.ErrClosed)
	})
}

func TestWatchSubjects(t *testing.T) {
	r := open(t, registry.Config{})
	ctx := t.Context()
	count := func(s registry.Subject) int {
		w, err := r.Watch(s)
		require.NoError(t, err)
		defer w.Close()
		e, err := w.Next(ctx)
		require.NoError(t, err)
		require.True(t, e.Snapshot)
		return len(e.Entries)
	}
	p := register(t, r, "a/1")
	register(t, r, "a/2")
	register(t, r, "b")
	require.NoError(t, r.Join(ctx, "a/1", p))
	require.Equal(t, 1, count(registry.OfName("a/1")))
	require.Equal(t, 2, count(registry.OfPrefix("a/")))
	require.Equal(t, 1, count(registry.OfGroup("a/1")))
	require.Equal(t, 4, count(registry.Everything()))
}

func TestAwaitFindsTheReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		ctx, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		_, err := n[2].Await(ctx, "k")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		found := make(chan registry.Holder)
		go func() {
			h, _ := n[2].Await(t.Context(), "k")
			found <- h
		}()
		synctest.Wait()
		p := register(t, n[0], "k")
		require.Equal(t, p.PID(), (<-found).PID)
	})
}
