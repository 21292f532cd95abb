package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
)

const (
	// roomy is the number of claims up to which Judge does not allocate. Nearly
	// every conflict has two; one with more than this many needs a split into as
	// many sides.
	roomy = 16
	// maxReason bounds the text of a failed verdict, in bytes, because a part of
	// it comes from a panic of the user's: it goes to logs and to the audit log.
	maxReason = 512
)

// Judge decides about the claims to one name.
//
// No claim is Vacant. One claim is Held, and the policy is not asked, so its
// name is not in the verdict. More are Contested when the loss of the policy is
// Keep, and otherwise Held by the claim that beats each of the others, which is
// asked in both directions. If there is no such claim, if the policy gives 0 for
// two different claims, contradicts itself or panics, the outcome is Failed.
//
// Claims with the same Born dot are one claim. Of its versions the one with the
// highest Dot counts and is what Winner points to.
//
// The verdict is the same for any order of the claims and for any policy that is
// a function of its arguments, lawful or not: the claims are judged in the order
// of their Born dots, so that every node asks the same questions in the same
// order. A policy that is not built in is given the claims without Dot and Value,
// which it must not look at; so it cannot modify Value either.
//
// A nil policy stands for LastWriter. Judge has no time limit (see Guard), and
// what Go cannot recover from ends the program, such as a stack overflow in the
// policy.
func Judge(p Policy, claims []Claim) Verdict {
	if len(claims) == 0 {
		return Verdict{Outcome: Vacant, Winner: -1}
	}
	var room [roomy]int
	order := distinct(room[:0], claims)
	if len(order) == 1 {
		return Verdict{Outcome: Held, Winner: order[0]}
	}
	p = orDefault(p)
	t := trial{policy: p, trusted: Trusted(p), claims: claims}
	return t.run(order)
}

// distinct appends to order the indexes of the different claims in the order of
// their Born dots; of a claim that is there more than once, the newest version.
func distinct(order []int, claims []Claim) []int {
	for i := range claims {
		order = append(order, i)
	}
	if len(order) > 1 {
		slices.SortFunc(order, func(i, k int) int { return compareVersions(claims, i, k) })
	}
	return slices.CompactFunc(order, func(i, k int) bool { return claims[i].Born == claims[k].Born })
}

// compareVersions orders the i-th and the k-th claim by Born dot, versions of
// one claim from the newest to the oldest, and equal versions by index.
func compareVersions(claims []Claim, i, k int) int {
	if c := claims[i].Born.Compare(claims[k].Born); c != 0 {
		return c
	}
	if c := claims[k].Dot.Compare(claims[i].Dot); c != 0 {
		return c
	}
	return i - k
}

// trial is one judgement of two or more different claims.
//
// Invariant: asking, left and right say what the policy was asked last.
//
// The order in which the claims are judged is an argument of the methods and no
// field: what stands beside a policy in a struct goes to the heap with it.
type trial struct {
	policy  Policy
	trusted bool
	claims  []Claim

	rule        string
	asking      string
	left, right int
}

// run asks the policy and recovers from its panics.
func (t *trial) run(order []int) (v Verdict) {
	defer func() {
		if r := recover(); r != nil {
			v = t.failed(t.question() + " panicked: " + describePanic(r))
		}
	}()
	t.asking = "Name"
	t.rule = t.policy.Name()
	t.asking = "Loss"
	switch loss := t.policy.Loss(); loss {
	case Keep:
		return Verdict{Outcome: Contested, Winner: -1, Rule: t.rule}
	case Exit, Notify:
	default:
		return t.failed("Loss gives " + loss.String() + ", which is none")
	}
	t.asking = "Compare"
	if len(order) == 2 {
		return t.pair(order[0], order[1])
	}
	return t.many(order)
}

// pair decides between two claims with two questions.
func (t *trial) pair(w, l int) Verdict {
	there, back := t.compare(w, l), t.compare(l, w)
	if there < 0 {
		w, l, there, back = l, w, back, there
	}
	if fault := t.contradiction(w, l, there, back); fault != "" {
		return t.failed(fault)
	}
	return Verdict{Outcome: Held, Winner: w, Rule: t.rule}
}

// many decides between more claims: it looks for the only one that can beat all
// the others, and then asks whether it does. A claim that beats every other both
// ways is always found, because whatever leads when its turn comes loses to it,
// and nothing takes the lead from it.
func (t *trial) many(order []int) Verdict {
	w := order[0]
	for _, i := range order[1:] {
		if t.compare(i, w) > 0 {
			w = i
		}
	}
	for _, i := range order {
		if i == w {
			continue
		}
		if fault := t.contradiction(w, i, t.compare(w, i), t.compare(i, w)); fault != "" {
			return t.failed(fault)
		}
	}
	return Verdict{Outcome: Held, Winner: w, Rule: t.rule}
}

// compare asks the policy about the i-th and the k-th claim.
func (t *trial) compare(i, k int) int {
	t.left, t.right = i, k
	if t.trusted {
		return t.policy.Compare(t.claims[i], t.claims[k])
	}
	a, b := t.claims[i], t.claims[k]
	a.Dot, a.Value = crdt.Dot{}, nil
	b.Dot, b.Value = crdt.Dot{}, nil
	return t.policy.Compare(a, b)
}

// contradiction returns in words why w does not beat l, given what the policy
// said of w and l, and of l and w; "" if it does.
func (t *trial) contradiction(w, l, there, back int) string {
	switch {
	case there > 0 && back < 0:
		return ""
	case there == 0 || back == 0:
		return fmt.Sprintf("Compare gives %d for %s and %s and %d the other way round, but 0 is for a claim and itself",
			there, t.claim(w), t.claim(l), back)
	case (there > 0) == (back > 0):
		return fmt.Sprintf("Compare gives %d for %s and %s and %d the other way round, but it must be the opposite",
			there, t.claim(w), t.claim(l), back)
	}
	return fmt.Sprintf("no claim beats all the others: %s, which was not beaten until then, loses to %s",
		t.claim(w), t.claim(l))
}

// failed returns a failed verdict with that reason.
func (t *trial) failed(reason string) Verdict {
	return Verdict{Outcome: Failed, Winner: -1, Rule: t.rule, Reason: shorten(reason)}
}

// question returns in words what the policy was asked last.
func (t *trial) question() string {
	if t.asking != "Compare" {
		return t.asking
	}
	return fmt.Sprintf("Compare of %s and %s", t.claim(t.left), t.claim(t.right))
}

// claim returns what identifies the i-th claim in a reason.
func (t *trial) claim(i int) string {
	return t.claims[i].Holder.String() + " born at " + t.claims[i].Born.String()
}

// describePanic returns the text of a panic value, or only its type when it
// brings no text: printing a value of any shape may never end.
func describePanic(r any) string {
	switch r.(type) {
	case string, error, fmt.Stringer:
		return fmt.Sprint(r)
	}
	return fmt.Sprintf("a value of type %T", r)
}

// shorten cuts a reason to its limit, and what is not UTF-8 in it.
func shorten(reason string) string {
	if len(reason) > maxReason {
		reason = reason[:maxReason-len("...")] + "..."
	}
	return strings.ToValidUTF8(reason, "")
}
