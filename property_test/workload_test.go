package propertytest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

func reader(lines []string) io.Reader { return strings.NewReader(strings.Join(lines, "\n")) }

// sessions is a workload as a user has one: each session is a process that holds
// its own name, joins the room and ends.
func sessions(t *rapid.T, nodes []string) []scenario.Step {
	var steps []scenario.Step
	at := time.Duration(0)
	for i := range rapid.IntRange(1, 8).Draw(t, "sessions") {
		node, p := rapid.SampledFrom(nodes).Draw(t, "node"), fmt.Sprint("s", i)
		user := fmt.Sprint("user/", rapid.IntRange(1, 3).Draw(t, "user"))
		steps = append(steps,
			scenario.Step{At: at, Verb: scenario.Register, Node: node, Key: user, Process: p},
			scenario.Step{At: at, Verb: scenario.Join, Node: node, Key: "room", Process: p})
		at += time.Duration(rapid.IntRange(0, 40).Draw(t, "gap")) * 100 * time.Millisecond
		if rapid.Bool().Draw(t, "ends") {
			steps = append(steps, scenario.Step{At: at, Verb: scenario.Exit, Node: node, Process: p})
		}
	}
	return steps
}

func TestSimWorkloadOfAUser(t *testing.T) { Workload(t, Load{Draw: sessions}) }

func FuzzWorkload(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(WorkloadProperty(Load{Draw: sessions})))
}

// leaders lets every node claim one name at the same time.
func leaders(t *rapid.T, nodes []string) []scenario.Step {
	at := time.Duration(rapid.IntRange(0, 300).Draw(t, "at")) * 100 * time.Millisecond
	var steps []scenario.Step
	for i, n := range nodes {
		steps = append(steps, scenario.Step{At: at, Verb: scenario.Register, Node: n, Key: "leader", Process: fmt.Sprint("p", i)})
	}
	return steps
}

// A workload that expects what no registry can give is refuted by a scenario of a
// few lines: under a netsplit a leader may lose.
func TestWorkloadThatExpectsTooMuchIsRefuted(t *testing.T) {
	never := scenario.Expect{Subject: scenario.LostOf, Key: "p0"}
	begun := time.Now()
	f := CheckWorkload(Load{Draw: leaders, Expects: []scenario.Expect{never}})
	require.NotNil(t, f)
	require.Less(t, time.Since(begun), 30*time.Second)
	t.Log(f.Error())
	require.LessOrEqual(t, len(f.Story), 10)
	requireReads(t, f.Story)
}
