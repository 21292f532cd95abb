package transporttest

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// MaxEvents is how many events a Recorder keeps; what comes later is checked
	// and counted only.
	MaxEvents = 1 << 16
	// MaxFrames is how many frames a Recorder keeps.
	MaxFrames = 1 << 16
)

// Kind says which method of transport.Handler an Event was.
type Kind uint8

// The kinds of events. Receive and Accept are not kept as events: frames have
// Recorder.Frames, and streams their hook.
const (
	PeerUp Kind = iota
	LinkUp
	LinkDown
	PeerDown
)

// String returns the name of the method.
func (k Kind) String() string {
	switch k {
	case PeerUp:
		return "PeerUp"
	case LinkUp:
		return "LinkUp"
	case LinkDown:
		return "LinkDown"
	case PeerDown:
		return "PeerDown"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Event is a call that said something about a peer.
type Event struct {
	Kind Kind
	Peer transport.Peer
	// Addr is set for PeerUp.
	Addr string
	// Why is set for PeerDown.
	Why transport.Reason
}

// String returns the event as a line of a log.
func (e Event) String() string {
	switch e.Kind {
	case PeerUp:
		return fmt.Sprintf("PeerUp(%s, %s)", e.Peer, e.Addr)
	case PeerDown:
		return fmt.Sprintf("PeerDown(%s, %s)", e.Peer, e.Why)
	}
	return fmt.Sprintf("%s(%s)", e.Kind, e.Peer)
}

// Recorder is a transport.Handler that keeps what it is told, lets a test wait for
// it, and finds calls that break the grammar of transport.Handler. The zero value
// is ready. It may be used in a testing/synctest bubble.
//
// Invariant: state has what the events so far add up to, whether or not they were
// kept.
type Recorder struct {
	// OnReceive, where set, takes the frames, which are not kept then. It runs
	// within Receive, and may block. It is set before Start.
	OnReceive func(from transport.Peer, lane transport.Lane, frame []byte)
	// OnAccept, where set, takes the streams and closes them; otherwise they are
	// closed at once. It is set before Start.
	OnAccept func(from transport.Peer, stream net.Conn)

	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil when nobody waits
	events  []Event
	frames  map[source][][]byte
	kept    int // how many frames are kept in all
	counts  map[source]int
	grammar grammar
}

// source is where a frame came from.
type source struct {
	peer transport.Peer
	lane transport.Lane
}

var _ transport.Handler = (*Recorder)(nil)

// PeerUp records that a peer is up.
func (r *Recorder) PeerUp(p transport.Peer, addr string) {
	r.record(Event{Kind: PeerUp, Peer: p, Addr: addr})
}

// LinkUp records that a link is up.
func (r *Recorder) LinkUp(p transport.Peer) { r.record(Event{Kind: LinkUp, Peer: p}) }

// LinkDown records that a link is down.
func (r *Recorder) LinkDown(p transport.Peer) { r.record(Event{Kind: LinkDown, Peer: p}) }

// PeerDown records that a peer is down.
func (r *Recorder) PeerDown(p transport.Peer, why transport.Reason) {
	r.record(Event{Kind: PeerDown, Peer: p, Why: why})
}

// record keeps an event and checks it. It lets others run before it returns, so
// that a transport which does not wait for the call is caught.
func (r *Recorder) record(e Event) {
	r.update(func() {
		r.grammar.event(e)
		if len(r.events) < MaxEvents {
			r.events = append(r.events, e)
		}
	})
	runtime.Gosched()
	r.update(func() {
		r.grammar.leave(e.Peer)
		r.change()
	})
}

// Receive keeps a frame, or hands it to OnReceive. It is counted, and shows as a
// change, when OnReceive has returned.
func (r *Recorder) Receive(from transport.Peer, lane transport.Lane, frame []byte) {
	r.update(func() { r.grammar.enter(from, lane) })
	if r.OnReceive != nil {
		r.OnReceive(from, lane, frame)
	}
	r.update(func() {
		r.grammar.leave(from)
		at := source{from, lane}
		if r.counts == nil {
			r.counts, r.frames = make(map[source]int), make(map[source][][]byte)
		}
		r.counts[at]++
		if r.OnReceive == nil && r.kept < MaxFrames {
			r.frames[at] = append(r.frames[at], frame)
			r.kept++
		}
		r.change()
	})
}

// Accept hands a stream to OnAccept.
func (r *Recorder) Accept(from transport.Peer, stream net.Conn) {
	r.update(func() { r.grammar.accept(from) })
	if r.OnAccept != nil {
		r.OnAccept(from, stream)
	} else {
		_ = stream.Close()
	}
	r.update(func() { r.grammar.accepting-- })
}

func (r *Recorder) update(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// Changed returns a channel that is closed at the next change. Whoever takes it
// before looking at the state misses nothing.
func (r *Recorder) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// change wakes all that wait. The caller holds mu.
func (r *Recorder) change() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Wait waits until ok returns true or ctx ends, and returns the error of ctx then.
// It calls ok first and after each change, without a lock: ok may use the methods
// of the Recorder.
func (r *Recorder) Wait(ctx context.Context, ok func() bool) error {
	for {
		changed := r.Changed()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Events returns what was heard about a node, in order; about all nodes where node
// is empty.
func (r *Recorder) Events(node string) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := slices.Clone(r.events)
	if node == "" {
		return events
	}
	return slices.DeleteFunc(events, func(e Event) bool { return e.Peer.Node != node })
}

// Frames returns the frames of a peer and lane in the order in which they came.
// They are not copied.
func (r *Recorder) Frames(from transport.Peer, lane transport.Lane) [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.frames[source{from, lane}])
}

// Received returns how many frames of a peer and lane came, kept or not.
func (r *Recorder) Received(from transport.Peer, lane transport.Lane) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[source{from, lane}]
}

// Up says whether a peer is up.
func (r *Recorder) Up(p transport.Peer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.grammar.of(p).up
}

// Linked says whether the link to a peer is up.
func (r *Recorder) Linked(p transport.Peer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.grammar.of(p).linked
}

// Finish says that the transport has been closed: calls that are still running now
// are faults, and calls that come later.
func (r *Recorder) Finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.grammar.finish()
}

// Faults returns the calls that broke the grammar, explained.
func (r *Recorder) Faults() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.grammar.faults)
}

// String returns the events, one on each line, for the message of a failed test.
func (r *Recorder) String() string {
	var b strings.Builder
	for _, e := range r.Events("") {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}
