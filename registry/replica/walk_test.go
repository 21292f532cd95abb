package replica

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// halfHidden returns a cluster in which n2 has lost n1, which holds k0 to k9, and
// has hidden one entry so far.
func halfHidden(t *testing.T) (c *cluster, b *node) {
	c, a, b, _ := three(t)
	for i := range 10 {
		_, err := c.register(a, fmt.Sprint("k", i), optimistic)
		require.NoError(t, err)
	}
	c.join(a, "g")
	c.run(time.Second)
	b.m.walkStep, c.lazy = 1, true
	b.m.PeerDown(c.reading(), a.self, false)
	require.True(t, b.m.Busy())
	require.Equal(t, 9, b.m.Names())
	return c, b
}

func TestNameThatIsYetToBeHiddenIsFree(t *testing.T) {
	c, b := halfHidden(t)
	e, err, done := b.m.Register(c.reading(), Register{Serial: b.spawn(), Name: "k7", Optimistic: true})
	require.True(t, done)
	require.NoError(t, err)
	require.Equal(t, 9, b.m.Names(), "k0 is hidden and k7 is another's; the others are yet to come")
	for b.m.Busy() {
		b.m.Work(c.reading())
	}
	require.Equal(t, 1, b.m.Names())
	require.Equal(t, e.PID().String(), c.holder(b, "k7"))
	require.Empty(t, b.m.Groups())
}

func TestNodeThatComesBackWhileItIsBeingHidden(t *testing.T) {
	c, b := halfHidden(t)
	b.changes = nil
	a := c.nodes["n1"]
	b.m.PeerUp(c.reading(), a.self, "")
	for b.m.Busy() {
		b.m.Work(c.reading())
	}
	c.collect(b)
	require.Equal(t, 10, b.m.Names())
	require.Len(t, b.m.Members(nil, "g"), 1)
	require.Len(t, b.changes, 2, "k0 went and came; nothing else was seen to change")
}

func TestNodeThatIsForgottenWhileItIsBeingHidden(t *testing.T) {
	c, b := halfHidden(t)
	o := b.m.known(c.nodes["n1"].m.self.id)
	b.m.forget(o, NodeLeft)
	require.Equal(t, 9, b.m.Names())
	for b.m.Busy() {
		b.m.Work(c.reading())
	}
	require.Zero(t, b.m.Names())
	require.Empty(t, b.m.groups)
	require.Empty(t, b.m.contended)
}
