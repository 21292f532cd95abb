package memory

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipe is one direction of a stream: bytes on their way, of which no more than a
// window may wait.
//
// Invariant: waiting.Len() is at most window, and is ripe plus the sizes of
// underway. changed is nil when nobody waits.
type pipe struct {
	window  int
	latency time.Duration

	mu       sync.Mutex
	waiting  bytes.Buffer
	ripe     int     // how many bytes have arrived
	underway []piece // the others, in order; always empty without latency
	finished bool    // the writer is done: end of file after the rest
	unread   bool    // the reader is gone: writing is in vain
	broken   bool    // the link is gone
	held     bool    // nothing arrives for now
	changed  chan struct{}

	readBy, writeBy time.Time // deadlines; zero means none
}

// piece is how many bytes arrive at a time.
type piece struct {
	size int
	due  time.Time
}

// read reads what has arrived, or waits.
func (p *pipe) read(into []byte) (int, error) {
	for {
		n, again, err := p.tryRead(into, time.Now())
		if again.changed == nil {
			return n, err
		}
		again.wait()
	}
}

// write writes all, waiting for room. Writes at the same time may mix in pieces
// of no less than what there is room for.
func (p *pipe) write(from []byte) (int, error) {
	written := 0
	for {
		n, again, err := p.tryWrite(from[written:], time.Now())
		written += n
		if again.changed == nil {
			return written, err
		}
		again.wait()
	}
}

// retry says when a try may have another outcome.
type retry struct {
	changed <-chan struct{} // nil: the try was the last
	until   time.Time       // zero means never
}

func (r retry) wait() {
	if r.until.IsZero() {
		<-r.changed
		return
	}
	timer := time.NewTimer(time.Until(r.until))
	defer timer.Stop()
	select {
	case <-r.changed:
	case <-timer.C:
	}
}

func (p *pipe) tryRead(into []byte, now time.Time) (int, retry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.readError(now); err != nil || len(into) == 0 {
		return 0, retry{}, err
	}
	p.ripen(now)
	if p.held {
		return 0, p.retry(p.readBy), nil
	}
	if p.ripe > 0 {
		n, _ := p.waiting.Read(into[:min(len(into), p.ripe)])
		p.ripe -= n
		p.change()
		return n, retry{}, nil
	}
	if len(p.underway) > 0 {
		return 0, p.retry(earlier(p.readBy, p.underway[0].due)), nil
	}
	if p.finished {
		return 0, retry{}, io.EOF
	}
	return 0, p.retry(p.readBy), nil
}

// readError says why reading cannot go on. The caller holds mu.
func (p *pipe) readError(now time.Time) error {
	switch {
	case p.unread:
		return net.ErrClosed
	case p.broken:
		return syscall.ECONNRESET
	case passed(p.readBy, now):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// ripen counts the pieces that have arrived. The caller holds mu.
func (p *pipe) ripen(now time.Time) {
	for len(p.underway) > 0 && !p.underway[0].due.After(now) {
		p.ripe += p.underway[0].size
		p.underway = p.underway[1:]
	}
}

func (p *pipe) tryWrite(from []byte, now time.Time) (int, retry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.finished:
		return 0, retry{}, net.ErrClosed
	case p.broken:
		return 0, retry{}, syscall.ECONNRESET
	case p.unread:
		return 0, retry{}, syscall.EPIPE
	case passed(p.writeBy, now):
		return 0, retry{}, os.ErrDeadlineExceeded
	}
	n := min(len(from), p.window-p.waiting.Len())
	if n > 0 {
		p.waiting.Write(from[:n])
		if p.latency > 0 {
			p.underway = append(p.underway, piece{size: n, due: now.Add(p.latency)})
		} else {
			p.ripe += n
		}
		p.change()
	}
	if n == len(from) {
		return n, retry{}, nil
	}
	return n, p.retry(p.writeBy), nil
}

func passed(deadline, now time.Time) bool {
	return !deadline.IsZero() && !now.Before(deadline)
}

// retry is for what waits until something changes. The caller holds mu.
func (p *pipe) retry(until time.Time) retry {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return retry{changed: p.changed, until: until}
}

// change wakes all that wait. The caller holds mu.
func (p *pipe) change() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// finish ends the direction at the writer's end.
func (p *pipe) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished = true
	p.change()
}

// discard ends the direction at the reader's end.
func (p *pipe) discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unread = true
	p.drop()
	p.change()
}

// fail breaks the direction at both ends; what was on its way is lost.
func (p *pipe) fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = true
	p.drop()
	p.change()
}

func (p *pipe) drop() {
	p.waiting, p.ripe, p.underway = bytes.Buffer{}, 0, nil
}

// hold keeps back what arrives, or lets it through again.
func (p *pipe) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.change()
}

func (p *pipe) setReadBy(deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readBy = deadline
	p.change()
}

func (p *pipe) setWriteBy(deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeBy = deadline
	p.change()
}
