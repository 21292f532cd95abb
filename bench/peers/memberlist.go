package peers

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rollcall-dev/rollcall/bench/resources"
	"github.com/rollcall-dev/rollcall/bench/sightings"
	"github.com/rollcall-dev/rollcall/bench/wire"
)

// listNode is a node of memberlist with the LAN preset. It spreads messages over
// memberlist's own broadcast queue; each node passes on what is new to it.
//
// Invariant: known has every message that was queued or received.
type listNode struct {
	list  atomic.Pointer[memberlist.Memberlist]
	queue *memberlist.TransmitLimitedQueue
	seen  sightings.Log

	network cutTransport

	handled, last atomic.Int64 // messages that came alone, and when the last did
	left          atomic.Int64 // when a node was last seen to go
	merged        atomic.Int64 // when a state of a peer was last received, and
	size          atomic.Int64 // how large it was

	mu    sync.Mutex
	known map[string]struct{}
	state []byte
}

// Kinds of messages, by their first byte.
const (
	spread = 's' // a name, to be passed on
	alone  = 'a' // a message for this node
)

// Memberlist serves a memberlist node until in ends.
func Memberlist(in io.Reader, out io.Writer) error {
	n := &listNode{known: map[string]struct{}{}}
	verbs := map[string]wire.Verb{
		"open": n.open, "reached": n.reached, "sequence": n.sequence, "gone": n.gone, "cut": n.cut, "mend": n.mend,
		"state": n.setState, "merged": n.mergedAt,
		"handle": n.handle, "flood": n.flood, "handled": n.handles,
		"cpu": resources.CPU, "heap": resources.Heap,
	}
	maps.Copy(verbs, n.seen.Verbs())
	return wire.Serve(context.Background(), in, out, verbs)
}

func (n *listNode) open(_ context.Context, a *wire.Args) ([]int64, error) {
	name, _, seeds := a.Word(), a.Word(), a.Rest()
	if err := a.Err(); err != nil {
		return nil, err
	}
	config := lan(name)
	config.Delegate, config.Events = n, n
	network, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{config.BindAddr}, BindPort: 0, Logger: config.Logger,
	})
	if err != nil {
		return nil, err
	}
	n.network.NetTransport = network
	config.Transport = &n.network
	config.BindPort = network.GetAutoBindPort()
	config.AdvertisePort = config.BindPort
	n.queue = &memberlist.TransmitLimitedQueue{
		RetransmitMult: config.RetransmitMult,
		NumNodes: func() int {
			list := n.list.Load()
			if list == nil {
				return 1
			}
			return list.NumMembers()
		},
	}
	list, err := memberlist.Create(config)
	if err != nil {
		return nil, err
	}
	n.list.Store(list)
	if len(seeds) > 0 {
		if _, err := list.Join(seeds); err != nil {
			return nil, err
		}
	}
	return []int64{int64(list.LocalNode().Port)}, nil
}

func (n *listNode) reached(context.Context, *wire.Args) ([]int64, error) {
	return []int64{int64(n.list.Load().NumMembers())}, nil
}

// cut drops the traffic to the given addresses.
func (n *listNode) cut(_ context.Context, a *wire.Args) ([]int64, error) {
	n.network.setCut(a.Rest())
	return nil, nil
}

// mend lets all traffic flow again.
func (n *listNode) mend(context.Context, *wire.Args) ([]int64, error) {
	n.network.setCut(nil)
	return nil, nil
}

// sequence queues names to be spread.
func (n *listNode) sequence(_ context.Context, a *wire.Args) ([]int64, error) {
	_, prefix, from, count, gap := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	return sightings.Sequence(prefix, from, count, gap, func(name string) error {
		n.pass(append([]byte{spread}, name...))
		return nil
	})
}

// pass queues a message that is new here, and reports whether it is.
func (n *listNode) pass(message []byte) bool {
	n.mu.Lock()
	_, old := n.known[string(message)]
	n.known[string(message)] = struct{}{}
	n.mu.Unlock()
	if !old {
		n.queue.QueueBroadcast(broadcast(message))
	}
	return !old
}

// gone returns when a node was last seen to go.
func (n *listNode) gone(ctx context.Context, _ *wire.Args) ([]int64, error) {
	for n.left.Load() == 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return []int64{n.left.Load()}, nil
}

// setState sets the state that is given to a node that joins, of some bytes.
func (n *listNode) setState(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix, names, size := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	var state []byte
	for i := range names {
		state = append(state, sightings.NameOf(prefix, i)...)
		state = append(state, make([]byte, size)...)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = state
	return nil, nil
}

// mergedAt returns the size of the state that was last received, and when.
func (n *listNode) mergedAt(context.Context, *wire.Args) ([]int64, error) {
	return []int64{n.size.Load(), n.merged.Load()}, nil
}

func (n *listNode) handle(context.Context, *wire.Args) ([]int64, error) { return nil, nil }

// flood sends messages to another node with SendReliable, as fast as it can.
func (n *listNode) flood(_ context.Context, a *wire.Args) ([]int64, error) {
	millis, size, senders := a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	var to *memberlist.Node
	for _, m := range n.list.Load().Members() {
		if m.Name != n.list.Load().LocalNode().Name {
			to = m
			break
		}
	}
	if to == nil {
		return nil, errors.New("peers: there is no other node")
	}
	var sent atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range senders {
		running.Go(func() {
			message := append([]byte{alone}, make([]byte, size)...)
			for time.Since(began) < time.Duration(millis)*time.Millisecond {
				if n.list.Load().SendReliable(to, message) == nil {
					sent.Add(1)
				}
			}
		})
	}
	running.Wait()
	return []int64{sent.Load(), began.UnixNano(), time.Now().UnixNano()}, nil
}

func (n *listNode) handles(context.Context, *wire.Args) ([]int64, error) {
	return []int64{n.handled.Load(), n.last.Load()}, nil
}

// NodeMeta, NotifyMsg, GetBroadcasts, LocalState and MergeRemoteState are a
// memberlist.Delegate.
func (n *listNode) NodeMeta(int) []byte { return nil }

// NotifyMsg takes a message of another node.
func (n *listNode) NotifyMsg(message []byte) {
	if len(message) == 0 {
		return
	}
	if message[0] == alone {
		n.last.Store(time.Now().UnixNano())
		n.handled.Add(1)
		return
	}
	if n.pass(append([]byte(nil), message...)) {
		n.seen.Saw(string(message[1:]))
	}
}

// GetBroadcasts hands memberlist what is to be spread.
func (n *listNode) GetBroadcasts(overhead, limit int) [][]byte {
	return n.queue.GetBroadcasts(overhead, limit)
}

// LocalState returns the state for another node.
func (n *listNode) LocalState(bool) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// MergeRemoteState takes the state of another node.
func (n *listNode) MergeRemoteState(state []byte, _ bool) {
	if len(state) > 0 {
		n.size.Store(int64(len(state)))
		n.merged.Store(time.Now().UnixNano())
	}
}

// NotifyJoin, NotifyLeave and NotifyUpdate are a memberlist.EventDelegate.
func (n *listNode) NotifyJoin(*memberlist.Node) {}

// NotifyLeave notes when a node goes.
func (n *listNode) NotifyLeave(*memberlist.Node) { n.left.Store(time.Now().UnixNano()) }

// NotifyUpdate does nothing.
func (n *listNode) NotifyUpdate(*memberlist.Node) {}

// broadcast is a message of memberlist's queue that no other one replaces.
type broadcast []byte

// Invalidates, Message, Finished and UniqueBroadcast are memberlist's.
func (b broadcast) Invalidates(memberlist.Broadcast) bool { return false }

// Message returns the bytes to send.
func (b broadcast) Message() []byte { return b }

// Finished does nothing.
func (b broadcast) Finished() {}

// UniqueBroadcast says that no other message has to be looked for.
func (b broadcast) UniqueBroadcast() {}
