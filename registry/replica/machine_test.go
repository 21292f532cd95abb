package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/resolve"
)

func three(t testing.TB, adjust ...func(*Config)) (*cluster, *node, *node, *node) {
	c := newCluster(t, 7)
	a, b, d := c.start("n1", adjust...), c.start("n2", adjust...), c.start("n3", adjust...)
	c.run(2 * time.Second)
	for _, n := range []*node{a, b, d} {
		require.True(t, n.m.Serving())
	}
	return c, a, b, d
}

func TestRegisterIsSeenEverywhereAndTakenElsewhere(t *testing.T) {
	c, a, b, d := three(t)
	e, err := c.register(a, "user/42")
	require.NoError(t, err)
	c.settle()
	for _, n := range []*node{a, b, d} {
		require.Equal(t, e.PID().String(), c.holder(n, "user/42"))
	}
	_, err = c.register(b, "user/42")
	require.ErrorIs(t, err, ErrTaken)
	var te *TakenError
	require.ErrorAs(t, err, &te)
	require.Equal(t, e.PID(), te.Holder.Holder)
	a.m.Exit(c.reading(), e.serial)
	c.collect(a)
	c.settle()
	require.Equal(t, "none", c.holder(b, "user/42"))
	last := b.changes[len(b.changes)-1]
	require.Equal(t, Exited, last.Reason)
	_, err = c.register(b, "user/42")
	require.NoError(t, err)
	c.requireAgreement()
}

func TestRacedRegistrationsNeverBothSucceed(t *testing.T) {
	c, a, b, d := three(t)
	c.jumble = true
	for i := range 300 {
		name := string(rune('a'+i%26)) + time.Duration(i).String()
		ids := []uint64{c.registerAsync(a, name), c.registerAsync(b, name), c.registerAsync(d, name)}
		c.run(200 * time.Millisecond)
		won := 0
		for j, n := range []*node{a, b, d} {
			if r, ok := n.results[ids[j]]; ok && r.Err == nil {
				won++
			}
		}
		require.Equal(t, 1, won, name)
	}
	c.calm()
	c.run(3 * time.Second)
	c.requireAgreement()
	require.Zero(t, a.m.Counters().Conflicts+b.m.Counters().Conflicts+d.m.Counters().Conflicts)
}

func TestSplitAndHealNamesOneWinnerAndTellsTheLoserOnce(t *testing.T) {
	c, a, b, d := three(t)
	keep := c.join(d, "room")
	c.settle()
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	c.run(time.Second)
	first, err := c.register(a, "k")
	require.NoError(t, err)
	c.run(time.Second)
	second, err := c.register(d, "k")
	require.NoError(t, err)
	joined := c.join(b, "room")
	c.run(time.Minute)
	require.Equal(t, first.PID().String(), c.holder(b, "k"))
	require.Len(t, b.m.Members(nil, "room"), 1, "the cut off member is hidden")
	c.heal()
	c.run(time.Second)
	for _, n := range []*node{a, b, d} {
		require.Equal(t, second.PID().String(), c.holder(n, "k"), "last writer wins")
		require.Len(t, n.m.Members(nil, "room"), 2)
	}
	require.Len(t, a.losses, 1)
	require.Equal(t, ConflictLost, a.losses[0].Reason)
	require.Equal(t, second.PID(), a.losses[0].Winner.Holder)
	require.Len(t, a.losses[0].Claims, 2)
	require.Empty(t, b.losses)
	require.Empty(t, d.losses)
	c.run(5 * time.Second)
	c.requireAgreement()
	require.Equal(t, 2, len(a.m.Members(nil, "room")))
	require.NotNil(t, keep)
	require.NotNil(t, joined)
	heals := a.m.Heals()
	require.Len(t, heals, 1)
	require.Equal(t, []string{"n3"}, heals[0].Nodes)
	require.Len(t, heals[0].Conflicts, 1)
	for _, n := range []*node{a, b, d} {
		require.Empty(t, n.m.contended, "no trace of the conflict is left")
	}
}

func TestNotifyAllKeepsAllUntilOneIsLeft(t *testing.T) {
	c, a, _, d := three(t, byPolicy(resolve.NotifyAll()))
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	first, err := c.register(a, "k")
	require.NoError(t, err)
	second, err := c.register(d, "k")
	require.NoError(t, err)
	c.run(time.Second)
	c.heal()
	c.run(3 * time.Second)
	require.Equal(t, "none", c.holder(a, "k"))
	_, _, contested := a.m.Claims("k")
	require.True(t, contested)
	require.Len(t, a.losses, 1)
	require.Len(t, d.losses, 1)
	require.Equal(t, Contested, a.losses[0].Reason)
	_, err = c.register(a, "k")
	require.ErrorIs(t, err, ErrTaken)
	require.NoError(t, a.m.Unregister(c.reading(), first.serial, "k"))
	c.collect(a)
	c.run(time.Second)
	require.Equal(t, second.PID().String(), c.holder(a, "k"))
	require.Equal(t, second.PID().String(), c.holder(d, "k"))
}

func TestReregisterSupersedesWhateverThePolicySays(t *testing.T) {
	c, a, b, d := three(t, byPolicy(resolve.FirstWriter()))
	first, err := c.register(a, "k")
	require.NoError(t, err)
	c.settle()
	second, err := c.register(b, "k", again)
	require.NoError(t, err)
	c.settle()
	for _, n := range []*node{a, b, d} {
		require.Equal(t, second.PID().String(), c.holder(n, "k"))
	}
	require.Len(t, a.losses, 1)
	require.Equal(t, Reregistered, a.losses[0].Reason)
	require.Equal(t, first.serial, a.losses[0].Serial)
	for _, ch := range d.changes {
		require.NotNil(t, ch.New, "a reader sees old or new, never none")
	}
	require.Empty(t, d.m.contended)
	require.Greater(t, second.birth, first.birth, "the fence grows")
}

func TestLossDuplicationAndReorderingAreRepaired(t *testing.T) {
	c, a, b, d := three(t)
	c.loss, c.dup, c.jumble = 0.3, 0.2, true
	var entries []*Entry
	for i := range 400 {
		n := []*node{a, b, d}[i%3]
		e := c.join(n, "g"+time.Duration(i%7).String())
		entries = append(entries, e)
		if i%3 == 0 {
			victim := entries[c.rng.IntN(len(entries))]
			owner := c.nodes[victim.origin.id.Node]
			owner.m.Exit(c.reading(), victim.serial)
			c.collect(owner)
		}
		if i%5 == 0 {
			_, err := n.m.Join(c.reading(), e.serial, e.key, []byte("v2"))
			if err != nil {
				require.ErrorIs(t, err, ErrNoProcess)
			}
			c.collect(n)
		}
		c.settle()
	}
	c.calm()
	c.run(20 * time.Second)
	c.requireAgreement()
	require.Equal(t, a.m.Digest(), b.m.Digest())
	require.Equal(t, a.m.Digest(), d.m.Digest())
}

func TestNodesThatStartTogetherServe(t *testing.T) {
	c := newCluster(t, 3)
	for i := range 32 {
		c.start(string(rune('A' + i)))
	}
	c.run(500 * time.Millisecond)
	for _, name := range c.order {
		n := c.nodes[name]
		require.True(t, n.m.Serving(), name)
		_, err := c.register(n, "name of "+name)
		require.NoError(t, err)
	}
	c.settle()
	c.requireAgreement()
}

func TestClockThatWentBackTakesANewEpoch(t *testing.T) {
	c, a, b, _ := three(t)
	c.register(a, "old")
	c.settle()
	c.kill("n1")
	c.run(time.Second)
	require.Equal(t, "none", c.holder(b, "old"))
	again := c.start("n1", func(cfg *Config) { cfg.Self.Run = 5 })
	e, err := c.register(again, "new", optimistic)
	require.NoError(t, err)
	c.run(3 * time.Second)
	require.Greater(t, again.m.Epoch(), uint64(5))
	require.Equal(t, e.PID().String(), c.holder(b, "new"))
	require.Equal(t, "none", c.holder(b, "old"))
	c.requireAgreement()
}

func TestRestartCoversTheOldRun(t *testing.T) {
	c, a, b, _ := three(t)
	c.register(a, "old")
	c.settle()
	c.kill("n1")
	next := c.start("n1")
	c.run(3 * time.Second)
	require.Equal(t, "none", c.holder(b, "old"))
	_, err := c.register(next, "old")
	require.NoError(t, err)
	c.run(2 * time.Second)
	c.requireAgreement()
	for _, o := range b.m.origins {
		require.Equal(t, o.id.Epoch, c.nodes[o.id.Node].m.Epoch(), "one entry of context for each node name")
	}
}

func TestLeaveIsForgottenAtOnce(t *testing.T) {
	c, a, b, _ := three(t)
	c.register(a, "k")
	c.settle()
	c.leave("n1")
	require.Equal(t, "none", c.holder(b, "k"))
	require.Equal(t, NodeLeft, b.changes[len(b.changes)-1].Reason)
	require.Len(t, b.m.origins, 2)
}

// TestRunThatBearsTheNumberOfTheLast starts a node again in the moment in which it
// was started before: it notices that others know more of it than itself.
func TestRunThatBearsTheNumberOfTheLast(t *testing.T) {
	c, a, b, _ := three(t)
	same := func(cfg *Config) { cfg.Self = a.self }
	c.run(time.Second)
	_, err := c.register(a, "old", optimistic)
	require.NoError(t, err)
	c.join(a, "old")
	c.run(time.Second)
	c.kill("n1")
	a = c.start("n1", same)
	c.run(2 * time.Second)
	require.Equal(t, "none", c.holder(b, "old"))
	require.Empty(t, b.m.Groups())
	_, err = c.register(a, "new", optimistic)
	require.NoError(t, err)
	c.run(2 * time.Second)
	c.requireAgreement()
	require.NotEqual(t, "none", c.holder(b, "new"))
}
