package node

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-metrics"

	"github.com/rollcall-dev/rollcall/bench/wire"
)

// membershipBytes is what memberlist has sent from this program, in bytes, as it
// says to its metrics. The metrics are of the whole program, hence the variable.
var membershipBytes atomic.Int64

// membershipSink counts what memberlist says that it sends.
type membershipSink struct{ *metrics.BlackholeSink }

func (membershipSink) IncrCounterWithLabels(key []string, value float32, _ []metrics.Label) {
	if len(key) > 0 && key[len(key)-1] == "sent" && slices.Contains(key, "memberlist") {
		membershipBytes.Add(int64(value))
	}
}

// countMembership begins to count what memberlist sends.
func countMembership() {
	config := metrics.DefaultConfig("")
	config.EnableHostname, config.EnableRuntimeMetrics = false, false
	// New fails on no configuration that it is given here.
	_, _ = metrics.NewGlobal(config, membershipSink{&metrics.BlackholeSink{}})
}

// sent returns the bytes that this node has sent: in frames of the registry, and
// in packets and streams of memberlist. Headers of TCP, UDP and IP are not in it.
func (n *node) sent(context.Context, *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	return []int64{frameBytes(reg.Status().Transport), membershipBytes.Load()}, nil
}

// frameBytes sums the bytes of frames that a transport has sent, over its lanes.
func frameBytes(counters map[string]uint64) (sum int64) {
	for name, value := range counters {
		if strings.HasPrefix(name, "bytes_sent") {
			sum += int64(value)
		}
	}
	return sum
}
