package gossip

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// pair starts two nodes; check fails unless they are as well as before.
func pair(t *testing.T, cfg Config) (a, b *testNode, check func()) {
	a = startNode(t, "a", cfg)
	cfg.Seeds = []string{a.Addr()}
	b = startNode(t, "b", cfg)
	awaitMesh(t, a, b)
	return a, b, func() {
		t.Helper()
		awaitMesh(t, a, b)
		before := b.rec.Received(a.self, transport.Urgent)
		require.NoError(t, a.Send(b.self, transport.Urgent, []byte("still here")))
		require.Eventually(t, func() bool { return b.rec.Received(a.self, transport.Urgent) > before }, 5*time.Second, time.Millisecond)
		require.Empty(t, a.rec.Faults())
	}
}

// shove writes bytes to a node and closes; the node may close first.
func shove(t *testing.T, addr string, b []byte) {
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	_, _ = c.Write(b)
	_ = c.Close()
}

func TestGarbage(t *testing.T) {
	for _, cfg := range []Config{{}, {Cluster: "red", Key: testKey('k')}} {
		a, _, check := pair(t, cfg)
		rng := rand.New(rand.NewPCG(1, 2))
		random := func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return b
		}
		for range 200 {
			shove(t, a.Addr(), random(rng.IntN(2000)))
			shove(t, a.Addr(), append([]byte{magic}, random(rng.IntN(200))...))
			shove(t, a.Addr(), append([]byte{byte(rng.IntN(14))}, random(rng.IntN(200))...))
		}
		shove(t, a.Addr(), random(10<<20))
		shove(t, a.Addr(), append([]byte{magic, wireVersion}, random(10<<20)...))
		pc, err := net.Dial("udp", a.Addr())
		require.NoError(t, err)
		for range 500 {
			_, _ = pc.Write(random(1 + rng.IntN(1400)))
			_, _ = pc.Write(append([]byte{byte(rng.IntN(14))}, random(rng.IntN(1400))...))
		}
		require.NoError(t, pc.Close())
		check()
		require.NotZero(t, a.Counters()["garbage"])
	}
}

// TestHalfOpen opens more connections than a node keeps, and says nothing on them.
func TestHalfOpen(t *testing.T) {
	a, _, check := pair(t, Config{})
	var conns []net.Conn
	for i := range maxHalfOpen + 100 {
		c, err := net.Dial("tcp", a.Addr())
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		if i%3 == 1 {
			_, _ = c.Write([]byte{magic, wireVersion})
		}
		conns = append(conns, c)
	}
	check()
	require.Eventually(t, func() bool { return a.Counters()["refused_half_open"] >= 100 }, 3*time.Second, 10*time.Millisecond)
	_ = conns[0].SetReadDeadline(time.Now().Add(3 * time.Second))
	_, err := conns[0].Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the oldest was closed")
	late := startNode(t, "late", Config{Seeds: []string{a.Addr()}, RequireSeed: true})
	awaitMesh(t, a, late)
}

// TestBadFrames sends what no peer sends on a link that is otherwise in order.
func TestBadFrames(t *testing.T) {
	for _, c := range []struct {
		name string
		head uint32
	}{
		{"unknown type", 0x77 << 24},
		{"too long", uint32(transport.Bulk)<<24 | transport.MaxFrame + 1},
		{"ping with a body", pingFrame<<24 | 1},
		{"leave with a body", leaveFrame<<24 | 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _, check := pair(t, Config{})
			conn := rawLink(t, a, transport.Peer{Node: "evil", Run: 1})
			require.Eventually(t, func() bool { return a.rec.Linked(transport.Peer{Node: "evil", Run: 1}) }, 5*time.Second, time.Millisecond)
			before := a.Counters()["garbage"]
			require.NoError(t, binary.Write(conn, binary.BigEndian, c.head))
			require.Eventually(t, func() bool { return a.Counters()["garbage"] > before }, 5*time.Second, time.Millisecond)
			check()
		})
	}
}

// rawLink makes a link by hand.
func rawLink(t *testing.T, to *testNode, from transport.Peer) net.Conn {
	c, err := net.Dial("tcp", to.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	pre := preamble("", false)
	_, err = c.Write(pre[:])
	require.NoError(t, err)
	var reply [2]byte
	_, err = io.ReadFull(c, reply[:])
	require.NoError(t, err)
	require.Equal(t, [2]byte{magic, byte(accepted)}, reply)
	require.NoError(t, writeBlock(c, hello{purpose: forLink, from: from, addr: "127.0.0.1:1", want: to.self}.encode()))
	body, err := readBlock(c)
	require.NoError(t, err)
	a, err := decodeAnswer(body)
	require.NoError(t, err)
	require.Equal(t, accepted, a.code)
	require.Equal(t, to.self, a.self)
	return c
}

// TestOtherVersion meets a node of a later protocol.
func TestOtherVersion(t *testing.T) {
	a, _, check := pair(t, Config{})
	c, err := net.Dial("tcp", a.Addr())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	pre := preamble("", false)
	pre[1]++
	_, err = c.Write(pre[:])
	require.NoError(t, err)
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, []byte{magic, byte(WrongVersion)}, got)
	require.NotZero(t, a.Counters()["refused_version"])
	check()
}

func FuzzDecode(f *testing.F) {
	f.Add(hello{purpose: forLink, cluster: "c", from: transport.Peer{Node: "n", Run: 7}, addr: "127.0.0.1:1"}.encode())
	f.Add(answer{code: DuplicateNode, self: transport.Peer{Node: "n", Run: 7}, addr: "a", holder: "h"}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHello(b); err == nil {
			require.True(t, bytes.Equal(b, h.encode()), "a hello has one encoding")
		}
		if a, err := decodeAnswer(b); err == nil {
			require.True(t, bytes.Equal(b, a.encode()), "an answer has one encoding")
		}
		_, _ = parseMember(string(b))
	})
}
