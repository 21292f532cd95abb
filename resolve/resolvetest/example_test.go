package resolvetest_test

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/resolve/resolvetest"
)

// oldest lets the oldest claim win and forgets that two can be equally old.
type oldest struct{}

func (oldest) Name() string { return "oldest" }

func (oldest) Compare(a, b resolve.Claim) int { return cmp.Compare(b.Birth, a.Birth) }

func (oldest) Loss() resolve.Loss { return resolve.Exit }

// A policy without a tie-break.
func ExampleCheck() {
	violations := resolvetest.Check(oldest{})
	fmt.Println(violations[0])
	// Output:
	// policy "oldest" breaks the law decides-ties
	//   law:  Compare of two different claims is never 0
	//   why:  Two sides of a split can register a name with equal stamps, priorities and so on, and without an answer the verdict fails when they meet and both processes lose the name.
	//   seen: Compare(a, b) is 0
	//   a = {Name: "k", Born: n2@1:1, Dot: n2@1:1, Holder: <n2.1.1>, Birth: 1, Priority: 0, Seen: 1, Label: "", Value: ""}
	//   b = {Name: "k", Born: n1@1:1, Dot: n1@1:1, Holder: <n1.1.1>, Birth: 1, Priority: 0, Seen: 1, Label: "", Value: ""}
}

// In a test of your own, Run has a subtest for every law.
func ExampleRun() {
	_ = func(t *testing.T) {
		resolvetest.Run(t, resolve.Func("oldest", oldest{}.Compare))
	}
}

// A policy that prefers its own node is a good order on each node, and another
// one on each. The Suite is told how a node makes it.
func ExampleSuite() {
	suite := resolvetest.Suite{
		New:     func(node string) resolve.Policy { return resolve.Prefer(node) },
		Samples: []resolve.Claim{{Label: "eu-west"}, {Label: "us-east", Priority: 100}},
	}
	for _, v := range suite.Check() {
		fmt.Println(v.Name+":", v.Seen)
	}
	// Output:
	// every-node: name and loss are "prefer=n1" and exit on node n1, and "prefer=n2" and exit on node n2
}

func ExampleLaws() {
	for _, l := range resolvetest.Laws() {
		fmt.Println(l.Name)
	}
	// Output:
	// deterministic
	// answers
	// read-only
	// name-and-loss
	// decides-ties
	// same-claim
	// antisymmetric
	// transitive
	// any-order
	// winner-stays
	// loser-loses
	// blind-to-updates
	// survives-encoding
	// every-node
	// no-memory
	// no-clock
	// concurrent
}
