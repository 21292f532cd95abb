package nemesis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// coreLeast is the number of nodes that the core has at least, if there are as
// many: one alone has nobody to agree with.
const coreLeast = 2

// CoreWithin is the time in which the core of a generated scenario must agree.
const CoreWithin = 10 * time.Second

// Generate makes a scenario from a seed. It has three parts: what DrawSwarm drew;
// 20 to 60 virtual seconds of clients' operations on few names and groups, with
// faults and mends between them, or one fault or two that last and few operations;
// and the core phase, in which a part of the nodes, two at least, is started, joined
// and freed of all faults, while the rest stays dead or cut off for ever. The core
// must agree within CoreWithin.
func Generate(seed uint64, o Options) *scenario.Scenario {
	w := DrawSwarm(seed, o)
	g := &generator{
		d: newDice(mix(seed)), w: w, up: map[string]bool{}, procs: map[string][]string{}, turns: map[string]scenario.Step{},
		s: &scenario.Scenario{
			Name: fmt.Sprintf("%s-%d", w.Profile, seed), Seed: seed, Limit: w.Length + 90*time.Second,
			Policy: w.Policy, Optimistic: w.Optimistic, Forget: w.Forget, Net: w.Net,
		},
	}
	for i := range w.Nodes {
		g.nodes = append(g.nodes, nodeName(i))
		g.up[nodeName(i)] = true
	}
	g.s.Nodes = slices.Clone(g.nodes)
	all, schedule := kinds(), g.chaos
	if w.Lasting {
		all, schedule = stays(), g.stretches
	}
	for _, k := range all {
		if slices.Contains(w.Faults, k.name) {
			g.kinds = append(g.kinds, weighted[kind]{k.weight, k})
		}
	}
	schedule()
	g.core()
	return asWritten(g.s)
}

// asWritten returns the scenario as its file gives it back, so that the run of a
// scenario and that of its file are the same.
func asWritten(s *scenario.Scenario) *scenario.Scenario {
	slices.SortStableFunc(s.Steps, func(a, b scenario.Step) int { return int(a.At - b.At) })
	read, err := scenario.Parse(strings.NewReader(s.String()))
	if err != nil {
		panic("nemesis: a scenario that does not parse: " + err.Error() + "\n" + s.String())
	}
	return read
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

// generator makes one scenario.
//
// Invariant: nodes lists every node that was ever started, and up those that run
// by the steps so far; pauses end before the core phase.
type generator struct {
	d     *dice
	w     Swarm
	s     *scenario.Scenario
	nodes []string
	up    map[string]bool
	procs map[string][]string // processes that were made on the present run of a node
	serial,
	value int
	kinds []weighted[kind]
	at    time.Duration
	held  [][2]string // links that hold frames back
	// turns says who should hold each name, in a lasting schedule.
	turns map[string]scenario.Step
}

// step is the resolution of a schedule in time.
const step = 50 * time.Millisecond

// add appends a step at the present time.
func (g *generator) add(s scenario.Step) { g.addAt(g.at, s) }

func (g *generator) addAt(at time.Duration, s scenario.Step) {
	s.At = at
	g.s.Steps = append(g.s.Steps, s)
}

// alive returns the nodes that run, in order.
func (g *generator) alive() []string {
	return slices.DeleteFunc(slices.Clone(g.nodes), func(n string) bool { return !g.up[n] })
}

// chaos lays operations and faults beside each other.
func (g *generator) chaos() {
	operation, fault := 500*time.Millisecond, 2*time.Second
	for {
		g.at = min(operation, fault)
		if g.at >= g.w.Length {
			return
		}
		if operation <= fault {
			g.operate()
			operation += g.d.around("until operation", g.w.Every, step)
			continue
		}
		g.trouble()
		fault += g.d.around("until fault", g.w.Each, step)
		if g.w.Pauses && g.d.chance("quiet", 15) {
			fault += g.d.span("quiet time", 5*time.Second, 15*time.Second, time.Second)
		}
	}
}

// trouble adds a fault, or mends one.
func (g *generator) trouble() {
	if len(g.kinds) == 0 {
		return
	}
	if g.d.chance("mend", g.w.Heal) {
		g.mend()
		return
	}
	k := draw(g.d, "kind", g.kinds)
	k.make(g)
}

// core adds the last phase.
func (g *generator) core() {
	g.at = g.w.Length
	var core, rest []string
	for _, n := range shuffled(g.d, "core order", g.nodes) {
		if len(core) < coreLeast || g.d.chance("core", g.w.Core) {
			core = append(core, n)
		} else {
			rest = append(rest, n)
		}
	}
	slices.Sort(core)
	slices.Sort(rest)
	for _, n := range rest {
		if g.up[n] && g.d.chance("core kill", 50) {
			g.kill(n)
		}
	}
	for _, n := range core {
		if !g.up[n] {
			g.start(n)
		}
	}
	if g.w.Profile != Quiet {
		g.add(scenario.Step{Verb: scenario.Calm})
		g.join(core, rest)
	}
	if g.d.chance("core operations", 30) {
		for range g.d.from("core operations", 1, 5) {
			g.at += g.d.span("core operation", step, time.Second/2, step)
			g.operateOn(core)
		}
	}
	g.s.Expects = append(g.s.Expects, scenario.Expect{Subject: scenario.Converged, Within: CoreWithin})
	if g.w.Lasting && len(rest) == 0 {
		g.s.Expects = append(g.s.Expects, scenario.Expect{Subject: scenario.TrafficIs, Lo: g.budget()})
	}
}

// join opens every link inside of the core. The nodes of the rest that still run
// stay together, or each is alone, and sometimes the core still hears them.
func (g *generator) join(core, rest []string) {
	if len(rest) == 0 {
		g.add(scenario.Step{Verb: scenario.Heal})
		return
	}
	sides := [][]string{core}
	if g.d.chance("rest together", 50) {
		sides = append(sides, rest)
	}
	g.add(scenario.Step{Verb: scenario.Cut, Sides: sides})
}

// operate adds an operation of a client on any node that runs.
func (g *generator) operate() { g.operateOn(g.alive()) }

func (g *generator) operateOn(nodes []string) {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return !g.up[n] })
	if len(nodes) == 0 {
		return
	}
	s := scenario.Step{Node: pick(g.d, "node", nodes...)}
	if g.w.Lasting {
		g.turn(&s, nodes)
		g.add(s)
		return
	}
	s.Verb = draw(g.d, "verb", []weighted[scenario.Verb]{
		{30, scenario.Register}, {6, scenario.Reregister}, {8, scenario.Update}, {8, scenario.Unregister},
		{20, scenario.Join}, {10, scenario.Leave}, {10, scenario.Exit},
	})
	if g.w.Bulk && g.d.chance("bulk", 2) {
		s.Verb = scenario.Bulk
	}
	g.fill(&s)
	g.add(s)
}

// fill gives an operation its name or group, its process and its options.
func (g *generator) fill(s *scenario.Step) {
	s.Key = fmt.Sprintf("k%d", g.d.from("name", 1, g.w.Names))
	switch s.Verb {
	case scenario.Register, scenario.Reregister:
		s.Process = g.process(s.Node, 60)
		s.Mode = pick(g.d, "mode", "", "", "", "optimistic", "arbitrated")
		if g.w.Policy == "priority" || g.d.chance("priority on", 10) {
			s.Priority = int64(g.d.from("priority", -2, 5))
		}
		g.valued(s, 50)
	case scenario.Update:
		g.valued(s, 100)
	case scenario.Unregister:
	case scenario.Join, scenario.Leave:
		s.Key = fmt.Sprintf("g%d", g.d.from("group", 1, g.w.Groups))
		s.Process = g.process(s.Node, 30)
		if s.Verb == scenario.Join {
			g.valued(s, 30)
		}
	case scenario.Exit:
		s.Key = ""
		s.Process = g.process(s.Node, 0)
		g.procs[s.Node] = slices.DeleteFunc(g.procs[s.Node], func(p string) bool { return p == s.Process })
	case scenario.Bulk:
		g.serial++
		s.Key, s.Process, s.Mode = fmt.Sprintf("b%d/", g.serial), fmt.Sprintf("p%d", g.serial), "optimistic"
		s.Lo, s.Hi = 1, g.d.from("bulk size", 50, 300)
	}
}

func (g *generator) valued(s *scenario.Step, percent int) {
	if g.d.chance("value on", percent) {
		g.value++
		s.Value, s.HasVal = fmt.Sprintf("v%d", g.value), true
	}
}

// process returns a process of a node: a new one with some probability, else one
// that was made before and may have ended since.
func (g *generator) process(node string, fresh int) string {
	if known := g.procs[node]; len(known) > 0 && !g.d.chance("fresh", fresh) {
		return pick(g.d, "process", known...)
	}
	g.serial++
	name := fmt.Sprintf("p%d", g.serial)
	g.procs[node] = append(g.procs[node], name)
	return name
}
