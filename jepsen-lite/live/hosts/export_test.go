//go:build linux

package hosts

import "net"

// Enlarge is enlarge.
func Enlarge(c *net.UDPConn) error { return enlarge(c) }

// Pretend notes a state of a link without setting it.
func (h *Hosts) Pretend(l Link, s State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state[l] = s
}
