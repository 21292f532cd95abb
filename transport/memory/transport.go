package memory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rollcall-dev/rollcall/transport"
)

// state is how far a transport has come in its life.
type state uint8

const (
	unstarted state = iota
	started
	left // it has left its peers, and is still to be closed
	closed
)

// Transport connects one run of a node to its Network. It is made by
// Network.Transport and implements transport.Transport.
//
// Invariant: it is in network.live exactly while its state is started, and done is
// closed exactly when its state is closed.
type Transport struct {
	network *Network

	// self and handler are set by Start and constant from then on. These and all
	// up to paused are guarded by network.mu.
	self    transport.Peer
	handler transport.Handler
	state   state
	inboxes map[string]*inbox // by the name of the peer's node
	paused  bool

	done    chan struct{}
	running sync.WaitGroup // the inboxes and the calls of Accept
	count   counters
}

var _ transport.Transport = (*Transport)(nil)

// Start takes part in the network as self. It returns a
// *transport.DuplicateNodeError while the network has a live node of this name,
// ErrStarted after a Start that succeeded, and ErrClosed after Close.
func (t *Transport) Start(self transport.Peer, h transport.Handler) error {
	if self.Node == "" {
		return errors.New("memory: the name of the node is empty")
	}
	if h == nil {
		return errors.New("memory: the handler is nil")
	}
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	switch t.state {
	case closed:
		return transport.ErrClosed
	case started, left:
		return transport.ErrStarted
	}
	t.self, t.handler = self, h
	if err := t.network.join(t); err != nil {
		t.self, t.handler = transport.Peer{}, nil
		return err
	}
	t.state = started
	return nil
}

// Addr returns "memory:" and the node's name; empty before Start.
func (t *Transport) Addr() string {
	t.network.mu.RLock()
	defer t.network.mu.RUnlock()
	return t.addr()
}

func (t *Transport) addr() string {
	if t.self.Node == "" {
		return ""
	}
	return "memory:" + t.self.Node
}

// Send queues a frame for a peer. The queue of each lane has the limits of
// Config.QueueFrames and Config.QueueBytes; ErrQueueFull concerns one lane.
func (t *Transport) Send(to transport.Peer, lane transport.Lane, frame []byte) error {
	if len(frame) > transport.MaxFrame {
		return transport.ErrTooLarge
	}
	if lane >= transport.Lanes {
		return fmt.Errorf("memory: there is no %s", lane)
	}
	t.network.mu.RLock()
	defer t.network.mu.RUnlock()
	in, err := t.network.inboxOf(t, to)
	if err == nil {
		err = in.put(t, lane, frame)
	}
	if err != nil {
		t.count.refused.Add(1)
		return err
	}
	t.count.framesSent.Add(1)
	t.count.bytesSent.Add(uint64(len(frame)))
	return nil
}

// Open opens a stream to a peer and waits until the peer's transport takes it up,
// which a pause of either node delays. More than Config.Streams at a time are
// refused with ErrQueueFull. The stream has a method CloseWrite, which ends one
// direction. A broken link makes its methods return a *net.OpError.
func (t *Transport) Open(ctx context.Context, to transport.Peer) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := t.offer(to)
	if err != nil {
		return nil, err
	}
	select {
	case <-s.taken:
		t.count.streamsOpened.Add(1)
		return s.opener, nil
	case <-s.broken:
		return nil, t.openError()
	case <-ctx.Done():
		s.abandon()
		return nil, ctx.Err()
	}
}

func (t *Transport) offer(to transport.Peer) (*stream, error) {
	t.network.mu.RLock()
	defer t.network.mu.RUnlock()
	in, err := t.network.inboxOf(t, to)
	if err != nil {
		return nil, err
	}
	return in.offer(t)
}

// openError says why a stream broke before it was taken up.
func (t *Transport) openError() error {
	select {
	case <-t.done:
		return transport.ErrClosed
	default:
		return transport.ErrNoLink
	}
}

// Leave tells every peer that can be reached that this node leaves, after the
// frames that wait for it, and waits until their handlers have returned from
// PeerDown or ctx ends. From then on this node has no links, which its own handler
// hears as LinkDown; its name is free. A paused node that leaves is resumed.
func (t *Transport) Leave(ctx context.Context) error {
	told, err := t.depart()
	if err != nil {
		return err
	}
	for _, bye := range told {
		select {
		case <-bye:
		case <-ctx.Done():
			return ctx.Err()
		case <-t.done:
			return transport.ErrClosed
		}
	}
	return nil
}

func (t *Transport) depart() ([]<-chan struct{}, error) {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	switch t.state {
	case closed:
		return nil, transport.ErrClosed
	case started:
		t.state = left
		return t.network.leave(t), nil
	}
	return nil, nil
}

// Close stops at once and waits until the node's handler has returned from every
// call. Without Leave before it, the peers take it for a crash.
func (t *Transport) Close() error {
	t.network.mu.Lock()
	t.network.stop(t)
	t.network.mu.Unlock()
	t.running.Wait()
	return nil
}
