package crdt

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newCounter(node string) *PNCounter { return NewPNCounter(Replica{Node: node, Epoch: 1}) }

// count adds n, which must not overflow.
func count(t require.TestingT, c *PNCounter, n int64) Tally {
	tally, err := c.Add(n)
	require.NoError(t, err)
	return tally
}

func TestPNCounterCounts(t *testing.T) {
	a, b := newCounter("a"), newCounter("b")
	require.Equal(t, Tally{Replica{"a", 1}, 5, 0}, count(t, a, 5))
	require.Equal(t, Tally{Replica{"a", 1}, 5, 7}, count(t, a, -7))
	require.Equal(t, int64(-2), a.Value())
	count(t, b, 3)
	by, changed := a.Merge(b.State()...)
	require.True(t, changed)
	require.Equal(t, int64(3), by)
	require.Equal(t, int64(1), a.Value())
	_, changed = a.Merge(b.State()...)
	require.False(t, changed)
}

func TestPNCounterMergeTellsTalliesFromValue(t *testing.T) {
	a, b := newCounter("a"), newCounter("b")
	by, changed := a.Merge(count(t, b, 3), count(t, newCounter("c"), -3))
	require.True(t, changed)
	require.Zero(t, by)
}

func TestPNCounterOldTalliesLose(t *testing.T) {
	a, b := newCounter("a"), newCounter("b")
	old, late := count(t, a, 1), count(t, a, 1)
	b.Merge(late)
	_, changed := b.Merge(old)
	require.False(t, changed)
	require.Equal(t, int64(2), b.Value())
}

func TestPNCounterAddOfZeroLeavesNoTrace(t *testing.T) {
	a, b := newCounter("a"), newCounter("b")
	tally := count(t, a, 0)
	_, changed := b.Merge(tally)
	require.False(t, changed)
	require.True(t, a.Equal(b))
	require.Empty(t, a.State())
}

func TestPNCounterRefusesOverflow(t *testing.T) {
	for _, n := range []int64{math.MaxInt64, math.MinInt64} {
		a := newCounter("a")
		var err error
		adds := 0
		for ; err == nil; adds++ {
			require.Less(t, adds, 4)
			_, err = a.Add(n)
		}
		require.ErrorIs(t, err, ErrOverflow)
		before := a.State()
		_, err = a.Add(n)
		require.ErrorIs(t, err, ErrOverflow)
		require.Equal(t, before, a.State(), "a refused addition changes nothing")
		count(t, a, -1*(n/2))
	}
}

func TestPNCounterOfZeroReplicaMergesAndDoesNotCount(t *testing.T) {
	observer := NewPNCounter(Replica{})
	observer.Merge(count(t, newCounter("a"), 2))
	require.Equal(t, int64(2), observer.Value())
	require.Panics(t, func() { _, _ = observer.Add(1) })
}

func TestPNCounterCloneSharesNothing(t *testing.T) {
	a := newCounter("a")
	count(t, a, 1)
	c := a.Clone()
	state := a.State()
	count(t, a, 1)
	require.Equal(t, int64(1), c.Value())
	require.Equal(t, []Tally{{Replica{"a", 1}, 1, 0}}, state)
	require.Equal(t, []Tally{{Replica{"a", 1}, 2, 0}}, slices.Collect(a.All()))
}

// Whatever is lost, doubled and overtaken, after an exchange of states every
// replica shows the sum of all that was ever added. Counting apart and merging
// deltas, joined deltas or states comes to the same.
func TestPNCounterConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapidDraw(t)
		const n = 3
		counters := []*PNCounter{newCounter("a"), newCounter("b"), newCounter("c")}
		var sent []Tally
		want := new(big.Int)
		for range 60 {
			i := draw(n)
			switch draw(4) {
			case 0, 1:
				by := rapid.Int64Range(-1e12, 1e12).Draw(t, "by")
				want.Add(want, big.NewInt(by))
				before := counters[i].Value()
				sent = append(sent, count(t, counters[i], by))
				require.Equal(t, before+by, counters[i].Value())
			case 2:
				if len(sent) > 0 {
					before := counters[i].Value()
					by, _ := counters[i].Merge(sent[draw(len(sent))])
					require.Equal(t, before+by, counters[i].Value())
				}
			case 3:
				counters[i].Merge(counters[draw(n)].State()...)
			}
		}
		fromDeltas := newCounter("d")
		fromDeltas.Merge(rapid.Permutation(append(sent, sent...)).Draw(t, "order")...)
		for range 2 {
			for _, to := range counters {
				for _, from := range counters {
					to.Merge(from.State()...)
				}
			}
		}
		for _, c := range append(counters, fromDeltas) {
			require.Equal(t, want.Int64(), c.Value())
			require.True(t, c.Equal(counters[0]))
			require.True(t, slices.IsSortedFunc(c.tallies, func(a, b Tally) int {
				return a.Replica.Compare(b.Replica)
			}))
		}
	})
}

func TestPNCounterMergeLaws(t *testing.T) {
	merged := func(a *PNCounter, b *PNCounter) *PNCounter {
		out := a.Clone()
		out.Merge(b.tallies...)
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		// Tallies of one replica may be at odds in one sum each, as they are not
		// in a real history: the laws hold all the same.
		draw := func(label string) *PNCounter {
			c := NewPNCounter(Replica{})
			for _, v := range rapid.SliceOfN(rapid.Uint64Range(0, 74), 0, 6).Draw(t, label) {
				c.Merge(Tally{Replica{string(rune('a' + v%3)), 1}, v / 3 % 5, v / 15})
			}
			return c
		}
		a, b, c := draw("a"), draw("b"), draw("c")
		require.True(t, merged(a, b).Equal(merged(b, a)), "commutative")
		require.True(t, merged(merged(a, b), c).Equal(merged(a, merged(b, c))), "associative")
		require.True(t, merged(a, a).Equal(a), "idempotent")
	})
}

func BenchmarkPNCounterAdd(b *testing.B) {
	c := newCounter("a")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Add(1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPNCounterMergeDelta(b *testing.B) {
	c := newCounter("self")
	for i := range 50 {
		c.Merge(Tally{Replica{nodeName(i), 1}, 1, 1})
	}
	delta := Tally{Replica{nodeName(25), 1}, 1, 1}
	b.ReportAllocs()
	for b.Loop() {
		delta.Up++
		c.Merge(delta)
	}
}
