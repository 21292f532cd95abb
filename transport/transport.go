package transport

import (
	"context"
	"fmt"
	"net"
)

// MaxFrame is the size limit of a frame in bytes. A frame holds at least one
// entry of the largest size allowed with its headers; what is larger goes over a
// stream.
const MaxFrame = 128 << 10

// Peer identifies one run of a node as its transport sees it. A restart has
// another Run. Peers are comparable.
type Peer struct {
	Node string
	Run  uint64
}

// String returns the peer as node#run.
func (p Peer) String() string { return fmt.Sprintf("%s#%x", p.Node, p.Run) }

// Lane orders frames by urgency. Frames of a lower lane pass those of a higher
// one that wait in the same queue.
type Lane uint8

const (
	// Urgent carries claims, calls and liveness. Frames here are small.
	Urgent Lane = iota
	// Deltas carries the stream of changes of each origin.
	Deltas
	// Bulk carries repair: whatever may wait.
	Bulk
	// Lanes is the number of lanes.
	Lanes
)

// String returns the lane's name.
func (l Lane) String() string {
	switch l {
	case Urgent:
		return "urgent"
	case Deltas:
		return "deltas"
	case Bulk:
		return "bulk"
	}
	return fmt.Sprintf("lane(%d)", uint8(l))
}

// Reason says why a peer went down.
type Reason uint8

const (
	// Failed: the peer cannot be reached, or its program is gone.
	Failed Reason = iota
	// Left: the peer said that it leaves.
	Left
)

// String returns the reason's name.
func (r Reason) String() string {
	if r == Left {
		return "left"
	}
	return "failed"
}

// Handler receives what a transport has to tell. The registry implements it.
//
// Calls about one peer come one at a time and in this grammar:
//
//	PeerUp ( LinkUp ( Receive* ) LinkDown )* PeerDown
//
// PeerDown is preceded by LinkDown where a link was up. Calls about different
// peers may come at the same time. A handler returns soon; while Receive has not
// returned, no further frame of that peer and lane is delivered, and the peer's
// queue fills up.
type Handler interface {
	// PeerUp says that a peer is a reachable member: directly, or in the judgement
	// of others. addr is where it listens, for people to read.
	PeerUp(p Peer, addr string)
	// LinkUp says that frames can flow to and from the peer from now on.
	LinkUp(p Peer)
	// LinkDown says that the link broke: frames in flight may be lost.
	LinkDown(p Peer)
	// PeerDown says that the peer is not reachable any more, and why.
	PeerDown(p Peer, why Reason)
	// Receive hands over a frame. The frame belongs to the handler.
	Receive(from Peer, lane Lane, frame []byte)
	// Accept hands over a stream that the peer opened, in a goroutine of its own.
	// The handler closes it.
	Accept(from Peer, stream net.Conn)
}

// Transport connects one run of a node with its peers.
//
// An implementer owes the guarantees of the package documentation and passes
// transporttest.Run.
type Transport interface {
	// Start takes part in the cluster as self and delivers to h until Close. It
	// may be called once. It returns a clear error when the node cannot take part
	// at all: the address is in use, the node's name is taken, the key is wrong. A
	// seed that cannot be reached is an error only where the transport was told
	// so; otherwise it is tried again.
	Start(self Peer, h Handler) error
	// Addr returns the address where this node listens; empty before Start.
	Addr() string
	// Send queues a frame for a peer and returns at once. The frame must not be
	// modified afterwards: several peers may share it. An error says that the frame
	// was certainly not queued: ErrTooLarge, ErrNoLink, ErrQueueFull or ErrClosed.
	Send(to Peer, lane Lane, frame []byte) error
	// Open opens a stream to a peer, for what is larger than a frame. Streams are
	// flow-controlled and do not hold up frames.
	Open(ctx context.Context, to Peer) (net.Conn, error)
	// Counters returns what this transport has counted, by name: frames, bytes,
	// drops, refusals. The names are documented by each transport.
	Counters() map[string]uint64
	// Leave tells the peers that this node leaves, so that they say PeerDown with
	// Left, and waits until they can be expected to know or ctx ends.
	Leave(ctx context.Context) error
	// Close stops at once. When it returns no call to the handler is running and
	// none will follow, and no goroutine of the transport is left. Close after Close does nothing.
	Close() error
}
