package memory_test

import (
	"testing"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// factory runs the suite on networks of one configuration.
func factory(cfg memory.Config) transporttest.Factory {
	return func(testing.TB, int) *transporttest.Cluster {
		network := memory.NewNetwork(cfg)
		return &transporttest.Cluster{
			Transport: func(int) transport.Transport { return network.Transport() },
			Quiet:     20 * time.Millisecond,
			Cut:       func(a, b int) { network.Cut(transporttest.Name(a), transporttest.Name(b)) },
			Heal:      network.Heal,
			Kill:      func(i int) { network.Kill(transporttest.Name(i)) },
		}
	}
}

func TestConformance(t *testing.T) {
	transporttest.Run(t, factory(memory.Config{}))
}

// TestConformanceDelayed has everything late, and little room.
func TestConformanceDelayed(t *testing.T) {
	transporttest.Run(t, factory(memory.Config{
		Latency:      time.Millisecond,
		Detect:       5 * time.Millisecond,
		QueueFrames:  64,
		StreamWindow: 16 << 10,
	}))
}

func TestConformanceWithoutRelay(t *testing.T) {
	transporttest.Run(t, factory(memory.Config{NoRelay: true}))
}
