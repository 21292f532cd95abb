package memory

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// Network connects the nodes of one program.
//
// Invariant: for any two live nodes, each has an inbox for the other exactly while
// it owes or has told its handler something about it, and the links of both
// inboxes are up exactly when no fault parts the two. settle restores this after
// each change, under mu.
type Network struct {
	cfg Config

	// mu guards all below, and the fields of Transport that say so. It is taken
	// before the mutex of an inbox, and never held while waiting.
	mu     sync.RWMutex
	live   map[string]*Transport // by node name
	faults faults
}

// NewNetwork returns a network without nodes and without faults.
func NewNetwork(cfg Config) *Network {
	return &Network{
		cfg:    cfg.withDefaults(),
		live:   make(map[string]*Transport),
		faults: newFaults(),
	}
}

// Transport returns a transport for one run of one node on this network. The node
// takes part from Start on.
func (n *Network) Transport() *Transport {
	return &Transport{network: n, inboxes: make(map[string]*inbox), done: make(chan struct{})}
}

// Nodes returns the names of the live nodes, sorted.
func (n *Network) Nodes() []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Sorted(maps.Keys(n.live))
}

// Cut breaks the link between two nodes, both ways, until HealLink or Heal.
func (n *Network) Cut(a, b string) {
	n.change(func(f *faults) { f.cutLink(a, b) })
}

// Partition breaks the links between nodes that share no side. A node on several
// sides keeps its links to all of them; nodes on no side make up one more. It
// replaces an earlier partition, and holds for nodes that start later too.
func (n *Network) Partition(sides ...[]string) {
	n.change(func(f *faults) { f.partition(sides) })
}

// Isolate breaks all links of a node, also to nodes that start later.
func (n *Network) Isolate(node string) {
	n.change(func(f *faults) { f.isolate(node) })
}

// HealLink mends the link between two nodes, whatever broke it. A later Cut,
// Partition or Isolate may break it again.
func (n *Network) HealLink(a, b string) {
	n.change(func(f *faults) { f.mend(a, b) })
}

// Heal mends all links. It neither revives nor resumes a node.
func (n *Network) Heal() {
	n.change(func(f *faults) { *f = newFaults() })
}

// Kill ends a node as SIGKILL would: its transport delivers and sends nothing any
// more and is closed, its peers hear LinkDown and then PeerDown with Failed. Kill
// does not wait for calls to the node's handler that are running; Close of the
// transport does. It reports whether there was a live node of this name.
func (n *Network) Kill(node string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, ok := n.live[node]
	if ok {
		n.stop(t)
	}
	return ok
}

// Pause stops a node as SIGSTOP would: its handler is not called, and what it
// sends waits, frames and streams alike, until Resume. Links stay up, and nobody
// detects the pause. It reports whether there is a live node of this name.
func (n *Network) Pause(node string) bool { return n.setPaused(node, true) }

// Resume lets a paused node go on. It reports whether there is a live node of this
// name.
func (n *Network) Resume(node string) bool { return n.setPaused(node, false) }

func (n *Network) setPaused(node string, paused bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, ok := n.live[node]
	if ok {
		n.pause(t, paused)
	}
	return ok
}

// pause stops or resumes a live transport. The caller holds mu.
func (n *Network) pause(t *Transport, paused bool) {
	t.paused = paused
	for _, in := range t.inboxes {
		in.pause(t, paused)
	}
	for _, peer := range n.live {
		if in, ok := peer.inboxes[t.self.Node]; ok {
			in.pause(t, paused)
		}
	}
}

// change changes the faults and lets the nodes know.
func (n *Network) change(f func(*faults)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(&n.faults)
	n.settle()
}

// join makes a transport live. The caller holds mu.
func (n *Network) join(t *Transport) error {
	if holder, taken := n.live[t.self.Node]; taken {
		return &transport.DuplicateNodeError{Node: t.self.Node, Addr: holder.addr()}
	}
	n.live[t.self.Node] = t
	n.settle()
	return nil
}

// leave takes a live transport out of the network and returns what is closed when
// each peer that can be reached has been told. The caller holds mu.
func (n *Network) leave(t *Transport) []<-chan struct{} {
	if t.paused {
		n.pause(t, false)
	}
	delete(n.live, t.self.Node)
	var told []<-chan struct{}
	for _, peer := range n.live {
		in, ok := peer.inboxes[t.self.Node]
		if !ok {
			continue
		}
		if bye := in.leave(t); bye != nil {
			told = append(told, bye)
		}
	}
	now := time.Now()
	for _, in := range t.inboxes {
		in.unlink(now)
	}
	n.settle()
	return told
}

// stop ends a transport that has started. The caller holds mu.
func (n *Network) stop(t *Transport) {
	if t.state == closed {
		return
	}
	t.state = closed
	close(t.done)
	if n.live[t.self.Node] == t {
		delete(n.live, t.self.Node)
	}
	for _, in := range t.inboxes {
		in.stop()
	}
	n.settle()
}

// settle tells every inbox what is true of its peer now. The caller holds mu.
func (n *Network) settle() {
	now := time.Now()
	side := n.components()
	for _, owner := range n.live {
		for node, in := range owner.inboxes {
			if n.live[node] == nil {
				in.lose(now)
			}
		}
		for node, peer := range n.live {
			if peer == owner {
				continue
			}
			reachable := side[peer] == side[owner]
			linked := reachable && n.faults.linked(owner.self.Node, node)
			if n.cfg.NoRelay {
				reachable = linked
			}
			n.tell(owner, peer, linked, reachable, now)
		}
	}
}

// tell updates what owner's inbox for peer wants, and makes the inbox where one
// is needed.
func (n *Network) tell(owner, peer *Transport, linked, reachable bool, now time.Time) {
	in, ok := owner.inboxes[peer.self.Node]
	if !ok {
		if !reachable {
			return
		}
		in = newInbox(owner, peer)
		owner.inboxes[peer.self.Node] = in
		owner.running.Go(in.run)
	}
	if reachable {
		in.want(peer, linked, now)
	} else {
		in.lose(now)
	}
}

// components numbers the sets of nodes that reach each other over links.
func (n *Network) components() map[*Transport]int {
	side := make(map[*Transport]int, len(n.live))
	whole := n.faults.none()
	for _, start := range n.live {
		if whole {
			side[start] = 1
			continue
		}
		if side[start] != 0 {
			continue
		}
		number := len(side) + 1
		side[start] = number
		for reached := []*Transport{start}; len(reached) > 0; {
			last := reached[len(reached)-1]
			reached = reached[:len(reached)-1]
			for node, peer := range n.live {
				if side[peer] == 0 && n.faults.linked(last.self.Node, node) {
					side[peer] = number
					reached = append(reached, peer)
				}
			}
		}
	}
	return side
}

// retire removes an inbox that has nothing left to tell and reports whether it
// did; a peer may have come meanwhile.
func (n *Network) retire(in *inbox) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !in.idle() {
		return false
	}
	delete(in.owner.inboxes, in.node)
	return true
}

// inboxOf returns the inbox in which frames from t to a peer arrive. The caller
// holds mu.
func (n *Network) inboxOf(t *Transport, to transport.Peer) (*inbox, error) {
	if t.state == unstarted || t.state == closed {
		return nil, transport.ErrClosed
	}
	peer, ok := n.live[to.Node]
	if !ok || peer.self != to || t.state == left {
		return nil, transport.ErrNoLink
	}
	in, ok := peer.inboxes[t.self.Node]
	if !ok {
		return nil, transport.ErrNoLink
	}
	return in, nil
}
