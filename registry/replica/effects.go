package replica

import (
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Reason says why what a node shows has changed.
type Reason uint8

const (
	// Registered: a claim or a membership is new.
	Registered Reason = iota
	// Updated: the value changed.
	Updated
	// Reregistered: the name was re-pointed to another process.
	Reregistered
	// Unregistered: the process gave the name up or left the group.
	Unregistered
	// Exited: the process ended.
	Exited
	// NodeDown: the node cannot be reached, or was replaced by a newer run.
	NodeDown
	// NodeLeft: the node left gracefully.
	NodeLeft
	// NodeUp: the node can be reached again; what it holds is shown again.
	NodeUp
	// ConflictLost: the holder lost to another claim.
	ConflictLost
	// Contested: the policy keeps all claims, so the name has no holder.
	Contested
	// PolicyFailed: the policy failed, so the name was freed.
	PolicyFailed
	// Gone: it was removed while this node did not hear of it; the reason was
	// not kept.
	Gone
	reasons
)

// String returns the reason in words.
func (r Reason) String() string {
	names := [...]string{
		"registered", "updated", "reregistered", "unregistered", "exited", "node down",
		"node left", "node up", "conflict lost", "contested", "policy failed", "gone",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Change is one change of what this node shows. For a name, Old and New are the
// holders before and after; for a group, they are the same process's membership.
// Either may be nil, not both.
type Change struct {
	Kind     Kind
	Key      string
	Reason   Reason
	Old, New *Entry
}

// Lane is the urgency of a frame; its values are those of package transport.
type Lane uint8

// The lanes that the machine uses.
const (
	Urgent Lane = iota
	Deltas
	Bulk
)

// Send is a frame for a peer. Several sends may share one frame.
type Send struct {
	To    Peer
	Lane  Lane
	Frame []byte
}

// Result answers a Register call that had to ask other nodes.
type Result struct {
	ID    uint64
	Entry *Entry
	Err   error
}

// Loss tells a process of this node that it lost a name, once.
type Loss struct {
	Serial  uint64
	Name    string
	Reason  Reason // ConflictLost, Reregistered, Contested or PolicyFailed
	Action  resolve.Loss
	Winner  resolve.Claim // zero when there is none
	Claims  []resolve.Claim
	Verdict resolve.Verdict
}

// NoticeKind says what a Notice is about.
type NoticeKind uint8

const (
	// NodeReachable: a node became part of this component.
	NodeReachable NoticeKind = iota
	// NodeUnreachable: a node is no longer part of this component.
	NodeUnreachable
	// Healed: nodes that had been cut off are back; Heal says more.
	Healed
	// Refused: a peer speaks another protocol, or runs another policy.
	Refused
	// ClockStepped: the wall clock of this node jumped; the jump is ignored.
	ClockStepped
	// ClockAdjusted: this node was far ahead of its peers and follows them.
	ClockAdjusted
	// Reborn: the cluster knew a higher epoch of this node; it took a newer one.
	Reborn
	// Serving: the first sync is done.
	Serving
	// Duplicate: a newer run of this node's name is alive elsewhere.
	Duplicate
)

// Notice is something that an operator wants to know.
type Notice struct {
	Kind   NoticeKind
	Node   string
	Text   string
	Amount time.Duration
	Heal   *Heal
}

// Effects is what a machine wants done, in order within each field.
type Effects struct {
	Sends   []Send
	Changes []Change
	Results []Result
	Losses  []Loss
	Notices []Notice
}

// Empty reports whether there is nothing to do.
func (e *Effects) Empty() bool {
	return len(e.Sends)+len(e.Changes)+len(e.Results)+len(e.Losses)+len(e.Notices) == 0
}

// Reset empties e and keeps its memory, unless that is much.
func (e *Effects) Reset() {
	e.Sends, e.Changes, e.Results = emptied(e.Sends), emptied(e.Changes), emptied(e.Results)
	e.Losses, e.Notices = emptied(e.Losses), emptied(e.Notices)
}

func emptied[E any](s []E) []E {
	if cap(s) > 1<<14 {
		return nil
	}
	clear(s)
	return s[:0]
}

// Heal reports the end of a split as this node saw it.
type Heal struct {
	// Nodes are the nodes that had been cut off and came back.
	Nodes []string
	// From and To are readings of the monotonic clock in nanoseconds.
	From, To int64
	// Conflicts are the names that both sides had claimed.
	Conflicts []Conflict
}

// Length returns how long the split was.
func (h *Heal) Length() time.Duration { return time.Duration(h.To - h.From) }

// Conflict is one conflict that this node saw being settled.
type Conflict struct {
	Name    string
	At      crdt.Stamp
	Claims  []resolve.Claim
	Verdict resolve.Verdict
	// Held is how long two processes held the name at most: from the later birth
	// to the settling, by this node's clock.
	Held time.Duration
}

// Winner returns the claim that won; ok is false when none did.
func (c Conflict) Winner() (claim resolve.Claim, ok bool) {
	if c.Verdict.Outcome != resolve.Held {
		return claim, false
	}
	return c.Claims[c.Verdict.Winner], true
}
