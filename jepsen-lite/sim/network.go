package sim

import (
	"slices"

	"github.com/rollcall-dev/rollcall/registry/replica"
)

// open reports whether frames can flow both ways.
func (c *Cluster) open(a, b *node) bool { return !c.pair(a, b).closed && !c.pair(b, a).closed }

// conditions returns how a link carries frames.
func (c *Cluster) conditions(p *pair) *conditions {
	if p.own {
		return c.own[p]
	}
	return &c.net
}

// worsen returns the conditions of a link for a step that changes them.
func (c *Cluster) worsen(p *pair) *conditions {
	if !p.own {
		own := c.net
		p.own, c.own[p] = true, &own
	}
	return c.own[p]
}

// degraded reports whether a link carries frames worse than the scenario's net.
func (c *Cluster) degraded(p *pair) bool {
	if p.held || !p.own {
		return p.held
	}
	n, l := c.scenario.Net, c.own[p]
	return l.loss > n.Loss || l.dup > n.Dup || l.reorder > n.Reorder || l.high > int64(n.High) || l.size > 0
}

// transmit puts a frame on its way. Frames of one lane keep their order, unless
// the link reorders them.
func (c *Cluster) transmit(n *node, s replica.Send) {
	to := c.nodes[s.To.Node]
	p := c.pair(n, to)
	if p.run != s.To.Run || !p.linked {
		return
	}
	t := c.count(p, s.Frame)
	c.bytes += int64(len(s.Frame))
	c.trace.frame(s.Frame)
	if p.kept && len(c.sent[p]) < maxSent {
		c.sent[p] = append(c.sent[p], sent{c.now, n.self, s.Frame})
	}
	l := c.conditions(p)
	if p.closed || c.chance(l.loss, ofLoss, p) || l.size > 0 && len(s.Frame) > l.size {
		t.dropped++
		return
	}
	c.carry(n, to, s, p, l, false)
	if c.chance(l.dup, ofDup, p) {
		c.carry(n, to, s, p, l, true)
	}
}

// carry schedules the arrival of a frame.
func (c *Cluster) carry(n, to *node, s replica.Send, p *pair, l *conditions, copied bool) {
	at := c.now + c.delay(l.low, l.high, ofLatency, p)
	if copied || c.chance(l.reorder, ofReorder, p) {
		at += c.delay(0, 4*l.high, ofLate, p)
	} else {
		at = max(at, p.arrived[s.Lane]+1) // events of one moment come in any order
		p.arrived[s.Lane] = at
	}
	d := deed{
		kind: ofFrame, about: [2]uint64{n.hash, to.hash}, from: n, to: to, fromRun: n.self.Run, toRun: s.To.Run,
		mark: p.gen, frame: s.Frame,
	}
	if p.held {
		c.waiting[p] = append(c.waiting[p], d)
		return
	}
	c.send(at-c.now, p, d)
}

func (c *Cluster) send(delay int64, p *pair, d deed) {
	c.post(delay, roll(c.dice.faces[d.kind].tie, p.names, &p.ties[d.kind]), d)
}

// arrive hands a frame to the node it is for, if that run of it still lives and
// the connection it was sent on is still there.
func (c *Cluster) arrive(d *deed) {
	n := d.to
	if !n.alive || n.self.Run != d.toRun || c.pair(d.from, n).closed {
		return
	}
	if n.paused {
		late := *d
		n.held = append(n.held, func() { c.take(&late) })
		return
	}
	c.take(d)
	c.collect(n)
}

func (c *Cluster) take(d *deed) {
	p := c.pair(d.to, d.from)
	if p.run == d.fromRun && p.linked && p.gen == d.mark {
		c.step(d.to, replica.Peer{Node: d.from.name, Run: d.fromRun}, d.frame)
	}
}

// step gives a frame to a machine. All receivers of a frame share it: a machine
// keeps no part of what it is given but to pass it on whole, and changes nothing
// in it.
func (c *Cluster) step(n *node, from replica.Peer, frame []byte) {
	if err := n.m.Step(c.reading(n), from, frame); err != nil {
		c.fail(0, n.name+" refused a frame: "+err.Error(), false)
	}
}

// replay delivers again what was sent on a link within a time, whatever has
// become of the connection and of both ends since.
func (c *Cluster) replay(from, to string, within int64) {
	n := c.nodes[to]
	if !n.alive {
		return
	}
	for _, s := range slices.Clone(c.sent[c.pair(c.nodes[from], n)]) {
		if c.now-s.at > within {
			continue
		}
		c.on(n, n.run, func() { c.step(n, s.from, s.frame) })
	}
}

// release lets what a link held back arrive at once.
func (c *Cluster) release(p *pair) {
	p.held = false
	for _, d := range c.waiting[p] {
		d.kind = ofReleased
		c.send(0, p, d)
	}
	delete(c.waiting, p)
}

// traffic counts frames: by pair and kind of frame, or by kind alone in a quiet
// run.
type traffic struct {
	pairs map[*pair]*[frameKinds]carried
	sum   [frameKinds]carried
}

type carried struct{ frames, bytes, dropped int64 }

// frameKinds is the number of first bytes of frames that are told apart; the last
// stands for all that are not the machine's.
const frameKinds = 32

func (c *Cluster) count(p *pair, frame []byte) *carried {
	of := &c.traffic.sum
	if !c.opts.Quiet {
		if of = c.traffic.pairs[p]; of == nil {
			of = new([frameKinds]carried)
			c.traffic.pairs[p] = of
		}
	}
	t := &of[min(int(frame[0]), frameKinds-1)]
	t.frames++
	t.bytes += int64(len(frame))
	return t
}

// all returns what was counted, by the names of the nodes and of the kinds.
func (t *traffic) all(c *Cluster) []LinkTraffic {
	var all []LinkTraffic
	add := func(from, to string, of *[frameKinds]carried) {
		for first, x := range of {
			if x.frames > 0 {
				all = append(all, LinkTraffic{from, to, replica.FrameKind([]byte{byte(first)}), x.frames, x.bytes, x.dropped})
			}
		}
	}
	add("", "", &t.sum)
	for _, from := range c.all {
		for _, to := range c.all {
			if of := t.pairs[c.pair(from, to)]; of != nil {
				add(from.name, to.name, of)
			}
		}
	}
	return all
}
