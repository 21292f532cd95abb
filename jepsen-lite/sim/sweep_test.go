package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// drifting gives every machine another seed than the one before it, as a source
// of chance that is not keyed would.
func drifting() Options {
	n := uint64(0)
	return Options{Configure: func(c *replica.Config) { n++; c.Seed = n }}
}

func TestVerifyNamesTheStepAtWhichRunsPart(t *testing.T) {
	s := parse(t, splitBrain)
	require.NoError(t, Verify(s, Options{}))
	err := Verify(s, drifting())
	require.ErrorIs(t, err, ErrNotDeterministic)
	require.Contains(t, err.Error(), "step ")
}

func TestSweepKeepsTheOrderAndEnds(t *testing.T) {
	next, seen := uint64(0), []string{}
	w := Sweep{
		Jobs: 3, Again: 4,
		Next: func() (*scenario.Scenario, bool) {
			next++
			return nemesis.Generate(next, nemesis.Options{Profile: nemesis.Quiet, Nodes: 2}), true
		},
		Each: func(s *Swept) bool {
			require.NoError(t, s.Err)
			require.Equal(t, s.Number%4 == 0, s.Verified)
			seen = append(seen, s.Scenario.Name)
			return len(seen) < 9
		},
	}
	w.Run()
	want := strings.Fields("quiet-1 quiet-2 quiet-3 quiet-4 quiet-5 quiet-6 quiet-7 quiet-8 quiet-9")
	require.Equal(t, want, seen)
}

func TestShrinkEndsInWhatMatters(t *testing.T) {
	s := nemesis.Generate(11, nemesis.Options{Nodes: 5})
	cuts := func(s *scenario.Scenario) bool {
		for _, x := range s.Steps {
			if x.Verb == scenario.Register && x.Node == "n2" {
				return true
			}
		}
		return false
	}
	require.True(t, cuts(s), "the seed has such a step")
	before := s.String()
	small := Shrink(s, cuts, time.Minute)
	require.Len(t, small.Steps, 1)
	require.Equal(t, []string{"n2"}, small.Nodes)
	require.Empty(t, small.Expects)
	require.Equal(t, before, s.String(), "the scenario itself is not modified")
}

func TestGoalsAreMet(t *testing.T) {
	j, err := Judge(parse(t, splitBrain), Options{})
	require.NoError(t, err)
	met := look(j).met()
	require.Contains(t, met, "lasting-split")
	require.Contains(t, met, "claimed-on-both-sides")
	require.NotContains(t, met, "three-claims")
	require.Equal(t, []time.Duration{time.Duration(27) * time.Second}, []time.Duration{look(j).double[0].Round(time.Second)})
}
