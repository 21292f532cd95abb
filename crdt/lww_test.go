package crdt

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// assignment returns a register whose value is told by its stamp and dot, as no
// two assignments share a dot.
func assignment(stamp Stamp, dot Dot) LWWRegister[string] {
	return LWWRegister[string]{Value: stamp.String() + " " + dot.String(), Stamp: stamp, Dot: dot}
}

func TestLWWRegisterIsUnsetAtFirst(t *testing.T) {
	var r LWWRegister[string]
	_, ok := r.Get()
	require.False(t, ok)
	_, changed := r.Merge(LWWRegister[string]{})
	require.False(t, changed)
	_, changed = r.Merge(assignment(0, newDot("a", 1)))
	require.True(t, changed, "every assignment wins over none, also at stamp 0")
	_, changed = r.Merge(LWWRegister[string]{Value: "no dot", Stamp: 9})
	require.False(t, changed, "what has no dot is no assignment")
}

func TestLWWRegisterTiesEndInTheDot(t *testing.T) {
	a, b := assignment(5, newDot("a", 9)), assignment(5, newDot("b", 1))
	for _, order := range [][]LWWRegister[string]{{a, b}, {b, a}} {
		var r LWWRegister[string]
		for _, o := range order {
			r.Merge(o)
		}
		require.Equal(t, b, r)
	}
}

func TestLWWRegisterSetReportsThatItLost(t *testing.T) {
	var r LWWRegister[string]
	_, ok := r.Set("x", 5, newDot("b", 1))
	require.True(t, ok)
	delta, ok := r.Set("y", 4, newDot("a", 1))
	require.False(t, ok)
	require.Equal(t, r, delta)
	require.Equal(t, "x", r.Value)
	_, ok = r.Set("y", 6, Dot{})
	require.False(t, ok)
}

func TestLWWRegisterMergeReturnsWhatWas(t *testing.T) {
	var r LWWRegister[string]
	first, second := assignment(1, newDot("a", 1)), assignment(2, newDot("a", 2))
	was, changed := r.Merge(first)
	require.True(t, changed)
	require.Equal(t, LWWRegister[string]{}, was)
	was, changed = r.Merge(second)
	require.True(t, changed)
	require.Equal(t, first, was)
	was, changed = r.Merge(first)
	require.False(t, changed)
	require.Equal(t, LWWRegister[string]{}, was)
}

// drawRegister draws from few stamps and dots, so that ties happen. The stamp
// follows from the dot: a dot stands for one assignment.
func drawRegister(t *rapid.T) LWWRegister[string] {
	seq := rapid.Uint64Range(0, 6).Draw(t, "seq")
	if seq == 0 {
		return LWWRegister[string]{}
	}
	node := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "node")
	return assignment(Stamp(seq/2), newDot(node, seq))
}

func TestLWWRegisterLaws(t *testing.T) {
	merged := func(a, b LWWRegister[string]) LWWRegister[string] {
		a.Merge(b)
		return a
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawRegister(t), drawRegister(t), drawRegister(t)
		require.Equal(t, merged(a, b), merged(b, a), "commutative")
		require.Equal(t, merged(merged(a, b), c), merged(a, merged(b, c)), "associative")
		require.Equal(t, a, merged(a, a), "idempotent")
		require.Equal(t, a.Compare(b), -b.Compare(a))
		require.Equal(t, a == b, a.Equal(b), "total: only the same assignment is equal")
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 {
			require.LessOrEqual(t, a.Compare(c), 0, "transitive")
		}
	})
}

// Replicas whose clocks observe what they merge agree after any losses and
// orders, and an assignment wins over every one that its maker had seen.
func TestLWWRegisterFollowsCausality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapidDraw(t)
		const n = 3
		var registers [n]LWWRegister[int]
		var clocks [n]*Clock
		var mono [n]int64
		var minted [n]uint64
		for i := range clocks {
			clocks[i] = newClock(t, ClockConfig{})
		}
		// The nodes' wall clocks are hours apart.
		reading := func(i int) Reading {
			mono[i] += int64(draw(3)) * 1e6
			return Reading{Wall: int64(i)*3_600_000_000_000 + mono[i], Mono: mono[i]}
		}
		merge := func(to int, o LWWRegister[int]) {
			require.NoError(t, clocks[to].Observe(reading(to), o.Stamp))
			registers[to].Merge(o)
		}
		var sent []LWWRegister[int]
		for step := range 40 {
			i := draw(n)
			if draw(2) == 0 {
				minted[i]++
				dot := newDot(string(rune('a'+i)), minted[i])
				delta, ok := registers[i].Set(step, clocks[i].Now(reading(i)), dot)
				require.True(t, ok, "an assignment wins over the one that was seen")
				sent = append(sent, delta)
			} else if len(sent) > 0 {
				merge(i, sent[draw(len(sent))])
			}
		}
		for range 2 {
			for i := range n {
				for j := range n {
					merge(i, registers[j])
				}
			}
		}
		for i := range n {
			require.Equal(t, registers[0], registers[i])
		}
		for _, o := range sent {
			require.LessOrEqual(t, o.Compare(registers[0]), 0)
		}
	})
}

func BenchmarkLWWRegisterMerge(b *testing.B) {
	var r LWWRegister[string]
	o := assignment(0, newDot("a", 1))
	b.ReportAllocs()
	for b.Loop() {
		o.Stamp++
		o.Dot.Seq++
		r.Merge(o)
	}
}
