package memory

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// stream is a stream between two nodes, kept by the inbox of the node that
// accepts it.
//
// Invariant: taken is closed when the acceptor's end has been handed over, broken
// when the link is gone. isTaken is guarded by the mutex of the inbox.
type stream struct {
	in               *inbox
	peer             transport.Peer // who opened it
	opener, acceptor *conn
	open             atomic.Int32 // how many ends are not closed
	isTaken          bool
	taken, broken    chan struct{}
}

// newStream makes a stream from a peer to the owner of an inbox.
func newStream(in *inbox, from *Transport) *stream {
	cfg := &in.owner.network.cfg
	there := &pipe{window: cfg.StreamWindow, latency: cfg.Latency}
	back := &pipe{window: cfg.StreamWindow, latency: cfg.Latency}
	opener, acceptor := address(from.addr()), address(in.owner.addr())
	s := &stream{
		in:     in,
		peer:   from.self,
		taken:  make(chan struct{}),
		broken: make(chan struct{}),
	}
	s.opener = &conn{stream: s, in: back, out: there, local: opener, remote: acceptor}
	s.acceptor = &conn{stream: s, in: there, out: back, local: acceptor, remote: opener}
	s.open.Store(2)
	return s
}

// take marks the stream as handed over and reports whether it was not before. The
// caller holds the mutex of the inbox.
func (s *stream) take() bool {
	if s.isTaken {
		return false
	}
	s.isTaken = true
	close(s.taken)
	return true
}

// fail breaks the stream. The caller holds the mutex of the inbox.
func (s *stream) fail() {
	close(s.broken)
	s.opener.in.fail()
	s.opener.out.fail()
}

func (s *stream) hold(held bool) {
	s.opener.in.hold(held)
	s.opener.out.hold(held)
}

// abandon closes a stream that its opener does not want any more. Where it was
// taken up meanwhile, the acceptor sees the end of it.
func (s *stream) abandon() {
	_ = s.opener.Close()
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	if !s.isTaken {
		delete(s.in.streams, s)
	}
}

// conn is one end of a stream.
type conn struct {
	stream        *stream
	in, out       *pipe
	local, remote address
	closing       sync.Once
}

var _ net.Conn = (*conn)(nil)

// Read reads what has arrived.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.explain("read", err)
}

// Write writes all of p, and blocks while the window is full.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.explain("write", err)
}

// CloseWrite ends the direction away from this end: the other end reads what was
// written before, and then the end of file.
func (c *conn) CloseWrite() error {
	c.out.finish()
	return nil
}

// Close ends both directions. The other end can still read what was written
// before.
func (c *conn) Close() error {
	c.closing.Do(func() {
		c.out.finish()
		c.in.discard()
		if c.stream.open.Add(-1) == 0 {
			c.stream.in.forget(c.stream)
		}
	})
	return nil
}

// LocalAddr returns the address of the node at this end.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the node at the other end.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the times after which Read and Write fail.
func (c *conn) SetDeadline(t time.Time) error {
	c.in.setReadBy(t)
	c.out.setWriteBy(t)
	return nil
}

// SetReadDeadline sets the time after which Read fails.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setReadBy(t)
	return nil
}

// SetWriteDeadline sets the time after which Write fails.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setWriteBy(t)
	return nil
}

// explain adds what package net adds to errors of a connection.
func (c *conn) explain(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// address is the address of a node.
type address string

// Network returns "memory".
func (a address) Network() string { return "memory" }

// String returns the address as transport.Addr does.
func (a address) String() string { return string(a) }
