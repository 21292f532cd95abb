package gossip

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// linkReadBuffer is the size of a link's read buffer.
	linkReadBuffer = 32 << 10
	// stallTimeout is how long a peer may take nothing off a link although it says
	// that it lives. It is longer than any handler should be busy.
	stallTimeout = 30 * time.Second
	// rearm is how often the read deadline is moved, at most.
	rearm = 250 * time.Millisecond
)

// link carries the frames of all lanes to and from one peer.
//
// Invariant: one goroutine writes, one reads; the reader waits for told, so no
// frame is received before the handler knows of the link; done is closed when the
// link ends, readerDone after the last frame was received.
type link struct {
	t          *Transport
	wire       *wire
	peer       transport.Peer
	dialled    bool
	since      time.Time
	out        *outbox
	told       chan struct{}
	done       chan struct{}
	readerDone chan struct{}
	once       sync.Once
}

// newLink returns a link that run starts.
func newLink(t *Transport, w *wire, id transport.Peer, dialled bool) *link {
	return &link{
		t: t, wire: w, peer: id, dialled: dialled, since: time.Now(), out: newOutbox(t.cfg.Queue, &t.count),
		told: make(chan struct{}), done: make(chan struct{}), readerDone: make(chan struct{}),
	}
}

// run starts the link's goroutines.
func (l *link) run() {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if l.t.closing.Load() {
		close(l.readerDone)
		l.end()
		return
	}
	l.t.wg.Go(l.write)
	l.t.wg.Go(l.read)
}

// abandon stands in for run where the handshake failed at its last step.
func (l *link) abandon(cause error) {
	close(l.readerDone)
	l.t.broken(l, cause)
}

// end closes the connection; the goroutines follow.
func (l *link) end() {
	l.once.Do(func() {
		close(l.done)
		l.out.close()
		_ = l.wire.Close()
	})
}

// write sends what waits, all of it in one write up to maxBatch, and a ping where
// nothing waited for a while.
func (l *link) write() {
	tick := time.NewTicker(l.t.timing.ping)
	defer tick.Stop()
	quiet := true
	for {
		b := l.t.buffers.Get().(*batch)
		l.out.fill(b)
		if len(b.bytes) > 0 {
			quiet = false
			if err := l.flush(b); err != nil {
				l.t.broken(l, fmt.Errorf("writing: %w", err))
				return
			}
			continue
		}
		l.t.buffers.Put(b)
		select {
		case <-l.out.wake:
		case <-tick.C:
			if quiet {
				l.out.ping()
			}
			quiet = true
		case <-l.done:
			return
		}
	}
}

// flush writes a batch and counts it.
func (l *link) flush(b *batch) error {
	_ = l.wire.SetWriteDeadline(time.Now().Add(stallTimeout))
	_, err := l.wire.Write(b.bytes)
	if err == nil {
		for lane := range transport.Lanes {
			if n := b.frames[lane]; n > 0 {
				l.t.count.add(framesSent+counter(lane), n)
				l.t.count.add(bytesSent+counter(lane), b.size[lane])
			}
		}
	}
	b.reset()
	l.t.buffers.Put(b)
	return err
}

// read hands frames to the handler until the link ends.
func (l *link) read() {
	defer close(l.readerDone)
	select {
	case <-l.told:
	case <-l.done:
		return
	}
	cause := l.receive(bufio.NewReaderSize(&listening{Conn: l.wire, silence: l.t.timing.silence}, linkReadBuffer))
	l.t.broken(l, cause)
}

// receive reads frames until an error.
func (l *link) receive(r *bufio.Reader) error {
	var head [frameHead]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		word := binary.BigEndian.Uint32(head[:])
		kind, size := byte(word>>24), int(word&0xFFFFFF)
		switch {
		case kind == pingFrame && size == 0:
			continue
		case kind == leaveFrame && size == 0:
			l.t.farewell(l)
			return errors.New("the peer leaves")
		case kind >= byte(transport.Lanes) || size > transport.MaxFrame:
			l.t.count.add(garbage, 1)
			return errGarbage
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		if l.t.closing.Load() {
			return transport.ErrClosed
		}
		l.t.count.add(framesReceived+counter(kind), 1)
		l.t.count.add(bytesReceived+counter(kind), size)
		l.t.handler.Receive(l.peer, transport.Lane(kind), frame)
	}
}

// listening moves the read deadline of a connection before it reads, but not with
// every read. Time that a handler takes does not count as silence.
type listening struct {
	net.Conn
	silence time.Duration
	last    time.Time
}

// Read reads within the limit of silence.
func (c *listening) Read(b []byte) (int, error) {
	if now := time.Now(); now.Sub(c.last) > rearm {
		c.last = now
		_ = c.SetReadDeadline(now.Add(c.silence))
	}
	return c.Conn.Read(b)
}
