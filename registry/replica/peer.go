package replica

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
)

// peer is one run of another node that is up.
type peer struct {
	id      Peer
	addr    string
	seed    uint64 // the node's part in choosing homes
	linked  bool
	treed   bool   // the tree may use the link
	greeted bool   // its Hello came on the present link
	refused bool   // it speaks another protocol or runs another policy
	epoch   uint64 // from its Hello; 0 before the first
	serving bool
	helloAt int64 // when the last Hello went out
	since   int64 // when it came up
	// unlinked is when the link broke last; 0 before that.
	unlinked int64
	ahead    int64 // nanoseconds this node's clock is ahead of its

	claims []claimMsg // to be sent when the input is handled

	compared bool   // its vector or its word that all is equal came on this link
	asked    int64  // when its digest was asked for; 0 when no answer is awaited
	owed     bool   // it waits for an answer to its digest
	owedAt   int64  // since when
	digest   uint64 // the digest that it sent
	pulls    int    // fetches from it under way
}

// ready reports whether frames of the machine flow both ways.
func (p *peer) ready() bool { return p.linked && p.greeted && !p.refused }

func comparePeers(a, b Peer) int {
	if c := strings.Compare(a.Node, b.Node); c != 0 {
		return c
	}
	return cmp.Compare(a.Run, b.Run)
}

func (m *Machine) findPeer(id Peer) (int, bool) {
	return slices.BinarySearchFunc(m.peers, id, func(p *peer, id Peer) int { return comparePeers(p.id, id) })
}

func (m *Machine) peer(id Peer) *peer { return m.byID[id] }

// PeerUp says that a peer is reachable.
func (m *Machine) PeerUp(now crdt.Reading, id Peer, addr string) {
	m.begin(now)
	i, ok := m.findPeer(id)
	if ok || id == m.cfg.Self {
		return
	}
	p := &peer{id: id, addr: addr, seed: crdt.Key{}.HashString(id.Node), since: now.Mono}
	m.peers, m.byID[id] = slices.Insert(m.peers, i, p), p
	m.reached = 0
	m.lookAt(now.Mono)
	m.notice(Notice{Kind: NodeReachable, Node: id.Node, Text: addr})
	m.healing(id)
	m.relive(id.Node, NodeUp)
	m.end()
}

// LinkUp says that frames flow to and from the peer.
func (m *Machine) LinkUp(now crdt.Reading, id Peer) {
	m.begin(now)
	if p := m.peer(id); p != nil {
		m.dropPulls(p)
		p.linked, p.greeted = true, false
		m.setCompared(p, false)
		m.setTreed(p, false)
		m.lookAt(now.Mono)
		m.sendHello(p, false)
	}
	m.end()
}

// LinkDown says that the link to the peer broke. Its entries stay shown: the
// peer may still be reached through others.
func (m *Machine) LinkDown(now crdt.Reading, id Peer) {
	m.begin(now)
	if p := m.peer(id); p != nil {
		m.unlink(p)
	}
	m.end()
}

func (m *Machine) unlink(p *peer) {
	if p.linked {
		p.unlinked = m.now.Mono
	}
	m.dropPulls(p)
	p.linked, p.greeted = false, false
	m.setServing(p, false)
	m.setCompared(p, false)
	m.setTreed(p, false)
	p.owed = false
	m.lookAt(m.now.Mono)
	m.answeredBy(p)
	m.viewChanged()
	m.askAgain(p.id)
	m.synced()
}

// dropPulls gives up the fetches from a peer whose link is new or gone.
func (m *Machine) dropPulls(p *peer) {
	if p.pulls == 0 {
		return
	}
	for _, o := range m.origins {
		if o.pull != nil && o.pull.from == p.id {
			o.pull = nil
		}
	}
	p.pulls = 0
}

// PeerDown says that the peer is not reachable any more, or that it left.
func (m *Machine) PeerDown(now crdt.Reading, id Peer, left bool) {
	m.begin(now)
	i, ok := m.findPeer(id)
	if !ok {
		return
	}
	p := m.peers[i]
	m.peers = slices.Delete(m.peers, i, i+1)
	delete(m.byID, id)
	m.reached, m.compare.gone = 0, true
	m.unlink(p)
	why := NodeDown
	if left {
		why = NodeLeft
	} else {
		m.splitting(id)
	}
	m.notice(Notice{Kind: NodeUnreachable, Node: id.Node, Text: why.String()})
	m.unreserveNode(id.Node)
	m.relive(id.Node, why)
	if left {
		m.bury(p)
	}
	m.end()
}

// bury forgets the incarnation of a peer that left, for good: nothing that is
// still said about it is news.
func (m *Machine) bury(p *peer) {
	o := m.byNode[p.id.Node]
	if o == nil || o.run != p.id.Run || o.self {
		return
	}
	m.floors[p.id.Node] = floor{o.id.Epoch + 1, m.now.Mono}
	m.forget(o, NodeLeft)
}

// helloAgain is how long the machine waits for a peer's Hello on a link before
// it asks for it.
const helloAgain = time.Second

// lookAtPeers does for peers what is due by now, and finds when the next of it
// will be. In a large cluster that is at rest nobody waits for anything.
func (m *Machine) lookAtPeers() {
	if m.now.Mono < m.peersAt {
		return
	}
	m.peersAt = math.MaxInt64
	m.retryHellos()
	m.paceCompares()
	m.findApart()
}

// lookAt has the peers looked at again at a time, if not before.
func (m *Machine) lookAt(at int64) { m.peersAt = min(m.peersAt, at) }

func (m *Machine) retryHellos() {
	for _, p := range m.peers {
		switch {
		case !p.linked || p.greeted:
		case m.now.Mono-p.helloAt >= int64(helloAgain):
			m.sendHello(p, true)
		default:
			m.lookAt(p.helloAt + int64(helloAgain))
		}
	}
}

func (m *Machine) sendHello(p *peer, want bool) {
	p.helloAt = m.now.Mono
	m.lookAt(p.helloAt + int64(helloAgain))
	h := hello{
		Version: wireVersion, Policy: m.PolicyPrint(), PolicyName: m.cfg.Policy.Name(),
		Epoch: m.self.id.Epoch, Label: m.self.label, Serving: m.serving, Want: want,
		KnownEpoch: m.floors[p.id.Node].epoch, Clock: m.clock.Time(m.now),
	}
	m.send(p, Urgent, m.enc.hello(h))
}

// onHello meets a peer: nodes that would decide differently must not decide
// together.
func (m *Machine) onHello(p *peer, h hello) {
	if h.Version != wireVersion || h.Policy != m.PolicyPrint() {
		m.refuse(p, h)
		return
	}
	first := !p.greeted
	if p.refused {
		m.reached = 0
	}
	epochChanged := p.epoch != h.Epoch
	p.greeted, p.refused, p.epoch = true, false, h.Epoch
	p.ahead = m.clock.Time(m.now) - h.Clock
	if h.Want {
		m.sendHello(p, false)
	}
	if h.KnownEpoch > m.self.id.Epoch {
		m.heardOfSelf(h.KnownEpoch)
	}
	if epochChanged {
		m.accept(identity{crdt.Replica{Node: p.id.Node, Epoch: h.Epoch}, h.Label, p.id.Run})
	}
	if p.serving != h.Serving || first {
		m.setServing(p, h.Serving)
		m.viewChanged()
	}
	if first {
		m.lookAt(m.now.Mono)
		m.setTreed(p, true)
		m.compareSoon(p)
	}
	m.advanceAll()
}

func (m *Machine) refuse(p *peer, h hello) {
	if !p.refused {
		m.notice(Notice{Kind: Refused, Node: p.id.Node, Text: fmt.Sprintf(
			"protocol %d with policy %s there, protocol %d with policy %s here: run the same version and policy on all nodes",
			h.Version, h.PolicyName, wireVersion, m.cfg.Policy.Name())})
	}
	p.refused, p.greeted, m.reached = true, false, 0
	m.lookAt(m.now.Mono)
	m.setTreed(p, false)
}

// setTreed tells the tree of a link, or that it is gone.
func (m *Machine) setTreed(p *peer, is bool) {
	switch {
	case p.treed == is:
	case is:
		m.tree.Up(p.id)
	default:
		m.tree.Down(p.id)
	}
	p.treed = is
}

// send queues a frame for a peer.
func (m *Machine) send(p *peer, lane Lane, frame []byte) {
	m.fx.Sends = append(m.fx.Sends, Send{To: p.id, Lane: lane, Frame: frame})
}

// NodeState is what this node thinks of a node.
type NodeState struct {
	Node    string
	Addr    string
	Epoch   uint64
	Label   string
	Up      bool
	Linked  bool
	Serving bool
	Refused bool
	Entries int
	Version uint64
	Self    bool
	// Since is when the node's reachability last changed, by the monotonic clock.
	Since int64
}

// Nodes returns what is known of every node, in the order of names.
func (m *Machine) Nodes() []NodeState {
	states := make([]NodeState, 0, len(m.origins))
	for _, o := range m.origins {
		s := NodeState{
			Node: o.id.Node, Epoch: o.id.Epoch, Label: o.label, Up: o.up, Self: o.self,
			Entries: o.log.Len(), Version: o.log.Version(), Since: o.since,
		}
		if o.self {
			s.Linked, s.Serving = true, m.serving
		}
		states = append(states, s)
	}
	for _, p := range m.peers {
		i, ok := slices.BinarySearchFunc(states, p.id.Node, func(s NodeState, node string) int {
			return strings.Compare(s.Node, node)
		})
		if !ok {
			states = slices.Insert(states, i, NodeState{Node: p.id.Node, Epoch: max(p.epoch, p.id.Run), Up: true})
		}
		states[i].Addr, states[i].Linked, states[i].Serving, states[i].Refused = p.addr, p.linked, p.serving, p.refused
	}
	return states
}

// Reached returns the number of nodes in this component, this one included.
func (m *Machine) Reached() int {
	if m.reached == 0 {
		m.reached = m.countReached()
	}
	return m.reached
}

func (m *Machine) countReached() int {
	n, last := 1, ""
	for _, p := range m.peers {
		if !p.refused && p.id.Node != last {
			n, last = n+1, p.id.Node
		}
	}
	return n
}
