package nemesis

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Times of a lasting schedule. What agrees and what is hidden may be judged only
// when a lost node or link has been noticed and the bound has passed, about 21 s
// after a fault of the simulator's network; arbitration some seconds after it.
const (
	calmLow     = 12 * time.Second // the least that a run begins with, before any fault
	calmHigh    = 18 * time.Second // and the most
	calmFrom    = 3 * time.Second  // nodes have met, so that names are arbitrated by all
	lastingLow  = 26 * time.Second // the least that a fault lasts
	lastingHigh = 34 * time.Second // and the most
	lastingNode = 3 * time.Second  // and more for each node beyond three, which may be in a line
	soon        = 5 * time.Second  // operations come within this time of a fault
	lateFrom    = 13 * time.Second // and some again this long after it
	lateTo      = 18 * time.Second
)

// stays lists the kinds of faults that a lasting schedule may have. Weights and
// chances are as in kinds.
func stays() []kind {
	return []kind{
		{"relay", 6, 100, nil, (*generator).relayed},
		{"cut", 4, 70, nil, (*generator).cutSides},
		{"isolate", 2, 40, nil, (*generator).isolate},
		{"link", 2, 40, nil, (*generator).cutLink},
		{"heal", 3, 60, nil, func(g *generator) { g.add(scenario.Step{Verb: scenario.Heal}) }},
		{"kill", 2, 30, nil, (*generator).killAny},
		{"stop", 1, 20, nil, (*generator).stopAny},
		{"suspect", 1, 20, nil, (*generator).suspect},
		{"late", 2, 30, nil, (*generator).late},
		{"skew", 1, 30, nil, (*generator).skew},
		{"hold", 4, 60, nil, (*generator).hold},
	}
}

// drawLasting draws what a lasting schedule has instead of what drawFaults drew:
// nodes enough for a shape in which some reach each other only through others,
// few operations, and one fault at a time.
func (w *Swarm) drawLasting(d *dice, o Options) {
	if o.Nodes == 0 {
		w.Nodes = draw(d, "lasting nodes", []weighted[int]{{5, 3}, {4, 4}, {3, 5}, {1, 6}, {1, 7}})
	}
	w.Optimistic = d.chance("lasting optimistic", 15)
	w.Calm = d.span("calm", calmLow, calmHigh, time.Second)
	w.Every = 0
	w.Each = d.span("lasting", lastingLow, lastingHigh, time.Second) + time.Duration(max(0, w.Nodes-3))*lastingNode
	w.Stretches = d.from("stretches", 1, 2)
	w.Length = w.Calm + time.Duration(w.Stretches)*w.Each
	w.Names = d.from("lasting names", 1, 2)
	w.Core = pick(d, "lasting core", 40, 70, 100, 100, 100)
	w.Heal, w.Pauses, w.Faults, w.Late = 0, false, nil, 0
	for _, k := range stays() {
		if d.chance("stays "+k.name, k.chance) {
			w.Faults = append(w.Faults, k.name)
		}
	}
	if slices.Contains(w.Faults, "late") {
		w.Late = 1
	}
}

// stretches lays out a lasting schedule: a quiet beginning, then one fault after
// the other, each with some operations soon after it and some later, and a long
// time in which nothing happens. The first fault is one that some nodes need
// others for to reach each other.
func (g *generator) stretches() {
	if g.w.Bulk && g.d.chance("lasting bulk", 50) {
		g.at = time.Second
		s := scenario.Step{Node: pick(g.d, "node", g.alive()...), Verb: scenario.Bulk}
		g.fill(&s)
		g.add(s)
	}
	g.burst(g.d.from("calm operations", 6, 10), calmFrom, g.w.Calm-step)
	for i := range g.w.Stretches {
		from := g.w.Calm + time.Duration(i)*g.w.Each
		g.at = from
		if i == 0 {
			g.relayed()
		} else {
			k := draw(g.d, "lasting kind", g.kinds)
			k.make(g)
		}
		g.burst(g.d.from("soon operations", 4, 8), from+step, from+soon)
		g.burst(g.d.from("late operations", 0, 5), from+lateFrom, from+lateTo)
	}
}

// burst adds operations between two times.
func (g *generator) burst(count int, low, high time.Duration) {
	times := make([]time.Duration, count)
	for i := range times {
		times[i] = g.d.span("burst time", low, high, step)
	}
	slices.Sort(times)
	for _, g.at = range times {
		g.operate()
	}
}

// turn makes an operation of a lasting schedule. Most are those of a lock: a name
// is registered, others try it in vain, its holder gives it up, and it is
// registered elsewhere.
func (g *generator) turn(s *scenario.Step, nodes []string) {
	key := fmt.Sprintf("k%d", g.d.from("turn name", 1, g.w.Names))
	holder, held := g.turns[key]
	held = held && slices.Contains(nodes, holder.Node)
	others := []weighted[scenario.Verb]{{3, scenario.Reregister}, {12, scenario.Join}, {6, scenario.Leave}, {4, scenario.Exit}}
	if held {
		s.Verb = draw(g.d, "held turn", append(others, weighted[scenario.Verb]{40, scenario.Unregister},
			weighted[scenario.Verb]{20, scenario.Register}, weighted[scenario.Verb]{6, scenario.Update}))
	} else {
		s.Verb = draw(g.d, "free turn", append(others, weighted[scenario.Verb]{60, scenario.Register}))
	}
	g.fill(s)
	switch s.Verb {
	case scenario.Unregister, scenario.Update:
		s.Node, s.Process, s.Key = holder.Node, holder.Process, key
		if s.Verb == scenario.Unregister {
			delete(g.turns, key)
		}
	case scenario.Register, scenario.Reregister:
		if s.Key, s.Mode = key, ""; g.d.chance("turn optimistic", 5) {
			s.Mode = "optimistic"
		}
		if !held || s.Verb == scenario.Reregister {
			g.turns[key] = *s
		}
	}
}

// Bytes that may flow from the last heal to agreement: greetings and comparisons
// for each pair of nodes, some of them again where an exchange takes long, and for
// each operation a record at every node. Both are about twice of what was measured.
const (
	healPerPair      = 768
	healPerOperation = 64
)

// budget returns the bytes that may flow from the last heal to agreement. They
// follow what the sides differ in and not what there is: names that were registered
// in bulk before the first fault count only where a node may have lost them.
func (g *generator) budget() int {
	n := len(g.nodes)
	entries, bulk, lost := 0, 0, g.w.Forget > 0
	for _, s := range g.s.Steps {
		switch {
		case s.Verb == scenario.Bulk:
			bulk += s.Hi - s.Lo + 1
		case s.Node != "":
			entries++
		}
		lost = lost || s.Verb == scenario.Kill || s.Verb == scenario.Stop || s.Verb == scenario.Start
	}
	if lost {
		entries += bulk
	}
	return healPerPair*n*(n-1)/2 + healPerOperation*n*entries
}

// relayed gives the network a shape in which some nodes reach each other only
// through others. Two nodes have none: they are cut.
func (g *generator) relayed() {
	shapes := []scenario.Verb{scenario.Bridge, scenario.Line, scenario.Star}
	switch n := len(g.nodes); {
	case n < 3:
		g.cutSides()
		return
	case n >= 5:
		shapes = append(shapes, scenario.Majorities, scenario.Ring)
	case n == 4:
		shapes = append(shapes, scenario.Ring)
	}
	s := scenario.Step{Verb: pick(g.d, "relayed", shapes...)}
	if s.Verb == scenario.Bridge || s.Verb == scenario.Star {
		s.A = pick(g.d, "centre", g.nodes...)
	}
	g.add(s)
}
