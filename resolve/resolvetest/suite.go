package resolvetest

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rollcall-dev/rollcall/resolve"
)

// Run checks p against every law, each in a subtest of its own. It also moves the
// clock by years, in a bubble of testing/synctest, which Check cannot; so Run
// must not be called in such a bubble.
func Run(t *testing.T, p resolve.Policy) {
	t.Helper()
	Suite{New: same(p)}.Run(t)
}

// Check returns the laws that p breaks, or nil. Two laws are left to Run:
// no-clock, so that a policy that looks at a clock is only found if its answers
// change within milliseconds; and concurrent, because what goes wrong between
// goroutines may end the program.
func Check(p resolve.Policy) []Violation { return Suite{New: same(p)}.Check() }

// same returns the constructor of a policy that is the same on every node.
func same(p resolve.Policy) func(string) resolve.Policy {
	return func(string) resolve.Policy { return p }
}

// Suite is a check that knows more of the policy than Run and Check do.
type Suite struct {
	// New returns the policy as the node of that name has it. It is called often,
	// right before the policy is asked in the place of that node, so it may set
	// what the program of that node would have set, such as a global variable with
	// the node's own name. The default returns resolve.LastWriter.
	New func(node string) resolve.Policy
	// Samples are claims with values that mean something to the policy. The check
	// uses them as they are, but for their dots and serials, and mixes the values
	// of their fields with its own. The default is none.
	Samples []resolve.Claim
	// Seed starts the random claims. The default is 1; the same seed makes the
	// same claims.
	Seed uint64
}

// Run is as the function Run.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	violations := s.Check()
	for _, c := range checks() {
		t.Run(c.Name, func(t *testing.T) {
			if v, ok := find(violations, c.Name); ok {
				t.Error(v)
				return
			}
			if skipped(c, violations) {
				t.Skipf("not checked, because %q is broken and what follows from it would hide the cause", violations[0].Name)
			}
			if c.inTest {
				checkInTest(t, newInquiry(s), c)
			}
		})
	}
}

// Check is as the function Check.
func (s Suite) Check() []Violation { return newInquiry(s).supervise() }

// checkInTest checks a law that is for Run alone. Each set of claims has a bubble
// of its own, so that the time is the same at the start of each.
func checkInTest(t *testing.T, q *inquiry, c check) {
	t.Helper()
	q.probe.become(home)
	q.probe.Name()
	v, broken := q.one(c, func(c check, claims []resolve.Claim) (law check, seen string) {
		synctest.Test(t, func(*testing.T) { law, seen = q.try(c, claims) })
		return law, seen
	})
	if broken {
		t.Error(v)
	}
}

// find returns the violation of that law.
func find(violations []Violation, law string) (Violation, bool) {
	i := slices.IndexFunc(violations, func(v Violation) bool { return v.Name == law })
	if i < 0 {
		return Violation{}, false
	}
	return violations[i], true
}

// skipped reports whether c is left out when these laws are broken: the basic
// laws are always checked, the others when the basic ones hold, and the last
// when all hold.
func skipped(c check, violations []Violation) bool {
	if c.stage == last {
		return len(violations) > 0
	}
	return c.stage == ordinary && slices.ContainsFunc(violations, func(v Violation) bool { return v.basic })
}
