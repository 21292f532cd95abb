package registry

import (
	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// PID identifies a process for ever, in the whole cluster.
type PID = resolve.PID

// Claim is a process holding a name, as a policy sees it.
type Claim = resolve.Claim

// Fence is a number that grows along the history of a name: each registration
// that has seen another gets a higher one. A resource that remembers the highest
// fence it was shown, and refuses lower ones, is safe from a holder that does
// not know yet that it lost the name.
//
// Under the policy LastWriter it grows through conflicts too, since the highest
// fence wins. Under other policies the winner of a conflict may have a lower
// fence than the loser had; a winner that is to write to such a resource then
// registers its name again with Reregister, which gives it a new fence.
type Fence uint64

// Stamp returns when the name was registered, as the registering node saw it.
func (f Fence) Stamp() crdt.Stamp { return crdt.Stamp(f) }

// Holder is a process holding a name.
type Holder struct {
	// PID is the process.
	PID PID
	// Value is the metadata of the registration. It is shared: do not modify it.
	Value []byte
	// Fence grows with each registration of the name.
	Fence Fence
}

// Member is a process in a group.
type Member struct {
	// PID is the process.
	PID PID
	// Value is the metadata of the membership. It is shared: do not modify it.
	Value []byte
	// Joined is when the process joined, as its node saw it.
	Joined crdt.Stamp
}

// Kind says whether an event is about a name or a group.
type Kind = replica.Kind

// The kinds.
const (
	NameKind  = replica.Name
	GroupKind = replica.Group
)

// Reason says why what a node shows has changed.
type Reason = replica.Reason

// The reasons. See package replica for what each means.
const (
	Registered   = replica.Registered
	Updated      = replica.Updated
	Reregistered = replica.Reregistered
	Unregistered = replica.Unregistered
	Exited       = replica.Exited
	NodeDown     = replica.NodeDown
	NodeLeft     = replica.NodeLeft
	NodeUp       = replica.NodeUp
	ConflictLost = replica.ConflictLost
	Contested    = replica.Contested
	PolicyFailed = replica.PolicyFailed
	Gone         = replica.Gone
)

// Option changes one registration or membership.
type Option struct {
	value      []byte
	setValue   bool
	optimistic bool
	priority   int64
}

// WithValue gives a registration or membership metadata, at most MaxValue bytes.
// The registry keeps the slice: do not modify it afterwards.
func WithValue(value []byte) Option { return Option{value: value, setValue: true} }

// Optimistic registers after a local check alone, without asking another node,
// and returns at once. Two optimistic registrations of one name on two nodes at
// the same moment may both succeed; the policy keeps one.
func Optimistic() Option { return Option{optimistic: true} }

// WithPriority sets the priority that the policy resolve.Priority looks at;
// default 0.
func WithPriority(priority int64) Option { return Option{priority: priority} }

func joinOptions(options []Option) (o Option) {
	for _, x := range options {
		if x.setValue {
			o.value = x.value
		}
		o.optimistic = o.optimistic || x.optimistic
		if x.priority != 0 {
			o.priority = x.priority
		}
	}
	return o
}

func holderOf(e *replica.Entry) Holder {
	return Holder{PID: e.PID(), Value: e.Value(), Fence: Fence(e.Birth())}
}

func memberOf(e *replica.Entry) Member {
	return Member{PID: e.PID(), Value: e.Value(), Joined: e.Birth()}
}
