package nemesis

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Most nodes that Enumerate takes.
const maxEnumerated = 4

// Enumerate yields every schedule of depth steps or fewer on some nodes, the
// short ones first, that is not plainly the same as another one. A step is a
// registration of one of two names, a join, an exit, a cut of a link, a one-way
// cut, an isolation, a heal, a kill, a start or a pause. Each scenario ends with a
// heal, and then all that runs must agree.
//
// Left out are steps that change nothing, such as a heal with nothing cut or a
// start of a live node; schedules that are others with nodes or names renamed;
// those that are others with two independent steps in another order; those in
// which no client does anything; and those whose last step only the heal after it
// answers to.
//
// How far apart the steps are is drawn from the schedule: all before anybody can
// notice a fault, all after, or in between.
func Enumerate(nodes, depth int) iter.Seq[*scenario.Scenario] {
	return func(yield func(*scenario.Scenario) bool) {
		n := 0
		for length := 1; length <= depth; length++ {
			e := &enumerator{nodes: min(nodes, maxEnumerated), depth: length}
			going := e.walk(world{}, func(steps []move) bool {
				n++
				return yield(e.scenario(n, steps))
			})
			if !going {
				return
			}
		}
	}
}

// act is what a move does.
type act uint8

const (
	registerA act = iota
	registerB
	join
	exit
	kill
	start
	pause
	isolate
	cutLink
	oneWay
	healAll
	acts
)

// move is one step of a schedule: what is done, to one node or to two.
type move struct {
	act  act
	a, b uint8
}

// world is what a schedule has come to; small, so that it can be copied.
type world struct {
	seen   uint8 // nodes that were named
	dead   [maxEnumerated]bool
	holds  [maxEnumerated][3]bool // by node: a live process with name a, name b, the group
	closed [maxEnumerated][maxEnumerated]bool
	named  bool // name a is in use
	acted  bool
}

// enumerator walks the tree of schedules of one length.
type enumerator struct {
	nodes, depth int
	steps        []move
}

// walk visits every schedule below a world; it returns false when yield did.
func (e *enumerator) walk(w world, yield func([]move) bool) bool {
	if len(e.steps) == e.depth {
		last := e.steps[len(e.steps)-1].act
		return !w.acted || last >= pause || last == start || yield(e.steps)
	}
	for a := range acts {
		for i := range uint8(e.nodes) {
			for j := range uint8(e.nodes) {
				m := move{a, i, j}
				if !m.canonical() || !w.allows(m, e.nodes) || !e.ordered(m) {
					continue
				}
				e.steps = append(e.steps, m)
				going := e.walk(w.after(m, e.nodes), yield)
				e.steps = e.steps[:len(e.steps)-1]
				if !going {
					return false
				}
			}
		}
	}
	return true
}

// canonical reports whether a move is written in its one form.
func (m move) canonical() bool {
	switch m.act {
	case healAll:
		return m.a == 0 && m.b == 0
	case cutLink:
		return m.a < m.b
	case oneWay:
		return m.a != m.b
	}
	return m.b == 0
}

// names returns the nodes that a move names.
func (m move) names() []uint8 {
	switch m.act {
	case healAll:
		return nil
	case cutLink, oneWay:
		return []uint8{m.a, m.b}
	}
	return []uint8{m.a}
}

// allows reports whether a move changes something, and names nodes in the order
// in which they first appear.
func (w *world) allows(m move, nodes int) bool {
	seen := w.seen
	for _, n := range m.names() {
		if n > seen {
			return false
		}
		seen = max(seen, n+1)
	}
	switch m.act {
	case registerA, join:
		return !w.dead[m.a] && !w.holds[m.a][m.key()]
	case registerB:
		return w.named && !w.dead[m.a] && !w.holds[m.a][m.key()]
	case exit:
		return w.holds[m.a] != [3]bool{}
	case kill, pause:
		return !w.dead[m.a]
	case start:
		return w.dead[m.a]
	case cutLink:
		return !w.closed[m.a][m.b] || !w.closed[m.b][m.a]
	case oneWay:
		return !w.closed[m.a][m.b] && !w.closed[m.b][m.a]
	case isolate:
		for n := range nodes {
			if uint8(n) != m.a && (!w.closed[m.a][n] || !w.closed[n][m.a]) {
				return nodes > 2
			}
		}
		return false
	}
	return w.closed != [maxEnumerated][maxEnumerated]bool{}
}

// key returns which of a node's holdings a move is about.
func (m move) key() int {
	switch m.act {
	case registerB:
		return 1
	case join:
		return 2
	}
	return 0
}

// after returns the world after a move.
func (w world) after(m move, nodes int) world {
	for _, n := range m.names() {
		w.seen = max(w.seen, n+1)
	}
	switch m.act {
	case registerA, registerB, join:
		w.holds[m.a][m.key()] = true
		w.acted = true
		w.named = w.named || m.act == registerA
	case exit:
		w.holds[m.a] = [3]bool{}
	case kill:
		w.dead[m.a], w.holds[m.a] = true, [3]bool{}
	case start:
		w.dead[m.a] = false
	case cutLink:
		w.closed[m.a][m.b], w.closed[m.b][m.a] = true, true
	case oneWay:
		w.closed[m.a][m.b] = true
	case isolate:
		for n := range nodes {
			if uint8(n) != m.a {
				w.closed[m.a][n], w.closed[n][m.a] = true, true
			}
		}
	case healAll:
		w.closed = [maxEnumerated][maxEnumerated]bool{}
	}
	return w
}

// ordered reports whether a move may follow the last one: of two that are
// independent, the lesser comes first.
func (e *enumerator) ordered(m move) bool {
	if len(e.steps) == 0 {
		return true
	}
	last := e.steps[len(e.steps)-1]
	if !independent(last, m) {
		return true
	}
	return last.act < m.act || last.act == m.act && (last.a < m.a || last.a == m.a && last.b < m.b)
}

// independent reports whether two moves come to the same in either order: two
// faults of the network, clients' operations on different names, and faults of a
// node beside those of other nodes and of links that are not its own.
func independent(x, y move) bool {
	network := func(m move) bool { return m.act == isolate || m.act == cutLink || m.act == oneWay }
	client := func(m move) bool { return m.act <= join }
	node := func(m move) bool { return m.act == kill || m.act == start || m.act == pause }
	apart := !slices.ContainsFunc(x.names(), func(n uint8) bool { return slices.Contains(y.names(), n) })
	switch {
	case network(x) && network(y):
		return true
	case client(x) && client(y):
		return x.key() != y.key()
	case node(x) && node(y), node(x) && network(y), network(x) && node(y):
		return apart
	case client(x) && node(y), node(x) && client(y):
		return apart && (x.act == join || y.act == join)
	}
	return false
}

// Paces of a schedule: before anybody notices, in between, after detection.
func paces() []time.Duration {
	return []time.Duration{200 * time.Millisecond, 4 * time.Second, 11 * time.Second}
}

// scenario writes a schedule.
func (e *enumerator) scenario(number int, steps []move) *scenario.Scenario {
	s := &scenario.Scenario{
		Name: fmt.Sprintf("exhaust-%d-%d-%d", e.nodes, e.depth, number), Seed: scenario.DefaultSeed,
		Limit: scenario.DefaultLimit, Policy: "last-writer", Net: scenario.Net{Low: time.Millisecond, High: 5 * time.Millisecond},
	}
	for i := range e.nodes {
		s.Nodes = append(s.Nodes, nodeName(i))
	}
	draw := uint64(0)
	for _, m := range steps {
		draw = mix(draw ^ uint64(m.act)<<16 ^ uint64(m.a)<<8 ^ uint64(m.b))
	}
	pace := paces()[draw%uint64(len(paces()))]
	at, c := 2*time.Second, cast{live: make([][]string, e.nodes)}
	for _, m := range steps {
		s.Steps = append(s.Steps, m.steps(at, pace, &c)...)
		if at += pace; m.act <= exit {
			at += min(pace, 300*time.Millisecond) - pace
		}
	}
	s.Steps = append(s.Steps, scenario.Step{At: at + pace, Verb: scenario.Heal})
	s.Expects = []scenario.Expect{{Subject: scenario.Converged, Within: CoreWithin}}
	return s
}

// cast is the processes of a schedule.
type cast struct {
	made int
	live [][]string // by node
}

// steps returns a move as steps of a scenario. Each registration and join is by a
// process of its own; an exit ends all of a node.
func (m move) steps(at, pace time.Duration, c *cast) []scenario.Step {
	a, b := nodeName(int(m.a)), nodeName(int(m.b))
	s := scenario.Step{At: at, A: a}
	switch m.act {
	case registerA, registerB, join:
		c.made++
		p := fmt.Sprintf("p%d", c.made)
		c.live[m.a] = append(c.live[m.a], p)
		s = scenario.Step{At: at, Node: a, Verb: scenario.Register, Key: []string{"a", "b", "g"}[m.key()], Process: p}
		if m.act == join {
			s.Verb = scenario.Join
		}
	case exit:
		var all []scenario.Step
		for _, p := range c.live[m.a] {
			all = append(all, scenario.Step{At: at, Node: a, Verb: scenario.Exit, Process: p})
		}
		c.live[m.a] = nil
		return all
	case kill:
		s.Verb = scenario.Kill
		c.live[m.a] = nil
	case start:
		s.Verb = scenario.Start
	case pause:
		s.Verb, s.For = scenario.Pause, max(pace, time.Second)
	case isolate:
		s.Verb = scenario.Isolate
	case cutLink:
		s.Verb, s.B = scenario.Cut, b
	case oneWay:
		s.Verb, s.B = scenario.OneWay, b
	case healAll:
		return []scenario.Step{{At: at, Verb: scenario.Heal}}
	}
	return []scenario.Step{s}
}
