package crdt

import (
	"fmt"
	"iter"
	"slices"
)

// Addition is an element at the dot of the event that added it. Two additions
// of one element have different dots.
type Addition[E comparable] struct {
	Dot     Dot
	Element E
}

// Delta is a part of an ORSet's state: the additions that are live in it, and
// the context, which is the dots that it speaks of. A dot in the context without
// an addition says that the addition was seen and removed. The whole state is a
// delta too. (Almeida, Shoker, Baquero, arXiv 1603.01529, section 7.)
//
// The context of a delta is exactly the dots that it speaks of and never the
// sender's whole context. Counterexample: a set holds x at a:1 and y at a:2, and
// sends the addition of y with its whole context, {a:1-2}. A receiver that has
// not got x yet reads that a:1 was seen and is not there: removed. When x comes,
// it is ignored.
//
// A Delta is a value that does not change; it may be merged any number of times,
// anywhere, and shared. The zero Delta says nothing.
//
// Invariant: live is strictly sorted by dot and every dot of it is in seen.
type Delta[E comparable] struct {
	live []Addition[E]
	seen Context
}

// Change is what a merge changed in a set, element by element: those that were
// not in the set before and are now, and those that were and are not. An element
// that merely came to another dot is in neither. Added is in the order of the
// elements' first dots, Removed in the order of the first dots they had.
type Change[E comparable] struct {
	Added, Removed []E
}

// IsEmpty reports whether nothing changed.
func (c Change[E]) IsEmpty() bool { return len(c.Added) == 0 && len(c.Removed) == 0 }

// NewDelta returns the delta of live additions and a context, which decoders
// use. The delta takes both over: the caller must not use them any more. It
// returns ErrDelta if the additions are not strictly sorted by dot, if one has a
// dot outside the context, as it would be live and yet unseen, or if an element
// does not equal itself.
func NewDelta[E comparable](live []Addition[E], seen Context) (Delta[E], error) {
	for i := range live {
		d := live[i].Dot
		if i > 0 && live[i-1].Dot.Compare(d) >= 0 {
			return Delta[E]{}, fmt.Errorf("%w: addition %s is out of order", ErrDelta, d)
		}
		if !seen.Has(d) {
			return Delta[E]{}, fmt.Errorf("%w: addition %s is outside the context", ErrDelta, d)
		}
		if e := live[i].Element; e != e {
			return Delta[E]{}, fmt.Errorf("%w: addition %s does not equal itself", ErrDelta, d)
		}
	}
	return Delta[E]{live: live, seen: seen}, nil
}

// All returns the live additions in the order of their dots.
func (d Delta[E]) All() iter.Seq2[Dot, E] {
	return func(yield func(Dot, E) bool) {
		for i := range d.live {
			if !yield(d.live[i].Dot, d.live[i].Element) {
				return
			}
		}
	}
}

// Len returns the number of live additions. An element that was added
// concurrently by several replicas counts once for each.
func (d Delta[E]) Len() int { return len(d.live) }

// Context returns the dots that the delta speaks of. It is shared and must not
// be changed.
func (d Delta[E]) Context() *Context { return &d.seen }

// IsEmpty reports whether the delta says nothing, so that merging it changes
// nothing anywhere.
func (d Delta[E]) IsEmpty() bool { return d.seen.IsEmpty() }

// Equal reports whether d and o say the same.
func (d Delta[E]) Equal(o Delta[E]) bool {
	return slices.Equal(d.live, o.live) && d.seen.Equal(&o.seen)
}

// Join returns the delta that says what d and o say together: merging it is
// merging both. A sender joins the deltas that it holds back into one.
//
// An addition is live in the join if it is live in both, or live in one and not
// seen by the other: (s ∩ s') ∪ (s \ c') ∪ (s' \ c).
func (d Delta[E]) Join(o Delta[E]) Delta[E] {
	out := Delta[E]{
		live: make([]Addition[E], 0, len(d.live)+len(o.live)),
		seen: d.seen.Clone(),
	}
	out.seen.Merge(&o.seen)
	i, j := 0, 0
	for i < len(d.live) || j < len(o.live) {
		switch order := d.compareAt(i, o, j); {
		case order == 0:
			out.live = append(out.live, d.live[i])
			i++
			j++
		case order < 0:
			if !o.seen.Has(d.live[i].Dot) {
				out.live = append(out.live, d.live[i])
			}
			i++
		default:
			if !d.seen.Has(o.live[j].Dot) {
				out.live = append(out.live, o.live[j])
			}
			j++
		}
	}
	return out
}

// compareAt orders d.live[i] and o.live[j]; what lies past the end comes last.
func (d Delta[E]) compareAt(i int, o Delta[E], j int) int {
	switch {
	case i == len(d.live):
		return 1
	case j == len(o.live):
		return -1
	}
	return d.live[i].Dot.Compare(o.live[j].Dot)
}

// has reports whether the addition at dot is live in the delta.
func (d Delta[E]) has(dot Dot) bool {
	_, ok := slices.BinarySearchFunc(d.live, dot, func(a Addition[E], dot Dot) int {
		return a.Dot.Compare(dot)
	})
	return ok
}
