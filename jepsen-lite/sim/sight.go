package sim

import (
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// sight is a run as the goals and the distributions look at it.
type sight struct {
	j   *Judged
	seg []segment
	// longest is for how long situations lasted at most.
	longest durations

	backForgotten bool
	diedUntold    bool
	heldApart     bool
	// double is for how long two processes or more held a name, each time.
	double []time.Duration
}

type durations struct{ apart, indirect, half, paused int64 }

// segment is a stretch of time in which the topology stays as it is.
type segment struct {
	from, to int64
	nodes    []string
	run      map[string]int // of the nodes that are up
	paused   map[string]bool
	closed   map[history.Link]bool
	part     map[string]int // of the nodes that are up: which nodes reach each other
}

// look reads a run.
func look(j *Judged) *sight {
	s := &sight{j: j}
	s.cut()
	s.measure()
	s.believe()
	return s
}

// cut divides the run into segments.
func (s *sight) cut() {
	now := segment{run: map[string]int{}, paused: map[string]bool{}, closed: map[history.Link]bool{}}
	for i := range s.records() {
		r := &s.records()[i]
		before := now
		switch r.F {
		case history.NodeUp:
			now = now.copied()
			now.run[r.Node] = r.Run
			if !slices.Contains(now.nodes, r.Node) {
				now.nodes = append(slices.Clone(now.nodes), r.Node)
			}
		case history.NodeDown:
			now = now.copied()
			delete(now.run, r.Node)
			delete(now.paused, r.Node)
		case history.Pause, history.Resume:
			now = now.copied()
			if now.paused[r.Node] = r.F == history.Pause; r.F == history.Resume {
				delete(now.paused, r.Node)
			}
		case history.Cut, history.Heal, history.OneWay:
			if r.Type != history.Ok {
				continue
			}
			now = now.copied()
			now.closed = map[history.Link]bool{}
			for _, l := range r.Closed {
				now.closed[l] = true
			}
		default:
			continue
		}
		s.push(before, r.At)
		now.from = r.At
	}
	s.push(now, int64(s.j.Result.Virtual))
}

func (s *sight) push(g segment, to int64) {
	if to > g.from || len(s.seg) == 0 {
		g.to = to
		g.part = g.parts()
		s.seg = append(s.seg, g)
	}
}

func (g segment) copied() segment {
	run, paused := map[string]int{}, map[string]bool{}
	for k, v := range g.run { // into a map, so in any order
		run[k] = v
	}
	for k, v := range g.paused { // into a map, so in any order
		paused[k] = v
	}
	g.run, g.paused = run, paused
	return g
}

// open reports whether two nodes are up and linked both ways.
func (g segment) open(a, b string) bool {
	return g.run[a] > 0 && g.run[b] > 0 && !g.paused[a] && !g.paused[b] &&
		!g.closed[history.Link{From: a, To: b}] && !g.closed[history.Link{From: b, To: a}]
}

func (g segment) parts() map[string]int {
	part := map[string]int{}
	for i, n := range g.nodes {
		if _, seen := part[n]; seen || g.run[n] == 0 {
			continue
		}
		part[n] = i
		for queue := []string{n}; len(queue) > 0; queue = queue[1:] {
			for _, other := range g.nodes {
				if _, seen := part[other]; !seen && g.open(queue[0], other) {
					part[other] = i
					queue = append(queue, other)
				}
			}
		}
	}
	return part
}

// at returns the segment of a time.
func (s *sight) at(t int64) segment {
	for _, g := range s.seg {
		if t < g.to {
			return g
		}
	}
	return s.seg[len(s.seg)-1]
}

// alone reports whether a node was cut off from another one that ran.
func (s *sight) alone(node string, t int64) bool {
	g := s.at(t)
	for _, other := range g.nodes {
		if g.run[other] > 0 && !g.paused[other] && g.part[other] != g.part[node] {
			return true
		}
	}
	return false
}

// measure finds how long situations of pairs lasted.
func (s *sight) measure() {
	nodes := s.seg[len(s.seg)-1].nodes
	for i, a := range nodes {
		var frozen int64
		for _, g := range s.seg {
			frozen = lasted(frozen, g, g.paused[a])
			s.longest.paused = max(s.longest.paused, frozen)
		}
		for _, b := range nodes[:i] {
			s.measurePair(a, b)
		}
	}
}

func (s *sight) measurePair(a, b string) {
	var apart, indirect, half int64
	runs := [2]int{}
	for _, g := range s.seg {
		if now := [2]int{g.run[a], g.run[b]}; now != runs {
			runs, apart, indirect, half = now, 0, 0, 0
		}
		up := g.run[a] > 0 && g.run[b] > 0 && !g.paused[a] && !g.paused[b]
		together := up && g.part[a] == g.part[b]
		forget := int64(s.j.Scenario.Forget)
		if together && forget > 0 && apart > forget+lasting {
			s.backForgotten = true
		}
		apart = lasted(apart, g, up && !together)
		indirect = lasted(indirect, g, together && !g.open(a, b))
		half = lasted(half, g, up && g.closed[history.Link{From: a, To: b}] != g.closed[history.Link{From: b, To: a}])
		s.longest.apart = max(s.longest.apart, apart)
		s.longest.indirect = max(s.longest.indirect, indirect)
		s.longest.half = max(s.longest.half, half)
	}
}

// lasted adds a segment to the time that a situation has lasted.
func lasted(so int64, g segment, on bool) int64 {
	if !on {
		return 0
	}
	return so + g.to - g.from
}

// belief is a process that was told that it holds a name.
type belief struct {
	process, node string
	since         int64
}

// believe follows who believes that it holds a name.
func (s *sight) believe() {
	holders, since := map[string][]belief{}, map[string]int64{}
	var names []string
	end := func(name string, at int64, process string) bool {
		list := holders[name]
		i := slices.IndexFunc(list, func(b belief) bool { return b.process == process })
		if i < 0 {
			return false
		}
		shared := len(list) >= 2
		if holders[name] = slices.Delete(list, i, i+1); len(list) == 2 {
			s.double = append(s.double, time.Duration(at-since[name]))
		}
		return shared
	}
	for i := range s.records() {
		r := &s.records()[i]
		switch {
		case r.Type == history.Ok && (r.F == history.Register || r.F == history.Reregister):
			if _, known := holders[r.Name]; !known {
				names = append(names, r.Name)
			}
			end(r.Name, r.At, r.Process)
			holders[r.Name] = append(holders[r.Name], belief{r.Process, r.Node, r.At})
			if len(holders[r.Name]) == 2 {
				since[r.Name] = r.At
			}
			s.heldApart = s.heldApart || s.apart(holders[r.Name], r.At)
		case r.F == history.Unregister && r.Type == history.Ok, r.F == history.Lost:
			end(r.Name, r.At, r.Process)
		case r.F == history.Exit:
			for _, name := range names {
				s.diedUntold = end(name, r.At, r.Process) || s.diedUntold
			}
		}
	}
}

// apart reports whether two holders cannot reach each other.
func (s *sight) apart(holders []belief, t int64) bool {
	if len(holders) < 2 {
		return false
	}
	g := s.at(t)
	for _, h := range holders[1:] {
		if g.part[h.node] != g.part[holders[0].node] {
			return true
		}
	}
	return false
}
