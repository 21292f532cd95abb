package gossip

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// magic is the first byte of a registry connection. memberlist begins its own
	// with 0 to 13 or 244, its packets too.
	magic = 0xC5
	// labelByte begins what memberlist sends under a label.
	labelByte = 244
	// lastMessage is the highest type of a memberlist message.
	lastMessage = 13
	// firstByteTimeout is the time a connection has to say what it is.
	firstByteTimeout = 5 * time.Second
	// maxHalfOpen limits connections that have not finished their handshake.
	maxHalfOpen = 512
	// maxForeign limits memberlist's connections, in each direction.
	maxForeign = 256
	// errorPause follows a failed read or accept.
	errorPause = 5 * time.Millisecond
	// maxPacket is the largest datagram there is.
	maxPacket = 64 << 10
)

// port is the one address of a node, for TCP and UDP. It tells registry
// connections from memberlist's by their first byte and serves memberlist as its
// transport.
//
// Invariant: nothing is read in the accept loop, so a silent client holds up
// nobody; after close no goroutine of the port is left.
type port struct {
	net      network
	fault    *Fault
	count    *counters
	log      *slog.Logger
	foreign  *notices
	label    string
	registry func(*faultConn, func())

	ln       net.Listener
	pc       net.PacketConn
	ip       net.IP
	number   int
	packets  chan *memberlist.Packet
	streams  chan net.Conn
	half     *crowd
	inbound  *crowd
	outbound *crowd

	shut  atomic.Bool
	done  chan struct{}
	once  sync.Once
	loops sync.WaitGroup
}

var _ memberlist.NodeAwareTransport = (*port)(nil)

// open listens and begins to accept.
func (p *port) open(bind, advertise string) error {
	ln, pc, err := p.net.Listen(bind)
	if err != nil {
		return err
	}
	p.ln, p.pc = ln, pc
	if p.ip, p.number, err = advertised(advertise, ln.Addr()); err != nil {
		_ = ln.Close()
		_ = pc.Close()
		return err
	}
	p.packets = make(chan *memberlist.Packet)
	p.streams = make(chan net.Conn)
	p.done = make(chan struct{})
	p.half = newCrowd(maxHalfOpen, func() { p.count.add(refusedHalfOpen, 1) })
	p.inbound = newCrowd(maxForeign, func() { p.count.add(refusedHalfOpen, 1) })
	p.outbound = newCrowd(maxForeign, func() {})
	p.loops.Go(p.accept)
	p.loops.Go(p.receive)
	return nil
}

// addr returns where others reach this node.
func (p *port) addr() string { return net.JoinHostPort(p.ip.String(), strconv.Itoa(p.number)) }

// accept takes connections until the port closes.
func (p *port) accept() {
	for pause := time.Duration(0); ; {
		c, err := p.ln.Accept()
		if err == nil {
			pause = 0
			p.loops.Go(func() { p.classify(c) })
			continue
		}
		if p.shut.Load() || errors.Is(err, net.ErrClosed) {
			return
		}
		pause = min(2*pause+errorPause, time.Second)
		if p.foreign.due("accept") {
			p.log.Warn("accepting a connection failed, trying again", "cause", err)
		}
		select {
		case <-time.After(pause):
		case <-p.done:
			return
		}
	}
}

// classify reads the first byte of a connection and hands it on.
func (p *port) classify(c net.Conn) {
	tune(c)
	leave := p.half.enter(c)
	var first [1]byte
	_ = c.SetReadDeadline(time.Now().Add(firstByteTimeout))
	if _, err := io.ReadFull(c, first[:]); err != nil {
		leave()
		_ = c.Close()
		return
	}
	if first[0] == magic {
		p.registry(p.fault.conn(c, ""), leave)
		return
	}
	defer leave()
	prefix, ok := p.checkLabel(c, first[0])
	if !ok {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	fc := p.fault.conn(&prefixed{Conn: c, prefix: prefix}, "")
	if a, cut := p.fault.machine(c.RemoteAddr()); cut {
		fc.setPeer(a)
	}
	tracked := track(fc, p.inbound)
	select {
	case p.streams <- tracked:
	case <-p.done:
		_ = tracked.Close()
	}
}

// checkLabel reads the label of a memberlist connection that begins with first,
// refuses one of another cluster, and returns what it read.
func (p *port) checkLabel(c net.Conn, first byte) ([]byte, bool) {
	if first != labelByte {
		if first > lastMessage {
			p.count.add(garbage, 1)
			return nil, false
		}
		return []byte{first}, p.ownLabel("", c.RemoteAddr())
	}
	var size [1]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, false
	}
	label := make([]byte, size[0])
	if _, err := io.ReadFull(c, label); err != nil {
		return nil, false
	}
	return append([]byte{first, size[0]}, label...), p.ownLabel(string(label), c.RemoteAddr())
}

// ownLabel reports whether a label is this cluster's and counts it if not.
func (p *port) ownLabel(label string, from net.Addr) bool {
	if label == p.label {
		return true
	}
	p.count.add(refusedCluster, 1)
	if p.foreign.due(from.String()) {
		p.log.Warn("refused membership traffic of another cluster", "from", from.String(), "cluster", label)
	}
	return false
}

// receive reads packets until the port closes.
func (p *port) receive() {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := p.pc.ReadFrom(buf)
		if err != nil {
			if p.shut.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			select {
			case <-time.After(errorPause):
				continue
			case <-p.done:
				return
			}
		}
		p.count.add(packetsReceived, 1)
		if n == 0 || !p.fault.packet(from.String()) || !p.checkPacket(buf[:n], from) {
			continue
		}
		packet := &memberlist.Packet{Buf: append([]byte(nil), buf[:n]...), From: from, Timestamp: time.Now()}
		select {
		case p.packets <- packet:
		case <-p.done:
			return
		}
	}
}

// checkPacket refuses packets that are garbage or of another cluster.
func (p *port) checkPacket(b []byte, from net.Addr) bool {
	if b[0] != labelByte {
		if b[0] > lastMessage {
			p.count.add(garbage, 1)
			return false
		}
		return p.ownLabel("", from)
	}
	_, label, err := memberlist.RemoveLabelHeaderFromPacket(b)
	if err != nil {
		p.count.add(garbage, 1)
		return false
	}
	return p.ownLabel(label, from)
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (p *port) FinalAdvertiseAddr(string, int) (net.IP, int, error) { return p.ip, p.number, nil }

// PacketCh implements memberlist.Transport.
func (p *port) PacketCh() <-chan *memberlist.Packet { return p.packets }

// StreamCh implements memberlist.Transport.
func (p *port) StreamCh() <-chan net.Conn { return p.streams }

// WriteTo implements memberlist.Transport.
func (p *port) WriteTo(b []byte, addr string) (time.Time, error) {
	return p.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress implements memberlist.NodeAwareTransport. After close the error
// is none that memberlist takes for a failure of the peer, so a probe ends there.
func (p *port) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if p.shut.Load() {
		return time.Time{}, net.ErrClosed
	}
	to, err := netip.ParseAddrPort(a.Addr)
	if err != nil {
		return time.Time{}, &net.OpError{Op: "write", Net: "udp", Err: err}
	}
	now := time.Now()
	if !p.fault.packet(a.Addr) {
		return now, nil
	}
	p.count.add(packetsSent, 1)
	_, err = p.pc.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return now, err
}

// DialTimeout implements memberlist.Transport.
func (p *port) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return p.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (p *port) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if p.shut.Load() {
		return nil, net.ErrClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := p.dial(ctx, a.Addr)
	if err != nil {
		return nil, err
	}
	return track(c, p.outbound), nil
}

// dial connects to a peer, unless a fault holds it up. Errors are *net.OpError,
// which memberlist takes for a failure of the peer.
func (p *port) dial(ctx context.Context, addr string) (*faultConn, error) {
	if p.fault.any.Load() {
		plain := addr
		if r, err := net.ResolveTCPAddr("tcp", addr); err == nil {
			plain = r.String()
		}
		if !p.fault.packet(plain) {
			// As with a lost first packet, the end of the block does not help.
			select {
			case <-ctx.Done():
			case <-p.done:
			}
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
	}
	c, err := p.net.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return p.fault.conn(c, addr), nil
}

// stopListening refuses what comes from now on; what is established stays.
func (p *port) stopListening() {
	p.once.Do(func() {
		p.shut.Store(true)
		close(p.done)
		_ = p.ln.Close()
		_ = p.pc.Close()
	})
}

// Shutdown implements memberlist.Transport: it ends everything and waits.
func (p *port) Shutdown() error {
	p.stopListening()
	p.half.close()
	p.inbound.close()
	p.outbound.close()
	p.loops.Wait()
	return nil
}

// prefixed gives back what was read ahead from a connection.
type prefixed struct {
	net.Conn
	prefix []byte
}

// Read returns the prefix first.
func (c *prefixed) Read(b []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(b, c.prefix)
		c.prefix = c.prefix[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// tracked is a connection that leaves its crowd when it closes.
type tracked struct {
	net.Conn
	leave func()
	once  sync.Once
}

// track puts a connection into a crowd for as long as it lives.
func track(c net.Conn, in *crowd) *tracked {
	t := &tracked{Conn: c}
	t.leave = in.enter(c)
	return t
}

// Close closes the connection and leaves the crowd.
func (t *tracked) Close() error {
	t.once.Do(t.leave)
	return t.Conn.Close()
}

// isTimeout reports whether an error is a deadline that passed.
func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
