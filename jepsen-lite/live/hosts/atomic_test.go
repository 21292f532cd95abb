//go:build linux

package hosts_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/hosts"
)

// TestACutIsOneMoment sends numbers from one host to two others in turn while both
// links are cut and healed. Links that close and open at one moment carry the same
// numbers, but for the one that was being sent at that moment.
func TestACutIsOneMoment(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		_, all := open(t, kind)
		listen := func(name string) (c *net.UDPConn) {
			host := all.Host(name)
			require.NoError(t, host.Do(func() (err error) {
				c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host.Addr(), 700)))
				return err
			}))
			require.NoError(t, hosts.Enlarge(c))
			return c
		}
		from, to := listen("n1"), [2]*net.UDPConn{listen("n2"), listen("n3")}
		var ends sync.WaitGroup
		var got [2][]uint64
		for i, c := range to {
			ends.Go(func() { got[i] = numbers(c) })
		}
		var over atomic.Bool
		ends.Go(func() {
			for n := uint64(1); !over.Load(); n++ {
				for _, name := range []string{"n2", "n3"} {
					_, _ = from.WriteToUDPAddrPort(binary.BigEndian.AppendUint64(nil, n), netip.AddrPortFrom(all.Host(name).Addr(), 700))
				}
				time.Sleep(20 * time.Microsecond) // real clock: leaves the machine to others too
			}
		})
		cut := hosts.Cut(hosts.Link{From: "n1", To: "n2"}, hosts.Link{From: "n1", To: "n3"})
		const cuts = 20
		for range cuts {
			require.NoError(t, all.Inject(cut))
			time.Sleep(10 * time.Millisecond) // real clock: as above
			require.NoError(t, all.Recover(cut))
			time.Sleep(10 * time.Millisecond) // real clock: as above
		}
		over.Store(true)
		time.Sleep(50 * time.Millisecond) // real clock: what is on its way arrives
		for _, c := range []*net.UDPConn{from, to[0], to[1]} {
			require.NoError(t, c.Close())
		}
		ends.Wait()
		require.Greater(t, len(got[0]), 10*cuts)
		require.LessOrEqual(t, different(got[0], got[1]), 2*cuts, "at most one number at each cut and each heal")
	})
}

// numbers reads numbers until the socket is closed.
func numbers(c *net.UDPConn) (all []uint64) {
	buffer := make([]byte, 8)
	for {
		if _, err := c.Read(buffer); err != nil {
			return all
		}
		all = append(all, binary.BigEndian.Uint64(buffer))
	}
}

// different counts the numbers that are in one list alone.
func different(a, b []uint64) int {
	times := map[uint64]int{}
	for _, n := range a {
		times[n]++
	}
	for _, n := range b {
		times[n]--
	}
	count := 0
	for _, n := range times {
		if n != 0 {
			count++
		}
	}
	return count
}
