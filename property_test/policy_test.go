package propertytest

import (
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/resolve/resolvetest"
)

// eastFirst is a policy as a user writes one: a label first, then the oldest.
func eastFirst() resolve.Policy {
	east := func(c resolve.Claim) int {
		if c.Label == "east" {
			return 1
		}
		return 0
	}
	return resolve.Func("east-then-oldest",
		func(a, b resolve.Claim) int { return cmp.Compare(east(a), east(b)) }, resolve.FirstWriter().Compare)
}

func TestSimPolicyOfAUser(t *testing.T) {
	PolicySuite{
		Suite:  resolvetest.Suite{New: func(string) resolve.Policy { return eastFirst() }, Samples: []resolve.Claim{{Label: "east"}}},
		Labels: []string{"east", "west"},
	}.Run(t)
}

func TestSimBuiltInPolicies(t *testing.T) {
	for _, p := range []resolve.Policy{
		resolve.LastWriter(), resolve.FirstWriter(), resolve.RandomNotify(""), resolve.Priority(), resolve.Majority(),
		resolve.Prefer("n2"), resolve.NotifyAll(),
	} {
		t.Run(p.Name(), func(t *testing.T) {
			if f := onEveryNode(p).search(); f != nil {
				t.Fatal(f.Error())
			}
		})
	}
}

func FuzzPolicy(f *testing.F) { f.Fuzz(rapid.MakeFuzz(PolicyProperty(eastFirst()))) }

// comparison is a policy made of a comparison, for wrong ones: resolve.Func mends
// ties.
type comparison struct {
	name    string
	compare func(a, b resolve.Claim) int
}

func (c comparison) Name() string                   { return c.name }
func (c comparison) Compare(a, b resolve.Claim) int { return c.compare(a, b) }
func (c comparison) Loss() resolve.Loss             { return resolve.Notify }

func suiteOf(make func(node string) resolve.Policy) PolicySuite {
	return PolicySuite{Suite: resolvetest.Suite{New: make}}
}

// wrongPolicies are policies with a fault that users have really shipped.
func wrongPolicies() map[string]PolicySuite {
	always := func(p resolve.Policy) PolicySuite { return suiteOf(func(string) resolve.Policy { return p }) }
	return map[string]PolicySuite{
		"no tie-break": always(comparison{"by-birth", func(a, b resolve.Claim) int { return cmp.Compare(a.Birth, b.Birth) }}),
		"by value":     always(comparison{"longest-value", func(a, b resolve.Claim) int { return cmp.Compare(len(a.Value), len(b.Value)) }}),
		"circle": always(comparison{"circle", func(a, b resolve.Claim) int {
			d := (int(a.Born.Seq) + len(a.Born.Replica.Node) + 3 - int(b.Born.Seq)) % 3
			return []int{a.Born.Compare(b.Born), 1, -1}[d]
		}}),
		"mine first": suiteOf(func(node string) resolve.Policy {
			return resolve.Func("mine-first", func(a, b resolve.Claim) int {
				mine := func(c resolve.Claim) int {
					if c.Holder.Node == node {
						return 1
					}
					return 0
				}
				return cmp.Compare(mine(a), mine(b))
			})
		}),
		"panics": always(comparison{"panics", func(a, b resolve.Claim) int { panic("no idea") }}),
	}
}

// A wrong policy is caught in seconds, by the laws and by a netsplit that fits on
// ten lines and can be read back.
func TestWrongPoliciesAreCaught(t *testing.T) {
	for name, suite := range wrongPolicies() {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			f := suite.search()
			require.NotNil(t, f)
			require.Less(t, time.Since(begun), 30*time.Second)
			t.Log(f.Error())
			require.LessOrEqual(t, len(f.Story), 10)
			requireReads(t, f.Story)
			require.NotEmpty(t, suite.Suite.Check(), "the laws notice too")
		})
	}
}

func requireReads(t *testing.T, story []string) {
	t.Helper()
	s, err := scenario.Parse(reader(story))
	require.NoError(t, err)
	require.NotEmpty(t, s.Steps)
}
