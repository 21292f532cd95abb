package crdt

import (
	"iter"
	"maps"
	"slices"
)

// ORSet is the optimised observed-remove set: any replica adds and removes any
// element, an add wins over a concurrent removal, and no tombstone is kept.
// (Bieniusa et al., arXiv 1210.3368, section 3; with deltas: Almeida, Shoker,
// Baquero, arXiv 1603.01529, section 7.)
//
// Each Add is an event with a dot. The set keeps the live dots of each element,
// and one context of all dots seen for the whole set. A removal takes away the
// dots that the remover sees: its delta has those dots as context and no
// addition. A dot that the remover had not seen is not touched by it, wherever
// the two meet, which is why the concurrent add wins. Memory grows with what is
// in the set and with the replicas, not with history.
//
// The mutators change the set at once and return the delta that tells the
// others. A delta may be lost, late, doubled or overtaken: to merge a state
// repairs all of that.
//
// An element must equal itself: a NaN cannot be found again to be removed.
//
// Invariant: elements and dots are inverse to each other; the dots of an element
// are strictly sorted and not empty; every live dot is in seen.
type ORSet[E comparable] struct {
	replica  Replica
	elements map[Dot]E
	dots     map[E][]Dot
	seen     Context
}

// NewORSet returns an empty set that mints the dots of replica. No other set may
// ever mint dots of the same replica: two events that share a dot pass for one,
// and one of the two is lost. A set of the zero Replica can merge and remove and
// not add.
func NewORSet[E comparable](replica Replica) *ORSet[E] {
	return &ORSet[E]{replica: replica, elements: map[Dot]E{}, dots: map[E][]Dot{}}
}

// Replica returns the replica whose dots the set mints.
func (s *ORSet[E]) Replica() Replica { return s.replica }

// Add adds the element at a new dot, which takes the place of the dots that the
// element had here. The delta has the new dot as its addition, and as its
// context the new dot and those it replaces. An element that is in the set
// already may be added again: that makes it survive the removals that have not
// arrived yet. Add panics on a set of the zero Replica.
func (s *ORSet[E]) Add(element E) Delta[E] {
	if s.replica.IsZero() {
		panic("crdt: Add on an ORSet of the zero Replica, which mints no dots")
	}
	d := s.Remove(element)
	dot := s.seen.Next(s.replica)
	s.seen.Add(dot)
	s.insert(dot, element)
	d.seen.Add(dot)
	d.live = []Addition[E]{{Dot: dot, Element: element}}
	return d
}

// Remove removes the element. The delta has no addition, and as its context the
// dots of the element that this replica sees and nothing else: an add of the
// element that has not arrived here is not covered and wins. Removing an element
// that is not in the set returns an empty delta.
func (s *ORSet[E]) Remove(element E) Delta[E] {
	var d Delta[E]
	for _, dot := range s.dots[element] {
		d.seen.Add(dot)
		delete(s.elements, dot)
	}
	delete(s.dots, element)
	return d
}

// Clear removes all elements that are in the set here. The delta's context is
// their dots, not all that were ever seen, so it grows with what is removed.
func (s *ORSet[E]) Clear() Delta[E] {
	var d Delta[E]
	for _, a := range s.additions() {
		d.seen.Add(a.Dot)
	}
	clear(s.elements)
	clear(s.dots)
	return d
}

// Merge joins a delta, which may be a state, and returns what changed. It keeps
// the live dots that the delta holds too or has not seen, and takes from the
// delta those that the set has not seen. The payload is stored and its dots are
// covered in one step: a dot that is covered and not stored is a removal.
//
// The work follows the size of the delta, not that of the set.
func (s *ORSet[E]) Merge(d Delta[E]) Change[E] {
	drop := s.droppedBy(d)
	take := s.unseen(d)
	var c Change[E]
	absent := make([]bool, len(take)) // whether the element was not in the set before
	for i, a := range take {
		absent[i] = len(s.dots[a.Element]) == 0
	}
	first := make([]bool, len(drop)) // whether the dot was the element's first before
	for i, a := range drop {
		first[i] = s.isFirst(a)
	}
	for _, a := range drop {
		s.erase(a.Dot, a.Element)
	}
	for _, a := range take {
		s.insert(a.Dot, a.Element)
	}
	s.seen.Merge(&d.seen)
	// All dots of an element that came or went are in take or in drop; the first
	// of them stands for the element, so that it is reported once.
	for i, a := range take {
		if absent[i] && s.isFirst(a) {
			c.Added = append(c.Added, a.Element)
		}
	}
	for i, a := range drop {
		if first[i] && len(s.dots[a.Element]) == 0 {
			c.Removed = append(c.Removed, a.Element)
		}
	}
	return c
}

// Contains reports whether the element is in the set.
func (s *ORSet[E]) Contains(element E) bool { return len(s.dots[element]) > 0 }

// Len returns the number of elements in the set.
func (s *ORSet[E]) Len() int { return len(s.dots) }

// All returns the elements in the order of their first dots, which is the same
// on all replicas that hold the same. It takes a sort; the set may change while
// the elements are walked, which see the set as it was at the start.
func (s *ORSet[E]) All() iter.Seq[E] {
	return func(yield func(E) bool) {
		firsts := make([]Addition[E], 0, len(s.dots))
		for element, dots := range s.dots { // in any order: sorted below
			firsts = append(firsts, Addition[E]{Dot: dots[0], Element: element})
		}
		sortAdditions(firsts)
		for _, a := range firsts {
			if !yield(a.Element) {
				return
			}
		}
	}
}

// State returns the full state as a delta. It shares nothing with the set.
func (s *ORSet[E]) State() Delta[E] {
	return Delta[E]{live: s.additions(), seen: s.seen.Clone()}
}

// Context returns all dots that the set has seen. It is shared: the caller must
// not change it, and it changes with the set.
func (s *ORSet[E]) Context() *Context { return &s.seen }

// Equal reports whether s and o hold the same dots and have seen the same ones,
// so that no delta can ever tell them apart. Whose dots they mint is left out.
func (s *ORSet[E]) Equal(o *ORSet[E]) bool {
	return maps.Equal(s.elements, o.elements) && s.seen.Equal(&o.seen)
}

// Clone returns a copy that shares nothing with s. Both mint the dots of the same
// replica, so only one of the two may go on adding.
func (s *ORSet[E]) Clone() *ORSet[E] {
	c := &ORSet[E]{
		replica:  s.replica,
		elements: maps.Clone(s.elements),
		dots:     make(map[E][]Dot, len(s.dots)),
		seen:     s.seen.Clone(),
	}
	for element, dots := range s.dots { // into a map: in any order
		c.dots[element] = slices.Clone(dots)
	}
	return c
}

// droppedBy returns the live additions that d has seen removed, in the order of
// their dots. It walks the dots of the delta or those of the set, whichever are
// fewer.
func (s *ORSet[E]) droppedBy(d Delta[E]) []Addition[E] {
	var drop []Addition[E]
	if d.seen.Len() > uint64(len(s.elements)) {
		for dot, element := range s.elements { // in any order: sorted below
			if d.seen.Has(dot) && !d.has(dot) {
				drop = append(drop, Addition[E]{Dot: dot, Element: element})
			}
		}
		sortAdditions(drop)
		return drop
	}
	for r, run := range d.seen.All() {
		for seq := run.Lo; seq <= run.Hi; seq++ {
			dot := Dot{Replica: r, Seq: seq}
			if element, ok := s.elements[dot]; ok && !d.has(dot) {
				drop = append(drop, Addition[E]{Dot: dot, Element: element})
			}
		}
	}
	return drop
}

// unseen returns the additions of d that the set has not seen, in the order of
// their dots.
func (s *ORSet[E]) unseen(d Delta[E]) []Addition[E] {
	var take []Addition[E]
	for _, a := range d.live {
		if !s.seen.Has(a.Dot) {
			take = append(take, a)
		}
	}
	return take
}

// additions returns the live additions in the order of their dots.
func (s *ORSet[E]) additions() []Addition[E] {
	all := make([]Addition[E], 0, len(s.elements))
	for dot, element := range s.elements { // in any order: sorted below
		all = append(all, Addition[E]{Dot: dot, Element: element})
	}
	sortAdditions(all)
	return all
}

// isFirst reports whether the addition is the first of its element's live ones.
func (s *ORSet[E]) isFirst(a Addition[E]) bool {
	dots := s.dots[a.Element]
	return len(dots) > 0 && dots[0] == a.Dot
}

func (s *ORSet[E]) insert(dot Dot, element E) {
	s.elements[dot] = element
	dots := s.dots[element]
	i, _ := slices.BinarySearchFunc(dots, dot, Dot.Compare)
	s.dots[element] = slices.Insert(dots, i, dot)
}

func (s *ORSet[E]) erase(dot Dot, element E) {
	delete(s.elements, dot)
	dots := s.dots[element]
	if len(dots) <= 1 {
		delete(s.dots, element)
		return
	}
	i, _ := slices.BinarySearchFunc(dots, dot, Dot.Compare)
	s.dots[element] = slices.Delete(dots, i, i+1)
}

func sortAdditions[E comparable](all []Addition[E]) {
	slices.SortFunc(all, func(a, b Addition[E]) int { return a.Dot.Compare(b.Dot) })
}
