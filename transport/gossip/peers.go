package gossip

import (
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// sweepAfter is how long a run is kept in mind after its last sign of life, so
// that late news does not bring it back.
const sweepAfter = 10 * time.Minute

// maxNodes limits the node names that are kept in mind.
const maxNodes = 8192

// node is all that is known of one node name.
//
// Invariant: current, where set, is one of runs and up; at most one goroutine
// tells the handler about the node, while telling is true; told is what the
// handler knows.
type node struct {
	name    string
	runs    map[uint64]*peer
	current *peer
	telling bool
	told    struct {
		peer *peer
		link *link
	}
}

// peer is one run of another node.
//
// Invariant: a run that left or is gone has no link; dialing is true while one
// goroutine tries to make a link, greeting while that one waits for the answer.
type peer struct {
	id       transport.Peer
	addr     string
	member   bool // memberlist holds it for alive
	gone     bool // its program was proved not to run; memberlist may not know yet
	doubt    bool // memberlist calls a gone run alive again: a dial decides
	left     bool // it said that it leaves
	met      bool // it had a link
	link     *link
	dialing  bool
	greeting bool
	seen     time.Time
	outgoing *session
	incoming []*session
}

// up reports whether the run is a reachable member.
func (p *peer) up() bool { return !p.left && (p.link != nil || (p.member && !p.gone)) }

// takeSessions empties the run of its stream connections.
func (p *peer) takeSessions() []*session {
	all := p.incoming
	if p.outgoing != nil {
		all = append(all, p.outgoing)
	}
	p.outgoing, p.incoming = nil, nil
	return all
}

// best returns the run to show: one with a link, else any that is up.
func (n *node) best() *peer {
	var out *peer
	for _, p := range n.runs {
		if p.up() && (out == nil || (p.link != nil && out.link == nil)) {
			out = p
		}
	}
	return out
}

// roomLocked reports whether a peer is known or there is room for its name.
func (t *Transport) roomLocked(id transport.Peer) bool {
	return t.nodes[id.Node] != nil || len(t.nodes) < maxNodes
}

// runLocked returns what is known of a run, made if need be.
func (t *Transport) runLocked(id transport.Peer, addr string) (*node, *peer) {
	n := t.nodes[id.Node]
	if n == nil {
		n = &node{name: id.Node, runs: map[uint64]*peer{}}
		t.nodes[id.Node] = n
	}
	p := n.runs[id.Run]
	if p == nil {
		p = &peer{id: id}
		n.runs[id.Run] = p
	}
	if p.link == nil && addr != "" {
		p.addr = addr
	}
	p.seen = time.Now()
	return n, p
}

// settleLocked works out which run of a node is shown and sees to it that the
// handler is told.
func (t *Transport) settleLocked(n *node) {
	if n.current == nil || !n.current.up() {
		n.current = n.best()
	}
	if n.telling || t.closing.Load() {
		return
	}
	if n.told.peer == n.current && (n.current == nil || n.told.link == n.current.link) {
		return
	}
	n.telling = true
	t.wg.Go(func() { t.tell(n) })
}

// tell brings the handler up to date about one node, one call at a time, and ends
// when there is nothing to tell. It works on the state, not on a queue of events:
// what came and went meanwhile is not told.
func (t *Transport) tell(n *node) {
	for {
		t.mu.Lock()
		call := t.nextCallLocked(n)
		if call == nil || t.closing.Load() {
			n.telling = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		call()
	}
}

// nextCallLocked returns the next call to the handler about a node: away with what
// is no more, then what is new.
func (t *Transport) nextCallLocked(n *node) func() {
	told, current := &n.told, n.current
	if l := told.link; l != nil && (current != told.peer || current.link != l) {
		told.link = nil
		return func() {
			<-l.readerDone
			t.handler.LinkDown(l.peer)
		}
	}
	if p := told.peer; p != nil && p != current {
		told.peer = nil
		why := transport.Failed
		if p.left {
			why = transport.Left
		}
		sessions := p.takeSessions()
		return func() {
			for _, s := range sessions {
				s.close()
			}
			t.handler.PeerDown(p.id, why)
		}
	}
	if current != nil && told.peer == nil {
		told.peer = current
		addr := current.addr
		return func() { t.handler.PeerUp(current.id, addr) }
	}
	if current != nil && current.link != nil && told.link == nil {
		l := current.link
		told.link = l
		return func() {
			t.handler.LinkUp(l.peer)
			close(l.told)
		}
	}
	return nil
}

// adopt makes a finished handshake the link of a peer, or refuses it. The link
// does not run yet. Where two live runs claim one node name, the one that is
// linked stays.
func (t *Transport) adopt(w *wire, id transport.Peer, addr string, dialled bool) (*link, Refusal, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing.Load() || !t.ready {
		return nil, Busy, ""
	}
	if id.Node == t.self.Node {
		return nil, DuplicateNode, t.port.addr()
	}
	if !t.roomLocked(id) {
		return nil, Busy, ""
	}
	n, p := t.runLocked(id, addr)
	if p.left || t.leaving {
		return nil, Leaving, ""
	}
	if c := n.current; c != nil && c != p {
		if c.link != nil {
			return nil, DuplicateNode, c.addr
		}
		c.gone = true
	}
	if !dialled && less(t.self, id) && (p.greeting || (p.link != nil && p.link.dialled && time.Since(p.link.since) < crossingTime)) {
		return nil, Crossed, ""
	}
	if old := p.link; old != nil {
		t.count.add(linksReplaced, 1)
		t.count.add(droppedBroken, old.out.discard())
		old.end()
	}
	l := newLink(t, w, id, dialled)
	if p.met && p.link == nil {
		t.count.add(rejoinSuccesses, 1)
	}
	p.addr, p.link, p.gone, p.doubt, p.met = addr, l, false, false, true
	t.links.Store(id, l)
	t.book.Met(id, addr, time.Now())
	t.count.add(linksMade, 1)
	t.settleLocked(n)
	return l, accepted, ""
}

// crossingTime is how long a link made by the preferred side counts as crossed by
// one that comes from the other.
const crossingTime = time.Second

// less orders peers: the smaller of two dials first, and its link is kept where
// both dial at once.
func less(a, b transport.Peer) bool {
	if a.Node != b.Node {
		return a.Node < b.Node
	}
	return a.Run < b.Run
}

// broken takes a link out of use and sees at once whether its peer still runs.
func (t *Transport) broken(l *link, cause error) {
	l.end()
	t.mu.Lock()
	n := t.nodes[l.peer.Node]
	if n == nil || n.runs[l.peer.Run] == nil || n.runs[l.peer.Run].link != l {
		t.mu.Unlock()
		return
	}
	p := n.runs[l.peer.Run]
	p.link = nil
	p.seen = time.Now()
	t.links.CompareAndDelete(l.peer, l)
	t.count.add(linksBroken, 1)
	t.count.add(droppedBroken, l.out.discard())
	if p.left {
		t.book.Gone(p.id)
	} else {
		t.book.Lost(p.id, p.seen)
	}
	t.settleLocked(n)
	again := []*peer{p}
	for _, other := range n.runs {
		if other != p && other.member && !other.gone {
			again = append(again, other)
		}
	}
	t.mu.Unlock()
	if t.closing.Load() {
		return
	}
	t.log.Info("link down", "peer", l.peer.String(), "cause", cause)
	for _, p := range again {
		t.connectAfter(p, !isTimeout(cause))
	}
}

// farewell notes that a peer said on its link that it leaves.
func (t *Transport) farewell(l *link) {
	t.mu.Lock()
	if n := t.nodes[l.peer.Node]; n != nil && n.runs[l.peer.Run] != nil {
		n.runs[l.peer.Run].left = true
		t.count.add(peersLeft, 1)
	}
	t.mu.Unlock()
}

// sweep forgets runs that nothing was heard of for long.
func (t *Transport) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, n := range t.nodes {
		for run, p := range n.runs {
			idle := !p.member && p.link == nil && !p.dialing && p != n.current && p != n.told.peer
			if idle && now.Sub(p.seen) > sweepAfter {
				delete(n.runs, run)
			}
		}
		if len(n.runs) == 0 && !n.telling {
			delete(t.nodes, name)
		}
	}
}
