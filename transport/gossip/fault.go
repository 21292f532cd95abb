package gossip

import (
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fault injects network faults into one transport, for demonstrations and tests:
// a real split between programs, without special rights. It has no use in
// production, and does nothing until it is called.
//
// A block is silent, as a cut cable is: packets to and from a blocked address are
// dropped, connections to it time out, connections that exist neither carry
// anything nor end. After Unblock those that still exist go on where they were.
//
// Block on both sides for a cut that is complete in both directions. Blocked on
// one side alone, the other side can still reach this node with connections that
// do not say whom they come from; those of a blocked machine are held for as long
// as the block lasts, whatever program of that machine they come from.
//
// Invariant: any is true exactly while blocked has an element; changed is closed
// and replaced at every change.
type Fault struct {
	any     atomic.Bool
	count   *counters
	mu      sync.Mutex
	blocked map[string]bool
	changed chan struct{}
}

// newFault returns a fault that blocks nothing.
func newFault(count *counters) *Fault {
	return &Fault{count: count, blocked: map[string]bool{}, changed: make(chan struct{})}
}

// Block cuts the peers at these addresses off, given as host:port where they
// listen, as PeerUp tells it. It fails, without effect, when one of them cannot
// be resolved.
func (f *Fault) Block(addrs ...string) error {
	return f.change(addrs, func(a string) { f.blocked[a] = true })
}

// Unblock takes the block from these addresses, or from all when none is given.
func (f *Fault) Unblock(addrs ...string) error {
	if len(addrs) == 0 {
		addrs = f.Blocked()
	}
	return f.change(addrs, func(a string) { delete(f.blocked, a) })
}

// Blocked returns the addresses that are blocked, sorted.
func (f *Fault) Blocked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, 0, len(f.blocked))
	for a := range f.blocked {
		out = append(out, a)
	}
	slices.Sort(out)
	return out
}

// change applies one edit to each address and wakes who waits.
func (f *Fault) change(addrs []string, edit func(string)) error {
	plain := make([]string, len(addrs))
	for i, a := range addrs {
		r, err := net.ResolveTCPAddr("tcp", a)
		if err != nil {
			return fmt.Errorf("gossip: cannot block %q: %w", a, err)
		}
		plain[i] = r.String()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range plain {
		edit(a)
	}
	f.any.Store(len(f.blocked) > 0)
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

// cut reports whether an address is blocked, and a channel that is closed when
// that may have changed.
func (f *Fault) cut(addr string) (bool, <-chan struct{}) {
	if !f.any.Load() {
		return false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blocked[addr], f.changed
}

// machine reports whether any address of a connection's machine is blocked, and
// returns one of them.
func (f *Fault) machine(from net.Addr) (string, bool) {
	if !f.any.Load() || from == nil {
		return "", false
	}
	host, _, err := net.SplitHostPort(from.String())
	if err != nil {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for a := range f.blocked {
		if h, _, err := net.SplitHostPort(a); err == nil && h == host {
			return a, true
		}
	}
	return "", false
}

// packet reports whether a packet to or from an address passes.
func (f *Fault) packet(addr string) bool {
	if cut, _ := f.cut(addr); cut {
		f.count.add(faultDropped, 1)
		return false
	}
	return true
}

// wait returns nil once the address is not blocked, or an error when deadline has
// passed or done is closed.
func (f *Fault) wait(addr string, deadline time.Time, done <-chan struct{}) error {
	for {
		cut, changed := f.cut(addr)
		if !cut {
			return nil
		}
		var expired <-chan time.Time
		if !deadline.IsZero() {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-changed:
		case <-expired:
			return os.ErrDeadlineExceeded
		case <-done:
			return net.ErrClosed
		}
	}
}

// faultConn is a connection that falls silent while its peer is blocked.
//
// Invariant: peer is where the other side listens, empty while that is unknown;
// the deadlines are those of the connection below.
type faultConn struct {
	net.Conn
	fault  *Fault
	peer   atomic.Pointer[string]
	closed chan struct{}
	once   sync.Once
	read   atomic.Pointer[time.Time]
	write  atomic.Pointer[time.Time]
}

// conn puts a connection under the fault.
func (f *Fault) conn(c net.Conn, peer string) *faultConn {
	fc := &faultConn{Conn: c, fault: f, closed: make(chan struct{})}
	fc.setPeer(peer)
	return fc
}

// setPeer records where the other side listens.
func (c *faultConn) setPeer(addr string) { c.peer.Store(&addr) }

// Read holds back what comes while the peer is blocked, the end of the stream
// included.
func (c *faultConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.fault.any.Load() || isTimeout(err) {
		return n, err
	}
	if werr := c.fault.wait(*c.peer.Load(), at(&c.read), c.closed); werr != nil {
		return 0, werr
	}
	return n, err
}

// Write holds back what is sent while the peer is blocked.
func (c *faultConn) Write(b []byte) (int, error) {
	if c.fault.any.Load() {
		if err := c.fault.wait(*c.peer.Load(), at(&c.write), c.closed); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// Close ends the connection and whoever waits on it.
func (c *faultConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// SetDeadline sets both deadlines.
func (c *faultConn) SetDeadline(t time.Time) error {
	c.read.Store(&t)
	c.write.Store(&t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline sets the deadline of reads.
func (c *faultConn) SetReadDeadline(t time.Time) error {
	c.read.Store(&t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of writes.
func (c *faultConn) SetWriteDeadline(t time.Time) error {
	c.write.Store(&t)
	return c.Conn.SetWriteDeadline(t)
}

// at returns a stored deadline, zero when none was set.
func at(p *atomic.Pointer[time.Time]) time.Time {
	if t := p.Load(); t != nil {
		return *t
	}
	return time.Time{}
}
