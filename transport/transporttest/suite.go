package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/transport"
)

// suite is one case at work.
type suite struct {
	*testing.T
	cluster  *Cluster
	patience time.Duration
	quiet    time.Duration
	size     int

	mu   sync.Mutex
	all  []*node // every run of every node, for the checks at the end
	runs uint64  // the last number given to a run
}

// node is one run of a node.
type node struct {
	*Recorder
	transport.Transport
	i    int
	self transport.Peer
}

// String names the node in messages; it settles which of its parts is meant.
func (n *node) String() string { return n.self.String() }

// newSuite makes the place for a case. At its end all transports are closed, then
// what the factory opened, then the goroutines are counted.
func newSuite(t *testing.T, f Factory, nodes int) *suite {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if err := goleak.Find(before); err != nil && !t.Failed() {
			t.Errorf("goroutines are left after Close of all transports; "+
				"a program that opens and closes registries would fill up with them:\n%v", err)
		}
	})
	c := f(t, nodes)
	s := &suite{T: t, cluster: c, patience: c.Patience, quiet: c.Quiet, size: nodes}
	if s.patience <= 0 {
		s.patience = DefaultPatience
	}
	if s.quiet <= 0 {
		s.quiet = DefaultQuiet
	}
	t.Cleanup(s.closeAll)
	return s
}

// node makes node i, which has not started. The hooks of its Recorder may be set.
func (s *suite) node(i int) *node { return s.nodeOn(i, s.cluster.Transport(i)) }

// nodeOn makes node i on a transport.
func (s *suite) nodeOn(i int, t transport.Transport) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	n := &node{Recorder: &Recorder{}, Transport: t, i: i, self: transport.Peer{Node: Name(i), Run: s.runs}}
	s.all = append(s.all, n)
	return n
}

// start makes all nodes, starts them at once and waits until each has a link to
// each. Set-up sees the nodes before they start.
func (s *suite) start(setUp ...func(nodes []*node)) []*node {
	nodes := make([]*node, s.size)
	for i := range nodes {
		nodes[i] = s.node(i)
	}
	for _, f := range setUp {
		f(nodes)
	}
	s.startAll(nodes)
	s.awaitMesh(nodes)
	return nodes
}

// startAll starts nodes at once.
func (s *suite) startAll(nodes []*node) {
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		group.Go(func() { errs[i] = n.Start(n.self, n.Recorder) })
	}
	group.Wait()
	require.NoError(s, errors.Join(errs...), "Start of all nodes at once")
}

// restart makes and starts another run of a node.
func (s *suite) restart(old *node) *node {
	n := s.node(old.i)
	require.NoError(s, n.Start(n.self, n.Recorder),
		"Start of %s again, after its last run ended: a program that restarts must not be kept out", n)
	return n
}

// awaitMesh waits until each node has a link to each.
func (s *suite) awaitMesh(nodes []*node) {
	s.Helper()
	for _, n := range nodes {
		for _, peer := range nodes {
			if n != peer {
				s.awaitLink(n, peer)
			}
		}
	}
}

// awaitLink waits until n has a link to a peer.
func (s *suite) awaitLink(n, peer *node) {
	s.Helper()
	s.await(n, func() bool { return n.Linked(peer.self) },
		"%s hears LinkUp of %s: without it no claim gets there", n, peer)
}

// awaitDown waits until n has heard that a peer is down, and checks why.
func (s *suite) awaitDown(n, peer *node, why transport.Reason, reason string) {
	s.Helper()
	down := func() (Event, bool) {
		for _, e := range n.Events(peer.self.Node) {
			if e.Kind == PeerDown && e.Peer == peer.self {
				return e, true
			}
		}
		return Event{}, false
	}
	s.await(n, func() bool { _, ok := down(); return ok }, "%s hears PeerDown of %s: %s", n, peer, reason)
	e, _ := down()
	require.Equal(s, why, e.Why, "why %s says that %s is down: %s\n%s", n, peer, reason, n.log())
}

// await waits until ok, and fails the case with what was expected otherwise.
func (s *suite) await(n *node, ok func() bool, format string, args ...any) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	if n.Wait(ctx, ok) != nil {
		s.Fatalf("expected within %s: %s\n%s", s.patience, fmt.Sprintf(format, args...), n.log())
	}
}

// awaitDone waits until a channel is closed.
func (s *suite) awaitDone(done <-chan struct{}, format string, args ...any) {
	s.Helper()
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.Fatalf("expected within %s: %s", s.patience, fmt.Sprintf(format, args...))
	}
}

// never watches for what must not happen.
func (s *suite) never(n *node, bad func() bool, format string, args ...any) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.quiet)
	defer cancel()
	if n.Wait(ctx, bad) == nil {
		s.Fatalf("must not happen: %s\n%s", fmt.Sprintf(format, args...), n.log())
	}
}

// exchange sends a frame each way between two nodes and waits for both.
func (s *suite) exchange(a, b *node, text string) {
	s.Helper()
	s.pass(a, b, transport.Deltas, []byte(text))
	s.pass(b, a, transport.Deltas, []byte(text))
}

// pass sends a frame and waits until it has come.
func (s *suite) pass(from, to *node, lane transport.Lane, frame []byte) {
	s.Helper()
	before := to.Received(from.self, lane)
	require.NoError(s, from.Send(to.self, lane, frame), "Send of %d bytes from %s to %s, whose link is up", len(frame), from, to)
	s.await(to, func() bool { return to.Received(from.self, lane) > before },
		"%s receives a frame of %d bytes from %s, whose link is up", to, len(frame), from)
}

// sendAll sends a frame as soon as there is room for it. The receiver's Recorder
// shows when room may have come.
func sendAll(ctx context.Context, from, to *node, lane transport.Lane, frame []byte) error {
	for {
		changed := to.Changed()
		err := from.Send(to.self, lane, frame)
		if !errors.Is(err, transport.ErrQueueFull) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the queue of %s to %s stays full: %w", from, to, ctx.Err())
		}
	}
}

// close closes a node's transport and tells its Recorder, which finds later calls.
func (s *suite) close(n *node) {
	s.Helper()
	require.NoError(s, n.Close(), "Close of %s", n)
	n.Finish()
}

// closeAll ends a case: it closes what is open and reports what the Recorders found.
func (s *suite) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var group sync.WaitGroup
	for _, n := range s.all {
		group.Go(func() {
			if err := n.Close(); err != nil {
				s.Errorf("Close of %s: %v", n, err)
			}
			n.Finish()
		})
	}
	group.Wait()
	for _, n := range s.all {
		faults := n.Faults()
		for _, e := range n.Events(n.self.Node) {
			faults = append(faults, fmt.Sprintf("%s: a node is not its own peer, in this run or an earlier one", e))
		}
		if len(faults) > 0 {
			s.Errorf("calls to the handler of %s broke the grammar PeerUp ( LinkUp ( Receive* ) LinkDown )* PeerDown:\n  %s\n%s",
				n, strings.Join(slices.Compact(faults), "\n  "), n.log())
		}
	}
}

// log returns what a node heard, for messages.
func (n *node) log() string {
	heard := n.Recorder.String()
	if heard == "" {
		return fmt.Sprintf("%s heard nothing", n)
	}
	return fmt.Sprintf("%s heard:\n%s", n, heard)
}
