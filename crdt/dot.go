package crdt

import (
	"cmp"
	"fmt"
	"strings"
)

// Replica identifies one run of a node: its incarnation. Epoch grows with each
// run of the node and is never reused, so a Replica names a single stream of
// dots for ever.
type Replica struct {
	Node  string
	Epoch uint64
}

// IsZero reports whether r is the zero Replica, which mints no dots.
func (r Replica) IsZero() bool { return r == Replica{} }

// String returns the replica as node@epoch.
func (r Replica) String() string { return fmt.Sprintf("%s@%d", r.Node, r.Epoch) }

// Compare orders replicas by node, then by epoch.
func (r Replica) Compare(o Replica) int {
	if c := strings.Compare(r.Node, o.Node); c != 0 {
		return c
	}
	return cmp.Compare(r.Epoch, o.Epoch)
}

// Dot is the unique name of one event: the Seq-th event of a Replica. The first
// has Seq 1; Seq 0 is no event. (Almeida, Shoker, Baquero, "Delta state
// replicated data types", arXiv 1603.01529, section 7.)
type Dot struct {
	Replica Replica
	Seq     uint64
}

// IsZero reports whether d names no event.
func (d Dot) IsZero() bool { return d.Seq == 0 }

// String returns the dot as node@epoch:seq.
func (d Dot) String() string { return fmt.Sprintf("%s:%d", d.Replica, d.Seq) }

// Compare orders dots by replica, then by sequence. The order is total; it has
// no meaning in time.
func (d Dot) Compare(o Dot) int {
	if c := d.Replica.Compare(o.Replica); c != 0 {
		return c
	}
	return cmp.Compare(d.Seq, o.Seq)
}
