package crdt

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// newSet returns the set of a node's first run.
func newSet(node string) *ORSet[string] { return NewORSet[string](Replica{Node: node, Epoch: 1}) }

func TestORSetDeltasSpeakOfExactlyTheirDots(t *testing.T) {
	a, b := newSet("a"), newSet("b")
	a.Add("other")
	require.Equal(t, "{a@1:2}", a.Add("x").Context().String(), "an add speaks of its dot")
	b.Merge(a.State())
	require.Equal(t, "{a@1:2 b@1:1}", b.Add("x").Context().String(), "and of the dots it replaces")
	a.Add("x") // a:3, concurrent with b:1
	b.Merge(a.State())
	require.Equal(t, "{a@1:3 b@1:1}", b.Remove("x").Context().String(),
		"a removal speaks of the dots of the element that are seen")
	require.True(t, b.Remove("x").IsEmpty())
	require.Equal(t, "{a@1:1}", b.Clear().Context().String(),
		"a clear speaks of what is in the set, not of what was")
	require.True(t, b.Clear().IsEmpty())
	require.Equal(t, "{a@1:1-3 b@1:1}", b.Context().String())
}

func TestORSetAddWinsOverConcurrentRemove(t *testing.T) {
	for _, order := range []string{"add first", "remove first"} {
		t.Run(order, func(t *testing.T) {
			a, b, c := newSet("a"), newSet("b"), newSet("c")
			first := a.Add("x")
			b.Merge(first)
			c.Merge(first)
			again, gone := a.Add("x"), b.Remove("x")
			deltas := []Delta[string]{again, gone}
			if order == "remove first" {
				slices.Reverse(deltas)
			}
			for _, d := range deltas {
				c.Merge(d)
			}
			a.Merge(gone)
			b.Merge(again)
			for _, s := range []*ORSet[string]{a, b, c} {
				require.True(t, s.Contains("x"))
				require.True(t, s.Equal(a))
			}
		})
	}
}

func TestORSetRemovesOnlyWhatWasObserved(t *testing.T) {
	a, b, c := newSet("a"), newSet("b"), newSet("c")
	fromA, fromB := a.Add("x"), b.Add("x")
	c.Merge(fromA)
	gone := c.Remove("x") // has not seen b's
	a.Merge(fromB)
	require.True(t, a.Merge(gone).IsEmpty())
	require.True(t, a.Contains("x"))
	require.False(t, c.Contains("x"))
	require.Equal(t, []string{"x"}, c.Merge(fromB).Added)
}

func TestORSetRemovalThatOvertakesItsAddition(t *testing.T) {
	a, b := newSet("a"), newSet("b")
	added := a.Add("x")
	gone := a.Remove("x")
	require.True(t, b.Merge(gone).IsEmpty())
	require.True(t, b.Merge(added).IsEmpty(), "it was removed before it came")
	require.True(t, a.Equal(b))
}

func TestORSetReAddReplacesDots(t *testing.T) {
	a := newSet("a")
	for range 100 {
		a.Add("x")
	}
	require.Equal(t, 1, a.State().Len())
	require.Equal(t, 1, a.Context().Size())
	require.Equal(t, 1, a.Len())
}

func TestORSetMergeReportsInTheOrderOfDots(t *testing.T) {
	a, b := newSet("a"), newSet("b")
	for _, e := range []string{"z", "y", "x"} {
		b.Add(e)
	}
	a.Add("w")
	a.Add("x")
	b.Merge(a.State())
	require.Equal(t, []string{"w", "x", "z", "y"}, slices.Collect(b.All()), "x has dots of a and of b")

	c := newSet("c")
	require.Equal(t, Change[string]{Added: []string{"w", "x", "z", "y"}}, c.Merge(b.State()))
	require.True(t, c.Merge(b.State()).IsEmpty())
	require.Equal(t, Change[string]{Removed: []string{"w", "x", "z", "y"}}, c.Merge(b.Clear()))
	require.Equal(t, 0, c.Len())
	require.True(t, c.Equal(b))
}

// A delta that speaks of more dots than the set has is held against the set,
// which has no order of its own.
func TestORSetMergeOfStateReportsInTheOrderOfDots(t *testing.T) {
	a, b := newSet("a"), newSet("b")
	var want []string
	for i := range 30 {
		want = append(want, strconv.Itoa(i))
		a.Add(want[i])
	}
	b.Merge(a.State())
	a.Clear()
	a.Add("x")
	require.Equal(t, Change[string]{Added: []string{"x"}, Removed: want}, b.Merge(a.State()))
}

func TestORSetElementThatMovesToAnotherDotIsNoChange(t *testing.T) {
	a, b := newSet("a"), newSet("b")
	b.Merge(a.Add("x"))
	require.True(t, b.Merge(a.Add("x")).IsEmpty())
	require.True(t, a.Equal(b))
}

func TestORSetCloneSharesNothing(t *testing.T) {
	a := newSet("a")
	a.Add("x")
	b := newSet("b")
	b.Add("x")
	a.Merge(b.State())
	c := a.Clone()
	require.True(t, c.Equal(a))
	require.Equal(t, a.Replica(), c.Replica())
	a.Remove("x")
	a.Add("y")
	require.Equal(t, []string{"x"}, slices.Collect(c.All()))
	requireIntact(t, c)

	// An element with several dots loses one of them.
	d := c.Clone()
	first, err := NewDelta[string](nil, contextOf(newDot("a", 1)))
	require.NoError(t, err)
	c.Merge(first)
	requireIntact(t, c)
	requireIntact(t, d)
}

func TestORSetStateIsASnapshot(t *testing.T) {
	a := newSet("a")
	a.Add("x")
	state := a.State()
	a.Remove("x")
	a.Add("y")
	b := newSet("b")
	require.Equal(t, []string{"x"}, b.Merge(state).Added)
}

func TestORSetOfZeroReplicaMergesAndDoesNotAdd(t *testing.T) {
	var a, observer = newSet("a"), NewORSet[string](Replica{})
	observer.Merge(a.Add("x"))
	require.True(t, observer.Contains("x"))
	require.Panics(t, func() { observer.Add("y") })
	a.Merge(observer.Remove("x"))
	require.False(t, a.Contains("x"))
}

func TestORSetIterationStops(t *testing.T) {
	a := newSet("a")
	a.Add("x")
	a.Add("y")
	for e := range a.All() {
		require.Equal(t, "x", e)
		break
	}
	for dot := range a.State().All() {
		require.Equal(t, newDot("a", 1), dot)
		break
	}
}

func TestNewDeltaRefuses(t *testing.T) {
	at := func(seq uint64) Addition[string] { return Addition[string]{newDot("a", seq), "x"} }
	seen := func() Context { return contextOf(newDot("a", 1), newDot("a", 2)) }
	_, err := NewDelta([]Addition[string]{at(1), at(2)}, seen())
	require.NoError(t, err)
	_, err = NewDelta([]Addition[string]{at(2), at(1)}, seen())
	require.ErrorIs(t, err, ErrDelta, "out of order")
	_, err = NewDelta([]Addition[string]{at(1), at(1)}, seen())
	require.ErrorIs(t, err, ErrDelta, "twice")
	_, err = NewDelta([]Addition[string]{at(3)}, seen())
	require.ErrorIs(t, err, ErrDelta, "live and unseen")
	_, err = NewDelta([]Addition[float64]{{newDot("a", 1), math.NaN()}}, seen())
	require.ErrorIs(t, err, ErrDelta, "cannot be found again")
}

// A delta that speaks of every number there is costs no more than the set is
// large.
func TestORSetMergesHugeContext(t *testing.T) {
	a := newSet("a")
	a.Add("x")
	var seen Context
	seen.AddRange(Replica{Node: "a", Epoch: 1}, 1, MaxSeq)
	seen.AddRange(Replica{Node: "b", Epoch: 1}, 1, MaxSeq)
	d, err := NewDelta[string](nil, seen)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, a.Merge(d).Removed)
}

// drawDeltas draws deltas and states of one history, some of them joined.
func drawDeltas(t *rapid.T, n int) []Delta[string] {
	w := newWorld(rightVariant(), rapidDraw(t))
	w.run(rapid.IntRange(30, 100).Draw(t, "steps"))
	pool := slices.Clone(w.deltas)
	for _, s := range w.sets {
		pool = append(pool, s.State())
	}
	pool = append(pool, Delta[string]{})
	drawn := make([]Delta[string], n)
	for i := range drawn {
		drawn[i] = rapid.SampledFrom(pool).Draw(t, "delta")
		if rapid.Bool().Draw(t, "joined") {
			drawn[i] = drawn[i].Join(rapid.SampledFrom(pool).Draw(t, "delta"))
		}
	}
	return drawn
}

func TestDeltaJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDeltas(t, 3)
		a, b, c := d[0], d[1], d[2]
		require.True(t, a.Join(b).Equal(b.Join(a)), "commutative")
		require.True(t, a.Join(b).Join(c).Equal(a.Join(b.Join(c))), "associative")
		require.True(t, a.Join(a).Equal(a), "idempotent")
		require.True(t, a.Join(b).Join(b).Equal(a.Join(b)), "idempotent")
		require.True(t, a.Join(Delta[string]{}).Equal(a), "the empty delta says nothing")
		for _, e := range []Delta[string]{a, a.Join(b)} {
			_, err := NewDelta(e.live, e.seen)
			require.NoError(t, err)
		}
	})
}

// Merging deltas one by one, in any order and more than once, or joined, or the
// state that they make up, comes to the same.
func TestORSetMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deltas := drawDeltas(t, 4)
		one, other, joined, state := newSet("x"), newSet("y"), newSet("z"), newSet("w")
		all := Delta[string]{}
		for _, d := range deltas {
			one.Merge(d)
			all = all.Join(d)
		}
		for _, d := range rapid.Permutation(append(deltas, deltas[0])).Draw(t, "order") {
			other.Merge(d)
		}
		joined.Merge(all)
		state.Merge(one.State())
		for _, s := range []*ORSet[string]{other, joined, state} {
			require.True(t, one.Equal(s))
			requireIntact(t, s)
		}
		require.True(t, one.State().Equal(all))
		require.True(t, one.Merge(all).IsEmpty())
	})
}

// A mutator's delta says all that the mutator did: the state before, joined with
// the delta, is the state after.
func TestORSetMutatorEqualsItsDelta(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rightVariant(), rapidDraw(t))
		w.run(rapid.IntRange(30, 100).Draw(t, "steps"))
		for _, s := range w.sets {
			before := s.State()
			var d Delta[string]
			switch rapid.IntRange(0, 2).Draw(t, "mutator") {
			case 0:
				d = s.Add(w.element())
			case 1:
				d = s.Remove(w.element())
			case 2:
				d = s.Clear()
			}
			require.True(t, before.Join(d).Equal(s.State()))
			requireIntact(t, s)
		}
	})
}

// filledSet returns a set of n elements that 50 replicas added.
func filledSet(n int) *ORSet[string] {
	s := NewORSet[string](Replica{Node: "self", Epoch: 1})
	others := make([]*ORSet[string], 50)
	for i := range others {
		others[i] = newSet(nodeName(i))
	}
	for i := range n {
		s.Merge(others[i%len(others)].Add("element-" + strconv.Itoa(i)))
	}
	return s
}

func BenchmarkORSetAddRemove(b *testing.B) {
	s := filledSet(10_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Add("x")
		s.Remove("x")
	}
}

func BenchmarkORSetMergeDelta(b *testing.B) {
	s, from := filledSet(10_000), newSet("from")
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		added, gone := from.Add("x"), from.Remove("x")
		b.StartTimer()
		s.Merge(added)
		s.Merge(gone)
	}
}

func BenchmarkORSetMergeState(b *testing.B) {
	s := filledSet(10_000)
	state := s.State()
	b.ReportAllocs()
	for b.Loop() {
		s.Merge(state)
	}
}

func BenchmarkORSetContains(b *testing.B) {
	s := filledSet(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Contains("element-5000") {
			b.Fatal("the element is missing")
		}
	}
}

func BenchmarkORSetState(b *testing.B) {
	s := filledSet(10_000)
	b.ReportAllocs()
	for b.Loop() {
		s.State()
	}
}

func BenchmarkDeltaJoin(b *testing.B) {
	s := newSet("a")
	x, y := s.Add("x"), s.Add("y")
	b.ReportAllocs()
	for b.Loop() {
		x.Join(y)
	}
}
