package sim

import (
	"slices"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// link is one direction between two nodes.
type link struct {
	closed  bool
	loss    float64
	dup     float64
	reorder float64
	low     int64
	high    int64
	size    int // frames above it vanish; 0 for no limit
	held    bool
	waiting []func()
	arrived [3]int64 // when the last frame of each lane arrives
	sent    []sent   // kept for replay
}

type sent struct {
	at    int64
	from  replica.Peer
	to    replica.Peer
	lane  replica.Lane
	frame []byte
}

// maxSent bounds what a link keeps for replay.
const maxSent = 4096

func (c *Cluster) link(from, to string) *link {
	key := [2]string{from, to}
	l, ok := c.links[key]
	if !ok {
		n := c.scenario.Net
		if c.calm {
			n.Loss, n.Dup, n.Reorder = 0, 0, 0
		}
		l = &link{loss: n.Loss, dup: n.Dup, reorder: n.Reorder, low: int64(n.Low), high: int64(n.High)}
		c.links[key] = l
	}
	return l
}

// open reports whether frames can flow both ways.
func (c *Cluster) open(a, b string) bool { return !c.link(a, b).closed && !c.link(b, a).closed }

// degraded reports whether a link carries frames worse than the scenario's net.
func (c *Cluster) degraded(l *link) bool {
	n := c.scenario.Net
	return l.loss > n.Loss || l.dup > n.Dup || l.reorder > n.Reorder || l.high > int64(n.High) || l.size > 0 || l.held
}

// trafficKey says which frames are summed together.
type trafficKey struct{ from, to, kind string }

func (c *Cluster) countFrame(from, to string, frame []byte) *LinkTraffic {
	key := trafficKey{from, to, replica.FrameKind(frame)}
	t, ok := c.traffic[key]
	if !ok {
		t = &LinkTraffic{From: from, To: to, Kind: key.kind}
		c.traffic[key] = t
	}
	return t
}

// transmit puts a frame on its way. Frames of one lane keep their order, unless
// the link reorders them.
func (c *Cluster) transmit(n *node, s replica.Send) {
	m, ok := n.members[s.To.Node]
	if !ok || m.peer != s.To || !m.linked {
		return
	}
	l := c.link(n.name, s.To.Node)
	t := c.countFrame(n.name, s.To.Node, s.Frame)
	t.Frames++
	t.Bytes += int64(len(s.Frame))
	c.bytes += int64(len(s.Frame))
	c.trace.fold(crdt.Key{}.HashString(string(s.Frame)))
	if c.scenarioReplays() && len(l.sent) < maxSent {
		l.sent = append(l.sent, sent{c.now, n.self, s.To, s.Lane, s.Frame})
	}
	if l.closed || c.chance(l.loss, "loss", n.name, s.To.Node) || l.size > 0 && len(s.Frame) > l.size {
		t.Dropped++
		return
	}
	c.carry(n, s, m.gen, l, false)
	if c.chance(l.dup, "dup", n.name, s.To.Node) {
		c.carry(n, s, m.gen, l, true)
	}
}

// carry schedules the arrival of a frame.
func (c *Cluster) carry(n *node, s replica.Send, gen uint64, l *link, copied bool) {
	delay := c.between(l.low, l.high, "latency", n.name, s.To.Node)
	at := c.now + delay
	if copied || c.chance(l.reorder, "reorder", n.name, s.To.Node) {
		at += c.between(0, 4*l.high, "late", n.name, s.To.Node)
	} else {
		at = max(at, l.arrived[s.Lane]+1) // events of one moment come in any order
		l.arrived[s.Lane] = at
	}
	from, to := n.self, s.To
	arrive := func() { c.arrive(from, to, gen, s.Frame) }
	if l.held {
		l.waiting = append(l.waiting, arrive)
		return
	}
	c.later(at-c.now, "frame", from.Node, to.Node, arrive)
}

// arrive hands a frame to the node it is for, if that run of it still lives and
// the connection it was sent on is still there.
func (c *Cluster) arrive(from, to replica.Peer, gen uint64, frame []byte) {
	n := c.nodes[to.Node]
	if !n.alive || n.self != to || c.link(from.Node, to.Node).closed {
		return
	}
	c.on(n, n.run, func() {
		m, ok := n.members[from.Node]
		if !ok || m.peer != from || !m.linked || m.gen != gen {
			return
		}
		c.step(n, from, frame)
	})
}

func (c *Cluster) step(n *node, from replica.Peer, frame []byte) {
	if err := n.m.Step(c.reading(n), from, slices.Clone(frame)); err != nil {
		c.fail(0, n.name+" refused a frame: "+err.Error(), false)
	}
}

// replay delivers again what was sent on a link within a time, whatever has
// become of the connection and of both ends since.
func (c *Cluster) replay(from, to string, within int64) {
	n := c.nodes[to]
	if n == nil || !n.alive {
		return
	}
	for _, s := range slices.Clone(c.link(from, to).sent) {
		if c.now-s.at > within {
			continue
		}
		c.on(n, n.run, func() { c.step(n, s.from, s.frame) })
	}
}

func (c *Cluster) scenarioReplays() bool {
	return slices.ContainsFunc(c.scenario.Steps, func(s replayStep) bool { return s.Verb == replayVerb })
}

// release lets what a link held back arrive at once.
func (c *Cluster) release(l *link, from, to string) {
	l.held = false
	waiting := l.waiting
	l.waiting = nil
	for _, arrive := range waiting {
		c.later(0, "released", from, to, arrive)
	}
}
