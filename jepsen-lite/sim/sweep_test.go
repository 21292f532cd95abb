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

// TestShrinkEndsByItself: what is made rounder is not made shorter again and rounder
// again.
func TestShrinkEndsByItself(t *testing.T) {
	s := parse(t, "scenario rounds\nnodes n1 n2\nat 1.27s n1 register a as p1\nat 1.81s n1 register b as p2\nat 2.33s n1 register c as p3\n")
	tries := 0
	Shrink(s, func(s *scenario.Scenario) bool {
		tries++
		require.Less(t, tries, 500)
		if len(s.Steps) < 3 {
			return false
		}
		gap := s.Steps[2].At - s.Steps[1].At
		return gap >= 500*time.Millisecond && s.Steps[1].At > s.Steps[0].At
	}, time.Minute)
}

// TestShrinkKeepsTheWayOfFailing: nobody holds a name that nobody registers, but
// that is not how this run went wrong.
func TestShrinkKeepsTheWayOfFailing(t *testing.T) {
	s := parse(t, strings.Replace(splitBrain, "expect holder k == p2\n", "expect holder k == p1\n", 1))
	j, err := Judge(s, Options{})
	require.NoError(t, err)
	small := Shrink(s, j.Breaks("expected holder k == p1", Options{}), 20*time.Second)
	require.NotEmpty(t, small.Steps)
	require.Less(t, len(small.Steps), len(s.Steps))
	again, err := Judge(small, Options{})
	require.NoError(t, err)
	require.Len(t, again.Result.Failures, 1, "both are registered as they were, and the rest holds\n%s", small)
	require.Contains(t, again.Result.Failures[0].Text, "holder is p2")
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
