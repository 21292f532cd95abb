package replica

import (
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
)

// origin is what this node knows of one incarnation.
//
// Invariant: its identity never changes, so that entries may be read in other
// goroutines; an origin is gated, that is kept out of every exchange, from the
// moment it goes down until it is up again.
type origin struct {
	identity
	self  bool
	up    bool // its entries are shown
	gated bool // it was up and went down
	since int64
	log   *crdt.Log[*Entry]

	listed uint64 // the last vector that it was in, by number

	part  uint64 // what it adds to the machine's digest
	stale bool   // part is out of date

	walk     *walk
	pull     *pull
	removals []removals // that wait for a version, bounded by maxRemovals
	// asOf is the version of the peers that the log was fetched from: what was
	// updated before it may be here in neither form until the log is as far.
	asOf    uint64
	tree    overlay.Tree
	via     Peer    // who sent the last frame of records that was news; zero when it was fetched
	news    bool    // neighbors are to be told of it
	waiting []delta // frames beyond a gap, ascending, bounded by maxWaiting
}

// identity is what is said of an incarnation whenever it is spoken of.
type identity struct {
	id    crdt.Replica
	label string
	// run is the run of the node that it is of. It is the epoch, unless the node
	// had to take a newer epoch in that run.
	run uint64
}

func (m *Machine) newOrigin(i identity) *origin {
	return &origin{identity: i, since: m.now.Mono, log: crdt.NewLog[*Entry](i.id, m.cfg.Secret)}
}

// find returns the place of a node's origin and whether it is there.
func (m *Machine) find(node string) (int, bool) {
	return slices.BinarySearchFunc(m.origins, node, func(o *origin, node string) int {
		return strings.Compare(o.id.Node, node)
	})
}

// touch notes that an origin has changed, so that its part of the digest is
// found anew when it is next asked for.
func (m *Machine) touch(o *origin) {
	if !o.stale {
		o.stale = true
		m.touched = append(m.touched, o)
	}
}

// known returns the origin of exactly this incarnation, or nil.
func (m *Machine) known(id crdt.Replica) *origin {
	if o := m.byNode[id.Node]; o != nil && o.id == id {
		return o
	}
	return nil
}

// accept returns the origin of an incarnation that somebody speaks of, making it
// if it is new. It returns nil when what is said must be ignored: the
// incarnation is over, or it is gated, or it bears this node's own name.
func (m *Machine) accept(what identity) *origin {
	id := what.id
	if id.Node == m.self.id.Node {
		m.heardOfSelf(id.Epoch)
		return nil
	}
	if id.Epoch < m.floors[id.Node].epoch {
		m.count.Stale++
		return nil
	}
	o := m.byNode[id.Node]
	if o != nil && o.id == id {
		if o.gated {
			return nil
		}
		return o
	}
	if o != nil {
		m.forget(o, NodeDown)
	}
	if p := m.peer(Peer{id.Node, what.run}); p != nil {
		what.id.Node = p.id.Node // one name in memory
	}
	m.floors[id.Node] = floor{id.Epoch, m.now.Mono}
	o = m.newOrigin(what)
	i, _ := m.find(id.Node)
	m.origins, m.byNode[id.Node] = slices.Insert(m.origins, i, o), o
	o.up = m.reachable(what)
	m.touch(o)
	return o
}

// reachable reports whether the run that an incarnation is of is up.
func (m *Machine) reachable(i identity) bool {
	return m.peer(Peer{i.id.Node, i.run}) != nil
}

// relive brings the origin of a node in line with whether it is reachable.
func (m *Machine) relive(node string, why Reason) {
	o := m.byNode[node]
	if o == nil || o.self {
		return
	}
	up := m.reachable(o.identity)
	switch {
	case up && !o.up:
		o.gated = false
		m.setUp(o, true, NodeUp)
	case !up && o.up:
		o.gated = true
		o.pull, o.waiting, o.removals = nil, nil, nil
		m.setUp(o, false, why)
	}
}

// setUp shows or hides all entries of an origin. Hiding never touches the log:
// down is not removed.
func (m *Machine) setUp(o *origin, up bool, why Reason) {
	o.up, o.since = up, m.now.Mono
	m.touch(o)
	m.startWalk(o, false, why)
}

// forget drops an incarnation: its live entries and its context together, so
// that it can flow in again as ordinary missing entries. It is local and is
// never spread.
func (m *Machine) forget(o *origin, why Reason) {
	o.gated = true
	o.pull, o.waiting, o.removals = nil, nil, nil
	if i, ok := m.find(o.id.Node); ok && m.origins[i] == o {
		m.origins = slices.Delete(m.origins, i, i+1)
		delete(m.byNode, o.id.Node)
	}
	o.up = false
	m.startWalk(o, true, why)
	o.log = crdt.NewLog[*Entry](o.id, m.cfg.Secret)
	m.touch(o)
}

// forgetOld forgets the incarnations that have been down for ForgetAfter, or
// that were heard of and never seen in that time.
func (m *Machine) forgetOld() {
	for _, o := range slices.Clone(m.origins) {
		if !o.up && !o.self && m.now.Mono-o.since > int64(m.cfg.ForgetAfter) {
			m.forget(o, NodeDown)
		}
	}
	for node, f := range m.floors { // in any order
		if m.now.Mono-f.at > 2*int64(m.cfg.ForgetAfter) && m.byNode[node] == nil {
			delete(m.floors, node)
		}
	}
}

// floor is the lowest epoch that is accepted of a node. It outlives what is known
// of the node by twice ForgetAfter: by then nobody has an older epoch to tell of.
type floor struct {
	epoch uint64
	at    int64
}

// heardOfSelf handles that the cluster knows an epoch of this node's own name.
// One above this node's own is of an earlier run, made by a clock that has gone
// back since; everything said under the lower epoch would count as over. So the
// node takes a newer epoch and says all it holds again.
func (m *Machine) heardOfSelf(epoch uint64) {
	if epoch > m.self.id.Epoch {
		m.bearAgain(epoch + 1)
	}
}

// bearAgain takes a newer epoch, unless that was done often.
func (m *Machine) bearAgain(epoch uint64) {
	if m.rebirths >= maxRebirths {
		m.notice(Notice{Kind: Duplicate, Node: m.self.id.Node,
			Text: "another live node bears this node's name: stop one of the two"})
		return
	}
	m.rebirths++
	m.rebear(epoch)
}

// maxRebirths limits how often a node takes a newer epoch in one run. A clock
// that went back needs one; two live nodes of one name would go on for ever.
const maxRebirths = 3

// rebear moves everything that this node holds to a new epoch.
func (m *Machine) rebear(epoch uint64) {
	old := m.self
	next := m.newOrigin(identity{
		id: crdt.Replica{Node: old.id.Node, Epoch: epoch}, label: old.label, run: old.run,
	})
	next.self, next.up = true, true
	old.up, m.self = false, next
	m.touch(old)
	m.touch(next)
	i, _ := m.find(old.id.Node)
	m.origins[i], m.byNode[old.id.Node] = next, next
	m.out = m.out[:0]
	for it := range old.log.All() {
		m.carryOver(it.Elem)
	}
	for _, p := range m.peers {
		if p.linked {
			m.sendHello(p, false)
		}
	}
	m.viewChanged()
	m.notice(Notice{Kind: Reborn, Node: next.id.Node,
		Text: "the cluster knew a later epoch of this node; its clock has gone back between two runs"})
}

// carryOver mints an entry of an earlier epoch of this run again. The process,
// the birth and therefore the order of claims stay what they were.
func (m *Machine) carryOver(e *Entry) {
	n := *e
	n.origin, n.seq = m.self, m.self.log.Version()+1
	x := extra{}
	if e.extra != nil {
		x = *e.extra
	}
	x.pidEpoch, x.bornEpoch = e.PID().Epoch, e.Born().Replica.Epoch
	n.extra = &x
	m.out = append(m.out, m.self.log.Append(nil, true, &n, uint8(Updated)))
	m.reindex(e, &n)
}
