package nemesis_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

func TestGeneratedScenariosReadBackTheSame(t *testing.T) {
	for _, p := range nemesis.Profiles() {
		for seed := range uint64(60) {
			s := nemesis.Generate(seed, nemesis.Options{Profile: p})
			text := s.String()
			back, err := scenario.Parse(strings.NewReader(text))
			require.NoError(t, err, text)
			require.Equal(t, s, back)
			require.Equal(t, text, nemesis.Generate(seed, nemesis.Options{Profile: p}).String())
		}
	}
}

func TestEveryVerbIsGenerated(t *testing.T) {
	seen := map[scenario.Verb]int{}
	for seed := range uint64(500) {
		for _, s := range nemesis.Generate(seed, nemesis.Options{}).Steps {
			seen[s.Verb]++
		}
	}
	for _, v := range []scenario.Verb{
		scenario.Register, scenario.Reregister, scenario.Update, scenario.Unregister, scenario.Join, scenario.Leave,
		scenario.Exit, scenario.Bulk, scenario.Cut, scenario.OneWay, scenario.Isolate, scenario.Bridge, scenario.Ring,
		scenario.Line, scenario.Star, scenario.Majorities, scenario.Heal, scenario.Loss, scenario.Dup, scenario.Reorder,
		scenario.Latency, scenario.Blackhole, scenario.Hold, scenario.Release, scenario.Calm, scenario.Replay,
		scenario.Pause, scenario.Skew, scenario.Drift, scenario.Kill, scenario.Start, scenario.Stop, scenario.Suspect,
		scenario.RestartAll, scenario.Repeat,
	} {
		require.NotZero(t, seen[v], "no %s in 500 seeds", v)
	}
}

func TestProfilesKeepToTheirFaults(t *testing.T) {
	for seed := range uint64(100) {
		for _, s := range nemesis.Generate(seed, nemesis.Options{Profile: nemesis.Quiet, Nodes: 3}).Steps {
			require.NotEmpty(t, s.Node, "the quiet profile has only operations, not %s", s)
		}
		for _, s := range nemesis.Generate(seed, nemesis.Options{Profile: nemesis.Partitions}).Steps {
			require.NotContains(t, []scenario.Verb{scenario.Skew, scenario.Pause, scenario.Loss}, s.Verb)
		}
	}
	_, err := nemesis.ParseProfile("nonsense")
	require.ErrorIs(t, err, nemesis.ErrProfile)
}
