package propertytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

func roundTrip[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, s := range w.states {
		back, err := ty.Decode(ty.Encode(s))
		if err != nil {
			return fmt.Sprintf("%s does not decode: %v", replicaName(i), err)
		}
		if seen := differ(ty, replicaName(i)+" decoded", back, replicaName(i), s); seen != "" {
			return seen
		}
		for j, o := range w.states {
			seen := differ(ty, fmt.Sprintf("%s decoded, with %s merged in,", replicaName(i), replicaName(j)), ty.Merge(back, o),
				"the same without the codec", ty.Merge(s, o))
			if seen != "" {
				return seen
			}
		}
	}
	return ""
}

// garbage cuts, flips and doubles bytes of encoded states. What is decoded must be
// good to use.
func garbage[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, s := range w.states {
		whole := ty.Encode(s)
		rng := rand.New(rand.NewPCG(uint64(len(whole)), uint64(i)))
		for range 16 {
			bad := spoil(rng, whole)
			seen := guarded(func() string {
				if got, err := ty.Decode(slices.Clone(bad)); err == nil {
					_ = ty.Encode(ty.Merge(ty.New("z"), got))
				}
				return ""
			})
			if seen != "" {
				return fmt.Sprintf("of the %d bytes %x: %s", len(bad), bad[:min(len(bad), 40)], seen)
			}
		}
	}
	return ""
}

// spoil returns bytes that are not quite those given.
func spoil(rng *rand.Rand, b []byte) []byte {
	bad := slices.Clone(b)
	switch k := rng.IntN(4); {
	case len(bad) == 0 || k == 0:
		for range rng.IntN(24) {
			bad = append(bad, byte(rng.Uint32()))
		}
	case k == 1:
		bad = bad[:rng.IntN(len(bad))]
	case k == 2:
		for range 1 + rng.IntN(3) {
			bad[rng.IntN(len(bad))] = byte(rng.Uint32())
		}
	default:
		at := rng.IntN(len(bad))
		bad = slices.Insert(bad, at, bad[:rng.IntN(len(bad))]...)
	}
	return bad
}

// noAliasing uses states and deltas in every way and holds them against twins from
// a second replay, which nobody used.
func noAliasing[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w, twin := replay(ty, h), replay(ty, h)
	for i, a := range w.states {
		for _, b := range w.states {
			m := ty.Merge(a, b)
			for _, e := range w.events {
				m, _ = ty.Apply(m, e.Op)
				_, _ = ty.Apply(a, e.Op)
				if ty.MergeDelta == nil {
					continue
				}
				if next, err := ty.MergeDelta(m, w.deltas[e.ID]); err == nil {
					_, _ = ty.Apply(next, e.Op)
				}
				_, _ = ty.MergeDelta(a, w.deltas[e.ID])
			}
			_ = ty.Merge(m, w.states[i])
		}
	}
	for i, s := range w.states {
		if seen := differ(ty, replicaName(i)+", after others were made from it,", s, "its twin", twin.states[i]); seen != "" {
			return seen
		}
	}
	if ty.MergeDelta == nil {
		return ""
	}
	return differ(ty, "a reader that gets the used deltas", w.feed("z", w.ids()), "one that gets unused ones", twin.feed("y", twin.ids()))
}

// naming returns operations by the numbers of their steps.
func (h past[Op]) naming(ids []int) string {
	text := "of steps"
	for _, id := range ids {
		at := slices.IndexFunc(h.steps, func(s step[Op]) bool { return s.do == operate && s.id == id })
		text += fmt.Sprintf(" %d", at+1)
	}
	return text
}
