package resolvetest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSketchesAreDifferentClaims(t *testing.T) {
	samples := []resolve.Claim{{}, {Label: "x", Birth: 7}, {Holder: resolve.PID{Node: "n7", Epoch: 3}}}
	q := newInquiry(Suite{Samples: samples})
	require.Greater(t, len(q.sketches), 700)
	for _, s := range q.sketches {
		require.True(t, s.valid())
		require.GreaterOrEqual(t, len(s.drafts), 2)
		claims := q.pools.claims(s)
		for i, c := range claims {
			require.Equal(t, claims[0].Name, c.Name)
			require.GreaterOrEqual(t, c.Dot.Seq, c.Born.Seq)
			require.NotZero(t, c.Born.Seq)
			for _, other := range claims[:i] {
				require.NotEqual(t, c.Born, other.Born)
			}
		}
	}
	require.Equal(t, q.sketches, newInquiry(Suite{Samples: samples}).sketches, "the same claims each time")
	require.NotEqual(t, q.sketches, newInquiry(Suite{Samples: samples, Seed: 2}).sketches)
}

func TestSketchesContainTheSamples(t *testing.T) {
	samples := []resolve.Claim{
		{Label: "x", Birth: 7, Holder: resolve.PID{Node: "n7", Epoch: 3}},
		{Label: "y", Priority: 99, Seen: 50, Born: crdt.Dot{Replica: crdt.Replica{Node: "n8", Epoch: 9}}},
	}
	q := newInquiry(Suite{Samples: samples})
	found := false
	for _, s := range q.sketches {
		c := q.pools.claims(s)
		found = found || c[0].Label == "x" && c[0].Birth == 7 && c[0].Born.Replica.Node == "n7" &&
			c[1].Label == "y" && c[1].Priority == 99 && c[1].Seen == 50 && c[1].Holder.Node == "n8"
	}
	require.True(t, found)
}

func TestShrinkFindsTheSmallest(t *testing.T) {
	p := newPools(nil)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		s := p.random(rng)
		s.drafts[1][birth], s.drafts[1][label] = 3, 2
		calls := 0
		got, seen := shrink(s, "start", func(s sketch) string {
			calls++
			for _, d := range s.drafts {
				if d[birth] >= 2 && d[label] == 2 {
					return "smaller"
				}
			}
			return ""
		})
		require.Len(t, got.drafts, 1)
		want := draft{}
		want[birth], want[label] = 2, 2
		require.Equal(t, want, got.drafts[0])
		require.Equal(t, "smaller", seen)
		require.Zero(t, got.name)
		require.LessOrEqual(t, calls, maxTries)
	}
}

func TestShrinkIsBounded(t *testing.T) {
	p := newPools(nil)
	calls := 0
	shrink(p.random(rand.New(rand.NewPCG(1, 1))), "start", func(sketch) string {
		calls++
		if calls%2 == 0 {
			return "now and then"
		}
		return ""
	})
	require.LessOrEqual(t, calls, maxTries)
}

func TestThroughWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPools(nil)
		c := p.claim(rapid.String().Draw(t, "name"), p.randomDraft(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))))
		c.Value = []byte(rapid.String().Draw(t, "value"))
		c.Label = rapid.String().Draw(t, "label")
		c.Priority = rapid.Int64().Draw(t, "priority")
		c.Birth = crdt.Stamp(rapid.Uint64().Draw(t, "birth"))
		c.Seen = rapid.Uint32().Draw(t, "seen")
		got := throughWire(c)
		require.Equal(t, c, got)
		if len(c.Value) > 0 {
			got.Value[0]++
			require.False(t, bytes.Equal(c.Value, got.Value), "they share no memory")
		}
	})
}
