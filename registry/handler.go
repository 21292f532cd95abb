package registry

import (
	"net"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/transport"
)

// route is how to reach a node.
type route struct {
	peer   transport.Peer
	linked bool
}

// handler takes what the transport tells.
type handler struct{ r *Registry }

var _ transport.Handler = handler{}

func (h handler) PeerUp(p transport.Peer, addr string) {
	h.r.peers.Store(p.Node, route{peer: p})
	h.r.do(func(m *replica.Machine, now crdt.Reading) { m.PeerUp(now, replica.Peer(p), addr) })
}

func (h handler) LinkUp(p transport.Peer) {
	h.r.peers.Store(p.Node, route{peer: p, linked: true})
	h.r.do(func(m *replica.Machine, now crdt.Reading) { m.LinkUp(now, replica.Peer(p)) })
}

func (h handler) LinkDown(p transport.Peer) {
	h.r.reroute(p, false)
	h.r.do(func(m *replica.Machine, now crdt.Reading) { m.LinkDown(now, replica.Peer(p)) })
	h.r.calls.fail(p)
}

func (h handler) PeerDown(p transport.Peer, why transport.Reason) {
	h.r.reroute(p, true)
	h.r.do(func(m *replica.Machine, now crdt.Reading) {
		m.PeerDown(now, replica.Peer(p), why == transport.Left)
	})
	h.r.calls.fail(p)
}

// reroute takes back the route to a peer, if it is still this peer's.
func (r *Registry) reroute(p transport.Peer, gone bool) {
	if known, ok := r.peers.Load(p.Node); !ok || known.peer != p {
		return
	}
	if gone {
		r.peers.Delete(p.Node)
		return
	}
	r.peers.Store(p.Node, route{peer: p})
}

func (h handler) Receive(from transport.Peer, _ transport.Lane, frame []byte) {
	if len(frame) > 0 && frame[0] >= replica.FirstFree {
		h.r.receive(from, frame)
		return
	}
	var err error
	h.r.do(func(m *replica.Machine, now crdt.Reading) { err = m.Step(now, replica.Peer(from), frame) })
	if err != nil {
		h.r.cfg.Logger.Warn("rollcall: a frame was refused", "from", from.Node, "error", err)
	}
}

func (h handler) Accept(from transport.Peer, stream net.Conn) { h.r.acceptStream(from, stream) }
