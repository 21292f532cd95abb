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
	for _, x := range nemesis.Links(s, c.order) {
		c.link(x.From, x.To).closed = x.Closed
	}
	if s.Verb == scenario.Heal {
		c.lastHeal, c.healByte = c.now, c.bytes
		c.endFaults("cut")
	} else {
		c.faults = append(c.faults, FaultSpan{From: c.now, Kind: "cut", Text: s.String()})
	}
	c.topologyChanged()
	c.network(f, op, s.String())
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
	c.faults = append(c.faults, FaultSpan{From: c.now, Kind: "degrade", Text: s.String()})
	if s.Verb == scenario.Replay {
		c.replay(s.A, s.B, int64(s.For))
		c.network(history.Degrade, op, s.String())
		return
	}
	for _, ends := range [2][2]string{{s.A, s.B}, {s.B, s.A}} {
		l := c.link(ends[0], ends[1])
		switch s.Verb {
		case scenario.Loss:
			l.loss = s.Rate
		case scenario.Dup:
			l.dup = s.Rate
		case scenario.Reorder:
			l.reorder = s.Rate
		case scenario.Latency:
			l.low, l.high = int64(s.Low), int64(s.High)
		case scenario.Blackhole:
			l.size = s.Size
		case scenario.Hold:
			l.held = true
		case scenario.Release:
			c.release(l, ends[0], ends[1])
		}
	}
	c.network(history.Degrade, op, s.String())
}

// calmDown ends all that is wrong with how links carry frames. Links that are
// closed stay closed.
func (c *Cluster) calmDown(s *scenario.Step) {
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: history.Degrade, Op: op, Text: s.String()})
	c.calm = true
	for _, a := range c.order {
		for _, b := range c.order {
			if a == b {
				continue
			}
			l := c.link(a, b)
			l.loss, l.dup, l.reorder, l.size = 0, 0, 0, 0
			l.low, l.high = int64(c.scenario.Net.Low), int64(c.scenario.Net.High)
			c.release(l, a, b)
		}
	}
	c.endFaults("degrade")
	c.network(history.Degrade, op, s.String())
}

// nodeFault does something to a node.
func (c *Cluster) nodeFault(s *scenario.Step) {
	if s.Verb == scenario.RestartAll {
		for _, n := range c.up() {
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
	n, ok := c.nodes[s.A]
	if !ok {
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

// suspect makes a node take another one for dead, though it may be alive. For the
// checks their link is degraded: no deadline runs while suspicion is about.
func (c *Cluster) suspect(n *node, s *scenario.Step) {
	m, ok := n.members[s.B]
	if !ok || !m.up || !n.alive || n.paused {
		return
	}
	op := c.rec.NextOp()
	c.add(history.Record{Type: history.Invoke, F: history.Degrade, Op: op, Text: s.String()})
	c.faults = append(c.faults, FaultSpan{From: c.now, To: c.now + int64(sampleEvery), Kind: "suspect", Text: s.String()})
	c.breakLink(n, m)
	c.down(n, m, false)
	c.collect(n)
	c.network(history.Degrade, op, s.String(), history.Link{From: s.A, To: s.B}, history.Link{From: s.B, To: s.A})
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
	n, ok := c.nodes[s.Node]
	if !ok || !n.alive {
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
	if e, ok := n.table[s.Key]; ok && process == "" {
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
