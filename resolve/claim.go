package resolve

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
)

// PID identifies a process for ever: the Serial-th process of one incarnation of
// a node.
type PID struct {
	Node   string
	Epoch  uint64
	Serial uint64
}

// IsZero reports whether p names no process.
func (p PID) IsZero() bool { return p == PID{} }

// String returns the PID as <node.epoch.serial>.
func (p PID) String() string { return fmt.Sprintf("<%s.%d.%d>", p.Node, p.Epoch, p.Serial) }

// Compare orders PIDs by node, epoch and serial.
func (p PID) Compare(o PID) int {
	if c := strings.Compare(p.Node, o.Node); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Epoch, o.Epoch); c != 0 {
		return c
	}
	return cmp.Compare(p.Serial, o.Serial)
}

// Claim is a process holding a name, with all that a policy may look at.
//
// Nothing here changes while the claim lives, but Dot and Value: an update gives
// the claim a new dot and a new value. A policy that ordered claims by either
// would see the winner change with an update that nobody meant as a bid, so a
// policy must not look at them.
type Claim struct {
	// Name is the name that is claimed.
	Name string
	// Dot is the event that added the claim as it stands.
	Dot crdt.Dot
	// Holder is the process that claims.
	Holder PID
	// Birth is the time of the registration. It is kept through updates and
	// through conflicts that the claim has won, and it is the claim's fence.
	Birth crdt.Stamp
	// Born is the event of the registration. It ends every order: no two claims
	// share it.
	Born crdt.Dot
	// Priority is what the claimant asked for; 0 unless it did.
	Priority int64
	// Seen is the number of nodes, itself included, that the claimant's node
	// could reach when the claim was made.
	Seen uint32
	// Label is the label of the claimant's node, as configured there.
	Label string
	// Value is the claim's metadata. It is shared and must not be modified.
	Value []byte
}

// String returns the claim as name=holder born at stamp.
func (c Claim) String() string {
	return fmt.Sprintf("%s=%s born %s at %s", c.Name, c.Holder, c.Birth, c.Born)
}
