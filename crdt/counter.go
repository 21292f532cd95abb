package crdt

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// Tally is one replica's part in a counter: the sums of all that it added and of
// all that it subtracted. Both only grow, so of two tallies of one replica the
// higher sums are right. A tally is the delta of a PNCounter.
type Tally struct {
	Replica  Replica
	Up, Down uint64
}

// PNCounter is a counter that every replica may raise and lower. It has a Tally
// for each replica, which that replica alone changes, and its value is the sum
// of all. (Shapiro et al., "A comprehensive study of convergent and commutative
// replicated data types", INRIA RR-7506, section 3.1.3; with deltas: Almeida,
// Shoker, Baquero, arXiv 1603.01529, section 6.)
//
// It grows with the number of replicas that ever counted: a tally cannot be
// dropped without changing the value.
//
// Invariant: tallies are strictly sorted by replica; none is zero in both sums.
type PNCounter struct {
	replica Replica
	tallies []Tally
}

// NewPNCounter returns a counter at 0 that counts for replica. No other counter
// may ever count for the same replica, or the lower of the two counts is lost. A
// counter of the zero Replica can merge and not count.
func NewPNCounter(replica Replica) *PNCounter { return &PNCounter{replica: replica} }

// Add adds n, which may be negative, and returns the delta: this replica's tally.
// It returns ErrOverflow, and changes nothing, if the replica's sum in that
// direction would exceed 2^64 - 1. Add panics on a counter of the zero Replica.
func (c *PNCounter) Add(n int64) (Tally, error) {
	if c.replica.IsZero() {
		panic("crdt: Add on a PNCounter of the zero Replica, which has no tally")
	}
	i, ok := c.find(c.replica)
	t := Tally{Replica: c.replica}
	if ok {
		t = c.tallies[i]
	}
	var carryUp, carryDown uint64
	if n >= 0 {
		t.Up, carryUp = bits.Add64(t.Up, uint64(n), 0)
	} else {
		t.Down, carryDown = bits.Add64(t.Down, -uint64(n), 0)
	}
	if carryUp|carryDown != 0 {
		return Tally{}, fmt.Errorf("%w: adding %d to the tally of %s", ErrOverflow, n, c.replica)
	}
	switch {
	case ok:
		c.tallies[i] = t
	case n != 0:
		c.tallies = slices.Insert(c.tallies, i, t)
	}
	return t, nil
}

// Value returns the sum of what all replicas added less what they subtracted. It
// is exact while it fits in an int64 and wraps around beyond, as sums of Go do;
// replicas with equal tallies show equal values in any case.
func (c *PNCounter) Value() int64 {
	var sum uint64
	for _, t := range c.tallies {
		sum += t.Up - t.Down
	}
	return int64(sum)
}

// Merge joins tallies, one or a whole state, and returns by how much the value
// changed, and whether any tally did. The value may stay where it is while
// tallies change: one replica added what another subtracted.
func (c *PNCounter) Merge(tallies ...Tally) (by int64, changed bool) {
	before := c.Value()
	for _, t := range tallies {
		changed = c.merge(t) || changed
	}
	return c.Value() - before, changed
}

func (c *PNCounter) merge(t Tally) bool {
	if t.Up == 0 && t.Down == 0 {
		return false
	}
	i, ok := c.find(t.Replica)
	if !ok {
		c.tallies = slices.Insert(c.tallies, i, t)
		return true
	}
	mine := &c.tallies[i]
	if t.Up <= mine.Up && t.Down <= mine.Down {
		return false
	}
	mine.Up, mine.Down = max(mine.Up, t.Up), max(mine.Down, t.Down)
	return true
}

// All returns the tallies in the order of replicas. The counter must not change
// meanwhile.
func (c *PNCounter) All() iter.Seq[Tally] { return slices.Values(c.tallies) }

// State returns the full state, all tallies in the order of replicas. It shares
// nothing with the counter.
func (c *PNCounter) State() []Tally { return slices.Clone(c.tallies) }

// Equal reports whether c and o hold the same tallies. Which replica they count
// for is left out.
func (c *PNCounter) Equal(o *PNCounter) bool { return slices.Equal(c.tallies, o.tallies) }

// Clone returns a copy that shares nothing with c. Both count for the same
// replica, so only one of the two may go on counting.
func (c *PNCounter) Clone() *PNCounter {
	return &PNCounter{replica: c.replica, tallies: slices.Clone(c.tallies)}
}

func (c *PNCounter) find(r Replica) (int, bool) {
	return slices.BinarySearchFunc(c.tallies, r, func(t Tally, r Replica) int {
		return t.Replica.Compare(r)
	})
}
