package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/transport"
)

// The model of membership, as transport/gossip behaves.
const (
	silence     = int64(3 * time.Second) // a link that hears nothing breaks
	detectLow   = int64(4 * time.Second) // SWIM notices that no path is left
	detectHigh  = int64(8 * time.Second)
	crashLow    = int64(time.Millisecond) // a closed port is proof
	crashHigh   = int64(40 * time.Millisecond)
	introLow    = int64(5 * time.Millisecond) // news of a node spreads
	introHigh   = int64(250 * time.Millisecond)
	refuteLow   = int64(500 * time.Millisecond) // a suspicion has gone there, and the answer back
	refuteHigh  = int64(2 * time.Second)
	mergeWithin = int64(300 * time.Millisecond)
)

// unix turns virtual time into the time that the address book reads.
func (c *Cluster) unix() time.Time { return time.Unix(0, c.now) }

// peerOf returns the run of a node that another one knows.
func peerOf(other *node, p *pair) replica.Peer { return replica.Peer{Node: other.name, Run: p.run} }

// components finds the connected part that each node is in, if it is not known: a
// path of links that are open both ways leads from each node of a part to each
// other.
func (c *Cluster) components() {
	if c.parted {
		return
	}
	c.parted = true
	up := c.up()
	for _, n := range up {
		n.part = -1
	}
	rest := slices.Clone(up)
	for i, n := range up {
		if n.part >= 0 {
			continue
		}
		n.part = i
		for stack := []*node{n}; len(stack) > 0; {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at.paused {
				continue
			}
			rest = slices.DeleteFunc(rest, func(other *node) bool {
				if other.part < 0 && !other.paused && c.open(at, other) {
					other.part = i
					stack = append(stack, other)
				}
				return other.part >= 0
			})
		}
	}
}

// topologyChanged finds the links that have lost their path and the members that
// no path leads to, and lets detection run for them.
func (c *Cluster) topologyChanged() {
	c.parted = false
	c.shapes++
	c.components()
	for _, n := range c.up() {
		for _, other := range c.sorted {
			p := c.pair(n, other)
			if p.run == 0 || other == n {
				continue
			}
			live := other.alive && other.self.Run == p.run
			c.linkPath(n, other, p, live && !other.paused && c.open(n, other))
			c.memberPath(n, other, p, live && n.part == other.part)
		}
	}
	c.spreadNews() // nodes that the change has brought together may not know each other
}

// linkPath notes whether the path of a link is there; a link without one breaks
// when nothing was heard on it for a while.
func (c *Cluster) linkPath(n, other *node, p *pair, there bool) {
	if there || !p.linked {
		p.lostL = false
		return
	}
	if p.lostL {
		return
	}
	p.lostL = true
	p.broken++
	c.laterOf(silence+c.delay(0, silence/10, ofSilence, p), ofSilence, n, other, n.run, uint64(p.broken))
}

func (c *Cluster) fellSilent(d *deed) {
	n, other, mark := d.from, d.to, d.mark
	c.on(n, d.run, func() {
		if p := c.pair(n, other); p.lostL && uint64(p.broken) == mark {
			c.breakLink(n, other, p)
		}
	})
}

// memberPath notes whether any path leads to a member; one without is taken for
// dead when SWIM has noticed.
func (c *Cluster) memberPath(n, other *node, p *pair, there bool) {
	if there || !p.up {
		p.lostP = false
		return
	}
	if p.lostP {
		return
	}
	p.lostP = true
	p.away++
	c.laterOf(c.delay(detectLow, detectHigh, ofDetect, p), ofDetect, n, other, n.run, uint64(p.away))
}

func (c *Cluster) detected(d *deed) {
	n, other, mark := d.from, d.to, d.mark
	c.on(n, d.run, func() {
		if p := c.pair(n, other); p.lostP && uint64(p.away) == mark {
			c.breakLink(n, other, p)
			c.down(n, other, p, false)
		}
	})
}

// breakLink ends a connection on one end; the other end notices by itself.
func (c *Cluster) breakLink(n, other *node, p *pair) {
	if !p.linked {
		return
	}
	c.unlink(n, other, p)
	c.hangUp(n, other, p)
}

func (c *Cluster) unlink(n, other *node, p *pair) {
	p.linked, p.lostL, n.nobody = false, false, 0
	n.book.Lost(transport.Peer(peerOf(other, p)), c.unix())
	n.m.LinkDown(c.reading(n), peerOf(other, p))
}

// hangUp tells the other end of a connection that this end has closed it, where
// the network lets that through.
func (c *Cluster) hangUp(n, other *node, p *pair) {
	if !other.alive || other.self.Run != p.run || p.closed {
		return
	}
	c.laterOf(c.delay(crashLow, crashHigh, ofHangup, p), ofHangup, n, other, other.run, p.gen)
}

func (c *Cluster) hungUp(d *deed) {
	n, other, gen := d.to, d.from, d.mark
	c.on(n, d.run, func() {
		if back := c.pair(n, other); back.linked && back.gen == gen {
			c.breakLink(n, other, back)
		}
	})
}

// down takes a member for dead.
func (c *Cluster) down(n, other *node, p *pair, left bool) {
	if !p.up {
		return
	}
	p.up, p.lostP = false, false
	if left {
		n.book.Gone(transport.Peer(peerOf(other, p)))
	}
	n.m.PeerDown(c.reading(n), peerOf(other, p), left)
}

// gone lets the others notice that a node's program has ended: at once where the
// network lets them see the closed port, by silence elsewhere.
func (c *Cluster) gone(dead *node, left bool) {
	for _, n := range c.up() {
		p := c.pair(n, dead)
		if p.run != dead.self.Run || !c.open(n, dead) {
			continue
		}
		how := uint64(0)
		if left {
			how = 1
		}
		c.laterOf(c.delay(crashLow, crashHigh, ofCrash, p), ofCrash, n, dead, n.run, how)
	}
	c.topologyChanged()
}

func (c *Cluster) crashed(d *deed) {
	n, dead, run, left := d.from, d.to, d.toRun, d.mark == 1
	c.on(n, d.run, func() {
		p := c.pair(n, dead)
		if p.run != run {
			return
		}
		if p.linked {
			c.unlink(n, dead, p)
		}
		c.down(n, dead, p, left)
	})
}

// manyNodes is the number of nodes beyond which a cluster is large.
const manyNodes = 64

// seek tries the missing addresses that the rejoin policy names. In a large
// cluster a node makes no tries while all of them would fail: a book with hundreds
// of missing addresses has tries due at any time, so it makes little difference
// which of them come first when the network is back, and while it is gone they are
// what a run would spend half its time on.
func (c *Cluster) seek(n *node) {
	if len(c.all) > manyNodes && !c.findable(n) {
		return
	}
	for _, t := range n.book.Next(c.unix(), 16) {
		other := c.nodes[t.Addr]
		if other == nil || !other.alive || other.paused || !c.open(n, other) {
			continue
		}
		p := c.pair(n, other)
		if p.linked && p.run == other.self.Run {
			continue
		}
		c.laterOf(2*c.conditions(p).high, ofContact, n, other, n.run, uint64(other.run))
	}
}

// findable reports whether there is a node to which a try would lead.
func (c *Cluster) findable(n *node) bool {
	if n.nobody == c.shapes {
		return false
	}
	for _, other := range c.up() {
		p := c.pair(n, other)
		if other != n && !other.paused && (!p.linked || p.run != other.self.Run) && c.open(n, other) {
			return true
		}
	}
	n.nobody = c.shapes
	return false
}

// reached joins two nodes, and lets the news of it spread to those that each knows.
func (c *Cluster) reached(d *deed) {
	a, b := d.from, d.to
	if a.alive && a.run == d.run && b.alive && b.run == int(d.mark) && !a.paused && !b.paused && c.open(a, b) {
		c.meet(a, b)
		c.spreadNews()
	}
}

// spreadNews has all that is known of members merged: at once, or when mergeWithin
// has passed since the last time.
func (c *Cluster) spreadNews() {
	if c.merging {
		return
	}
	c.merging = true
	c.always(c.mergeFrom-c.now, ofMerge, c.merge)
}

// merge introduces to each other all nodes that a chain of acquaintances connects,
// as gossip does, and looks again until there is nobody left to introduce.
func (c *Cluster) merge() {
	c.merging, c.mergeFrom = false, c.now+mergeWithin
	strangers := false
	for _, circle := range c.circles() {
		for i, x := range circle {
			for _, y := range circle[i+1:] {
				if c.knows(x, y) && c.knows(y, x) {
					continue
				}
				strangers = true
				c.laterOf(c.delay(introLow, introHigh, ofIntro, c.pair(x, y)), ofIntro, x, y, 0, 0)
			}
		}
	}
	if strangers {
		c.spreadNews()
	}
}

func (c *Cluster) introduced(d *deed) {
	if !c.knows(d.from, d.to) || !c.knows(d.to, d.from) {
		c.meet(d.from, d.to)
	}
}

// circles returns the nodes that news can go between: a path of open links leads
// there, and a chain of nodes each of which takes the next for a member.
func (c *Cluster) circles() [][]*node {
	c.components()
	rest := slices.DeleteFunc(slices.Clone(c.up()), func(n *node) bool { return n.paused })
	var circles [][]*node
	for len(rest) > 0 {
		circle := []*node{rest[0]}
		rest = rest[1:]
		for i := 0; i < len(circle) && len(rest) > 0; i++ {
			at := circle[i]
			rest = slices.DeleteFunc(rest, func(n *node) bool {
				near := n.part == at.part && (c.knows(n, at) || c.knows(at, n))
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

func (c *Cluster) knows(n, other *node) bool {
	p := c.pair(n, other)
	return p.up && p.run == other.self.Run
}

// meet makes two nodes members of each other, and links them where the network
// lets it.
func (c *Cluster) meet(a, b *node) {
	c.components()
	if !a.alive || !b.alive || a.paused || b.paused || a.part != b.part {
		return
	}
	linked, gen := c.open(a, b), c.events
	c.admit(a, b, linked, gen)
	c.admit(b, a, linked, gen)
	c.collect(a)
	c.collect(b)
}

// admit is one side of meet.
func (c *Cluster) admit(n, other *node, linked bool, gen uint64) {
	p := c.pair(n, other)
	if p.run != 0 && p.run != other.self.Run {
		c.retire(n, other, p)
	}
	if p.run != other.self.Run {
		p.reset(other.self.Run)
	}
	if !p.up {
		p.up, p.lostP = true, false
		n.m.PeerUp(c.reading(n), other.self, other.name)
	}
	if !linked {
		n.book.Heard(transport.Peer(other.self), other.name, c.unix())
		return
	}
	if p.linked {
		n.m.LinkDown(c.reading(n), other.self)
	}
	p.linked, p.gen, p.lostL = true, gen, false
	n.book.Met(transport.Peer(other.self), other.name, c.unix())
	n.m.LinkUp(c.reading(n), other.self)
}

// retire ends the membership of a node's earlier run.
func (c *Cluster) retire(n, other *node, p *pair) {
	if p.linked {
		p.linked, n.nobody = false, 0
		n.m.LinkDown(c.reading(n), peerOf(other, p))
	}
	c.down(n, other, p, false)
}
