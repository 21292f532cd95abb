package propertytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// teller draws a scenario, step by step. Times are coarse, so that much happens at
// one moment and births are equal.
type teller struct {
	t     *rapid.T
	s     *scenario.Scenario
	at    time.Duration
	procs int
	cut   bool
	down  []string
}

// Times of a story.
const (
	// formed is when the cluster has formed.
	formed = 2 * time.Second
	// noticed is by when the end of a netsplit, or its beginning, has been noticed.
	noticed = 10 * time.Second
)

func newTeller(t *rapid.T, name string, nodes int) *teller {
	s := &scenario.Scenario{
		Name: name, Seed: rapid.Uint64Range(1, 1<<32).Draw(t, "seed"), Limit: 10 * time.Minute, Policy: "last-writer",
		Net: scenario.Net{Low: time.Millisecond, High: 5 * time.Millisecond},
	}
	for i := range nodes {
		s.Nodes = append(s.Nodes, fmt.Sprint("n", i+1))
	}
	return &teller{t: t, s: s, at: formed}
}

func (w *teller) pick(n int, what string) int { return fair(w.t, n, what) }

func (w *teller) node() string { return w.s.Nodes[w.pick(len(w.s.Nodes), "node")] }

// add appends a step at the present time.
func (w *teller) add(s scenario.Step) {
	s.At = w.at
	w.s.Steps = append(w.s.Steps, s)
}

// wait lets time pass.
func (w *teller) wait(d time.Duration) { w.at += d }

// fresh returns a process name that was not used.
func (w *teller) fresh() string {
	w.procs++
	return fmt.Sprint("p", w.procs)
}

// partition cuts the cluster into two or three sides.
func (w *teller) partition() {
	sides := make([][]string, 2+w.pick(4, "sides")/3)
	for _, n := range w.s.Nodes {
		i := w.pick(len(sides), "side")
		sides[i] = append(sides[i], n)
	}
	sides = slices.DeleteFunc(sides, func(side []string) bool { return len(side) == 0 })
	if len(sides) < 2 {
		return
	}
	w.cut = true
	w.add(scenario.Step{Verb: scenario.Cut, Sides: sides})
}

func (w *teller) heal() {
	w.cut = false
	w.add(scenario.Step{Verb: scenario.Heal})
}

// pauseBetween lets no time, a little, or more pass.
func (w *teller) pauseBetween() {
	w.wait([]time.Duration{0, 0, 100 * time.Millisecond, time.Second}[w.pick(4, "pause")])
}

// contest draws rounds of splits in which a few names are claimed on all sides,
// and a heal at the end.
func contest(t *rapid.T) *scenario.Scenario {
	w := newTeller(t, "netsplit", 2+fair(t, 3, "nodes"))
	w.s.Optimistic = true
	for range 1 + w.pick(3, "rounds") {
		w.partition()
		if w.pick(3, "soon") > 0 {
			w.wait(noticed)
		}
		for range 1 + w.pick(6, "claims") {
			w.claim()
			w.pauseBetween()
		}
		w.wait(time.Second)
		if w.pick(4, "heal") > 0 {
			w.heal()
			w.wait([]time.Duration{0, time.Second, noticed}[w.pick(3, "rest")])
		}
	}
	w.heal()
	return w.s
}

// claim registers a name, or does something with one that was registered.
func (w *teller) claim() {
	keys := []string{"k", "l"}
	key := keys[w.pick(3, "key")/2]
	switch k := w.pick(10, "what"); {
	case k < 7 || w.procs == 0:
		w.add(scenario.Step{
			Verb: scenario.Register, Node: w.node(), Key: key, Process: w.fresh(), Priority: int64(w.pick(3, "priority")),
		})
	case k < 9:
		w.add(scenario.Step{Verb: scenario.Update, Node: w.node(), Key: key, Value: fmt.Sprint("v", w.procs), HasVal: true})
	default:
		w.add(scenario.Step{Verb: scenario.Exit, Node: w.node(), Process: fmt.Sprint("p", 1+w.pick(w.procs, "process"))})
	}
}

// storyLines returns a scenario as the lines of its file, with a remark on the
// first.
func storyLines(s *scenario.Scenario, remark string) []string {
	lines := strings.Split(strings.TrimRight(s.String(), "\n"), "\n")
	if remark != "" {
		lines[0] += "   # " + remark
	}
	return lines
}
