package propertytest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// anything lets clients do all that they can, on few names and groups.
func anything(t *rapid.T, nodes []string) []scenario.Step {
	var steps []scenario.Step
	at, procs := time.Duration(0), 0
	home := map[string]string{}
	pick := func(n int, what string) int { return fair(t, n, what) }
	for range 5 + pick(40, "steps") {
		s := scenario.Step{At: at, Node: nodes[pick(len(nodes), "node")], Key: fmt.Sprint("k", pick(3, "key"))}
		process := func(fresh bool) {
			if fresh || procs == 0 {
				procs++
				home[fmt.Sprint("p", procs)] = s.Node
			}
			s.Process = fmt.Sprint("p", procs)
			if !fresh {
				s.Process = fmt.Sprint("p", 1+pick(procs, "process"))
				s.Node = home[s.Process]
			}
		}
		s.Verb = []scenario.Verb{
			scenario.Register, scenario.Register, scenario.Register, scenario.Join, scenario.Join, scenario.Exit,
			scenario.Update, scenario.Unregister, scenario.Leave, scenario.Reregister,
		}[pick(10, "verb")]
		switch s.Verb {
		case scenario.Register, scenario.Reregister:
			process(pick(3, "fresh") > 0)
			s.Mode = []string{"", "optimistic"}[pick(2, "mode")]
			s.Priority = int64(pick(3, "priority"))
		case scenario.Join:
			process(pick(3, "fresh") > 0)
			s.Key, s.Value, s.HasVal = "g"+s.Key, fmt.Sprint("v", len(steps)), true
		case scenario.Update:
			s.Value, s.HasVal = fmt.Sprint("v", len(steps)), true
		case scenario.Leave:
			process(false)
			s.Key = "g" + s.Key
		case scenario.Exit:
			process(false)
			s.Key = ""
		}
		steps = append(steps, s)
		at += []time.Duration{0, 0, 100 * time.Millisecond, time.Second, 5 * time.Second}[pick(5, "gap")]
	}
	return steps
}

// sweepPolicies are the policies that a sweep goes through.
func sweepPolicies() []string {
	return []string{"last-writer", "first-writer", "priority", "majority", "random-notify", "notify-all"}
}

// A sweep plays random stories with clients that do everything and faults of all
// kinds, and holds each against the checks and against the books. In the end all
// nodes are up and the network is whole.
func TestSimSweep(t *testing.T) {
	for i, policy := range sweepPolicies() {
		t.Run(policy, func(t *testing.T) {
			w := Load{Draw: anything, Nodes: 3 + i%2, Policy: policy}
			gen := rapid.Custom(w.story)
			for seed := range cases(40) {
				s := seeded(gen, 1000*i+seed)
				if seed%3 == 0 {
					s.Forget = 15 * time.Second
				}
				if v := w.sound(s); v.law != "" {
					least := shrunk(s, func(less *scenario.Scenario) bool { return w.sound(less).law == v.law })
					v = w.sound(least)
					require.Fail(t, v.law+" is broken", "%s\n%s", strings.Join(storyLines(least, ""), "\n"), v.seen)
				}
			}
		})
	}
}

// sound plays a story and holds it against everything.
func (w Load) sound(s *scenario.Scenario) verdict {
	j, err := sim.Judge(s, sim.Options{})
	if err != nil {
		return verdict{"Runs", err.Error()}
	}
	if broken := j.Broken(); len(broken) > 0 {
		seen := ""
		if r, ok := j.Report.Result(strings.TrimPrefix(broken[0], "check ")); ok && len(r.Findings) > 0 {
			seen = r.Findings[0].Explain
		}
		return verdict{broken[0], seen}
	}
	if !j.Result.Agreed {
		return verdict{lawAgree, "some nodes still differ when the run ends"}
	}
	return judge(j.Result.History, w.Policy == "notify-all")
}
