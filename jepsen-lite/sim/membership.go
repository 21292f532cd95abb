package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/transport"
)

// member is what a node's transport thinks of another node.
type member struct {
	peer   replica.Peer
	up     bool
	linked bool
	gen    uint64 // of the connection
	broken uint64 // counts the times the link's path was lost, to cancel what heals first
	away   uint64 // counts the times no path led there
	lostL  bool   // the path of the link is lost now
	lostP  bool   // no path leads there now
}

// The model of membership, as transport/gossip behaves.
const (
	silence     = int64(3 * time.Second) // a link that hears nothing breaks
	detectLow   = int64(4 * time.Second) // SWIM notices that no path is left
	detectHigh  = int64(8 * time.Second)
	crashLow    = int64(time.Millisecond) // a closed port is proof
	crashHigh   = int64(40 * time.Millisecond)
	introLow    = int64(5 * time.Millisecond) // news of a node spreads
	introHigh   = int64(250 * time.Millisecond)
	mergeWithin = int64(300 * time.Millisecond)
)

// unix turns virtual time into the time that the address book reads.
func (c *Cluster) unix() time.Time { return time.Unix(0, c.now) }

// components returns the connected part that each node is in: a path of links
// that are open both ways leads from each node of a part to each other.
func (c *Cluster) components() map[string]int {
	if c.parts != nil {
		return c.parts
	}
	c.parts = map[string]int{}
	up := c.up()
	for i, n := range up {
		if _, seen := c.parts[n.name]; seen {
			continue
		}
		c.parts[n.name] = i
		for stack := []*node{n}; len(stack) > 0; {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at.paused {
				continue
			}
			for _, other := range up {
				if _, seen := c.parts[other.name]; !seen && !other.paused && c.open(at.name, other.name) {
					c.parts[other.name] = i
					stack = append(stack, other)
				}
			}
		}
	}
	return c.parts
}

// topologyChanged finds the links that have lost their path and the members that
// no path leads to, and lets detection run for them.
func (c *Cluster) topologyChanged() {
	c.parts = nil
	parts := c.components()
	for _, n := range c.up() {
		for _, name := range c.order {
			m, ok := n.members[name]
			if !ok || name == n.name {
				continue
			}
			other := c.nodes[name]
			live := other.alive && other.self == m.peer
			c.linkPath(n, m, live && !other.paused && c.open(n.name, name))
			c.memberPath(n, m, live && parts[n.name] == parts[name])
		}
	}
	c.spreadNews() // nodes that the change has brought together may not know each other
}

// linkPath notes whether the path of a link is there; a link without one breaks
// when nothing was heard on it for a while.
func (c *Cluster) linkPath(n *node, m *member, there bool) {
	if there || !m.linked {
		m.lostL = false
		return
	}
	if m.lostL {
		return
	}
	m.lostL = true
	m.broken++
	mark, run, gen := m.broken, n.run, m.gen
	c.later(silence+c.between(0, silence/10, "silence", n.name, m.peer.Node), "silence", n.name, m.peer.Node, func() {
		c.on(n, run, func() {
			if m.lostL && m.broken == mark && m.gen == gen {
				c.breakLink(n, m)
			}
		})
	})
}

// memberPath notes whether any path leads to a member; one without is taken for
// dead when SWIM has noticed.
func (c *Cluster) memberPath(n *node, m *member, there bool) {
	if there || !m.up {
		m.lostP = false
		return
	}
	if m.lostP {
		return
	}
	m.lostP = true
	m.away++
	mark, run := m.away, n.run
	c.later(c.between(detectLow, detectHigh, "detect", n.name, m.peer.Node), "detect", n.name, m.peer.Node, func() {
		c.on(n, run, func() {
			if m.lostP && m.away == mark {
				c.breakLink(n, m)
				c.down(n, m, false)
			}
		})
	})
}

// breakLink ends a connection on one end; the other end notices by itself.
func (c *Cluster) breakLink(n *node, m *member) {
	if !m.linked {
		return
	}
	m.linked, m.lostL = false, false
	n.book.Lost(transport.Peer(m.peer), c.unix())
	n.m.LinkDown(c.reading(n), m.peer)
	c.hangUp(n, m)
}

// hangUp tells the other end of a connection that this end has closed it, where
// the network lets that through.
func (c *Cluster) hangUp(n *node, m *member) {
	other := c.nodes[m.peer.Node]
	if !other.alive || other.self != m.peer || c.link(n.name, other.name).closed {
		return
	}
	gen, run := m.gen, other.run
	c.later(c.between(crashLow, crashHigh, "hangup", n.name, other.name), "hangup", n.name, other.name, func() {
		c.on(other, run, func() {
			if back, ok := other.members[n.name]; ok && back.linked && back.gen == gen {
				c.breakLink(other, back)
			}
		})
	})
}

// down takes a member for dead.
func (c *Cluster) down(n *node, m *member, left bool) {
	if !m.up {
		return
	}
	m.up, m.lostP = false, false
	if left {
		n.book.Gone(transport.Peer(m.peer))
	}
	n.m.PeerDown(c.reading(n), m.peer, left)
}

// gone lets the others notice that a node's program has ended: at once where the
// network lets them see the closed port, by silence elsewhere.
func (c *Cluster) gone(dead *node, left bool) {
	for _, n := range c.up() {
		m, ok := n.members[dead.name]
		if !ok || m.peer != dead.self || !c.open(n.name, dead.name) {
			continue
		}
		run := n.run
		c.later(c.between(crashLow, crashHigh, "crash", n.name, dead.name), "crash", n.name, dead.name, func() {
			c.on(n, run, func() {
				if m.linked {
					m.linked = false
					n.book.Lost(transport.Peer(m.peer), c.unix())
					n.m.LinkDown(c.reading(n), m.peer)
				}
				c.down(n, m, left)
			})
		})
	}
	c.topologyChanged()
}

// seek tries the missing addresses that the rejoin policy names.
func (c *Cluster) seek(n *node) {
	for _, t := range n.book.Next(c.unix(), 16) {
		other, ok := c.nodes[t.Addr]
		if !ok || !other.alive || other.paused || !c.open(n.name, t.Addr) {
			continue
		}
		if n.members[t.Addr] != nil && n.members[t.Addr].linked && n.members[t.Addr].peer == other.self {
			continue
		}
		run, otherRun := n.run, other.run
		c.later(2*c.link(n.name, t.Addr).high, "contact", n.name, t.Addr, func() {
			if n.alive && n.run == run && other.alive && other.run == otherRun && !n.paused && !other.paused && c.open(n.name, t.Addr) {
				c.contact(n, other)
			}
		})
	}
}

// contact joins two nodes, and lets the news of it spread to those that each knows.
func (c *Cluster) contact(a, b *node) {
	c.meet(a, b)
	c.spreadNews()
}

// spreadNews has all that is known of members merged: at once, or when mergeWithin
// has passed since the last time.
func (c *Cluster) spreadNews() {
	if c.merging {
		return
	}
	c.merging = true
	c.later(c.mergeFrom-c.now, "merge", "", "", c.merge)
}

// merge introduces to each other all nodes that a chain of acquaintances connects,
// as gossip does, and looks again until there is nobody left to introduce.
func (c *Cluster) merge() {
	c.merging, c.mergeFrom = false, c.now+mergeWithin
	strangers := false
	for _, circle := range c.circles() {
		for i, x := range circle {
			for _, y := range circle[i+1:] {
				if x.knows(y) && y.knows(x) {
					continue
				}
				strangers = true
				c.later(c.between(introLow, introHigh, "intro", x.name, y.name), "intro", x.name, y.name, func() {
					if !x.knows(y) || !y.knows(x) {
						c.meet(x, y)
					}
				})
			}
		}
	}
	if strangers {
		c.spreadNews()
	}
}

// circles returns the nodes that news can go between: a path of open links leads
// there, and a chain of nodes each of which takes the next for a member.
func (c *Cluster) circles() [][]*node {
	parts := c.components()
	rest := slices.DeleteFunc(c.up(), func(n *node) bool { return n.paused })
	var circles [][]*node
	for len(rest) > 0 {
		circle := []*node{rest[0]}
		rest = rest[1:]
		for i := 0; i < len(circle); i++ {
			at := circle[i]
			rest = slices.DeleteFunc(rest, func(n *node) bool {
				near := parts[n.name] == parts[at.name] && (n.knows(at) || at.knows(n))
				if near {
					circle = append(circle, n)
				}
				return near
			})
		}
		slices.SortFunc(circle, func(a, b *node) int { return strings.Compare(a.name, b.name) })
		circles = append(circles, circle)
	}
	return circles
}

func (n *node) knows(other *node) bool {
	m, ok := n.members[other.name]
	return ok && m.up && m.peer == other.self
}

// meet makes two nodes members of each other, and links them where the network
// lets it.
func (c *Cluster) meet(a, b *node) {
	if !a.alive || !b.alive || a.paused || b.paused || c.components()[a.name] != c.components()[b.name] {
		return
	}
	linked := c.open(a.name, b.name)
	gen := c.events
	for _, side := range [2][2]*node{{a, b}, {b, a}} {
		c.admit(side[0], side[1], linked, gen)
	}
	for _, n := range [2]*node{a, b} {
		c.collect(n)
	}
}

// admit is one side of meet.
func (c *Cluster) admit(n, other *node, linked bool, gen uint64) {
	m, ok := n.members[other.name]
	if ok && m.peer != other.self {
		c.retire(n, m)
		ok = false
	}
	if !ok {
		m = &member{peer: other.self}
		n.members[other.name] = m
	}
	if !m.up {
		m.up, m.lostP = true, false
		n.m.PeerUp(c.reading(n), m.peer, other.name)
	}
	if !linked {
		n.book.Heard(transport.Peer(m.peer), other.name, c.unix())
		return
	}
	if m.linked {
		n.m.LinkDown(c.reading(n), m.peer)
	}
	m.linked, m.gen, m.lostL = true, gen, false
	n.book.Met(transport.Peer(m.peer), other.name, c.unix())
	n.m.LinkUp(c.reading(n), m.peer)
}

// retire ends the membership of a node's earlier run.
func (c *Cluster) retire(n *node, m *member) {
	if m.linked {
		m.linked = false
		n.m.LinkDown(c.reading(n), m.peer)
	}
	c.down(n, m, false)
}
