package sim

import (
	"fmt"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// play does a step.
func (c *Cluster) play(s *scenario.Step) {
	switch s.Verb {
	case scenario.Check:
		c.check(s.Expect)
	case scenario.Look:
		c.views()
	case scenario.Cut, scenario.OneWay, scenario.Isolate, scenario.Bridge, scenario.Ring, scenario.Line, scenario.Star,
		scenario.Majorities, scenario.Heal:
		c.topology(s)
	case scenario.Loss, scenario.Dup, scenario.Reorder, scenario.Latency, scenario.Blackhole, scenario.Hold,
		scenario.Release, scenario.Replay:
		c.degrade(s)
	case scenario.Calm:
		c.calmDown(s)
	case scenario.Pause, scenario.Skew, scenario.Drift, scenario.Kill, scenario.Start, scenario.Stop, scenario.Suspect,
		scenario.RestartAll:
		c.nodeFault(s)
	default:
		c.client(s)
	}
}

// topology closes and opens links.
func (c *Cluster) topology(s *scenario.Step) {
	f := history.Cut
	switch s.Verb {
	case scenario.Heal:
		f = history.Heal
	case scenario.OneWay:
		f = history.OneWay
	}
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: f, Op: op, Text: s.String()})
	c.shape(s)
	if whole(s) {
		c.endFaults("cut")
	}
	if s.Verb == scenario.Heal {
		c.lastHeal, c.healByte = c.now, c.bytes
	} else {
		c.faults = append(c.faults, FaultSpan{From: c.now, Kind: "cut", Text: s.String()})
	}
	c.topologyChanged()
	c.network(f, op, s.String())
	if s.Verb == scenario.Heal {
		c.flowed()
	}
	if len(c.closed) == 0 {
		c.endFaults("cut")
	}
}

// whole reports whether a step says of every link whether it is open, so that what
// other steps closed before counts no more.
func whole(s *scenario.Step) bool {
	switch s.Verb {
	case scenario.Cut:
		return len(s.Sides) > 0
	case scenario.Heal:
		return s.A == ""
	}
	return s.Verb != scenario.OneWay && s.Verb != scenario.Isolate
}

// shape says of each link that a step speaks of whether it is closed. A heal and a
// cut into sides speak of all: in a large cluster a list of them would be long.
func (c *Cluster) shape(s *scenario.Step) {
	switch {
	case s.Verb == scenario.Heal && s.A == "":
		c.shapeAll(func(a, b *node) bool { return false })
	case s.Verb == scenario.Cut && len(s.Sides) > 0 && len(s.Sides) <= 64:
		sides := make([]uint64, len(c.all)) // by index, a bit for each side that holds the node
		for i, side := range s.Sides {
			for _, name := range side {
				sides[c.nodes[name].index] |= 1 << i
			}
		}
		c.shapeAll(func(a, b *node) bool { return sides[a.index]&sides[b.index] == 0 })
	default:
		for _, x := range nemesis.Links(s, c.order) {
			p := c.pair(c.nodes[x.From], c.nodes[x.To])
			p.touched, p.closed = true, x.Closed
		}
	}
}

func (c *Cluster) shapeAll(closed func(a, b *node) bool) {
	for _, a := range c.sorted {
		for _, b := range c.sorted {
			if a != b {
				c.pair(a, b).closed = closed(a, b)
			}
		}
	}
}

func (c *Cluster) endFaults(kind string) {
	for i := range c.faults {
		if c.faults[i].To == 0 && c.faults[i].Kind == kind {
			c.faults[i].To = c.now
		}
	}
}

// degrade changes how a link carries frames.
func (c *Cluster) degrade(s *scenario.Step) {
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: history.Degrade, Op: op, Text: s.String()})
	c.degrading(s)
	if s.Verb == scenario.Replay {
		c.replay(s.A, s.B, int64(s.For))
		c.network(history.Degrade, op, s.String())
		return
	}
	a, b := c.nodes[s.A], c.nodes[s.B]
	for _, p := range [2]*pair{c.pair(a, b), c.pair(b, a)} {
		p.touched = true
		switch s.Verb {
		case scenario.Loss:
			c.worsen(p).loss = s.Rate
		case scenario.Dup:
			c.worsen(p).dup = s.Rate
		case scenario.Reorder:
			c.worsen(p).reorder = s.Rate
		case scenario.Latency:
			l := c.worsen(p)
			l.low, l.high = int64(s.Low), int64(s.High)
		case scenario.Blackhole:
			c.worsen(p).size = s.Size
		case scenario.Hold:
			p.held = true
		case scenario.Release:
			c.release(p)
		}
	}
	c.network(history.Degrade, op, s.String())
}

// degrading notes a fault of a link from its beginning; a release ends one, and a
// replay is over at once.
func (c *Cluster) degrading(s *scenario.Step) {
	if s.Verb == scenario.Release {
		for i := range c.faults {
			f := &c.faults[i]
			if f.To == 0 && (f.Text == "hold "+s.A+" - "+s.B || f.Text == "hold "+s.B+" - "+s.A) {
				f.To = c.now
			}
		}
		return
	}
	f := FaultSpan{From: c.now, Kind: "degrade", Text: s.String()}
	if s.Verb == scenario.Replay {
		f.To = c.now + int64(sampleEvery)
	}
	c.faults = append(c.faults, f)
}

// calmDown ends all that is wrong with how links carry frames. Links that are
// closed stay closed.
func (c *Cluster) calmDown(s *scenario.Step) {
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: history.Degrade, Op: op, Text: s.String()})
	before := c.net
	c.net.loss, c.net.dup, c.net.reorder = 0, 0, 0
	for _, a := range c.all {
		for _, b := range c.all {
			p := c.pair(a, b)
			switch ran := a.run > 0 && b.run > 0; {
			case ran && a != b:
				p.own = false
				delete(c.own, p)
			case p.touched && !p.own: // of a node that was not there yet
				own := before
				p.own, c.own[p] = true, &own
			}
		}
	}
	for _, a := range c.sorted {
		for _, b := range c.sorted {
			if a != b {
				c.release(c.pair(a, b))
			}
		}
	}
	c.endFaults("degrade")
	c.network(history.Degrade, op, s.String())
}

// nodeFault does something to a node.
func (c *Cluster) nodeFault(s *scenario.Step) {
	if s.Verb == scenario.RestartAll {
		for _, n := range slices.Clone(c.up()) {
			c.killNode(n, false)
		}
		for _, name := range slices.Clone(c.order) {
			c.startNode(name)
		}
		return
	}
	if s.Verb == scenario.Start {
		c.startNode(s.A)
		c.topologyChanged()
		c.endFaults("kill " + s.A)
		return
	}
	n := c.nodes[s.A]
	if n.run == 0 {
		c.fail(s.Line, "there is no node "+s.A, false)
		return
	}
	switch s.Verb {
	case scenario.Kill, scenario.Stop:
		c.faults = append(c.faults, FaultSpan{From: c.now, Kind: "kill " + s.A, Text: s.String()})
		c.killNode(n, s.Verb == scenario.Stop)
	case scenario.Pause:
		c.faults = append(c.faults, FaultSpan{From: c.now, To: c.now + int64(s.For), Kind: "pause", Text: s.String()})
		c.pauseNode(n, s.For)
	case scenario.Skew:
		n.skew += int64(s.For)
		c.skewed(s)
	case scenario.Drift:
		n.ahead, n.since, n.drift = n.lead(c.now), c.now, s.Rate
		c.skewed(s)
	case scenario.Suspect:
		c.suspect(n, s)
	}
}

// suspect makes a node take another one for dead, though it may be alive. The other
// one hears of it, where any path leads, and refutes it. For the checks the
// deadlines of its component begin anew.
func (c *Cluster) suspect(n *node, s *scenario.Step) {
	other := c.nodes[s.B]
	p := c.pair(n, other)
	if !p.up || !n.alive || n.paused {
		return
	}
	c.fact(history.Suspect, n, history.Record{About: s.B, Text: s.String()})
	c.faults = append(c.faults, FaultSpan{From: c.now, To: c.now + int64(sampleEvery), Kind: "suspect", Text: s.String()})
	c.breakLink(n, other, p)
	c.down(n, other, p, false)
	c.collect(n)
	c.laterOf(c.delay(refuteLow, refuteHigh, ofRefute, p), ofRefute, n, other, 0, 0)
}

func (c *Cluster) skewed(s *scenario.Step) {
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: history.Skew, Op: op, Text: s.String(), Node: s.A})
	c.add(history.Record{Type: history.Ok, F: history.Skew, Op: op, Text: s.String(), Node: s.A, Closed: c.closed, Verified: true})
	c.faults = append(c.faults, FaultSpan{From: c.now, To: c.now + int64(sampleEvery), Kind: "skew", Text: s.String()})
}

// client does an operation of a client on a node. One on a node that does not
// run is not made; one on a paused node waits, as a call into a frozen program.
func (c *Cluster) client(s *scenario.Step) {
	n := c.nodes[s.Node]
	if !n.alive {
		if s.Want != "" {
			c.fail(s.Line, s.String()+": the node does not run", false)
		}
		return
	}
	c.on(n, n.run, func() { c.operate(n, s) })
}

func (c *Cluster) operate(n *node, s *scenario.Step) {
	switch s.Verb {
	case scenario.Register, scenario.Reregister:
		c.register(n, s, s.Key, s.Mode)
	case scenario.Bulk:
		for i := s.Lo; i <= s.Hi; i++ {
			c.register(n, s, fmt.Sprint(s.Key, i), s.Mode)
		}
	case scenario.Exit:
		c.exit(s.Process)
	case scenario.Join, scenario.Leave:
		c.member(n, s)
	case scenario.Update, scenario.Unregister:
		c.change(n, s)
	}
}

// register begins a registration.
func (c *Cluster) register(n *node, s *scenario.Step, name, mode string) {
	if mode == "" {
		mode = history.Arbitrated
		if c.scenario.Optimistic {
			mode = history.Optimistic
		}
	}
	f := history.Register
	if s.Verb == scenario.Reregister {
		f = history.Reregister
	}
	p, err := c.processOn(n, s.Process)
	k := &call{op: c.rec.NextOp(), process: s.Process, name: name, f: f, mode: mode, want: s.Want, line: s.Line}
	c.add(history.Record{
		Type: history.Invoke, F: f, Op: k.op, Client: c.watchID(n), Node: n.name, Run: n.run,
		Process: s.Process, Name: name, Mode: mode, Value: s.Value,
	})
	if err != nil {
		c.outcome(n, k, nil, err)
		return
	}
	n.nextID++
	n.calls[n.nextID] = k
	e, err, done := n.m.Register(c.reading(n), replica.Register{
		ID: n.nextID, Serial: p.serial, Name: name, Value: []byte(s.Value), Priority: s.Priority,
		Optimistic: mode == history.Optimistic, Again: f == history.Reregister,
	})
	if done {
		delete(n.calls, n.nextID)
		c.outcome(n, k, e, err)
	}
}

// answered ends a registration that had to ask other nodes.
func (c *Cluster) answered(n *node, r replica.Result) {
	if k, ok := n.calls[r.ID]; ok {
		delete(n.calls, r.ID)
		c.outcome(n, k, r.Entry, r.Err)
	}
}

func (c *Cluster) member(n *node, s *scenario.Step) {
	f := history.Join
	if s.Verb == scenario.Leave {
		f = history.Leave
	}
	p, err := c.processOn(n, s.Process)
	rec := history.Record{
		F: f, Op: c.rec.NextOp(), Client: c.watchID(n), Node: n.name, Run: n.run,
		Process: s.Process, Group: s.Key, Value: s.Value,
	}
	rec.Type = history.Invoke
	c.add(rec)
	if err == nil && f == history.Join {
		_, err = n.m.Join(c.reading(n), p.serial, s.Key, []byte(s.Value))
	} else if err == nil {
		err = n.m.LeaveGroup(c.reading(n), p.serial, s.Key)
	}
	c.done(rec, err)
}

// done records the end of an operation that is answered at once.
func (c *Cluster) done(rec history.Record, err error) {
	rec.Type = history.Ok
	if err != nil {
		rec.Type, rec.Error = history.Fail, err.Error()
	}
	c.add(rec)
}

// change is an update or an unregister, of the process that holds the name when
// none is named.
func (c *Cluster) change(n *node, s *scenario.Step) {
	f := history.Update
	if s.Verb == scenario.Unregister {
		f = history.Unregister
	}
	process := s.Process
	if e, ok := c.holder(n, s.Key); ok && process == "" {
		process = c.byPID[e.PID()]
	}
	rec := history.Record{
		F: f, Op: c.rec.NextOp(), Client: c.watchID(n), Node: n.name, Run: n.run,
		Process: process, Name: s.Key, Value: s.Value,
	}
	rec.Type = history.Invoke
	c.add(rec)
	p, ok := c.procs[process]
	var err error
	switch {
	case !ok || p.node != n.name || p.run != n.run:
		err = replica.ErrNotHolder
	case f == history.Update:
		_, err = n.m.Update(c.reading(n), p.serial, s.Key, []byte(s.Value))
	default:
		err = n.m.Unregister(c.reading(n), p.serial, s.Key)
	}
	c.done(rec, err)
}
