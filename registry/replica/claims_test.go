package replica

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/crdt"
)

// nameAt returns a name whose home is a node, in a cluster that is stable.
func nameAt(t testing.TB, from *node, home string, again int) string {
	t.Helper()
	for i := range 1000 {
		name := fmt.Sprint("name/", again, "/", i)
		h := from.m.homesOf(name)
		require.Len(t, h, 1)
		if h[0].self && from.self.Node == home || h[0].peer.Node == home {
			return name
		}
	}
	require.Fail(t, "no name has that home")
	return ""
}

func TestFenceGrowsThoughTheClaimantHasNotHeard(t *testing.T) {
	c, a, b, _ := three(t)
	c.run(2 * time.Second)
	ahead := crdt.StampAt(c.reading().Wall/1_000_000+30_000, 0)
	require.NoError(t, a.m.clock.Observe(c.reading(), ahead))
	c.drop = func(f flight) bool { return f.from == a.self && f.to == b.self && FrameKind(f.frame) == "delta" }
	name := nameAt(t, b, "n3", 0)
	first, err := c.register(a, name)
	require.NoError(t, err)
	require.Greater(t, first.birth, ahead)
	require.NoError(t, a.m.Unregister(c.reading(), first.serial, name))
	c.collect(a)
	c.settle()
	second, err := c.register(b, name)
	require.NoError(t, err)
	require.Greater(t, second.birth, first.birth)
}

func TestBrokenLinkToTheHomeIsNoHole(t *testing.T) {
	c, a, b, _ := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n2", 0)
	c.drop = func(f flight) bool { return f.from == b.self && FrameKind(f.frame) == "delta" }
	_, err := c.register(b, name)
	require.NoError(t, err)
	a.m.LinkDown(c.reading(), b.self)
	b.m.LinkDown(c.reading(), a.self)
	id := c.registerAsync(a, name)
	c.run(300 * time.Millisecond)
	require.NotContains(t, a.results, id, "the home may be back in a moment")
	c.drop = nil
	a.m.LinkUp(c.reading(), b.self)
	b.m.LinkUp(c.reading(), a.self)
	c.collect(a)
	c.collect(b)
	c.run(time.Second)
	require.ErrorIs(t, a.results[id].Err, ErrTaken)
}

func TestHomeThatIsDownIsReplaced(t *testing.T) {
	c, a, _, _ := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n2", 0)
	c.kill("n2")
	_, err := c.register(a, name)
	require.NoError(t, err)
}

func TestNodeThatDoesNotServeAnswersNoClaim(t *testing.T) {
	c := newCluster(t, 1)
	n := c.start("n1")
	require.False(t, n.m.Serving())
	require.Equal(t, notServing, n.m.arbitrate("k", n.m.pid(1), true).Kind)
	id := c.registerAsync(n, "k")
	require.NotContains(t, n.results, id)
	c.run(2 * time.Second)
	require.NoError(t, n.results[id].Err, "a node that nobody answers serves alone")
}

func TestGrantThatRanOutIsAskedForAgain(t *testing.T) {
	c, a, _, _ := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n2", 0)
	id := c.registerAsync(a, name)
	require.Len(t, a.m.pending, 1)
	answers := c.queue
	c.queue = nil
	c.now += int64(20 * time.Second) // the claimant was paused with its question out
	c.queue = answers
	c.run(3 * time.Second)
	require.ErrorIs(t, a.results[id].Err, ErrTimeout, "its time was over")
	id = c.registerAsync(a, name)
	c.run(time.Second)
	require.NoError(t, a.results[id].Err)
}

func TestMinorityIsRefused(t *testing.T) {
	c, a, _, d := three(t, func(cfg *Config) { cfg.Expected, cfg.RefuseMinority = 3, true })
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	_, err := c.register(d, "k", optimistic)
	require.ErrorIs(t, err, ErrMinority)
	_, err = c.register(a, "k")
	require.NoError(t, err)
}

func TestForgottenNodeComesBackAsMissingEntries(t *testing.T) {
	c, a, _, d := three(t, func(cfg *Config) { cfg.ForgetAfter = 10 * time.Second })
	e, err := c.register(d, "k")
	require.NoError(t, err)
	c.join(d, "room")
	c.settle()
	c.partition([]string{"n1", "n2"}, []string{"n3"})
	c.run(15 * time.Second)
	require.Nil(t, a.m.known(d.m.self.id), "forgotten: live entries and context together")
	entries, _ := a.m.Footprint()
	require.Zero(t, entries)
	c.heal()
	c.run(3 * time.Second)
	require.Equal(t, e.PID().String(), c.holder(a, "k"))
	require.Len(t, a.m.Members(nil, "room"), 1)
	c.requireAgreement()
	c.kill("n3")
	c.run(time.Minute)
	require.NotContains(t, a.m.floors, "n3", "what is kept of a node that is gone is dropped too")
}

func TestGrantForAProcessThatEndedIsGivenBack(t *testing.T) {
	c, a, b, d := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n2", 0)
	id := c.registerAsync(a, name)
	a.m.Exit(c.reading(), a.serial)
	c.collect(a)
	c.settle()
	require.ErrorIs(t, a.results[id].Err, ErrNoProcess)
	require.Empty(t, b.m.reservations)
	_, err := c.register(d, name)
	require.NoError(t, err)
}
