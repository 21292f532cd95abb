package crdt

import "cmp"

// LWWRegister is a last-writer-wins register: of the values assigned to it, the
// one with the highest stamp is right. Equal stamps are told apart by the dot,
// so the order of assignments is total and the order of arrival has no say.
// (Shapiro et al., "A comprehensive study of convergent and commutative
// replicated data types", INRIA RR-7506, section 3.2.1.)
//
// A register is its own delta and its own state: it is small. The zero
// LWWRegister is unset and loses against every assignment.
//
// A register is only as good as its clock. Between concurrent assignments a clock
// that runs ahead wins; to make an assignment win over one that was seen, let
// the clock observe the stamp of every register that is merged.
//
// Invariant: a dot stands for one assignment, so registers of equal stamp and
// dot hold the same value. An unset register has the zero dot.
type LWWRegister[V any] struct {
	// Value is what was assigned.
	Value V
	// Stamp is when it was assigned, by the clock of the replica that did.
	Stamp Stamp
	// Dot is the event of the assignment; no other assignment has it.
	Dot Dot
}

// Get returns the value, and whether the register is set.
func (r LWWRegister[V]) Get() (V, bool) { return r.Value, !r.Dot.IsZero() }

// Set assigns a value and returns the delta, which is the register. It reports
// false, and changes nothing, if the assignment would lose against the one that
// is there, which it does only if the clock that made the stamp had not observed
// that one; or if the dot is zero.
func (r *LWWRegister[V]) Set(value V, stamp Stamp, dot Dot) (LWWRegister[V], bool) {
	_, changed := r.Merge(LWWRegister[V]{Value: value, Stamp: stamp, Dot: dot})
	return *r, changed
}

// Merge joins o: the later of the two assignments is kept. If o is the later, it
// returns the register as it was before and true.
func (r *LWWRegister[V]) Merge(o LWWRegister[V]) (was LWWRegister[V], changed bool) {
	if r.Compare(o) >= 0 {
		return LWWRegister[V]{}, false
	}
	was, *r = *r, o
	return was, true
}

// Compare orders registers by stamp, then by dot; unset ones come first. It
// returns 0 exactly if both hold the same assignment.
func (r LWWRegister[V]) Compare(o LWWRegister[V]) int {
	if r.Dot.IsZero() || o.Dot.IsZero() {
		return cmp.Compare(rank(r.Dot), rank(o.Dot))
	}
	if c := cmp.Compare(r.Stamp, o.Stamp); c != 0 {
		return c
	}
	return r.Dot.Compare(o.Dot)
}

// Equal reports whether r and o hold the same assignment.
func (r LWWRegister[V]) Equal(o LWWRegister[V]) bool { return r.Compare(o) == 0 }

// rank is 0 for the dot of an unset register and 1 for any other.
func rank(d Dot) int {
	if d.IsZero() {
		return 0
	}
	return 1
}
