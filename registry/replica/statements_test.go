package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// framesTo returns the frames of a kind that are under way to a node, decoded.
func (c *cluster) framesTo(n *node, kind string) []any {
	var found []any
	for _, f := range c.queue {
		if f.to == n.self && FrameKind(f.frame) == kind {
			msg, err := decode(f.frame)
			require.NoError(c.t, err)
			found = append(found, msg)
		}
	}
	return found
}

// A node may only call missing what it covers: about numbers above its version it
// knows nothing.
func TestNodeSaysNothingBeyondItsVersion(t *testing.T) {
	c, a, b, d := three(t)
	c.join(d, "room")
	c.settle()
	o := a.m.known(d.m.self.id)
	v := o.log.Version()
	r := ranges{id: o.id, version: v + 5, salt: 1, parts: []part{{lo: 0, hi: v + 5, listed: true, seqs: []uint64{v, v + 2, v + 4}}}}
	require.NoError(t, a.m.Step(c.reading(), b.self, b.m.enc.ranges(r)))
	c.collect(a)
	require.Empty(t, c.framesTo(b, "drops"))
	require.Len(t, a.m.Members(nil, "room"), 1)
}

func TestDropsCountUpToTheirSendersVersion(t *testing.T) {
	c, a, b, d := three(t)
	first := c.join(d, "room")
	second := c.join(d, "room")
	c.settle()
	o := a.m.known(d.m.self.id)
	drops := func(version uint64, seqs ...uint64) {
		frame := b.m.enc.drops(dropsMsg{id: o.id, version: version, seqs: seqs})
		if err := a.m.Step(c.reading(), b.self, frame); err != nil {
			require.ErrorIs(t, err, ErrFrame)
		}
		c.collect(a)
	}
	drops(first.seq, first.seq, second.seq)
	_, live := o.log.Get(second.seq)
	require.True(t, live, "its sender had not seen that number")
}

// The owner knows best: whatever others say of its entries, it keeps them.
func TestOwnerKeepsWhatOthersCallMissing(t *testing.T) {
	c, a, b, d := three(t)
	e := c.join(a, "room")
	c.settle()
	frame := b.m.enc.drops(dropsMsg{id: a.m.self.id, version: e.seq, seqs: []uint64{e.seq}})
	require.NoError(t, a.m.Step(c.reading(), b.self, frame))
	c.collect(a)
	require.Len(t, a.m.Members(nil, "room"), 1)
	lists := ranges{id: a.m.self.id, version: e.seq, salt: 1, parts: []part{{lo: 0, hi: e.seq, listed: true}}}
	require.NoError(t, a.m.Step(c.reading(), b.self, b.m.enc.ranges(lists)))
	c.collect(a)
	require.Len(t, a.m.Members(nil, "room"), 1)
	c.settle()
	require.NotNil(t, d)
}

// While a claim that was granted has not reached its home, nobody else gets the
// name; when the time is over, somebody does.
func TestHomeKeepsWhatItGrantedForATime(t *testing.T) {
	c, a, b, _ := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n3", 1)
	c.drop = func(f flight) bool { // n1 hears that it has the name, and its claim reaches nobody
		return f.from == a.self && FrameKind(f.frame) != "claim"
	}
	_, err := c.register(a, name)
	require.NoError(t, err)
	_, err = c.register(b, name)
	require.ErrorIs(t, err, ErrTaken)
	var taken *TakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, "n1", taken.Holder.Holder.Node)
	c.run(6 * time.Second)
	_, err = c.register(b, name)
	require.NoError(t, err, "a grant is not for ever")
}

func TestClaimantDoesNotUseAGrantThatItsHomeKeepsNoLonger(t *testing.T) {
	c, a, _, _ := three(t)
	c.run(2 * time.Second)
	name := nameAt(t, a, "n2", 2)
	serial := a.spawn()
	p := &pending{call: Register{ID: 7, Serial: serial, Name: name}, until: c.now + int64(time.Hour)}
	a.m.await(p)
	p.granted, p.firstAt = a.m.homesOf(name), c.now
	c.now += int64(a.m.cfg.Reserve)
	a.m.begin(c.reading())
	require.False(t, a.m.advance(p))
	require.Empty(t, p.granted)
	require.Nil(t, a.m.ownClaim(serial, name))
}

func TestOldHomeIsAskedBeforeTheNew(t *testing.T) {
	c, a, _, _ := three(t)
	c.run(2 * time.Second)
	moving := map[string]home{}
	for i := range 200 {
		name := nameAt(t, a, "n2", 10+i)
		moving[name] = a.m.homesOf(name)[0]
	}
	n4 := c.start("n4")
	c.settle()
	require.True(t, n4.m.Serving())
	moved := 0
	for name, old := range moving {
		homes := a.m.homesOf(name)
		require.Equal(t, old, homes[0])
		if len(homes) == 2 {
			require.Equal(t, "n4", homes[1].peer.Node)
			moved++
		}
	}
	require.NotZero(t, moved)
	c.run(3 * time.Second)
	for name := range moving {
		require.Len(t, a.m.homesOf(name), 1)
	}
}

func TestHalfIsNoMajority(t *testing.T) {
	c := newCluster(t, 2)
	sides := [][]string{{"n1", "n2"}, {"n3", "n4"}}
	for _, name := range append(sides[0], sides[1]...) {
		c.start(name, func(cfg *Config) { cfg.Expected, cfg.RefuseMinority = 4, true })
	}
	c.run(2 * time.Second)
	_, err := c.register(c.nodes["n1"], "before")
	require.NoError(t, err)
	c.partition(sides...)
	for _, name := range c.order {
		_, err := c.register(c.nodes[name], "k", optimistic)
		require.ErrorIs(t, err, ErrMinority)
	}
}

// A list that shows the old form of an updated claim as removed may come before
// the new form: until then the name keeps its holder.
func TestOldFormStaysUntilTheNewIsHere(t *testing.T) {
	c, a, b, d := three(t)
	first, err := c.register(a, "k")
	require.NoError(t, err)
	c.settle()
	id := a.m.self.id
	before := b.m.known(a.m.self.id).log.Version()
	c.drop = func(f flight) bool { return f.to == b.self && f.from == a.self && FrameKind(f.frame) == "delta" }
	_, err = a.m.Update(c.reading(), first.serial, "k", []byte("v2"))
	require.NoError(t, err)
	c.collect(a)
	c.settle()
	c.drop = nil
	b.changes = nil
	r := ranges{id: id, version: a.m.self.log.Version(), salt: 1, parts: []part{{lo: 0, hi: before, listed: true}}}
	require.NoError(t, b.m.Step(c.reading(), d.self, d.m.enc.ranges(r)))
	c.collect(b)
	require.Equal(t, first.PID().String(), c.holder(b, "k"))
	c.run(3 * time.Second)
	e, ok := b.m.Holder("k")
	require.True(t, ok)
	require.Equal(t, "v2", string(e.Value()))
	for _, ch := range b.changes {
		require.NotNil(t, ch.New, "nobody is shown meanwhile")
	}
	c.requireAgreement()
}
