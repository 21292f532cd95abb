package rejoin_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
)

// start is when the tests' clock begins.
func start() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func newBook(cfg rejoin.Config) *rejoin.Book {
	return rejoin.New(cfg, rand.New(rand.NewPCG(1, 2)))
}

func peer(i int) (transport.Peer, string) {
	return transport.Peer{Node: fmt.Sprintf("n%03d", i), Run: 1}, fmt.Sprintf("10.0.0.%d:7946", i)
}

// drive calls Next ten times a second for a while and returns when each address
// was offered.
func drive(b *rejoin.Book, from time.Time, d time.Duration) map[string][]time.Duration {
	out := map[string][]time.Duration{}
	for at := time.Duration(0); at < d; at += 100 * time.Millisecond {
		for _, t := range b.Next(from.Add(at), 1000) {
			out[t.Addr] = append(out[t.Addr], at)
		}
	}
	return out
}

// gaps returns the longest wait for an offer, from 0 up to d.
func longest(offers []time.Duration, d time.Duration) time.Duration {
	last, out := time.Duration(0), time.Duration(0)
	for _, at := range append(offers, d) {
		out = max(out, at-last)
		last = at
	}
	return out
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name    string
		missing int
		perTick int
		atMost  time.Duration
	}{
		{"one", 1, 0, 1400 * time.Millisecond},
		{"a hundred", 100, 0, 1500 * time.Millisecond},
		{"a hundred, few at a time", 100, 5, 3000 * time.Millisecond},
		{"a thousand", 1000, 0, 7500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(rejoin.Config{PerTick: c.perTick})
			for i := range c.missing {
				p, addr := peer(i)
				b.Met(p, addr, start())
				b.Lost(p, start())
			}
			const d = time.Minute
			offers := drive(b, start(), d)
			require.Len(t, offers, c.missing, "every missing address is offered")
			for addr, at := range offers {
				require.LessOrEqual(t, longest(at, d), c.atMost, "%s", addr)
				for i := 1; i < len(at); i++ {
					require.GreaterOrEqual(t, at[i]-at[i-1], 800*time.Millisecond, "%s is offered too often", addr)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	b := newBook(rejoin.Config{PerTick: 7})
	for i := range 50 {
		b.Seed(fmt.Sprintf("10.1.0.%d:7946", i))
	}
	require.Len(t, b.Next(start(), 3), 3, "no more than the caller has room for")
	require.Len(t, b.Next(start(), 100), 7, "no more than PerTick")
	require.Empty(t, b.Next(start(), 0))
	seen := map[string]bool{}
	for range 6 {
		for _, target := range b.Next(start(), 100) {
			require.False(t, seen[target.Addr], "%s is offered twice in one turn", target.Addr)
			seen[target.Addr] = true
		}
	}
	require.Len(t, seen, 40, "the ten of the first two calls wait; all others had their turn")
}

func TestPeers(t *testing.T) {
	p, addr := peer(1)
	q := transport.Peer{Node: p.Node, Run: 2}
	const elsewhere = "10.9.9.9:1"
	for _, c := range []struct {
		name   string
		events func(b *rejoin.Book)
		want   []rejoin.Target
	}{
		{"met", func(b *rejoin.Book) { b.Met(p, addr, start()) }, nil},
		{"lost", func(b *rejoin.Book) { b.Met(p, addr, start()); b.Lost(p, start()) }, []rejoin.Target{{Addr: addr, Peer: p}}},
		{"heard of", func(b *rejoin.Book) { b.Heard(p, addr, start()) }, []rejoin.Target{{Addr: addr, Peer: p}}},
		{"met again", func(b *rejoin.Book) { b.Met(p, addr, start()); b.Lost(p, start()); b.Met(p, addr, start()) }, nil},
		{"gone", func(b *rejoin.Book) { b.Met(p, addr, start()); b.Lost(p, start()); b.Gone(p) }, nil},
		{"another run is gone", func(b *rejoin.Book) { b.Met(q, addr, start()); b.Lost(q, start()); b.Gone(p) }, []rejoin.Target{{Addr: addr, Peer: q}}},
		{"a new run elsewhere", func(b *rejoin.Book) {
			b.Met(p, addr, start())
			b.Lost(p, start())
			b.Met(q, elsewhere, start())
			b.Lost(q, start())
		}, []rejoin.Target{{Addr: elsewhere, Peer: q}}},
		{"the old run is lost late", func(b *rejoin.Book) { b.Met(p, addr, start()); b.Met(q, elsewhere, start()); b.Lost(p, start()) }, nil},
		{"heard of a run while another is met", func(b *rejoin.Book) { b.Met(p, addr, start()); b.Heard(q, elsewhere, start()) }, nil},
		{"heard of another run than the lost one", func(b *rejoin.Book) {
			b.Met(p, addr, start())
			b.Lost(p, start())
			b.Heard(q, elsewhere, start())
		}, []rejoin.Target{{Addr: elsewhere, Peer: q}}},
		{"seed", func(b *rejoin.Book) { b.Seed(addr) }, []rejoin.Target{{Addr: addr}}},
		{"seed is met", func(b *rejoin.Book) { b.Seed(addr); b.Met(p, addr, start()) }, nil},
		{"seed is met under another address", func(b *rejoin.Book) { b.Seed("seed:1"); b.Found("seed:1", p); b.Met(p, addr, start()) }, nil},
		{"seed and peer at one address", func(b *rejoin.Book) { b.Seed(addr); b.Met(p, addr, start()); b.Lost(p, start()) }, []rejoin.Target{{Addr: addr, Peer: p}}},
		{"seed whose peer left", func(b *rejoin.Book) { b.Seed(addr); b.Met(p, addr, start()); b.Gone(p) }, []rejoin.Target{{Addr: addr}}},
		{"seed is this node", func(b *rejoin.Book) { b.Seed(addr); b.Self(addr) }, nil},
		{"this node under a peer's name", func(b *rejoin.Book) { b.Self(addr); b.Heard(p, addr, start()); b.Seed(addr) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(rejoin.Config{})
			c.events(b)
			require.Equal(t, c.want, b.Next(start().Add(1300*time.Millisecond), 10))
		})
	}
}

func TestForget(t *testing.T) {
	b := newBook(rejoin.Config{})
	p, addr := peer(1)
	b.Seed("10.1.0.1:7946")
	b.Met(p, addr, start())
	require.Equal(t, 1, b.Len())
	b.Next(start().Add(48*time.Hour), 10)
	require.Equal(t, 1, b.Len(), "a peer in contact is not forgotten")
	lost := start().Add(48 * time.Hour)
	b.Lost(p, lost)
	require.Len(t, b.Next(lost.Add(24*time.Hour), 10), 2, "a day later both are tried")
	require.Equal(t, 1, b.Missing())
	require.Len(t, b.Next(lost.Add(24*time.Hour+2*time.Second), 10), 1, "then the peer is forgotten, never the seed")
	require.Zero(t, b.Len())
}

func TestBound(t *testing.T) {
	b := newBook(rejoin.Config{Limit: 3})
	for i := range 10 {
		p, addr := peer(i)
		b.Met(p, addr, start().Add(time.Duration(i)*time.Second))
		if i != 0 {
			b.Lost(p, start().Add(time.Duration(i)*time.Second))
		}
	}
	require.Equal(t, 3, b.Len())
	var kept []string
	for _, target := range b.Next(start().Add(time.Minute), 10) {
		kept = append(kept, target.Peer.Node)
	}
	require.Equal(t, []string{"n008", "n009"}, kept, "those seen last, besides the one in contact")
}

func TestSameSeedSameAnswers(t *testing.T) {
	trace := func() string {
		b := newBook(rejoin.Config{})
		for i := range 40 {
			p, addr := peer(i)
			b.Met(p, addr, start())
			b.Lost(p, start())
		}
		out := ""
		for at := time.Duration(0); at < 5*time.Second; at += 100 * time.Millisecond {
			out += fmt.Sprint(b.Next(start().Add(at), 8))
		}
		return out
	}
	require.Equal(t, trace(), trace())
}

func ExampleBook() {
	book := rejoin.New(rejoin.Config{}, rand.New(rand.NewPCG(1, 2)))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := transport.Peer{Node: "berlin", Run: 7}

	book.Met(p, "10.0.0.1:7946", now)
	fmt.Println("in contact:", book.Next(now.Add(time.Hour), 10))

	lost := now.Add(2 * time.Hour)
	book.Lost(p, lost)
	fmt.Println("cut off for 3 h:", book.Next(lost.Add(3*time.Hour), 10))
	// Output:
	// in contact: []
	// cut off for 3 h: [{10.0.0.1:7946 berlin#7}]
}
