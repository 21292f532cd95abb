package sim

import (
	"fmt"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// recorder collects the history. It is one run's alone, and begins with room for
// the views of a run, which are most of it.
type recorder struct {
	header  history.Header
	records []history.Record
	op      int
}

// reserve takes memory for the views until the end, and a little more.
func (r *recorder) reserve(c *Cluster, end int64) {
	size := 64 + 4*len(c.scenario.Steps)
	if !c.opts.Quiet {
		size += (int(end/viewEvery) + 2) * (3*len(c.all) + 1)
	}
	r.records = slices.Grow(r.records, size)
}

// NextOp returns a number that pairs the records of an operation.
func (r *recorder) NextOp() int {
	r.op++
	return r.op
}

// add appends a record to the history.
func (c *Cluster) add(r history.Record) {
	r.At, r.Index = c.now, len(c.rec.records)
	c.rec.records = append(c.rec.records, r)
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

// watchID numbers the watches: one for each run of each node, in the order in
// which the runs began. A node that joins late changes nobody's number.
func (c *Cluster) watchID(n *node) int { return n.watch }

// machineTick lets time pass for a node's machine and records whom it forgot. No
// effect tells of that, because what it forgets was hidden before: so what it
// knows of the nodes is compared.
func (c *Cluster) machineTick(n *node) {
	if !n.forgets {
		n.m.Tick(c.reading(n))
		return
	}
	before := n.m.Nodes()
	n.m.Tick(c.reading(n))
	after := n.m.Nodes()
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a replica.NodeState) bool { return a.Node == b.Node && a.Epoch == b.Epoch }) {
			c.fact(history.Forgot, n, history.Record{About: b.Node})
		}
	}
}

// flowed records how many bytes have flowed so far.
func (c *Cluster) flowed() {
	c.add(history.Record{Type: history.Info, F: history.Traffic, Bytes: c.bytes})
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
	c.always(viewEvery, ofViews, c.viewsEvery)
}

func (c *Cluster) views() {
	for _, n := range c.up() {
		if !n.paused {
			c.view(n)
		}
	}
	c.flowed()
}

// view records what a node shows, as a client's operation, and what it keeps.
func (c *Cluster) view(n *node) {
	op := c.rec.NextOp()
	client := c.watchID(n)
	at := history.Record{F: history.View, Op: op, Client: client, Node: n.name, Run: n.run}
	at.Type = history.Invoke
	c.add(at)
	at.Type = history.Ok
	at.Digest, at.Names, at.Groups = c.digestOf(n), c.namesOf(n), c.groupsOf(n)
	c.add(at)
	entries, extra := n.m.Footprint()
	c.fact(history.State, n, history.Record{Digest: at.Digest, Entries: entries, Extra: extra})
}

// digestOf returns a node's digest as a text.
func (c *Cluster) digestOf(n *node) string {
	if d := n.m.Digest(); n.digestText == "" || d != n.digestWord {
		n.digestWord, n.digestText = d, fmt.Sprintf("%016x", d)
	}
	return n.digestText
}

// namesOf returns the names that a node shows. Views between which its table was
// not written share the map.
func (c *Cluster) namesOf(n *node) map[string]history.Shown {
	if n.names == nil {
		n.names = make(map[string]history.Shown, n.m.Names())
		for _, e := range n.table {
			if e != nil {
				n.names[e.Key()] = *c.shown(e)
			}
		}
	}
	return n.names
}

// groupsOf returns the groups that a node shows. Views that show the same share
// the map.
func (c *Cluster) groupsOf(n *node) map[string][]history.Shown {
	sizes := n.m.Groups()
	if n.groups != nil && len(sizes) == len(n.groups) && !slices.ContainsFunc(sizes, func(g replica.GroupSize) bool {
		return !slices.Equal(c.shownIn(n, g.Name), n.groups[g.Name])
	}) {
		return n.groups
	}
	n.groups = make(map[string][]history.Shown, len(sizes))
	for _, g := range sizes {
		n.groups[g.Name] = slices.Clone(c.shownIn(n, g.Name))
	}
	return n.groups
}

// shownIn returns the members of a group that a node shows, in memory that is used
// again.
func (c *Cluster) shownIn(n *node, group string) []history.Shown {
	c.members, c.seen = n.m.Members(c.members[:0], group), c.seen[:0]
	for _, e := range c.members {
		c.seen = append(c.seen, *c.shown(e))
	}
	return c.seen
}

// network records the links that are closed, and those that are degraded, after a
// fault.
func (c *Cluster) network(f history.Func, op int, text string) {
	var degraded []history.Link
	c.closed = nil
	for _, a := range c.sorted {
		for _, b := range c.sorted {
			p := c.pair(a, b)
			if a != b && p.closed {
				c.closed = append(c.closed, history.Link{From: a.name, To: b.name})
			}
			if a != b && c.degraded(p) {
				degraded = append(degraded, history.Link{From: a.name, To: b.name})
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
	c.flowed()
	c.watchAgreement()
	for i := range c.scenario.Expects {
		c.check(&c.scenario.Expects[i])
	}
	for _, n := range c.up() {
		c.trace.fold(n.m.Digest())
	}
}
