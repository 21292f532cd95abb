package crdt

import (
	"iter"
	"maps"
	"slices"
)

// Owned is the owned form of the observed-remove set: every element belongs to
// the replica that added it, and only that replica removes it. In exchange the
// causal context is one counter for each replica, and a lost removal shows.
//
// It holds the same elements as an ORSet with the same history. (The form is the
// special case of Almeida, Shoker, Baquero, arXiv 1603.01529, in which each
// replica's events are a log; removals take dots too, as in DottedDB, SRDS 2017.)
//
// Invariant: logs has an entry for every replica of which a record or a state
// was merged.
type Owned[E any] struct {
	self Replica
	key  Key
	logs map[Replica]*Log[E]
}

// OwnedDelta is a run of consecutive records of one replica.
type OwnedDelta[E any] struct {
	Replica Replica
	Records []Record[E]
}

// OwnedState is all that a replica knows of another replica: everything that
// lives up to Version. It speaks for what its sender had seen and for no more.
type OwnedState[E any] struct {
	Replica Replica
	Version uint64
	Items   []Item[E]
}

// OwnedChange is what a merge changed, each part ascending by number.
type OwnedChange[E any] struct {
	Added, Removed []Item[E]
}

// NewOwned returns an empty set that belongs to self.
func NewOwned[E any](self Replica, key Key) *Owned[E] {
	o := &Owned[E]{self: self, key: key, logs: map[Replica]*Log[E]{}}
	o.log(self)
	return o
}

func (o *Owned[E]) log(r Replica) *Log[E] {
	l, ok := o.logs[r]
	if !ok {
		l = NewLog[E](r, o.key)
		o.logs[r] = l
	}
	return l
}

// Add adds an element and returns its dot and the delta.
func (o *Owned[E]) Add(elem E) (Dot, OwnedDelta[E]) {
	r := o.log(o.self).Append(nil, true, elem, 0)
	return Dot{o.self, r.Seq}, OwnedDelta[E]{o.self, []Record[E]{r}}
}

// Remove removes elements that this replica added, by their numbers. Numbers
// that do not live are left out.
func (o *Owned[E]) Remove(seqs ...uint64) OwnedDelta[E] {
	var none E
	r := o.log(o.self).Append(slices.Clone(seqs), false, none, 0)
	return OwnedDelta[E]{o.self, []Record[E]{r}}
}

// Update puts elem in the place of the element at seq, in one step.
func (o *Owned[E]) Update(seq uint64, elem E) (Dot, OwnedDelta[E]) {
	r := o.log(o.self).Append([]uint64{seq}, true, elem, 0)
	return Dot{o.self, r.Seq}, OwnedDelta[E]{o.self, []Record[E]{r}}
}

// Merge applies a delta. Records that were seen are skipped. It reports false
// when a record is missing before the delta's next one; what came before the gap
// is applied, and the sender's state closes it.
func (o *Owned[E]) Merge(d OwnedDelta[E]) (OwnedChange[E], bool) {
	var c OwnedChange[E]
	if len(d.Records) == 0 {
		return c, true
	}
	l := o.log(d.Replica)
	for _, r := range d.Records {
		if r.Seq <= l.Version() {
			continue
		}
		removed, ok := l.Apply(r)
		if !ok {
			return c, false
		}
		c.Removed = append(c.Removed, removed...)
		if r.Adds {
			c.Added = append(c.Added, Item[E]{r.Seq, r.Elem})
		}
	}
	return c, true
}

// State returns what this replica knows of r.
func (o *Owned[E]) State(r Replica) OwnedState[E] {
	l := o.log(r)
	return OwnedState[E]{r, l.Version(), slices.Collect(l.All())}
}

// MergeState joins a state. Of two states of one replica the one with the higher
// version is right; of two with the same version but different elements, what
// either lacks was removed.
func (o *Owned[E]) MergeState(s OwnedState[E]) OwnedChange[E] {
	added, removed, _ := o.log(s.Replica).Extend(0, s.Version, s.Items)
	return OwnedChange[E]{added, removed}
}

// Replicas returns the replicas that are known, in order.
func (o *Owned[E]) Replicas() []Replica {
	return slices.SortedFunc(maps.Keys(o.logs), Replica.Compare)
}

// All returns the live elements by dot, in the order of dots.
func (o *Owned[E]) All() iter.Seq2[Dot, E] {
	return func(yield func(Dot, E) bool) {
		for _, r := range o.Replicas() {
			for it := range o.logs[r].All() {
				if !yield(Dot{r, it.Seq}, it.Elem) {
					return
				}
			}
		}
	}
}

// Len returns the number of live elements.
func (o *Owned[E]) Len() int {
	n := 0
	for _, l := range o.logs { // a sum: in any order
		n += l.Len()
	}
	return n
}

// Version returns the number of the last record of r that was seen.
func (o *Owned[E]) Version(r Replica) uint64 {
	if l, ok := o.logs[r]; ok {
		return l.Version()
	}
	return 0
}
