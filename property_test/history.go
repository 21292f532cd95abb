package propertytest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// action is what a step of a history does.
type action uint8

const (
	operate action = iota // replica to does op
	join                  // replica to merges the state of replica from
	deliver               // the delta of operation id comes to replica to
)

// step is one step of a history. An operation keeps its id when others are left
// out, so that deliveries find their delta.
type step[Op any] struct {
	do       action
	to, from int
	id       int
	op       Op
}

// past is what some replicas did. Replaying it gives the same states each time,
// so a law can hold states that were used against twins that were not.
type past[Op any] struct {
	replicas int
	steps    []step[Op]
}

// world is what came of a history.
type world[S, Op, D any] struct {
	ty     *Type[S, Op, D]
	states []S
	seen   []map[int]bool // by replica: the operations that it has seen
	events []Event[Op]    // in the order in which they were made
	deltas map[int]D
	maker  map[int]int
}

func replicaName(i int) string { return string(rune('a' + i)) }

func newWorld[S, Op, D any](ty *Type[S, Op, D], replicas int) *world[S, Op, D] {
	w := &world[S, Op, D]{ty: ty, deltas: map[int]D{}, maker: map[int]int{}}
	for i := range replicas {
		w.states = append(w.states, ty.New(replicaName(i)))
		w.seen = append(w.seen, map[int]bool{})
	}
	return w
}

// replay does a history.
func replay[S, Op, D any](ty *Type[S, Op, D], h past[Op]) *world[S, Op, D] {
	w := newWorld(ty, h.replicas)
	for _, s := range h.steps {
		w.play(s)
	}
	return w
}

// play does one step. A delivery of a delta that was never made does nothing.
func (w *world[S, Op, D]) play(s step[Op]) {
	switch s.do {
	case operate:
		saw := map[int]bool{}
		for id := range w.seen[s.to] {
			saw[id] = true
		}
		w.events = append(w.events, Event[Op]{Replica: replicaName(s.to), Op: s.op, ID: s.id, past: w.visible(s.to), saw: saw})
		w.states[s.to], w.deltas[s.id] = w.ty.Apply(w.states[s.to], s.op)
		w.maker[s.id] = s.to
		w.seen[s.to][s.id] = true
	case join:
		w.states[s.to] = w.ty.Merge(w.states[s.to], w.states[s.from])
		for id := range w.seen[s.from] {
			w.seen[s.to][id] = true
		}
	case deliver:
		d, made := w.deltas[s.id]
		if !made {
			return
		}
		next, err := w.ty.MergeDelta(w.states[s.to], d)
		if err != nil {
			return
		}
		w.states[s.to] = next
		w.seen[s.to][s.id] = true
	}
}

// visible returns the operations that a replica has seen, in the order in which
// they were made.
func (w *world[S, Op, D]) visible(replica int) []Event[Op] {
	var seen []Event[Op]
	for _, e := range w.events {
		if w.seen[replica][e.ID] {
			seen = append(seen, e)
		}
	}
	return seen
}

// ids returns the operations in the order in which they were made.
func (w *world[S, Op, D]) ids() []int {
	ids := make([]int, len(w.events))
	for i, e := range w.events {
		ids[i] = e.ID
	}
	return ids
}

// Sizes of histories. Most faults need three replicas and a handful of steps; a
// few need a state that has grown.
const (
	minReplicas = 3
	maxReplicas = 4
	minSteps    = 3
	maxSteps    = 40
)

// drawHistory draws a history with a network that falls apart and heals: merges
// and deliveries happen only where the network lets them.
func drawHistory[S, Op, D any](t *rapid.T, ty *Type[S, Op, D]) past[Op] {
	h := past[Op]{replicas: minReplicas + fair(t, maxReplicas-minReplicas+1, "replicas")}
	w := newWorld(ty, h.replicas)
	side := make([]int, h.replicas)
	pick := func(n int, what string) int { return fair(t, n, what) }
	for range minSteps + pick(maxSteps-minSteps+1, "steps") {
		s := step[Op]{to: pick(h.replicas, "to"), id: len(h.steps)}
		switch k := pick(16, "kind"); {
		case k < 7 || len(w.events) == 0:
			s.do, s.op = operate, ty.Gen(t, w.states[s.to])
		case k < 11 || ty.MergeDelta == nil && k < 15:
			s.do, s.from = join, pick(h.replicas, "from")
			if side[s.to] != side[s.from] || s.to == s.from {
				continue
			}
		case k < 15:
			s.do, s.id = deliver, w.events[pick(len(w.events), "delta")].ID
			if side[s.to] != side[w.maker[s.id]] {
				continue
			}
		default: // a netsplit, or its end
			for i := range side {
				side[i] = pick(2, "side")
			}
			continue
		}
		w.play(s)
		h.steps = append(h.steps, s)
	}
	return h
}

// shrink leaves steps out of a history for as long as it still fails.
func (h past[Op]) shrink(fails func(past[Op]) bool) past[Op] {
	for size := len(h.steps); size > 0; {
		smaller := false
		for from := 0; from+size <= len(h.steps); {
			less := past[Op]{h.replicas, slices.Delete(slices.Clone(h.steps), from, from+size)}
			if fails(less) {
				h, smaller = less, true
				continue
			}
			from++
		}
		if !smaller || size > len(h.steps) {
			size = min(size/2, len(h.steps))
		}
	}
	for h.replicas > 1 && h.uses() < h.replicas && fails(past[Op]{h.replicas - 1, h.steps}) {
		h.replicas--
	}
	return h
}

// uses returns one more than the last replica that has a part in the history.
func (h past[Op]) uses() int {
	n := 0
	for _, s := range h.steps {
		n = max(n, s.to+1, s.from+1)
	}
	return n
}

// lines returns the history for people, a line for each step.
func (h past[Op]) lines() []string {
	number := map[int]int{}
	var lines []string
	for i, s := range h.steps {
		text := ""
		switch s.do {
		case operate:
			number[s.id] = i + 1
			text = fmt.Sprintf("%s does %v", replicaName(s.to), describe(s.op))
		case join:
			text = fmt.Sprintf("%s merges %s", replicaName(s.to), replicaName(s.from))
		case deliver:
			text = fmt.Sprintf("%s gets the delta of step %d", replicaName(s.to), number[s.id])
		}
		lines = append(lines, fmt.Sprintf("%2d. %s", i+1, text))
	}
	return lines
}

// describe returns an operation in one line.
func describe(op any) string {
	text := fmt.Sprintf("%+v", op)
	if s, ok := op.(fmt.Stringer); ok {
		text = s.String()
	}
	return strings.ReplaceAll(text, "\n", " ")
}
