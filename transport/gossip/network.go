package gossip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// network is what this package asks of sockets.
type network interface {
	// Listen takes one address for TCP and UDP.
	Listen(addr string) (net.Listener, net.PacketConn, error)
	// Dial connects. A refusal by the other machine is syscall.ECONNREFUSED.
	Dial(ctx context.Context, addr string) (net.Conn, error)
}

const (
	// bindTries limits the search for a port that is free for TCP and UDP both.
	bindTries = 20
	// udpReadBuffer is asked of the kernel, so that bursts are not lost.
	udpReadBuffer = 1 << 20
	// tcpWriteBuffer is asked of the kernel for links: what is handed to it cannot
	// be passed by an urgent frame any more.
	tcpWriteBuffer = 256 << 10
)

// kernel is the real network.
type kernel struct{}

// Listen implements network.
func (kernel) Listen(addr string) (net.Listener, net.PacketConn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, fmt.Errorf("gossip: %q is not host:port: %w", addr, err)
	}
	for try := 1; ; try++ {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, bindError("tcp", addr, err)
		}
		taken := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
		pc, err := net.ListenPacket("udp", net.JoinHostPort(host, taken))
		if err == nil {
			if u, ok := pc.(*net.UDPConn); ok {
				_ = u.SetReadBuffer(udpReadBuffer)
			}
			return ln, pc, nil
		}
		_ = ln.Close()
		if port != "0" || try == bindTries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, bindError("udp", net.JoinHostPort(host, taken), err)
		}
	}
}

// bindError says which address cannot be had, why, and what to do.
func bindError(kind, addr string, err error) error {
	advice := "check that Config.Bind names an address of this machine"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "another program, or another run of this one, listens there: stop it or choose another Config.Bind"
	case errors.Is(err, syscall.EACCES):
		advice = "the program may not use that port: choose one above 1023"
	}
	return fmt.Errorf("gossip: cannot listen on %s %s: %s: %w", kind, addr, advice, err)
}

// Dial implements network.
func (kernel) Dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 15 * time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	tune(c)
	return c, nil
}

// tune sets what links want of a TCP connection, where it is one.
func tune(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
		_ = t.SetWriteBuffer(tcpWriteBuffer)
	}
}

// advertised works out the address at which others reach a node that listens at
// bound.
func advertised(want string, bound net.Addr) (net.IP, int, error) {
	host, portText, err := net.SplitHostPort(bound.String())
	if err != nil {
		return nil, 0, fmt.Errorf("gossip: bound to %q: %w", bound, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, 0, fmt.Errorf("gossip: bound to %q: %w", bound, err)
	}
	ip := net.ParseIP(host)
	if want == "" {
		if ip == nil || ip.IsUnspecified() {
			ip = ownAddress()
		}
		return ip, port, nil
	}
	a, err := net.ResolveTCPAddr("tcp", want)
	if err != nil {
		return nil, 0, fmt.Errorf("gossip: Config.Advertise %q cannot be resolved: %w", want, err)
	}
	if a.Port != 0 {
		port = a.Port
	}
	return a.IP, port, nil
}

// ownAddress picks an address of this machine for others to use: a private one,
// else any global one, else loopback.
func ownAddress() net.IP {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		addrs = nil
	}
	var other net.IP
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.IsPrivate() && n.IP.To4() != nil {
			return n.IP
		}
		if other == nil {
			other = n.IP
		}
	}
	if other != nil {
		return other
	}
	return net.IPv4(127, 0, 0, 1)
}
