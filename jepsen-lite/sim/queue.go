package sim

import (
	"container/heap"

	"github.com/rollcall-dev/rollcall/crdt"
)

// event is something that happens at a time. Events of one moment come in the
// order of a keyed hash, so that orders are explored and not fixed by accident.
type event struct {
	at   int64
	tie  uint64
	seq  uint64
	kind string
	a, b string
	run  func()
}

type queue []*event

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*event)) }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.tie != b.tie {
		return a.tie < b.tie
	}
	return a.seq < b.seq
}

func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// later puts an event in the queue.
func (c *Cluster) later(delay int64, kind, a, b string, run func()) {
	c.events++
	heap.Push(&c.queue, &event{
		at: c.now + max(delay, 0), tie: c.draw("tie "+kind, a, b), seq: c.events, kind: kind, a: a, b: b, run: run,
	})
}

// source says what a decision is about.
type source struct{ kind, a, b string }

// draw returns 64 random bits for a decision: a hash of the seed, of what is
// decided and of how often it was decided before.
func (c *Cluster) draw(kind, a, b string) uint64 {
	s := source{kind, a, b}
	n := c.drawn[s]
	c.drawn[s] = n + 1
	k := crdt.Key{}
	base, ok := c.bases[s]
	if !ok {
		base = k.Hash(k.Hash(c.scenario.Seed, k.HashString(kind)), k.Hash(k.HashString(a), k.HashString(b)))
		c.bases[s] = base
	}
	return k.Hash(base, n)
}

// chance draws whether something of a probability happens.
func (c *Cluster) chance(p float64, kind, a, b string) bool {
	return p > 0 && float64(c.draw(kind, a, b)>>11)/(1<<53) < p
}

// between draws a time from low to high, in nanoseconds.
func (c *Cluster) between(low, high int64, kind, a, b string) int64 {
	if high <= low {
		return low
	}
	return low + int64(c.draw(kind, a, b)%uint64(high-low+1))
}

// trace is a running hash of everything that happened.
type trace struct {
	hash  uint64
	steps int
	marks []uint64 // the hash after each step, kept only when asked for
	keep  bool
}

func (t *trace) fold(words ...uint64) {
	for _, w := range words {
		t.hash = crdt.Key{}.Hash(t.hash, w)
	}
}

func (t *trace) step(e *event) {
	k := crdt.Key{}
	t.steps++
	t.fold(uint64(e.at), k.HashString(e.kind), k.HashString(e.a), k.HashString(e.b))
	if t.keep {
		t.marks = append(t.marks, t.hash)
	}
}
