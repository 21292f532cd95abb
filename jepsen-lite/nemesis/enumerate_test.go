package nemesis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

func TestEnumeratedSchedulesDiffer(t *testing.T) {
	seen, verbs := map[string]bool{}, map[scenario.Verb]int{}
	for s := range nemesis.Enumerate(3, 3) {
		text := ""
		for _, x := range s.Steps {
			text += x.String() + "\n"
			verbs[x.Verb]++
		}
		require.False(t, seen[text], text)
		seen[text] = true
	}
	for _, v := range []scenario.Verb{
		scenario.Register, scenario.Join, scenario.Exit, scenario.Cut, scenario.Isolate, scenario.OneWay, scenario.Heal,
		scenario.Kill, scenario.Start, scenario.Pause,
	} {
		require.NotZero(t, verbs[v], v)
	}
	t.Logf("%d schedules of up to 3 steps on 3 nodes", len(seen))
}
