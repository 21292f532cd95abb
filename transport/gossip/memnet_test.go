package gossip

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// memnet is a network in memory. It may be used in a synctest bubble.
type memnet struct {
	mu    sync.Mutex
	nodes map[string]*memhost
	mute  atomic.Bool // packets are lost
}

// memhost is one address that is listened on.
type memhost struct {
	net     *memnet
	addr    string
	conns   chan net.Conn
	packets chan mempacket
	done    chan struct{}
	once    sync.Once
}

type mempacket struct {
	b    []byte
	from net.Addr
}

func newMemnet() *memnet { return &memnet{nodes: map[string]*memhost{}} }

func (n *memnet) Listen(addr string) (net.Listener, net.PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nodes[addr] != nil {
		return nil, nil, bindError("tcp", addr, syscall.EADDRINUSE)
	}
	h := &memhost{net: n, addr: addr, conns: make(chan net.Conn, 64), packets: make(chan mempacket, 4096), done: make(chan struct{})}
	n.nodes[addr] = h
	return memListener{h}, memPacketConn{h}, nil
}

func (n *memnet) host(addr string) *memhost {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[addr]
}

func (n *memnet) Dial(ctx context.Context, addr string) (net.Conn, error) {
	h := n.host(addr)
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	near, far := net.Pipe()
	select {
	case h.conns <- memConn{far, addr}:
		return memConn{near, addr}, nil
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
}

func (h *memhost) close() error {
	h.once.Do(func() {
		h.net.mu.Lock()
		delete(h.net.nodes, h.addr)
		h.net.mu.Unlock()
		close(h.done)
	})
	return nil
}

func udpAddr(addr string) *net.UDPAddr { a, _ := net.ResolveUDPAddr("udp", addr); return a }
func tcpAddr(addr string) *net.TCPAddr { a, _ := net.ResolveTCPAddr("tcp", addr); return a }

type memConn struct {
	net.Conn
	addr string
}

func (c memConn) RemoteAddr() net.Addr { return tcpAddr(c.addr) }

type memListener struct{ h *memhost }

func (l memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.h.conns:
		return c, nil
	case <-l.h.done:
		return nil, net.ErrClosed
	}
}
func (l memListener) Close() error   { return l.h.close() }
func (l memListener) Addr() net.Addr { return tcpAddr(l.h.addr) }

type memPacketConn struct{ h *memhost }

func (c memPacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-c.h.packets:
		return copy(b, p.b), p.from, nil
	case <-c.h.done:
		return 0, nil, net.ErrClosed
	}
}

func (c memPacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if h := c.h.net.host(to.String()); h != nil && !c.h.net.mute.Load() {
		select {
		case h.packets <- mempacket{append([]byte(nil), b...), udpAddr(c.h.addr)}:
		default:
		}
	}
	return len(b), nil
}
func (c memPacketConn) Close() error                     { return c.h.close() }
func (c memPacketConn) LocalAddr() net.Addr              { return udpAddr(c.h.addr) }
func (c memPacketConn) SetDeadline(time.Time) error      { return nil }
func (c memPacketConn) SetReadDeadline(time.Time) error  { return nil }
func (c memPacketConn) SetWriteDeadline(time.Time) error { return nil }

// bubbleNode is a node on a memnet.
type bubbleNode struct {
	*Transport
	rec  *transporttest.Recorder
	self transport.Peer
	addr string
}

// bubble starts nodes on a memnet, each with the first as its seed.
func bubble(t *testing.T, n int, cfg Config) []*bubbleNode {
	on := newMemnet()
	var nodes []*bubbleNode
	for i := range n {
		b := &bubbleNode{rec: &transporttest.Recorder{}, self: transport.Peer{Node: transporttest.Name(i), Run: uint64(100 + i)}}
		b.addr = net.JoinHostPort(net.IPv4(10, 0, byte(i>>8), byte(i)).String(), "7946")
		c := cfg
		c.Bind, c.Logger = b.addr, quietLog()
		if i > 0 {
			c.Seeds = []string{nodes[0].addr}
		}
		var err error
		b.Transport, err = newOn(c, on)
		require.NoError(t, err)
		require.NoError(t, b.Start(b.self, b.rec))
		nodes = append(nodes, b)
	}
	return nodes
}

// meshed reports whether every node of one group has a link to every other one.
func meshed(nodes []*bubbleNode) bool {
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b && !a.rec.Linked(b.self) {
				return false
			}
		}
	}
	return true
}

// until polls in virtual time and returns how long it took.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		require.Less(t, time.Since(begin), limit, what)
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin)
}

// split parts nodes[:k] from the others; heal puts them together.
func split(t *testing.T, nodes []*bubbleNode, k int) {
	for i, a := range nodes {
		for j, b := range nodes {
			if (i < k) != (j < k) {
				require.NoError(t, a.Fault().Block(b.addr))
			}
		}
	}
}

func heal(t *testing.T, nodes []*bubbleNode) {
	for _, n := range nodes {
		require.NoError(t, n.Fault().Unblock())
	}
}

// stay lets virtual time pass, at most longestStay of it.
func stay(d time.Duration) { time.Sleep(min(d, longestStay)) }

// TestRejoin splits a cluster for much longer than memberlist remembers its dead
// and expects it whole within two seconds of the heal, without anybody's help.
func TestRejoin(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes int
		side  int
		split time.Duration
		cfg   Config
		limit time.Duration
	}{
		{"5 nodes, 90 s", 5, 2, 90 * time.Second, Config{}, 2 * time.Second},
		{"5 nodes, 1 h", 5, 2, time.Hour, Config{}, 2 * time.Second},
		{"2 nodes, 10 s", 2, 1, 10 * time.Second, Config{}, 2 * time.Second},
		{"20 nodes, 3 min", 20, 10, 3 * time.Minute, Config{}, 2 * time.Second},
		{"with a key", 4, 2, 2 * time.Minute, Config{Cluster: "red", Key: testKey('k')}, 2 * time.Second},
		{"WAN, 5 min", 5, 2, 5 * time.Minute, Config{Preset: WAN}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nodes := bubble(t, c.nodes, c.cfg)
				until(t, 10*time.Second, "the nodes meet", func() bool { return meshed(nodes) })
				time.Sleep(5 * time.Second)
				split(t, nodes, c.side)
				took := until(t, 2*time.Minute, "the split is noticed by all", func() bool {
					for i, a := range nodes {
						for j, b := range nodes {
							if (i < c.side) != (j < c.side) && a.rec.Up(b.self) {
								return false
							}
						}
					}
					return true
				})
				t.Logf("split noticed by all after %s", took)
				stay(c.split - took)
				require.True(t, meshed(nodes[:c.side]) && meshed(nodes[c.side:]), "each side stays whole")
				heal(t, nodes)
				took = until(t, c.limit, "the nodes meet again", func() bool { return meshed(nodes) })
				t.Logf("whole again after %s", took)
				took = until(t, 30*time.Second, "memberlist is whole again", func() bool {
					for _, n := range nodes {
						if n.members.list.NumMembers() != len(nodes) {
							return false
						}
					}
					return true
				})
				t.Logf("memberlist whole after another %s", took)
				for _, n := range nodes {
					require.NoError(t, n.Close())
					n.rec.Finish()
					require.Empty(t, n.rec.Faults())
				}
				time.Sleep(2 * time.Minute) // memberlist's timers
			})
		})
	}
}
