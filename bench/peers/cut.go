package peers

import (
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

// cutTransport is memberlist's own transport, with a cut towards some addresses:
// packets are dropped and connections refused, as over a network that says so.
type cutTransport struct {
	*memberlist.NetTransport

	mu  sync.Mutex
	cut map[string]bool
}

func (t *cutTransport) isCut(addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cut[addr]
}

// setCut replaces the addresses that are cut off.
func (t *cutTransport) setCut(addrs []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = map[string]bool{}
	for _, a := range addrs {
		t.cut[a] = true
	}
}

// WriteTo sends a packet.
func (t *cutTransport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress sends a packet.
func (t *cutTransport) WriteToAddress(b []byte, addr memberlist.Address) (time.Time, error) {
	if t.isCut(addr.Addr) {
		return time.Now(), nil
	}
	return t.NetTransport.WriteToAddress(b, addr)
}

// DialTimeout connects.
func (t *cutTransport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout connects.
func (t *cutTransport) DialAddressTimeout(addr memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if t.isCut(addr.Addr) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}
	}
	return t.NetTransport.DialAddressTimeout(addr, timeout)
}
