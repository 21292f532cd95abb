package transporttest

import (
	"fmt"

	"github.com/rollcall-dev/rollcall/transport"
)

// maxFaults is how many faults are kept: the first say what is wrong, and a broken
// transport makes one with every frame.
const maxFaults = 32

// grammar checks the order of the calls to one handler. It is guarded by the mutex
// of its Recorder.
//
// Invariant: up has an entry for each node of which a peer is up, and says which.
type grammar struct {
	peers     map[transport.Peer]*standing
	up        map[string]transport.Peer
	accepting int // calls of Accept that are running
	finished  bool
	faults    []string
}

// standing is what the calls about one peer have said so far.
//
// Invariant: linked only while up.
type standing struct {
	up, linked bool
	met        bool // there was a link once
	busy       bool // a call about the peer is running
}

// of returns the standing of a peer.
func (g *grammar) of(p transport.Peer) *standing {
	if g.peers == nil {
		g.peers = make(map[transport.Peer]*standing)
		g.up = make(map[string]transport.Peer)
	}
	s, ok := g.peers[p]
	if !ok {
		s = &standing{}
		g.peers[p] = s
	}
	return s
}

// event checks a call that says something about a peer.
func (g *grammar) event(e Event) {
	s := g.of(e.Peer)
	g.check(!g.finished, "%s came after Close had returned: the handler may be gone by then", e)
	g.check(!s.busy, "%s came while another call about this peer was running: calls about one peer come one at a time", e)
	s.busy = true
	switch e.Kind {
	case PeerUp:
		g.check(!s.up, "%s, but the peer is up already", e)
		other, taken := g.up[e.Peer.Node]
		g.check(!taken || other == e.Peer, "%s while %s is up: the old run of a node goes down before the new one comes up", e, other)
		g.up[e.Peer.Node] = e.Peer
		s.up = true
	case LinkUp:
		g.check(s.up, "%s, but the peer is not up", e)
		g.check(!s.linked, "%s, but the link is up already", e)
		s.linked, s.met = true, true
	case LinkDown:
		g.check(s.linked, "%s, but the link is not up", e)
		s.linked = false
	case PeerDown:
		g.check(s.up, "%s, but the peer is not up", e)
		g.check(!s.linked, "%s without LinkDown before it, though the link is up", e)
		s.up, s.linked = false, false
		if g.up[e.Peer.Node] == e.Peer {
			delete(g.up, e.Peer.Node)
		}
	}
}

// enter checks that a call of Receive may begin.
func (g *grammar) enter(from transport.Peer, lane transport.Lane) {
	s := g.of(from)
	g.check(!g.finished, "Receive(%s, %s) came after Close had returned: the handler may be gone by then", from, lane)
	g.check(!s.busy, "Receive(%s, %s) came while another call about this peer was running: calls about one peer come one at a time", from, lane)
	g.check(s.linked, "Receive(%s, %s), but the link is not up: a registry drops what comes from strangers", from, lane)
	s.busy = true
}

// leave notes that a call about a peer returns.
func (g *grammar) leave(from transport.Peer) { g.of(from).busy = false }

// accept checks that a call of Accept may begin. It runs in a goroutine of its own,
// so it may be late, but not early.
func (g *grammar) accept(from transport.Peer) {
	g.accepting++
	g.check(!g.finished, "Accept(%s) came after Close had returned: the handler may be gone by then", from)
	g.check(g.of(from).met, "Accept(%s), but there was no LinkUp for this peer yet", from)
}

// finish checks that no call is running.
func (g *grammar) finish() {
	for p, s := range g.peers {
		g.check(!s.busy, "a call about %s was still running when Close returned", p)
	}
	g.check(g.accepting == 0, "%d calls of Accept were still running when Close returned", g.accepting)
	g.finished = true
}

func (g *grammar) check(ok bool, format string, args ...any) {
	if !ok && len(g.faults) < maxFaults {
		g.faults = append(g.faults, fmt.Sprintf(format, args...))
	}
}
