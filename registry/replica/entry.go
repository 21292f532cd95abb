package replica

import (
	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Limits of what an entry may hold, in bytes. They keep an entry of the largest
// size, with its headers, inside one frame.
const (
	MaxKey   = 255
	MaxValue = 64 << 10
)

// Kind says what an entry is.
type Kind uint8

const (
	// Name is a claim: a process holding a name.
	Name Kind = iota
	// Group is a membership: a process in a group.
	Group
	kinds
)

// String returns "name" or "group".
func (k Kind) String() string {
	if k == Group {
		return "group"
	}
	return "name"
}

// Entry is a claim or a membership at a dot. It never changes once it is made;
// an update makes another. Other goroutines than the machine's may read it
// through its methods.
type Entry struct {
	origin  *origin
	seq     uint64
	key     string
	value   []byte
	serial  uint64
	birth   crdt.Stamp
	bornSeq uint64
	extra   *extra
	slot    uint32 // place in its process's list; the machine's alone
	doomed  bool   // about to be withdrawn; the machine's alone
	shown   bool   // of a member: it is counted among those of its group; the machine's alone
	seen    uint32
	kind    Kind
}

// extra is what few entries have.
type extra struct {
	priority   int64
	pidEpoch   uint64 // of a process that outlived an epoch; else 0
	bornEpoch  uint64 // of a claim that outlived an epoch; else 0
	supersedes []crdt.Dot
}

// Kind returns what the entry is.
func (e *Entry) Kind() Kind { return e.kind }

// Key returns the name or the group.
func (e *Entry) Key() string { return e.key }

// Value returns the metadata. It is shared and must not be modified.
func (e *Entry) Value() []byte { return e.value }

// Birth returns when the claim or membership was made; updates keep it.
func (e *Entry) Birth() crdt.Stamp { return e.birth }

// Dot returns the event that made the entry as it stands.
func (e *Entry) Dot() crdt.Dot { return crdt.Dot{Replica: e.origin.id, Seq: e.seq} }

// PID returns the process.
func (e *Entry) PID() resolve.PID {
	p := resolve.PID{Node: e.origin.id.Node, Epoch: e.origin.id.Epoch, Serial: e.serial}
	if e.extra != nil && e.extra.pidEpoch != 0 {
		p.Epoch = e.extra.pidEpoch
	}
	return p
}

// Born returns the event that made the claim or membership first.
func (e *Entry) Born() crdt.Dot {
	d := crdt.Dot{Replica: e.origin.id, Seq: e.bornSeq}
	if e.extra != nil && e.extra.bornEpoch != 0 {
		d.Replica.Epoch = e.extra.bornEpoch
	}
	return d
}

// Claim returns the entry as a policy sees it.
func (e *Entry) Claim() resolve.Claim {
	c := resolve.Claim{
		Name: e.key, Dot: e.Dot(), Holder: e.PID(), Birth: e.birth, Born: e.Born(),
		Seen: e.seen, Label: e.origin.label, Value: e.value,
	}
	if e.extra != nil {
		c.Priority = e.extra.priority
	}
	return c
}

// supersedes reports whether e replaced o by a Reregister that had seen it, or an
// earlier form of it: an update is no bid.
func (e *Entry) supersedes(o *Entry) bool {
	if e.extra == nil {
		return false
	}
	born := o.Born()
	for _, d := range e.extra.supersedes {
		if d.Replica == born.Replica && born.Seq <= d.Seq {
			return true
		}
	}
	return false
}

// local reports whether the entry belongs to this node.
func (e *Entry) local() bool { return e.origin.self }
