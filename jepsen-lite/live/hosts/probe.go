//go:build linux

package hosts

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ProbePort is the port, of UDP and of TCP, that Verify uses on every host;
// processes on hosts must use others.
const ProbePort = 61

// Sizes of a probe over UDP: what it says, and what the headers of Ethernet, IP
// and UDP add to it.
const (
	probeSize = 16
	headers   = 14 + 20 + 8
	largest   = 1500 - 20 - 8 // a packet that is not cut into fragments
)

// prober sends and receives probes on one host. It is in this program, so the
// arrival of a probe is seen without an answer: a link is probed in one direction
// alone.
type prober struct {
	host *Host
	udp  *net.UDPConn
	tcp  *net.TCPListener
	ends sync.WaitGroup

	mu    sync.Mutex
	await map[uint64]chan arrival // by volley
}

// arrival is a probe that came.
type arrival struct {
	index int
	at    time.Time
}

func newProber(host *Host) (*prober, error) {
	p := &prober{host: host, await: map[uint64]chan arrival{}}
	at := netip.AddrPortFrom(host.addr, ProbePort)
	err := within(host.ns, func() (err error) {
		if p.udp, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at)); err != nil {
			return err
		}
		if err = enlarge(p.udp); err == nil {
			p.tcp, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
		}
		if err != nil {
			_ = p.udp.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hosts: open the probes of %s: %w", host.name, err)
	}
	p.ends.Go(p.receive)
	p.ends.Go(p.accept)
	return p, nil
}

// enlarge gives a socket room for what comes while this program is not let run: a
// packet that the socket drops would look like one that the link lost.
func enlarge(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	const room = 16 << 20
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room)
	}); err != nil {
		return err
	}
	return set
}

func (p *prober) close() {
	_ = p.udp.Close()
	_ = p.tcp.Close()
	p.ends.Wait()
}

func (p *prober) receive() {
	buffer := make([]byte, 1<<16)
	for {
		n, _, err := p.udp.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < probeSize {
			continue
		}
		a := arrival{int(binary.BigEndian.Uint64(buffer[8:])), time.Now()}
		p.mu.Lock()
		if to := p.await[binary.BigEndian.Uint64(buffer)]; to != nil {
			select {
			case to <- a:
			default: // nobody could want more
			}
		}
		p.mu.Unlock()
	}
}

// accept gives back the first byte of every connection.
func (p *prober) accept() {
	for {
		c, err := p.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.ends.Go(func() {
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(time.Second))
			_, _ = io.CopyN(c, c, 1)
		})
	}
}

// volley is a number of probes on one link.
type volley struct {
	count    int
	burst    int           // sent at once; default 1
	gap      time.Duration // between bursts
	size     int           // of what a probe says; default probeSize
	enough   int           // different probes whose arrival ends the volley; 0 for none
	patience time.Duration // after the last one was sent
}

// outcome is what became of a volley.
type outcome struct {
	sent     []time.Time // by index
	refused  int         // by the sender's own host
	arrivals []arrival
	distinct int
}

// fire sends probes on a link and waits for them.
func (h *Hosts) fire(ctx context.Context, l Link, v volley) (outcome, error) {
	from, to := h.byName[l.From].prober, h.byName[l.To]
	id := h.volleys.Add(1)
	come := make(chan arrival, 4*v.count)
	to.prober.mu.Lock()
	to.prober.await[id] = come
	to.prober.mu.Unlock()
	defer func() {
		to.prober.mu.Lock()
		delete(to.prober.await, id)
		to.prober.mu.Unlock()
	}()

	var o outcome
	seen := make([]bool, v.count)
	wait := func(d time.Duration) (over bool) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		for {
			select {
			case a := <-come:
				o.arrivals = append(o.arrivals, a)
				if !seen[a.index] {
					seen[a.index] = true
					o.distinct++
				}
				if v.enough > 0 && o.distinct >= v.enough {
					return true
				}
			case <-timer.C:
				return false
			case <-ctx.Done():
				return true
			}
		}
	}
	packet := make([]byte, max(v.size, probeSize))
	binary.BigEndian.PutUint64(packet, id)
	for i := range v.count {
		binary.BigEndian.PutUint64(packet[8:], uint64(i))
		o.sent = append(o.sent, time.Now())
		_, err := from.udp.WriteToUDPAddrPort(packet, netip.AddrPortFrom(to.addr, ProbePort))
		switch {
		case errors.Is(err, unix.EPERM):
			o.refused++
		case err != nil && !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOBUFS):
			return o, fmt.Errorf("hosts: probe %v: %w", l, err)
		}
		if (i+1)%max(v.burst, 1) == 0 && wait(v.gap) {
			return o, ctx.Err()
		}
	}
	wait(v.patience)
	return o, ctx.Err()
}

// dial connects two hosts by TCP and has a byte come back.
func (h *Hosts) dial(ctx context.Context, l Link, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	to := netip.AddrPortFrom(h.byName[l.To].addr, ProbePort)
	return within(h.byName[l.From].ns, func() error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp4", to.String())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		if _, err := c.Write([]byte{1}); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 1))
		return err
	})
}
