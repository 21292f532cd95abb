package resolve

import "fmt"

// Loss says what happens to the process that loses a conflict.
type Loss uint8

const (
	// Exit ends the losing process: its context is cancelled with the conflict
	// as the cause. This is the default, as with Erlang's global.
	Exit Loss = iota
	// Notify leaves the losing process running, without the name, and tells it.
	Notify
	// Keep withdraws nobody: while more than one claim lives the name has no
	// holder, every claimant is told, and the last one left becomes the holder.
	Keep
)

// String returns the loss as it stands in the names of policies: exit, notify or
// keep.
func (l Loss) String() string {
	switch l {
	case Exit:
		return "exit"
	case Notify:
		return "notify"
	case Keep:
		return "keep"
	}
	return fmt.Sprintf("loss-%d", uint8(l))
}

// Policy orders the claims to one name. All nodes of a cluster run the same
// policy; nodes whose policies have different names refuse each other.
//
// An implementer owes a strict total order. For any claims a, b and c with
// different Born dots:
//
//   - Compare(a, b) is not 0, and has the opposite sign of Compare(b, a);
//   - when a beats b and b beats c, a beats c;
//   - the answer depends on a and b alone: not on a clock, the node that asks,
//     randomness, map order or earlier calls;
//   - it does not look at Dot or Value, which an update changes;
//   - it returns soon and may be called from many goroutines.
//
// A policy that breaks these rules is caught when Judge sees it happen and by
// the package resolvetest before that.
type Policy interface {
	// Name identifies the rule with its parameters, such as "prefer=n1".
	Name() string
	// Compare returns a positive number when a beats b, a negative one when b
	// beats a, and 0 when and only when they are the same claim.
	Compare(a, b Claim) int
	// Loss returns what happens to the losers.
	Loss() Loss
}

// Outcome says what a Verdict found.
type Outcome uint8

const (
	// Vacant: there was no claim.
	Vacant Outcome = iota
	// Held: there was one claim, or one that beats all the others.
	Held
	// Contested: the policy keeps all claims; the name has no holder.
	Contested
	// Failed: the policy panicked, was too slow or contradicted itself. The name
	// has no holder and every claim is withdrawn.
	Failed
)

// String returns the outcome in one word: vacant, held, contested or failed.
func (o Outcome) String() string {
	switch o {
	case Vacant:
		return "vacant"
	case Held:
		return "held"
	case Contested:
		return "contested"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("outcome-%d", uint8(o))
}

// Verdict is what a policy decided about a set of claims.
type Verdict struct {
	// Outcome says which of the fields below mean something.
	Outcome Outcome
	// Winner is the index of the holder's claim among the claims that were
	// judged, or -1.
	Winner int
	// Rule is the name of the policy that decided.
	Rule string
	// Reason says in words why the policy failed; empty unless it did.
	Reason string
}
