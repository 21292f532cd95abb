package resolve_test

import (
	"fmt"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// exampleClaim is a claim to "cache" by the first process of a node.
func exampleClaim(node, label string, birth crdt.Stamp, priority int64) resolve.Claim {
	born := crdt.Dot{Replica: crdt.Replica{Node: node, Epoch: 1}, Seq: 1}
	return resolve.Claim{
		Name:     "cache",
		Dot:      born,
		Born:     born,
		Holder:   resolve.PID{Node: node, Epoch: 1, Serial: 1},
		Birth:    birth,
		Priority: priority,
		Label:    label,
	}
}

// Three sides of a split have each registered one name.
func ExampleJudge() {
	claims := []resolve.Claim{
		exampleClaim("n1", "eu", crdt.StampAt(1000, 0), 0),
		exampleClaim("n2", "us", crdt.StampAt(2000, 0), 5),
		exampleClaim("n3", "us", crdt.StampAt(3000, 0), 0),
	}
	for _, p := range []resolve.Policy{
		resolve.LastWriter(), resolve.FirstWriter(), resolve.Priority(), resolve.Prefer("eu"), resolve.NotifyAll(),
	} {
		v := resolve.Judge(p, claims)
		if v.Outcome != resolve.Held {
			fmt.Println(v.Rule, v.Outcome)
			continue
		}
		fmt.Println(v.Rule, v.Outcome, "by", claims[v.Winner].Holder)
	}
	// Output:
	// last-writer held by <n3.1.1>
	// first-writer held by <n1.1.1>
	// priority held by <n2.1.1>
	// prefer=eu held by <n1.1.1>
	// notify-all contested
}

// A policy that contradicts itself names nobody, and the verdict says why.
func ExampleJudge_failed() {
	claims := []resolve.Claim{
		exampleClaim("n1", "eu", crdt.StampAt(1000, 0), 0),
		exampleClaim("n2", "us", crdt.StampAt(2000, 0), 0),
	}
	v := resolve.Judge(firstArgument{}, claims)
	fmt.Println(v.Outcome)
	fmt.Println(v.Reason)
	// Output:
	// failed
	// Compare gives 1 for <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 and 1 the other way round, but it must be the opposite
}

// firstArgument lets the claim win that it is asked about first.
type firstArgument struct{}

func (firstArgument) Name() string { return "first-argument" }

func (firstArgument) Compare(_, _ resolve.Claim) int { return 1 }

func (firstArgument) Loss() resolve.Loss { return resolve.Exit }

// Nodes in Europe first, and among them the oldest claim; losers are told and
// go on without the name.
func ExampleFunc() {
	europe := func(a, b resolve.Claim) int {
		switch {
		case a.Label == "eu" && b.Label != "eu":
			return 1
		case a.Label != "eu" && b.Label == "eu":
			return -1
		}
		return 0
	}
	p := resolve.Func("eu-then-oldest", europe, resolve.FirstWriter().Compare)
	p = resolve.WithLoss(p, resolve.Notify)
	claims := []resolve.Claim{
		exampleClaim("n1", "us", crdt.StampAt(1000, 0), 0),
		exampleClaim("n2", "eu", crdt.StampAt(2000, 0), 0),
		exampleClaim("n3", "eu", crdt.StampAt(3000, 0), 0),
	}
	v := resolve.Judge(p, claims)
	fmt.Println(claims[v.Winner].Holder, "by", v.Rule)
	// Output:
	// <n2.1.1> by notify(eu-then-oldest)
}

// A policy as a configuration file has it.
func ExampleParse() {
	p, err := resolve.Parse("notify(prefer=n1,eu)")
	fmt.Println(p.Name(), p.Loss(), err)
	_, err = resolve.Parse("newest")
	fmt.Println(err)
	// Output:
	// notify(prefer=n1,eu) notify <nil>
	// resolve: unknown policy: "newest"; there are last-writer, first-writer, random-exit, random-notify, notify-all, priority, majority and prefer=NODE with more nodes after commas
}

// A program that names its losers' fate in its configuration.
func ExampleWithLoss() {
	p := resolve.WithLoss(resolve.Majority(), resolve.Notify)
	fmt.Println(p.Name())
	fmt.Println(resolve.Fingerprint(p) == resolve.Fingerprint(resolve.Majority()))
	// Output:
	// notify(majority)
	// false
}
