package gossip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// maxStreams limits the streams of one connection that a peer holds open. It
	// is below yamux's backlog, so opening a stream never waits for an earlier one.
	maxStreams = 64
	// streamBacklog is yamux's limit of streams that wait for their acceptance.
	streamBacklog = 256
	// streamWindow is how far a sender may be ahead of its reader in one stream.
	streamWindow = 1 << 20
	// maxIncoming limits the stream connections of one peer that are accepted; the
	// oldest one makes room for a newer one.
	maxIncoming = 2
	// openTries limits the attempts at opening one stream.
	openTries = 10
	// openPause is the time between two of them where the peer is not ready.
	openPause = 10 * time.Millisecond
	// drainTime limits how long a closed stream is read from, for the sake of a
	// writer at the other end.
	drainTime = 10 * time.Second
)

// session is a connection that carries streams, opened by the side that dialled
// it.
//
// Invariant: places has a token for each stream that is open.
type session struct {
	t      *Transport
	mux    *yamux.Session
	places chan struct{}
	once   sync.Once
}

// settings returns how yamux is used.
func (t *Transport) settings() *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = streamBacklog
	c.MaxStreamWindowSize = streamWindow
	c.KeepAliveInterval = 5 * time.Second
	c.ConnectionWriteTimeout = t.timing.handshake * 2
	c.StreamOpenTimeout = t.timing.handshake * 2
	// Not less: data that the reader has not taken yet is lost with it.
	c.StreamCloseTimeout = 5 * time.Minute
	c.LogOutput = nil
	c.Logger = log.New(&libraryLog{log: t.log, count: &t.count}, "", 0)
	return c
}

// newSession puts yamux on a wire.
func (t *Transport) newSession(w *wire, dialled bool) (*session, error) {
	start := yamux.Server
	if dialled {
		start = yamux.Client
	}
	mux, err := start(w, t.settings())
	if err != nil {
		return nil, fmt.Errorf("gossip: stream connection: %w", err)
	}
	return &session{t: t, mux: mux, places: make(chan struct{}, maxStreams)}, nil
}

// close ends the session and all its streams.
func (s *session) close() { s.once.Do(func() { _ = s.mux.Close() }) }

// Open opens a stream to a peer that has a link. The first one dials the
// connection that carries them. A stream whose connection broke ends with
// io.ErrUnexpectedEOF, never with io.EOF.
func (t *Transport) Open(ctx context.Context, to transport.Peer) (net.Conn, error) {
	if t.closing.Load() || !t.started.Load() {
		return nil, transport.ErrClosed
	}
	if _, ok := t.links.Load(to); !ok {
		return nil, transport.ErrNoLink
	}
	for try := 0; ; try++ {
		s, err := t.outgoing(ctx, to)
		var r *RefusedError
		if errors.As(err, &r) && r.Why == Busy && try < openTries {
			// The peer's end of the link may be a moment behind this one.
			select {
			case <-time.After(openPause):
				continue
			case <-ctx.Done():
			}
		}
		if err != nil {
			return nil, err
		}
		c, err := s.open(ctx)
		if err == nil {
			t.count.add(streamsOpened, 1)
			return c, nil
		}
		if ctx.Err() != nil || try >= openTries || !s.mux.IsClosed() {
			return nil, fmt.Errorf("gossip: opening a stream to %s: %w", to, err)
		}
	}
}

// outgoing returns the session that this node dialled to a peer, made if need be.
func (t *Transport) outgoing(ctx context.Context, to transport.Peer) (*session, error) {
	s, addr, err := t.existing(to)
	if s != nil || err != nil {
		return s, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	h := hello{purpose: forStreams, cluster: t.cfg.Cluster, from: t.self, addr: t.port.addr(), want: to}
	w, a, err := t.greet(ctx, addr, t.timing.dial, h, func() error { return nil })
	if err != nil {
		return nil, fmt.Errorf("gossip: opening a stream connection to %s: %w", to, err)
	}
	if a.self != to {
		_ = w.Close()
		return nil, &RefusedError{Addr: addr, Why: WrongPeer, Peer: a.self}
	}
	fresh, err := t.newSession(w, true)
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	return t.keep(to, fresh)
}

// existing returns the session to a peer, or where to dial one.
func (t *Transport) existing(to transport.Peer) (*session, string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.linkedLocked(to)
	if p == nil {
		return nil, "", transport.ErrNoLink
	}
	if p.outgoing != nil && !p.outgoing.mux.IsClosed() {
		return p.outgoing, "", nil
	}
	return nil, p.addr, nil
}

// keep makes a session the one to a peer, unless another one was first.
func (t *Transport) keep(to transport.Peer, fresh *session) (*session, error) {
	t.mu.Lock()
	p := t.linkedLocked(to)
	if t.closing.Load() || p == nil {
		t.mu.Unlock()
		fresh.close()
		return nil, transport.ErrNoLink
	}
	if p.outgoing != nil && !p.outgoing.mux.IsClosed() {
		first := p.outgoing
		t.mu.Unlock()
		fresh.close()
		return first, nil
	}
	p.outgoing = fresh
	t.mu.Unlock()
	return fresh, nil
}

// linkedLocked returns a peer that is shown and has a link.
func (t *Transport) linkedLocked(id transport.Peer) *peer {
	if n := t.nodes[id.Node]; n != nil && n.current != nil && n.current.id == id && n.current.link != nil {
		return n.current
	}
	return nil
}

// acceptStreams is the listener's end of a connection for streams.
func (t *Transport) acceptStreams(w *wire, h hello) {
	t.mu.Lock()
	p := t.linkedLocked(h.from)
	refusal := accepted
	if p == nil || t.closing.Load() || t.leaving {
		refusal = Busy
	}
	t.mu.Unlock()
	err := writeBlock(w, answer{code: refusal, self: t.self, addr: t.port.addr()}.encode())
	if err != nil || refusal != accepted {
		t.count.add(streamsRefused, 1)
		_ = w.Close()
		return
	}
	_ = w.below.SetDeadline(time.Time{})
	s, err := t.newSession(w, false)
	if err != nil {
		_ = w.Close()
		return
	}
	t.mu.Lock()
	if t.closing.Load() || p.left {
		t.mu.Unlock()
		s.close()
		return
	}
	p.incoming = slices.DeleteFunc(p.incoming, func(old *session) bool { return old.mux.IsClosed() })
	var oldest *session
	if len(p.incoming) >= maxIncoming {
		oldest, p.incoming = p.incoming[0], p.incoming[1:]
	}
	p.incoming = append(p.incoming, s)
	t.wg.Go(func() { t.serveStreams(s, h.from) })
	t.mu.Unlock()
	if oldest != nil {
		oldest.close()
	}
}

// serveStreams hands the streams of a session to the handler until it ends.
func (t *Transport) serveStreams(s *session, from transport.Peer) {
	var calls sync.WaitGroup
	defer calls.Wait()
	defer s.close()
	for {
		c, err := s.mux.AcceptStream()
		if err != nil {
			return
		}
		select {
		case s.places <- struct{}{}:
		default:
			t.count.add(streamsRefused, 1)
			_ = c.Close()
			continue
		}
		t.count.add(streamsAccepted, 1)
		conn := &stream{Stream: c, t: t, session: s}
		calls.Go(func() {
			if t.closing.Load() {
				_ = conn.Close()
				return
			}
			t.handler.Accept(from, conn)
		})
	}
}

// open opens a stream on a session.
func (s *session) open(ctx context.Context) (net.Conn, error) {
	select {
	case s.places <- struct{}{}:
	case <-s.mux.CloseChan():
		return nil, yamux.ErrSessionShutdown
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := s.mux.OpenStream()
	if err != nil {
		<-s.places
		return nil, err
	}
	return &stream{Stream: c, t: s.t, session: s}, nil
}

// stream is a yamux stream that gives its place back, does not take the end of its
// connection for the end of the data, and does not leave the other side writing
// to nobody.
type stream struct {
	*yamux.Stream
	t       *Transport
	session *session
	once    sync.Once
	ended   atomic.Bool // the other side has sent its last byte
}

// Read reads; where the connection broke, what yamux calls the end is none.
func (c *stream) Read(b []byte) (int, error) {
	n, err := c.Stream.Read(b)
	if errors.Is(err, io.EOF) {
		if c.session.mux.IsClosed() {
			return n, io.ErrUnexpectedEOF
		}
		c.ended.Store(true)
	}
	return n, err
}

// CloseWrite tells the other side that nothing more comes; this side still reads.
func (c *stream) CloseWrite() error { return c.Stream.Close() }

// Close ends both directions. What the other side still sends is thrown away for a
// while, since yamux would let it wait for room for minutes.
func (c *stream) Close() error {
	err := c.Stream.Close()
	c.once.Do(func() {
		<-c.session.places
		c.t.mu.Lock()
		defer c.t.mu.Unlock()
		if !c.ended.Load() && !c.t.closing.Load() {
			c.t.wg.Go(c.drain)
		}
	})
	return err
}

// drain throws away what comes until the other side ends or drainTime is over.
func (c *stream) drain() {
	_ = c.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, c.Stream)
}
