package nemesis_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

func TestLastingSchedulesLast(t *testing.T) {
	relayed := []scenario.Verb{scenario.Bridge, scenario.Line, scenario.Star, scenario.Ring, scenario.Majorities}
	for seed := range uint64(200) {
		o := nemesis.Options{Profile: nemesis.Lasting}
		w, s := nemesis.DrawSwarm(seed, o), nemesis.Generate(seed, o)
		require.True(t, w.Lasting)
		require.GreaterOrEqual(t, len(s.Nodes), 3)
		var faults []scenario.Step
		operations := 0
		quiet, last := time.Duration(0), time.Duration(0)
		for _, x := range s.Steps {
			if x.At >= w.Length {
				break // the core phase
			}
			quiet, last = max(quiet, x.At-last), x.At
			if x.Node == "" {
				faults = append(faults, x)
			} else {
				operations++
			}
		}
		require.Contains(t, relayed, faults[0].Verb, "%s", s)
		require.Equal(t, w.Calm, faults[0].At)
		require.LessOrEqual(t, len(faults), 2, "one fault at a time\n%s", s)
		require.LessOrEqual(t, operations, 40, "%s", s)
		require.GreaterOrEqual(t, max(quiet, w.Length-last), 8*time.Second, "a quiet time\n%s", s)
	}
}

func TestMixedDrawsLastingSchedulesToo(t *testing.T) {
	lasting := 0
	for seed := range uint64(400) {
		if nemesis.DrawSwarm(seed, nemesis.Options{}).Lasting {
			lasting++
		}
	}
	require.Greater(t, lasting, 60)
	require.Less(t, lasting, 140)
	require.False(t, nemesis.DrawSwarm(1, nemesis.Options{Profile: nemesis.Quiet}).Lasting)
}

// TestCoreIsNeverAlone: one node has nobody to agree with.
func TestCoreIsNeverAlone(t *testing.T) {
	for seed := range uint64(300) {
		s := nemesis.Generate(seed, nemesis.Options{})
		end := s.Steps[len(s.Steps)-1]
		for i := len(s.Steps) - 1; i >= 0 && s.Steps[i].Node != ""; i-- {
			end = s.Steps[i-1]
		}
		require.Contains(t, []scenario.Verb{scenario.Heal, scenario.Cut}, end.Verb, "%s", s)
		if end.Verb == scenario.Cut {
			require.GreaterOrEqual(t, len(slices.Concat(end.Sides[:1]...)), 2, "%s", s)
		}
	}
}

// TestNoNodeStartsInTheMomentOfItsEnd: steps of one moment come in any order.
func TestNoNodeStartsInTheMomentOfItsEnd(t *testing.T) {
	for seed := range uint64(300) {
		ended := map[string]time.Duration{}
		s := nemesis.Generate(seed, nemesis.Options{Profile: nemesis.Crashes})
		for _, x := range s.Steps {
			switch x.Verb {
			case scenario.Kill, scenario.Stop:
				ended[x.A] = x.At
			case scenario.Start:
				at, known := ended[x.A]
				require.False(t, known && at == x.At, "%s at %v\n%s", x.A, at, s)
			}
		}
	}
}

// TestBudgetFollowsTheOperations: what was there before the first fault is not
// in it.
func TestBudgetFollowsTheOperations(t *testing.T) {
	budgets := 0
	for seed := range uint64(200) {
		s := nemesis.Generate(seed, nemesis.Options{Profile: nemesis.Lasting})
		i := slices.IndexFunc(s.Expects, func(e scenario.Expect) bool { return e.Subject == scenario.TrafficIs })
		heals := slices.ContainsFunc(s.Steps, func(x scenario.Step) bool { return x.Verb == scenario.Heal && x.A == "" })
		if i < 0 {
			continue
		}
		budgets++
		require.True(t, heals)
		require.Less(t, s.Expects[i].Lo, 200_000)
		require.Positive(t, s.Expects[i].Lo)
	}
	require.Greater(t, budgets, 100)
}
