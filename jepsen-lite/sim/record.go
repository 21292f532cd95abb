package sim

import (
	"fmt"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// add appends a record to the history.
func (c *Cluster) add(r history.Record) {
	r.At = c.now
	c.rec.Add(r)
}

// fact records something that is known for certain about a node's run.
func (c *Cluster) fact(f history.Func, n *node, r history.Record) {
	r.Type, r.F, r.Node, r.Run = history.Info, f, n.name, n.run
	c.add(r)
}

// eventOf records a change of what a node shows, as a watch of everything
// delivers it.
func (c *Cluster) eventOf(n *node, ch replica.Change) {
	if c.opts.Quiet {
		return
	}
	n.watchNo++
	c.fact(history.Event, n, history.Record{
		Watch: c.watchID(n), Seq: n.watchNo, Kind: ch.Kind.String(), Key: ch.Key, Reason: ch.Reason.String(),
		Old: c.shown(ch.Old), New: c.shown(ch.New),
	})
}

// watchID numbers the watches: one for each run of each node.
func (c *Cluster) watchID(n *node) int {
	i, _ := slices.BinarySearch(c.order, n.name)
	return 1 + i + 1000*n.run
}

func (c *Cluster) snapshotOf(n *node) {
	if c.opts.Quiet {
		return
	}
	n.watchNo = 1
	c.fact(history.Snapshot, n, history.Record{Watch: c.watchID(n), Seq: 1})
}

func (c *Cluster) shown(e *replica.Entry) *history.Shown {
	if e == nil {
		return nil
	}
	return &history.Shown{Process: c.byPID[e.PID()], Value: string(e.Value()), Fence: uint64(e.Birth())}
}

func (c *Cluster) claims(claims []resolve.Claim) []history.Claim {
	var all []history.Claim
	for _, x := range claims {
		all = append(all, history.Claim{
			Process: c.byPID[x.Holder], Birth: uint64(x.Birth), Node: x.Born.Replica.Node, Epoch: x.Born.Replica.Epoch,
			Seq: x.Born.Seq, Priority: x.Priority, Seen: x.Seen, Label: x.Label,
		})
	}
	return all
}

// views records what every node shows, again and again.
func (c *Cluster) viewsEvery() {
	c.views()
	c.later(viewEvery, "views", "", "", c.viewsEvery)
}

func (c *Cluster) views() {
	for _, n := range c.up() {
		if !n.paused {
			c.view(n)
		}
	}
}

// view records what a node shows, as a client's operation, and what it keeps.
func (c *Cluster) view(n *node) {
	op := c.rec.NextOp()
	client := c.watchID(n)
	at := history.Record{F: history.View, Op: op, Client: client, Node: n.name, Run: n.run}
	at.Type = history.Invoke
	c.add(at)
	at.Type = history.Ok
	at.Digest = fmt.Sprintf("%016x", n.m.Digest())
	at.Names, at.Groups = map[string]history.Shown{}, map[string][]history.Shown{}
	for name, e := range n.table { // into a map: in any order
		at.Names[name] = *c.shown(e)
	}
	for _, g := range n.m.Groups() {
		for _, e := range n.m.Members(nil, g.Name) {
			at.Groups[g.Name] = append(at.Groups[g.Name], *c.shown(e))
		}
	}
	c.add(at)
	entries, extra := n.m.Footprint()
	c.fact(history.State, n, history.Record{Digest: at.Digest, Entries: entries, Extra: extra})
}

// network records the links that are closed, and those that are degraded, after a
// fault; more degraded links may be given.
func (c *Cluster) network(f history.Func, op int, text string, degraded ...history.Link) {
	c.closed = nil
	for _, a := range c.order {
		for _, b := range c.order {
			if a != b && c.link(a, b).closed {
				c.closed = append(c.closed, history.Link{From: a, To: b})
			}
			if a != b && c.degraded(c.link(a, b)) {
				degraded = append(degraded, history.Link{From: a, To: b})
			}
		}
	}
	c.add(history.Record{Type: history.Ok, F: f, Op: op, Text: text, Closed: c.closed, Degraded: degraded, Verified: true})
}

// finish ends the run: the last views, twice, and the expectations.
func (c *Cluster) finish() {
	if !c.settled {
		c.add(history.Record{Type: history.Info, F: history.Settled})
	}
	if !c.opts.Quiet {
		c.views()
		c.views()
	}
	c.add(history.Record{Type: history.Info, F: history.Traffic, Bytes: c.bytes})
	c.watchAgreement()
	for i := range c.scenario.Expects {
		c.check(&c.scenario.Expects[i])
	}
	for _, n := range c.up() {
		c.trace.fold(n.m.Digest())
	}
}
