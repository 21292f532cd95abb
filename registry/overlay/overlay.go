package overlay

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Op is what a message between two nodes says about their neighborship.
type Op uint8

const (
	// Ask asks to become neighbors. A node that has enough says No.
	Ask Op = iota
	// AskUrgently asks on behalf of a node that has too few; it is not refused.
	AskUrgently
	// Yes says that the two are neighbors.
	Yes
	// No refuses.
	No
	// Leave ends the neighborship.
	Leave
	// Ops is the number of ops.
	Ops
)

// Message is an op for a peer.
type Message[P comparable] struct {
	To P
	Op Op
}

const (
	// Degree is the number of neighbors that a node wants. With five a random graph
	// of ten thousand nodes stays in one piece while one in ten is dead.
	Degree = 5
	// Most is the number of neighbors that a node accepts.
	Most = Degree + 2
	// Few is the number below which a node does not take No for an answer.
	Few = 3

	// patience is how long an answer is waited for.
	patience = int64(time.Second)
	// calm is how often a node asks that has few enough to want more, and enough
	// to live with.
	calm = int64(5 * time.Second)
	// mostAtOnce bounds how unlikely a link is pruned: one chance in that many.

)

// Overlay is one node's neighbors. The zero value is not usable; use New.
//
// Invariant: neighbors and asked are among links, and disjoint.
type Overlay[P comparable] struct {
	rng       *rand.Rand
	on        bool
	links     []P
	neighbors []neighbor[P]
	asked     []asked[P]
	restUntil int64 // no calm asking before this time
	out       []Message[P]
	met       uint32 // neighbors so far
}

type neighbor[P comparable] struct {
	peer P
	id   uint32 // no other neighborship of this node has it
}

type asked[P comparable] struct {
	peer P
	at   int64
}

// New returns the overlay of a node without links. It draws from rng.
func New[P comparable](rng *rand.Rand) *Overlay[P] { return &Overlay[P]{rng: rng} }

// Up says that a link to a peer is there. Down says that it is gone, and the
// neighborship with it.
func (o *Overlay[P]) Up(p P) {
	if !slices.Contains(o.links, p) {
		o.links = append(o.links, p)
	}
}

// Down says that the link to a peer is gone.
func (o *Overlay[P]) Down(p P) {
	if i := slices.Index(o.links, p); i >= 0 {
		last := len(o.links) - 1
		o.links[i] = o.links[last]
		o.links = o.links[:last]
	}
	o.unask(p)
	o.drop(p)
}

// Switch turns the search for neighbors on or off. Turned off, a node parts from
// the neighbors that it has.
func (o *Overlay[P]) Switch(on bool) {
	if o.on == on {
		return
	}
	o.on = on
	if on {
		return
	}
	for _, n := range o.neighbors {
		o.send(n.peer, Leave)
	}
	o.neighbors, o.asked = nil, nil
}

// On reports whether neighbors are sought.
func (o *Overlay[P]) On() bool { return o.on }

// Tick asks for the neighbors that are missing. It is to be called about every
// 100 ms; now is in nanoseconds.
func (o *Overlay[P]) Tick(now int64) {
	o.asked = slices.DeleteFunc(o.asked, func(a asked[P]) bool { return now-a.at > patience })
	missing := Degree - len(o.neighbors) - len(o.asked)
	if !o.on || missing <= 0 {
		return
	}
	op := Ask
	if len(o.neighbors) < Few {
		op = AskUrgently
	} else if now < o.restUntil {
		return
	}
	o.restUntil = now + calm
	for range missing {
		if p, ok := o.stranger(); ok {
			o.asked = append(o.asked, asked[P]{p, now})
			o.send(p, op)
		}
	}
}

// stranger picks a link to a peer that is no neighbor and was not asked.
func (o *Overlay[P]) stranger() (p P, ok bool) {
	if len(o.links) == 0 {
		return p, false
	}
	for range 8 {
		p = o.links[o.rng.IntN(len(o.links))]
		if o.find(p) < 0 && !slices.ContainsFunc(o.asked, func(a asked[P]) bool { return a.peer == p }) {
			return p, true
		}
	}
	return p, false
}

// Receive takes in what a peer says.
func (o *Overlay[P]) Receive(from P, op Op) {
	if !slices.Contains(o.links, from) {
		return
	}
	switch op {
	case Ask, AskUrgently:
		o.onAsk(from, op)
	case Yes:
		o.unask(from)
		if o.find(from) < 0 && !o.accept(from, len(o.neighbors) < Few) {
			o.send(from, Leave)
		}
	case No:
		o.unask(from)
	case Leave:
		o.drop(from)
	}
}

func (o *Overlay[P]) onAsk(from P, op Op) {
	if o.find(from) < 0 && !o.accept(from, op == AskUrgently) {
		o.send(from, No)
		return
	}
	o.unask(from) // both may ask at once
	o.send(from, Yes)
}

// accept makes a peer a neighbor, if there is room; for an urgent one room is
// made.
func (o *Overlay[P]) accept(p P, urgent bool) bool {
	if len(o.neighbors) >= Most {
		if !urgent {
			return false
		}
		out := o.neighbors[o.rng.IntN(len(o.neighbors))].peer
		o.drop(out)
		o.send(out, Leave)
	}
	o.met++
	o.neighbors = append(o.neighbors, neighbor[P]{p, o.met})
	return true
}

// Stray says that a peer that is no neighbor takes this node for one: it is told.
func (o *Overlay[P]) Stray(p P) { o.send(p, Leave) }

// Neighbors returns how many neighbors the node has.
func (o *Overlay[P]) Neighbors() int { return len(o.neighbors) }

// Has reports whether a peer is a neighbor.
func (o *Overlay[P]) Has(p P) bool { return o.find(p) >= 0 }

// Take returns what is to be sent, and forgets it.
func (o *Overlay[P]) Take() []Message[P] {
	out := o.out
	o.out = nil
	return out
}

func (o *Overlay[P]) send(p P, op Op) { o.out = append(o.out, Message[P]{p, op}) }

func (o *Overlay[P]) find(p P) int {
	return slices.IndexFunc(o.neighbors, func(n neighbor[P]) bool { return n.peer == p })
}

func (o *Overlay[P]) drop(p P) {
	if i := o.find(p); i >= 0 {
		o.neighbors = slices.Delete(o.neighbors, i, i+1)
	}
}

func (o *Overlay[P]) unask(p P) {
	o.asked = slices.DeleteFunc(o.asked, func(a asked[P]) bool { return a.peer == p })
}
