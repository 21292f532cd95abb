package replica

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// These tests hold promises that random histories seldom put to the test. Each is
// the one that notices some planted fault; see property_test/mutants.

func TestUpdateKeepsTheBirth(t *testing.T) {
	c, a, b, d := three(t, byPolicy(resolve.FirstWriter()))
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	first, err := c.register(a, "k")
	require.NoError(t, err)
	c.run(time.Second)
	_, err = c.register(d, "k")
	require.NoError(t, err)
	c.run(time.Second)
	updated, err := a.m.Update(c.reading(), first.serial, "k", []byte("later"))
	require.NoError(t, err)
	require.Equal(t, first.birth, updated.birth)
	require.Equal(t, first.Born(), updated.Born())
	require.NotEqual(t, first.Dot(), updated.Dot())
	c.collect(a)
	c.heal()
	c.run(3 * time.Second)
	require.Equal(t, first.PID().String(), c.holder(b, "k"), "an update is no bid")
	require.Len(t, d.losses, 1)
	require.Empty(t, a.losses)
}

// The winner's claim and its updates come in one frame: the loser meets three
// rivals in one input and is told of one loss.
func TestLoserIsToldOnceThoughTheWinnerComesInParts(t *testing.T) {
	c, a, _, d := three(t)
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	_, err := c.register(a, "k")
	require.NoError(t, err)
	c.run(time.Second)
	c.heal()
	c.settle()
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	c.run(time.Second)
	call := Register{ID: 99, Serial: d.spawn(), Name: "k", Optimistic: true}
	c.cut = map[[2]string]bool{}
	c.connect(a, d)
	c.drop = func(f flight) bool { return FrameKind(f.frame) != "hello" }
	c.settle()
	// Both ends are linked and greeted, and n3 has not heard of n1's claim: it
	// makes its own and updates it before anything is flushed.
	d.m.show("k", nil, Gone)
	_, err, _ = d.m.Register(c.reading(), call)
	require.NoError(t, err)
	for _, v := range []string{"v1", "v2"} {
		_, err = d.m.Update(c.reading(), call.Serial, "k", []byte(v))
		require.NoError(t, err)
	}
	c.drop = nil
	a.losses = nil
	c.collect(d)
	c.settle()
	c.run(3 * time.Second)
	require.Len(t, a.losses, 1, "one loss, told once")
	require.Equal(t, call.Serial, a.losses[0].Winner.Holder.Serial)
}

func TestReregisterDoesNotSupersedeWhatItCannotSee(t *testing.T) {
	c, a, _, d := three(t, byPolicy(resolve.FirstWriter()))
	first, err := c.register(a, "k")
	require.NoError(t, err)
	c.run(time.Second)
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	c.run(time.Second)
	second, err := c.register(d, "k", again)
	require.NoError(t, err)
	require.Empty(t, second.extra)
	c.run(time.Second)
	c.heal()
	c.run(3 * time.Second)
	require.Equal(t, first.PID().String(), c.holder(d, "k"), "the policy decides about a claim that was hidden")
	require.Len(t, d.losses, 1)
	require.Equal(t, ConflictLost, d.losses[0].Reason)
}

func TestPolicyThatFailsFreesTheNameAndTellsEveryClaimant(t *testing.T) {
	undecided := resolve.Func("undecided", func(a, b resolve.Claim) int { return 1 })
	c, a, b, d := three(t, byPolicy(undecided))
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	for _, n := range []*node{a, d} {
		_, err := c.register(n, "k")
		require.NoError(t, err)
	}
	c.run(time.Second)
	c.heal()
	c.run(3 * time.Second)
	for _, n := range []*node{a, b, d} {
		require.Equal(t, "none", c.holder(n, "k"))
		require.Empty(t, n.m.contended)
	}
	for _, n := range []*node{a, d} {
		require.Len(t, n.losses, 1)
		require.Equal(t, PolicyFailed, n.losses[0].Reason)
		require.Equal(t, resolve.Notify, n.losses[0].Action)
	}
	_, err := c.register(b, "k")
	require.NoError(t, err, "the registry lives on")
}

func TestRivalsAreToldOfOnce(t *testing.T) {
	c, a, b, d := three(t, byPolicy(resolve.NotifyAll()))
	c.partition([]string{"n1"}, []string{"n2"}, []string{"n3"})
	for _, n := range []*node{a, b, d} {
		_, err := c.register(n, "k")
		require.NoError(t, err)
	}
	c.run(time.Second)
	c.cut = map[[2]string]bool{}
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	c.connect(a, b)
	c.run(3 * time.Second)
	require.Len(t, a.losses, 1)
	c.partition([]string{"n1"}, []string{"n2"}, []string{"n3"})
	c.run(3 * time.Second)
	c.heal()
	c.run(3 * time.Second)
	c.partition([]string{"n1"}, []string{"n2"}, []string{"n3"})
	c.run(3 * time.Second)
	c.heal()
	c.run(3 * time.Second)
	for _, n := range []*node{a, b, d} {
		told := map[resolve.PID]int{}
		for _, l := range n.losses {
			require.Equal(t, Contested, l.Reason)
			for _, claim := range l.Claims {
				told[claim.Holder]++
			}
		}
		require.LessOrEqual(t, len(n.losses), 2, "%s: once for each rival at most", n.self.Node)
		require.Len(t, told, 3, "%s knows its rivals", n.self.Node)
	}
}

func TestMajorityKnowsHowManyNodesTheClaimantReached(t *testing.T) {
	c, a, _, d := three(t, byPolicy(resolve.Majority()))
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	first, err := c.register(a, "k")
	require.NoError(t, err)
	require.Equal(t, uint32(2), first.Claim().Seen)
	c.run(time.Second)
	second, err := c.register(d, "k")
	require.NoError(t, err)
	require.Equal(t, uint32(1), second.Claim().Seen)
	c.run(time.Second)
	c.heal()
	c.run(3 * time.Second)
	require.Equal(t, first.PID().String(), c.holder(d, "k"), "the larger side's claim wins, though it is the earlier")
}

func TestGroupCountsAMemberOnce(t *testing.T) {
	c, a, b, d := three(t)
	e := c.join(a, "room")
	c.join(d, "room")
	for _, v := range []string{"v1", "v2", "v3"} {
		_, err := a.m.Join(c.reading(), e.serial, "room", []byte(v))
		require.NoError(t, err)
		c.collect(a)
	}
	c.settle()
	for _, n := range []*node{a, b, d} {
		require.Equal(t, []GroupSize{{"room", 2}}, n.m.Groups(), n.self.Node)
		require.Len(t, n.m.Members(nil, "room"), 2)
	}
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	require.Equal(t, []GroupSize{{"room", 1}}, b.m.Groups())
	c.heal()
	c.settle()
	require.Equal(t, []GroupSize{{"room", 2}}, b.m.Groups())
}

// relayed returns a statement about all that lives of an origin, as a peer that
// still has it would send it.
func relayed(n *node, id crdt.Replica) []byte {
	o := n.m.known(id)
	items := slices.Collect(o.log.All())
	return n.m.enc.adds(addsMsg{identity: o.identity, lo: 0, hi: o.log.Version(), version: o.log.Version(), done: true}, items)
}

func TestNothingOfARunThatIsOverComesBackByHearsay(t *testing.T) {
	for _, left := range []bool{false, true} {
		c, a, b, d := three(t)
		_, err := c.register(a, "k")
		require.NoError(t, err)
		c.join(a, "room")
		c.settle()
		old := a.m.self.id
		late := relayed(d, old)
		if left {
			c.leave("n1")
		} else {
			c.kill("n1")
			next := c.start("n1")
			c.run(time.Second)
			c.join(next, "other")
			c.run(time.Second)
		}
		stale := b.m.Counters().Stale
		before := b.view()
		require.NoError(t, b.m.Step(c.reading(), d.self, late))
		c.collect(b)
		require.Equal(t, before, b.view())
		require.Nil(t, b.m.known(old), "left: %v", left)
		require.Greater(t, b.m.Counters().Stale, stale)
		c.run(3 * time.Second)
		require.Equal(t, before, b.view())
		c.requireAgreement()
	}
}

func TestWhatIsHiddenIsKeptOutOfEveryExchange(t *testing.T) {
	c, a, b, d := three(t)
	c.join(d, "room")
	c.settle()
	c.disconnect(a, d, false) // n1 alone takes n3 for dead
	o := a.m.known(d.m.self.id)
	require.True(t, o.gated)
	version := o.log.Version()
	c.join(d, "room")
	c.settle()
	require.Len(t, b.m.Members(nil, "room"), 2)
	require.NoError(t, a.m.Step(c.reading(), b.self, relayed(b, d.m.self.id)))
	c.collect(a)
	require.Equal(t, version, o.log.Version(), "nothing about it is taken in while it is hidden")
	require.Empty(t, a.m.Members(nil, "room"))
	c.run(3 * time.Second)
	require.Len(t, b.m.Members(nil, "room"), 2, "and nothing about it is given out")
	c.connect(a, d)
	c.run(3 * time.Second)
	require.Len(t, a.m.Members(nil, "room"), 2)
	c.requireAgreement()
}

func TestClaimThatIsCarriedToANewEpochKeepsItsBirth(t *testing.T) {
	c, a, b, _ := three(t)
	c.register(a, "old")
	c.settle()
	c.partition([]string{"n1"}, []string{"n2", "n3"})
	c.kill("n1")
	c.run(time.Second)
	back := c.start("n1", func(cfg *Config) { cfg.Self.Run = 5 })
	c.run(3 * time.Second)
	mine, err := c.register(back, "k", optimistic)
	require.NoError(t, err)
	c.run(time.Second)
	theirs, err := c.register(b, "k", optimistic)
	require.NoError(t, err)
	c.run(time.Second)
	require.Equal(t, uint64(5), back.m.Epoch())
	c.heal()
	c.run(3 * time.Second)
	require.Greater(t, back.m.Epoch(), uint64(5))
	require.Equal(t, theirs.PID().String(), c.holder(back, "k"), "the later birth wins")
	require.Len(t, back.losses, 1)
	for _, claim := range back.losses[0].Claims {
		if claim.Holder == mine.PID() {
			require.Equal(t, mine.birth, claim.Birth)
			require.Equal(t, mine.Born(), claim.Born)
		}
	}
	c.requireAgreement()
}

// A fetch brings what was removed too: not at some later comparison.
func TestFetchBringsRemovalsAlong(t *testing.T) {
	c, a, b, d := three(t)
	gone := c.join(d, "room")
	c.join(d, "room")
	c.settle()
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	d.m.Exit(c.reading(), gone.serial)
	c.collect(d)
	c.join(d, "room")
	c.heal()
	c.settle() // no time passes
	for _, n := range []*node{a, b, d} {
		require.Len(t, n.m.Members(nil, "room"), 2)
	}
	c.requireAgreement()
}

func TestNodesOfDifferentPoliciesKeepApart(t *testing.T) {
	c := newCluster(t, 1)
	a := c.start("n1")
	b := c.start("n2", byPolicy(resolve.FirstWriter()))
	c.run(4 * time.Second)
	c.join(a, "room")
	_, err := c.register(a, "k")
	require.NoError(t, err)
	c.run(3 * time.Second)
	require.Empty(t, b.m.Members(nil, "room"))
	require.Equal(t, "none", c.holder(b, "k"))
	require.True(t, slices.ContainsFunc(b.notices, func(n Notice) bool { return n.Kind == Refused }))
}
