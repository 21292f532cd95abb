package nemesis

import (
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// kind is a kind of fault that a seed may have.
type kind struct {
	name     string
	weight   int // beside the other kinds that are on
	chance   int // percent of seeds that have it, where the profile allows it
	profiles []Profile
	make     func(g *generator)
}

func kinds() []kind {
	network := []Profile{Mixed, Partitions, Clocks, Lossy}
	frames := []Profile{Mixed, Lossy}
	nodes := []Profile{Mixed, Crashes}
	clocks := []Profile{Mixed, Clocks}
	return []kind{
		{"cut", 6, 70, network, (*generator).cutSides},
		{"link", 3, 40, network, (*generator).cutLink},
		{"isolate", 3, 40, network, (*generator).isolate},
		{"shape", 3, 40, []Profile{Mixed, Partitions}, (*generator).shape},
		{"oneway", 3, 40, network, (*generator).oneWay},
		{"flap", 2, 30, []Profile{Mixed, Partitions}, (*generator).flap},
		{"suspect", 2, 30, []Profile{Mixed, Partitions, Crashes}, (*generator).suspect},
		{"loss", 2, 30, frames, rated(scenario.Loss, 5, 90)},
		{"dup", 2, 30, frames, rated(scenario.Dup, 5, 60)},
		{"reorder", 2, 30, frames, rated(scenario.Reorder, 5, 80)},
		{"latency", 2, 30, frames, (*generator).latency},
		{"blackhole", 1, 20, frames, (*generator).blackhole},
		{"hold", 2, 30, frames, (*generator).hold},
		{"replay", 2, 30, frames, (*generator).replay},
		{"pause", 3, 40, nodes, (*generator).pause},
		{"kill", 4, 50, []Profile{Mixed, Crashes, Clocks}, (*generator).killAny},
		{"stop", 2, 30, nodes, (*generator).stopAny},
		{"bounce", 2, 30, nodes, (*generator).bounce},
		{"late", 2, 30, nodes, (*generator).late},
		{"restartall", 1, 15, nodes, (*generator).restartAll},
		{"skew", 3, 40, clocks, (*generator).skew},
		{"drift", 1, 30, clocks, (*generator).drift},
	}
}

// mend heals links, or starts a node that is down.
func (g *generator) mend() {
	down := slices.DeleteFunc(slices.Clone(g.nodes), func(n string) bool { return g.up[n] })
	what := g.d.below("mend what", 10)
	switch {
	case len(down) > 0 && what < 5:
		g.start(pick(g.d, "mend node", down...))
	case len(g.held) > 0 && what < 7:
		l := g.held[0]
		g.held = g.held[1:]
		g.add(scenario.Step{Verb: scenario.Release, A: l[0], B: l[1]})
	case what == 7:
		g.add(scenario.Step{Verb: scenario.Calm})
		g.held = nil
	case what == 8 && len(g.nodes) > 2: // in stages
		for i, n := range g.nodes[1:] {
			g.addAt(g.at+time.Duration(i)*500*time.Millisecond, scenario.Step{Verb: scenario.Heal, A: g.nodes[0], B: n})
		}
	case what == 9:
		a, b, ok := g.two()
		if ok {
			g.add(scenario.Step{Verb: scenario.Heal, A: a, B: b})
		}
	default:
		g.add(scenario.Step{Verb: scenario.Heal})
	}
}

// two returns two nodes, whether they run or not.
func (g *generator) two() (a, b string, ok bool) {
	if len(g.nodes) < 2 {
		return "", "", false
	}
	two := shuffled(g.d, "two", g.nodes)
	return two[0], two[1], true
}

// pair adds a step about a link between two nodes.
func (g *generator) pair(s scenario.Step) {
	a, b, ok := g.two()
	if ok {
		s.A, s.B = a, b
		g.add(s)
	}
}

// sides returns the nodes in two or three parts.
func (g *generator) sides() [][]string {
	n := 2
	if len(g.nodes) > 3 && g.d.chance("three sides", 25) {
		n = 3
	}
	sides := make([][]string, n)
	for i, name := range shuffled(g.d, "sides", g.nodes) {
		to := i
		if i >= n {
			to = g.d.below("side", n)
		}
		sides[to] = append(sides[to], name)
	}
	for _, s := range sides {
		slices.Sort(s)
	}
	return sides
}

func (g *generator) cutSides() {
	if len(g.nodes) > 1 {
		g.add(scenario.Step{Verb: scenario.Cut, Sides: g.sides()})
	}
}

func (g *generator) cutLink() { g.pair(scenario.Step{Verb: scenario.Cut}) }

func (g *generator) oneWay() { g.pair(scenario.Step{Verb: scenario.OneWay}) }

func (g *generator) isolate() {
	g.add(scenario.Step{Verb: scenario.Isolate, A: pick(g.d, "isolate", g.nodes...)})
}

func (g *generator) shape() {
	s := scenario.Step{Verb: pick(g.d, "shape", scenario.Bridge, scenario.Bridge, scenario.Ring, scenario.Line,
		scenario.Star, scenario.Majorities)}
	if s.Verb == scenario.Bridge || s.Verb == scenario.Star {
		s.A = pick(g.d, "centre", g.nodes...)
	}
	g.add(s)
}

// flap repeats a cut and a heal; it ends before the core phase.
func (g *generator) flap() {
	if len(g.nodes) < 2 {
		return
	}
	s := scenario.Step{
		Verb: scenario.Repeat, Count: 2 * g.d.from("flaps", 1, 8),
		Every: pick(g.d, "flap", 200*time.Millisecond, 500*time.Millisecond, time.Second, 3*time.Second),
	}
	left := int((g.w.Length - g.at - step) / s.Every)
	if s.Count = min(s.Count, left) &^ 1; s.Count == 0 {
		return
	}
	cut := scenario.Step{Verb: scenario.Cut, Sides: g.sides()}
	heal := scenario.Step{Verb: scenario.Heal}
	switch g.d.below("flap what", 3) {
	case 1:
		a, b, _ := g.two()
		cut, heal = scenario.Step{Verb: scenario.Cut, A: a, B: b}, scenario.Step{Verb: scenario.Heal, A: a, B: b}
	case 2:
		a, b, _ := g.two()
		cut = scenario.Step{Verb: scenario.OneWay, A: a, B: b}
	}
	s.Inner = []scenario.Step{cut, heal}
	g.add(s)
}

func (g *generator) suspect() { g.pair(scenario.Step{Verb: scenario.Suspect}) }

// rated returns a fault of a link with a rate in percent.
func rated(verb scenario.Verb, low, high int) func(*generator) {
	return func(g *generator) {
		g.pair(scenario.Step{Verb: verb, Rate: float64(g.d.from(string(verb), low, high)) / 100})
	}
}

func (g *generator) latency() {
	high := pick(g.d, "high", 50*time.Millisecond, 500*time.Millisecond, 2*time.Second, 5*time.Second)
	g.pair(scenario.Step{Verb: scenario.Latency, Low: pick(g.d, "low", time.Millisecond, high/2), High: high})
}

func (g *generator) blackhole() {
	g.pair(scenario.Step{Verb: scenario.Blackhole, Size: pick(g.d, "size", 64, 256, 1400)})
}

func (g *generator) hold() {
	a, b, ok := g.two()
	if ok {
		g.held = append(g.held, [2]string{a, b})
		g.add(scenario.Step{Verb: scenario.Hold, A: a, B: b})
	}
}

func (g *generator) replay() {
	g.pair(scenario.Step{Verb: scenario.Replay, For: g.d.span("replay", time.Second, 30*time.Second, time.Second)})
}

// pause freezes a node for a time that ends before the core phase.
func (g *generator) pause() {
	d := pick(g.d, "pause", 500*time.Millisecond, 2*time.Second, 6*time.Second, 12*time.Second)
	d = min(d, g.w.Length-g.at-step)
	nodes := g.alive()
	if len(nodes) > 0 && d > 0 {
		g.add(scenario.Step{Verb: scenario.Pause, A: pick(g.d, "pause node", nodes...), For: d})
	}
}

func (g *generator) kill(node string) {
	g.up[node] = false
	g.procs[node] = nil
	g.add(scenario.Step{Verb: scenario.Kill, A: node})
}

func (g *generator) start(node string) {
	g.up[node] = true
	g.procs[node] = nil
	g.add(scenario.Step{Verb: scenario.Start, A: node})
}

func (g *generator) killAny() {
	if nodes := g.alive(); len(nodes) > 0 {
		g.kill(pick(g.d, "kill", nodes...))
	}
}

func (g *generator) stopAny() {
	if nodes := g.alive(); len(nodes) > 0 {
		n := pick(g.d, "stop", nodes...)
		g.up[n] = false
		g.procs[n] = nil
		g.add(scenario.Step{Verb: scenario.Stop, A: n})
	}
}

// bounce kills a node and starts it again sooner than anybody may notice, before
// the core phase: in one moment the two would come in any order.
func (g *generator) bounce() {
	nodes, at := g.alive(), g.at
	if len(nodes) == 0 || at+step >= g.w.Length {
		return
	}
	n := pick(g.d, "bounce", nodes...)
	g.kill(n)
	g.at = min(at+g.d.span("bounce time", step, time.Second, step), g.w.Length-step)
	g.start(n)
	g.at = at
}

// late starts a node that was not there at the beginning.
func (g *generator) late() {
	if n := len(g.nodes); n < g.w.Nodes+g.w.Late {
		name := nodeName(n)
		g.nodes = append(g.nodes, name)
		g.start(name)
	}
}

func (g *generator) restartAll() {
	g.add(scenario.Step{Verb: scenario.RestartAll})
	for _, n := range g.nodes {
		g.up[n] = true
		g.procs[n] = nil
	}
}

func (g *generator) skew() {
	if nodes := g.alive(); len(nodes) > 0 {
		d := pick(g.d, "skew", 10*time.Millisecond, time.Second, 30*time.Second, 5*time.Minute, 26*time.Hour)
		if g.d.chance("skew back", 50) {
			d = -d
		}
		g.add(scenario.Step{Verb: scenario.Skew, A: pick(g.d, "skew node", nodes...), For: d})
	}
}

func (g *generator) drift() {
	if nodes := g.alive(); len(nodes) > 0 {
		rate := float64(g.d.from("drift", 1, 50)) / 1000
		g.add(scenario.Step{Verb: scenario.Drift, A: pick(g.d, "drift node", nodes...), Rate: rate})
	}
}
