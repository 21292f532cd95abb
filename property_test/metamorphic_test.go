package propertytest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// timeless draws a story whose end must not depend on when frames arrive:
//
//   - every process does all it does on its own node, so its order is its program's;
//   - a name is claimed optimistically, so no answer of another node is awaited, and
//     at most once in a component: fresh names while the network is whole, and once
//     on each side of a split, long after the split has been noticed. So whether a
//     name is free is never a race;
//   - moments are seconds apart, far above the latency, so the births of rival
//     claims order the same way in every run, and a tie is out of the question;
//   - a loser is told after the heal at some time or other, and nothing happens to
//     its names in between;
//   - splits and heals are given the time to be noticed before anybody acts.
//
// What is left to timing is only the way there.
func timeless(t *rapid.T) *scenario.Scenario {
	w := newTeller(t, "timeless", 3+fair(t, 3, "more"))
	w.s.Optimistic = true
	w.s.Policy = rapid.SampledFrom([]string{"last-writer", "first-writer", "priority"}).Draw(t, "policy")
	keys, home := 0, map[string]string{}
	member := func() {
		p, n := w.fresh(), w.node()
		home[p] = n
		w.add(scenario.Step{Verb: scenario.Join, Node: n, Key: fmt.Sprint("g", w.pick(2, "group")), Process: p, Value: "v", HasVal: true})
	}
	claim := func(key, node string) {
		p := w.fresh()
		home[p] = node
		w.add(scenario.Step{Verb: scenario.Register, Node: node, Key: key, Process: p, Priority: int64(w.pick(3, "priority"))})
		w.wait(3 * time.Second)
	}
	for range 1 + w.pick(2, "splits") {
		for range w.pick(4, "before") {
			keys++
			claim(fmt.Sprint("k", keys), w.node())
			member()
		}
		half := 1 + w.pick(len(w.s.Nodes)-1, "half")
		left, right := w.s.Nodes[:half], w.s.Nodes[half:]
		w.wait(30 * time.Second)
		w.add(scenario.Step{Verb: scenario.Cut, Sides: [][]string{left, right}})
		w.wait(15 * time.Second)
		for range 1 + w.pick(3, "contested") {
			keys++
			claim(fmt.Sprint("k", keys), left[w.pick(len(left), "claimant")])
			claim(fmt.Sprint("k", keys), right[w.pick(len(right), "rival")])
			member()
		}
		w.wait(3 * time.Second)
		if procs := slices.Sorted(maps.Keys(home)); len(procs) > 0 && w.pick(2, "exit") == 0 {
			p := procs[w.pick(len(procs), "gone")]
			w.add(scenario.Step{Verb: scenario.Exit, Node: home[p], Process: p})
		}
		w.wait(40 * time.Second) // its own side has heard of the exit, however much is lost
		w.heal()
		w.wait(15 * time.Second)
	}
	w.wait(20 * time.Second)
	w.add(scenario.Step{Verb: scenario.Look})
	return w.s
}

// finalView plays a story and returns what all nodes show in the end.
func finalView(t *testing.T, s *scenario.Scenario) string {
	t.Helper()
	r, err := sim.Run(s, sim.Options{})
	require.NoError(t, err)
	require.Empty(t, r.Failures)
	require.True(t, r.Agreed, s.String())
	v := judge(r.History, false)
	require.Empty(t, v.law, "%s\n%s", s, v.seen)
	views := map[string]string{}
	for _, rec := range r.History.Records {
		if rec.F == history.View && rec.Type == history.Ok {
			views[rec.Node] = show(rec)
		}
	}
	all := slices.Compact(slices.Sorted(maps.Values(views)))
	require.Len(t, all, 1)
	return all[0]
}

// another is a way to play the same story differently.
type another struct {
	name   string
	change func(s *scenario.Scenario)
}

func otherways() []another {
	return []another{
		{"another seed of the network", func(s *scenario.Scenario) { s.Seed += 77 }},
		{"frames come twice", func(s *scenario.Scenario) { s.Net.Dup = 0.4 }},
		{"frames overtake each other", func(s *scenario.Scenario) { s.Net.Reorder, s.Net.High = 0.5, 200*time.Millisecond }},
		{"deltas are lost and anti-entropy mends it", func(s *scenario.Scenario) { s.Net.Loss = 0.25 }},
		{"all of it", func(s *scenario.Scenario) { s.Net.Loss, s.Net.Dup, s.Net.Reorder = 0.15, 0.2, 0.3 }},
		{"nodes have other names in the same order", rename},
	}
}

// rename gives the nodes other names that sort in the same order, as dots that
// decide a tie do.
func rename(s *scenario.Scenario) {
	names := map[string]string{}
	for i, n := range s.Nodes {
		names[n] = []string{"alpha", "bravo", "charlie", "delta", "echo"}[i]
	}
	to := func(list []string) []string {
		list = slices.Clone(list)
		for i, n := range list {
			list[i] = names[n]
		}
		return list
	}
	s.Nodes = to(s.Nodes)
	s.Steps = slices.Clone(s.Steps)
	for i := range s.Steps {
		step := &s.Steps[i]
		step.Node = names[step.Node]
		step.Sides = slices.Clone(step.Sides)
		for k := range step.Sides {
			step.Sides[k] = to(step.Sides[k])
		}
	}
}

// The same operations end in the same view, whatever the network did on the way.
func TestSimSameStorySameEnd(t *testing.T) {
	gen := rapid.Custom(timeless)
	for seed := range cases(15) {
		s := seeded(gen, seed)
		want := finalView(t, s)
		for _, o := range otherways() {
			other := *s
			o.change(&other)
			require.Equal(t, want, finalView(t, &other), "%s:\n%s", o.name, s)
		}
	}
}
