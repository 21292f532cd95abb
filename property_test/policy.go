package propertytest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/resolve/resolvetest"
)

// Policy holds a user's own conflict policy against the laws of package
// resolvetest, in subtests of their names below "Laws", and against random
// netsplits in the simulator, in the subtest "Netsplits": names are claimed on all
// sides of splits, and when the network is whole again all nodes must agree,
// exactly the losers must have been told, once, and somebody must have survived.
//
// A netsplit that goes wrong is printed as a scenario file, made as short as it
// gets. The netsplits are the same in every run; -rapid.checks makes more of them,
// and -rapid.seed others.
func Policy(t *testing.T, p resolve.Policy) {
	t.Helper()
	onEveryNode(p).Run(t)
}

// CheckPolicy is as Policy without a test: it returns what is broken.
func CheckPolicy(p resolve.Policy) []*Finding { return onEveryNode(p).Check() }

// PolicyProperty returns a property for rapid.Check and, through rapid.MakeFuzz,
// for a fuzz target: it draws a netsplit and lets the policy settle it.
func PolicyProperty(p resolve.Policy) func(*rapid.T) {
	s := onEveryNode(p)
	return func(t *rapid.T) {
		if f := s.settles(contest(t)); f != nil {
			t.Fatal(f.Error())
		}
	}
}

// PolicySuite is a check that knows more of a policy than Policy does.
type PolicySuite struct {
	// Suite makes the policy for each node and knows claims that mean something to
	// it. Its New may return another policy for every node, as a program does that
	// makes its policy from its own configuration.
	resolvetest.Suite
	// Labels are the labels of the nodes in the simulator, in turn; default none.
	Labels []string
}

func onEveryNode(p resolve.Policy) PolicySuite {
	return PolicySuite{Suite: resolvetest.Suite{New: func(string) resolve.Policy { return p }}}
}

// Run is as the function Policy.
func (s PolicySuite) Run(t *testing.T) {
	t.Helper()
	t.Run("Laws", s.Suite.Run)
	t.Run("Netsplits", func(t *testing.T) {
		if f := s.search(); f != nil {
			t.Fatal(f.Error())
		}
	})
}

// Check is as the function CheckPolicy.
func (s PolicySuite) Check() []*Finding {
	var found []*Finding
	for _, v := range s.Suite.Check() {
		f := &Finding{Law: v.Name, Text: v.Text, Seen: v.Seen}
		for _, c := range v.Claims {
			f.Story = append(f.Story, c.String())
		}
		found = append(found, f)
	}
	if f := s.search(); f != nil {
		found = append(found, f)
	}
	return found
}

// netsplits is how many netsplits are tried when checks is 100, and shrinkFor how
// long one that goes wrong is made shorter.
const (
	netsplits = 100
	shrinkFor = 10 * time.Second
)

// search looks for a netsplit that the policy does not settle.
func (s PolicySuite) search() *Finding {
	gen := rapid.Custom(contest)
	for seed := range cases(netsplits) {
		if f := s.settles(seeded(gen, seed)); f != nil {
			return f
		}
	}
	return nil
}

// settles plays a netsplit, and makes it shorter if it goes wrong.
func (s PolicySuite) settles(story *scenario.Scenario) *Finding {
	first := s.play(story)
	if first.law == "" {
		return nil
	}
	least := shrunk(story, func(less *scenario.Scenario) bool { return s.play(less).law == first.law })
	v := s.play(least)
	return &Finding{
		Law: v.law, Text: lawTexts()[v.law], Seen: v.seen,
		Story: storyLines(least, "with the policy "+s.New("n1").Name()),
	}
}

// play plays a netsplit and holds it against the books.
func (s PolicySuite) play(story *scenario.Scenario) verdict {
	r, err := sim.Run(story, sim.Options{Configure: s.configure})
	if err != nil {
		return verdict{lawAgree, err.Error()}
	}
	if len(r.Failures) > 0 {
		return verdict{lawAgree, r.Failures[0].Text}
	}
	v := judge(r.History, s.New("n1").Loss() == resolve.Keep)
	if v.law == "" && !r.Agreed {
		return verdict{lawAgree, "some nodes still differ when the run ends"}
	}
	return v
}

// configure gives a machine the policy as its node has it, behind a Guard as in a
// registry.
func (s PolicySuite) configure(cfg *replica.Config) {
	p := s.New(cfg.Self.Node)
	guard := resolve.NewGuard(p, resolve.DefaultLimit)
	cfg.Policy = p
	cfg.Judge = func(_ resolve.Policy, claims []resolve.Claim) resolve.Verdict { return guard.Judge(claims) }
	if n, err := strconv.Atoi(strings.TrimPrefix(cfg.Self.Node, "n")); err == nil && len(s.Labels) > 0 {
		cfg.Label = slices.Concat(s.Labels, s.Labels)[n%len(s.Labels)]
	}
}
