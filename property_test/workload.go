package propertytest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Load is what the clients of a user's program do, to be tried under netsplits.
type Load struct {
	// Draw draws what the clients do: steps with a verb of a client, such as
	// scenario.Register. Their times count from when the cluster has formed.
	Draw func(t *rapid.T, nodes []string) []scenario.Step
	// Nodes is the number of nodes; default 3.
	Nodes int
	// Policy is the policy as resolve.Parse reads it; default "last-writer".
	Policy string
	// Expects are held against the end of every run, beside the checks. A line of
	// a scenario file is read by scenario.Parse.
	Expects []scenario.Expect
	// Configure changes the machines' configuration; default none.
	Configure func(*replica.Config)
}

// Workload plays a user's workload under random netsplits, crashes and lossy
// links in the simulator, and holds what happened against the checks of package
// check. A run that goes wrong is printed as a scenario file, made as short as it
// gets.
//
// The runs are the same in every test; -rapid.checks makes more of them, and
// -rapid.seed others.
func Workload(t *testing.T, w Load) {
	t.Helper()
	if f := CheckWorkload(w); f != nil {
		t.Fatal(f.Error())
	}
}

// workloadRuns is how many runs are made when checks is 100.
const workloadRuns = 60

// CheckWorkload is as Workload without a test: it returns what is broken, or nil.
func CheckWorkload(w Load) *Finding {
	gen := rapid.Custom(w.story)
	for seed := range cases(workloadRuns) {
		if f := w.holds(seeded(gen, seed)); f != nil {
			return f
		}
	}
	return nil
}

// WorkloadProperty returns a property for rapid.Check and, through rapid.MakeFuzz,
// for a fuzz target: it draws a run and plays it.
func WorkloadProperty(w Load) func(*rapid.T) {
	return func(t *rapid.T) {
		if f := w.holds(w.story(t)); f != nil {
			t.Fatal(f.Error())
		}
	}
}

// story draws the clients' steps and faults among them. In the end all nodes are
// up and all links are good.
func (w Load) story(t *rapid.T) *scenario.Scenario {
	nodes := w.Nodes
	if nodes == 0 {
		nodes = 3
	}
	n := newTeller(t, "workload", nodes)
	if w.Policy != "" {
		n.s.Policy = w.Policy
	}
	for i, e := range w.Expects {
		e.Line = max(e.Line, i+1) // what has no line is not taken for an expectation
		n.s.Expects = append(n.s.Expects, e)
	}
	last := time.Duration(0)
	for _, step := range w.Draw(t, n.s.Nodes) {
		last = max(last, step.At)
		step.At += formed
		n.s.Steps = append(n.s.Steps, step)
	}
	for n.at < formed+last+time.Second {
		n.trouble()
		n.wait([]time.Duration{200 * time.Millisecond, time.Second, noticed}[n.pick(3, "wait")])
	}
	n.mend()
	slices.SortStableFunc(n.s.Steps, func(a, b scenario.Step) int { return int(a.At - b.At) })
	return n.s
}

// trouble makes a fault, or mends one.
func (w *teller) trouble() {
	a, b := w.node(), w.node()
	switch k := w.pick(16, "fault"); {
	case k < 5:
		w.partition()
	case k < 8:
		w.heal()
	case k < 10 && a != b:
		w.add(scenario.Step{Verb: scenario.Cut, A: a, B: b})
	case k < 11 && a != b:
		w.add(scenario.Step{Verb: scenario.Suspect, A: a, B: b})
	case k < 12 && a != b:
		w.add(scenario.Step{Verb: scenario.Loss, A: a, B: b, Rate: 0.3})
	case k < 13:
		w.add(scenario.Step{Verb: scenario.Pause, A: a, For: 4 * time.Second})
	case k < 15 && !slices.Contains(w.down, a):
		w.down = append(w.down, a)
		w.add(scenario.Step{Verb: []scenario.Verb{scenario.Kill, scenario.Stop}[w.pick(2, "how")], A: a})
	case len(w.down) > 0:
		w.add(scenario.Step{Verb: scenario.Start, A: w.down[0]})
		w.down = w.down[1:]
	}
}

// mend ends all faults.
func (w *teller) mend() {
	w.wait(5 * time.Second)
	for _, s := range slices.Clone(w.s.Steps) {
		if s.Verb == scenario.Loss && s.Rate > 0 {
			w.add(scenario.Step{Verb: scenario.Loss, A: s.A, B: s.B})
		}
	}
	for _, n := range w.down {
		w.add(scenario.Step{Verb: scenario.Start, A: n})
	}
	w.down = nil
	w.heal()
}

// holds plays a story, and makes it shorter if something is broken.
func (w Load) holds(story *scenario.Scenario) *Finding {
	broken := w.broken(story)
	if len(broken) == 0 {
		return nil
	}
	least := shrunk(story, func(less *scenario.Scenario) bool { return slices.Contains(w.broken(less), broken[0]) })
	f := &Finding{Law: broken[0], Text: "what the scenario expects holds", Story: storyLines(least, "")}
	j, err := sim.Judge(least, sim.Options{Configure: w.Configure})
	if err != nil {
		f.Seen = err.Error()
		return f
	}
	if result, ok := j.Report.Result(strings.TrimPrefix(broken[0], "check ")); ok {
		f.Text = result.Text
		for _, x := range result.Findings {
			f.Seen += x.Explain + "\n"
		}
		return f
	}
	for _, x := range j.Result.Failures {
		f.Seen += x.String() + "\n"
	}
	return f
}

// broken plays a story and names what did not hold.
func (w Load) broken(story *scenario.Scenario) []string {
	j, err := sim.Judge(story, sim.Options{Configure: w.Configure})
	if err != nil {
		return []string{err.Error()}
	}
	return j.Broken()
}
