package crdt

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// newDot returns the seq-th dot of node's first run.
func newDot(node string, seq uint64) Dot {
	return Dot{Replica: Replica{Node: node, Epoch: 1}, Seq: seq}
}

func TestDotOrderIsTotal(t *testing.T) {
	dots := []Dot{
		{},
		{Replica{"a", 1}, 1}, {Replica{"a", 1}, 2}, {Replica{"a", 2}, 1},
		{Replica{"b", 1}, 1}, {Replica{"b", 1}, math.MaxUint64},
	}
	for i, a := range dots {
		for j, b := range dots {
			require.Equal(t, i < j, a.Compare(b) < 0, "%s against %s", a, b)
			require.Equal(t, i == j, a.Compare(b) == 0, "%s against %s", a, b)
		}
	}
}

func TestDotZero(t *testing.T) {
	require.True(t, Dot{}.IsZero())
	require.True(t, Dot{Replica: Replica{"a", 1}}.IsZero())
	require.False(t, newDot("a", 1).IsZero())
	require.True(t, Replica{}.IsZero())
	require.False(t, Replica{Epoch: 1}.IsZero())
}

func TestStampPacks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 1<<47).Draw(t, "ms")
		logic := rapid.Uint16().Draw(t, "logic")
		s := StampAt(ms, logic)
		require.Equal(t, ms, s.Millis())
		require.Equal(t, logic, s.Logic())
		require.Equal(t, time.UnixMilli(ms).UTC(), s.Time())
	})
}

func TestStampOrderIsTheOrderOfTime(t *testing.T) {
	stamps := []Stamp{0, StampAt(0, 1), StampAt(1, 0), StampAt(1, math.MaxUint16), StampAt(2, 0), MaxStamp}
	require.True(t, slices.IsSorted(stamps))
	require.Equal(t, StampAt(2, 0), StampAt(1, math.MaxUint16)+1, "logic carries into the milliseconds")
	require.True(t, MaxStamp.Valid())
	require.False(t, (MaxStamp + 1).Valid())
}
