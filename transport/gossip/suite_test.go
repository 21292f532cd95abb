package gossip

import (
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// quietLog keeps tests silent unless ROLLCALL_LOG is set.
func quietLog() *slog.Logger {
	if os.Getenv("ROLLCALL_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

// freePorts returns addresses on loopback that nothing listens on.
func freePorts(tb testing.TB, n int) []string {
	addrs := make([]string, n)
	for i := range addrs {
		ln, pc, err := kernel{}.Listen("127.0.0.1:0")
		require.NoError(tb, err)
		defer func() { _, _ = ln.Close(), pc.Close() }()
		addrs[i] = "127.0.0.1:" + strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	}
	return addrs
}

// place is a cluster of the suite: node i listens at addrs[i], and all are seeds.
type place struct {
	tb    testing.TB
	addrs []string
	mu    sync.Mutex
	last  map[int]*Transport
}

func (p *place) make(i int, cfg Config) transport.Transport {
	cfg.Bind, cfg.Seeds, cfg.Logger = p.addrs[i], p.addrs, quietLog()
	tr, err := New(cfg)
	require.NoError(p.tb, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[i] = tr
	return tr
}

func (p *place) get(i int) *Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[i]
}

func factory(secure bool) transporttest.Factory {
	return func(tb testing.TB, nodes int) *transporttest.Cluster {
		p := &place{tb: tb, addrs: freePorts(tb, nodes), last: map[int]*Transport{}}
		var base Config
		cut := !secure || os.Getenv("ROLLCALL_LONG") != ""
		if secure {
			base.Key = []byte("0123456789abcdef0123456789abcdef")
		}
		c := &transporttest.Cluster{
			Patience:  20 * time.Second,
			Transport: func(i int) transport.Transport { return p.make(i, base) },
			Cut: func(a, b int) {
				_ = p.get(a).Fault().Block(p.addrs[b])
				_ = p.get(b).Fault().Block(p.addrs[a])
			},
			Heal: func() {
				for i := range p.addrs {
					_ = p.get(i).Fault().Unblock()
				}
			},
			Labelled:  func(i int, label string) transport.Transport { c := base; c.Cluster = label; return p.make(i, c) },
			Encrypted: func(i int, key []byte) transport.Transport { return p.make(i, Config{Key: key}) },
		}
		if !cut { // these take half a minute, and the key makes no difference to them
			c.Cut, c.Heal = nil, nil
		}
		return c
	}
}

func TestTransport(t *testing.T) { transporttest.Run(t, factory(false)) }

func TestTransportWithKey(t *testing.T) { transporttest.Run(t, factory(true)) }
