package transporttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// DefaultPatience is the default of Cluster.Patience.
	DefaultPatience = 10 * time.Second
	// DefaultQuiet is the default of Cluster.Quiet.
	DefaultQuiet = 200 * time.Millisecond
)

// Factory makes a place for a cluster of as many nodes as a case needs, once for
// each case. It starts no node. What it opens, it closes with tb.Cleanup; by then
// the suite has closed all transports.
type Factory func(tb testing.TB, nodes int) *Cluster

// Cluster is a place for nodes, numbered from 0, and what can be done to them.
// Fields that are nil or zero mean what is said with each.
type Cluster struct {
	// Transport makes a transport for node i that has not started, and will find
	// the others without further help, however many of them start at once and in
	// whatever order. It is called once for each run of the node: a second time
	// when the node restarts, after its first transport has been closed or killed,
	// and then may use the same address. The suite starts node i under Name(i),
	// except where it wants a name to be taken. Required.
	Transport func(i int) transport.Transport

	// Patience is how long a case waits for what must happen: for nodes to find each
	// other, to notice an end or a cut, to find each other again. Default
	// DefaultPatience.
	Patience time.Duration
	// Quiet is how long a case watches for what must not happen. Default
	// DefaultQuiet.
	Quiet time.Duration

	// Cut breaks the connection between two nodes, both ways, as a network does:
	// nothing passes any more. Nil: what happens in partitions is not tested.
	Cut func(a, b int)
	// Heal mends all that Cut broke. Set where Cut is.
	Heal func()
	// Kill ends a node's program, as unlike Close as the harness can: its transport
	// stops without a word. The suite still calls Close on the transport
	// afterwards. Nil: only Close without Leave is tested as an end.
	Kill func(i int)

	// Labelled makes a transport as Transport does, in a cluster with this label.
	// Nil: labels are not tested.
	Labelled func(i int, label string) transport.Transport
	// Encrypted makes a transport as Transport does, for a cluster with this key of
	// 32 bytes. Nil: encryption is not tested.
	Encrypted func(i int, key []byte) transport.Transport
}

// Name returns the name under which the suite starts node i.
func Name(i int) string { return fmt.Sprintf("node%d", i) }

// Run tests the transport of a Factory. Each case is a subtest.
func Run(t *testing.T, f Factory) {
	for _, group := range [][]testCase{lifeCases(), memberCases(), faultCases(), frameCases(), loadCases(), streamCases()} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				c.run(newSuite(t, f, c.nodes))
			})
		}
	}
}

// testCase is one case of the suite.
type testCase struct {
	name  string
	nodes int
	run   func(s *suite)
}
