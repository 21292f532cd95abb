package memory

import (
	"bytes"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// inbox is one direction between two nodes: what the owner's handler is told about
// the peer's node, and the frames and streams from there. One goroutine makes all
// calls, and brings what has been told in line with what is wanted, step by step
// along the grammar of transport.Handler. As both are states and not lists of
// events, a handler that is held up makes nothing grow.
//
// Invariant: a session is one time that a run of the peer is up and a link one time
// that frames flow; each has a number that is never used again, zero meaning none.
// A link lasts no longer than its session. waiting and streams are empty without a
// link. told is changed by the goroutine alone, under mu.
type inbox struct {
	owner *Transport
	node  string        // the peer's
	wake  chan struct{} // holds one token when there is something new

	mu sync.Mutex

	from     *Transport // the run of the peer that session is about
	session  uint64
	link     uint64
	numbers  uint64           // the last number given to a session or a link
	downAt   time.Time        // when session ends unless a path returns; zero with a path
	departed bool             // the peer left: session ends when waiting is empty
	told     announced        // what the handler has been told
	why      transport.Reason // why the session in told ended
	bye      chan struct{}    // closed when a departure has been told; nil without one

	waiting lanes
	streams map[*stream]struct{}
	ready   uint64 // the link whose LinkUp has returned: its streams are accepted

	ownerPaused, peerPaused bool
	stopped                 bool
}

// announced is what a handler has been told about a peer.
type announced struct {
	peer    transport.Peer
	session uint64
	link    uint64
}

// step is what the goroutine of an inbox does next.
type step uint8

const (
	wait step = iota
	stop
	retire
	peerUp
	linkUp
	receive
	linkDown
	peerDown
)

// call is a step with the arguments of the handler's method.
type call struct {
	step  step
	peer  transport.Peer
	addr  string
	why   transport.Reason
	lane  transport.Lane
	frame []byte
	until time.Time // when to look again, for wait; zero means when woken
}

// newInbox makes the inbox of owner for a peer. The caller holds network.mu.
func newInbox(owner, peer *Transport) *inbox {
	return &inbox{
		owner:       owner,
		node:        peer.self.Node,
		wake:        make(chan struct{}, 1),
		from:        peer,
		streams:     make(map[*stream]struct{}),
		ownerPaused: owner.paused,
		peerPaused:  peer.paused,
	}
}

// run makes the calls to the handler until the owner stops or nothing is left to
// tell.
func (in *inbox) run() {
	for {
		c := in.next(time.Now())
		switch c.step {
		case stop:
			return
		case retire:
			if in.owner.network.retire(in) {
				return
			}
		case wait:
			in.sleep(c.until)
		default:
			in.deliver(c)
		}
	}
}

// next decides what to do.
func (in *inbox) next(now time.Time) call {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped {
		return call{step: stop}
	}
	if in.ownerPaused {
		return call{step: wait}
	}
	in.expire(now)
	if in.departed && !in.peerPaused && in.waiting.len() == 0 {
		in.end(transport.Left)
	}
	switch told := &in.told; {
	case told.link != 0 && told.link != in.link:
		told.link = 0
		return call{step: linkDown, peer: told.peer}
	case told.session != 0 && told.session != in.session:
		told.session = 0
		return call{step: peerDown, peer: told.peer, why: in.why}
	case told.session == 0 && !in.departed && in.bye != nil:
		in.sayBye()
		return in.announce()
	case told.session == 0 || told.link == 0 && in.link != 0:
		return in.announce()
	case told.link != 0 && !in.peerPaused:
		return in.nextFrame(now)
	}
	return call{step: wait, until: in.downAt}
}

// announce tells of a new session or a new link. The caller holds mu.
func (in *inbox) announce() call {
	told := &in.told
	switch {
	case in.session == 0:
		return call{step: retire}
	case told.session == 0:
		told.session, told.peer = in.session, in.from.self
		return call{step: peerUp, peer: told.peer, addr: in.from.addr()}
	default:
		told.link = in.link
		return call{step: linkUp, peer: told.peer}
	}
}

// nextFrame takes out a frame, or waits for one. The caller holds mu.
func (in *inbox) nextFrame(now time.Time) call {
	f, lane, next, ok := in.waiting.pop(now)
	if !ok {
		return call{step: wait, until: earlier(next, in.downAt)}
	}
	return call{step: receive, peer: in.told.peer, lane: lane, frame: f.frame}
}

// deliver calls the handler.
func (in *inbox) deliver(c call) {
	h := in.owner.handler
	switch c.step {
	case peerUp:
		h.PeerUp(c.peer, c.addr)
	case linkUp:
		h.LinkUp(c.peer)
		in.linkTold()
	case receive:
		in.owner.count.framesReceived.Add(1)
		in.owner.count.bytesReceived.Add(uint64(len(c.frame)))
		h.Receive(c.peer, c.lane, bytes.Clone(c.frame))
	case linkDown:
		h.LinkDown(c.peer)
	case peerDown:
		h.PeerDown(c.peer, c.why)
	}
}

// sleep waits for something new or for a time.
func (in *inbox) sleep(until time.Time) {
	if until.IsZero() {
		<-in.wake
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-in.wake:
	case <-timer.C:
	}
}

// kick wakes the goroutine.
func (in *inbox) kick() {
	select {
	case in.wake <- struct{}{}:
	default: // it has been woken already, and will look at everything
	}
}

// want says that the peer's present run is reachable, and linked or not.
func (in *inbox) want(peer *Transport, linked bool, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.from != peer {
		in.end(transport.Failed)
		in.from, in.peerPaused = peer, peer.paused
	}
	in.expire(now)
	in.downAt = time.Time{}
	if in.session == 0 {
		in.session = in.number()
		in.kick()
	}
	if linked && in.link == 0 {
		in.link = in.number()
		in.kick()
	}
	if !linked {
		in.breakLink()
	}
}

// lose says that no path to the peer is left.
func (in *inbox) lose(now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.session == 0 || in.departed {
		return
	}
	in.breakLink()
	if in.downAt.IsZero() {
		in.downAt = now.Add(in.owner.network.cfg.Detect)
		in.kick()
	}
	in.expire(now)
}

// unlink breaks the link of a node that has left. Whether its peers are up does
// not concern it any more.
func (in *inbox) unlink(now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.expire(now)
	in.downAt = time.Time{}
	in.breakLink()
}

// leave says that the peer has left, if it can be heard. It returns what is closed
// when the handler knows; nil where there is nothing to tell.
func (in *inbox) leave(peer *Transport) <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.from != peer || in.session == 0 || !in.downAt.IsZero() {
		return nil
	}
	in.departed = true
	in.bye = make(chan struct{})
	in.kick()
	return in.bye
}

// pause stops or resumes the owner or the peer.
func (in *inbox) pause(t *Transport, paused bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch t {
	case in.owner:
		in.ownerPaused = paused
	case in.from:
		in.peerPaused = paused
	}
	for s := range in.streams {
		s.hold(in.paused())
	}
	in.accept()
	in.kick()
}

// stop ends the inbox with its owner.
func (in *inbox) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.breakLink()
	in.stopped = true
	in.sayBye()
	in.kick()
}

// idle says that the handler knows of no session and there is none to tell of.
func (in *inbox) idle() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.session == 0 && in.told.session == 0
}

// put queues a frame from a peer.
func (in *inbox) put(from *Transport, lane transport.Lane, frame []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.from != from || in.link == 0 || in.departed {
		return transport.ErrNoLink
	}
	cfg := &in.owner.network.cfg
	q := &in.waiting[lane]
	if q.full(len(frame), cfg) {
		return transport.ErrQueueFull
	}
	f := queued{frame: frame}
	if cfg.Latency > 0 {
		f.due = time.Now().Add(cfg.Latency)
	}
	q.push(f)
	in.kick()
	return nil
}

func (in *inbox) number() uint64 {
	in.numbers++
	return in.numbers
}

func (in *inbox) paused() bool { return in.ownerPaused || in.peerPaused }

// expire ends the session when it is time. The caller holds mu.
func (in *inbox) expire(now time.Time) {
	if !in.downAt.IsZero() && !now.Before(in.downAt) {
		in.end(transport.Failed)
	}
}

// end ends the session, if there is one. The caller holds mu.
func (in *inbox) end(w transport.Reason) {
	if in.departed {
		w = transport.Left
	}
	if in.session != 0 && in.session == in.told.session {
		in.why = w
	}
	in.breakLink()
	in.session, in.downAt, in.departed = 0, time.Time{}, false
	in.kick()
}

// breakLink ends the link, if there is one, with all that is on it. The caller
// holds mu.
func (in *inbox) breakLink() {
	if in.link == 0 {
		return
	}
	in.link = 0
	in.owner.count.framesLost.Add(uint64(in.waiting.len()))
	in.waiting = lanes{}
	in.owner.count.streamsBroken.Add(uint64(len(in.streams)))
	for s := range in.streams {
		s.fail()
	}
	clear(in.streams)
	in.kick()
}

// sayBye lets the peer's Leave return. The caller holds mu.
func (in *inbox) sayBye() {
	if in.bye != nil {
		close(in.bye)
		in.bye = nil
	}
}

// linkTold accepts the streams that came before LinkUp had returned.
func (in *inbox) linkTold() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ready = in.told.link
	in.accept()
}

// accept hands over the streams that wait, when it may. The caller holds mu.
func (in *inbox) accept() {
	if in.link == 0 || in.ready != in.link || in.paused() || in.stopped {
		return
	}
	for s := range in.streams {
		if s.take() {
			in.owner.count.streamsAccepted.Add(1)
			in.owner.running.Go(func() { in.owner.handler.Accept(s.peer, s.acceptor) })
		}
	}
}

// offer makes a stream from a peer.
func (in *inbox) offer(from *Transport) (*stream, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.from != from || in.link == 0 || in.departed {
		return nil, transport.ErrNoLink
	}
	if len(in.streams) >= in.owner.network.cfg.Streams {
		return nil, transport.ErrQueueFull
	}
	s := newStream(in, from)
	s.hold(in.paused())
	in.streams[s] = struct{}{}
	in.accept()
	return s, nil
}

// forget lets go of a stream whose ends are both closed.
func (in *inbox) forget(s *stream) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.streams, s)
}
