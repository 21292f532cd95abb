package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport/gossip"
)

// watchBuffer is how many events a watch holds: more than a measurement makes,
// so that none is replaced by a snapshot.
const watchBuffer = 4 << 20

// node is the state of the program.
//
// Invariant: reg is nil until open has succeeded; held has the processes of every
// prefix that was filled and not dropped.
type node struct {
	life context.Context

	mu      sync.Mutex
	reg     *registry.Registry
	network *gossip.Transport
	held    map[string]*holding
	watched *observation
	viewed  *view
	handled *tally
	crowd   *crowd
}

// Main serves requests until in ends and returns the program's exit code.
func Main(in io.Reader, out, errs io.Writer) int {
	life, end := context.WithCancel(context.Background())
	defer end()
	n := &node{life: life, held: map[string]*holding{}}
	countMembership()
	err := wire.Serve(life, in, out, n.verbs())
	if err = errors.Join(err, n.close()); err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	return 0
}

func (n *node) close() error {
	n.mu.Lock()
	reg, c := n.reg, n.crowd
	n.mu.Unlock()
	ctx, end := context.WithTimeout(context.Background(), time.Second)
	defer end()
	var err error
	if reg != nil {
		err = reg.Close(ctx)
	}
	if c != nil {
		c.close(ctx)
	}
	return err
}

// errNotOpen is returned by verbs that need a registry before there is one.
var errNotOpen = errors.New("node: not open")

func (n *node) opened() (*registry.Registry, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.reg == nil {
		return nil, errNotOpen
	}
	return n.reg, nil
}

// open opens the node in a cluster and returns its port.
func (n *node) open(_ context.Context, a *wire.Args) ([]int64, error) {
	name, cluster, seeds := a.Word(), a.Word(), a.Rest()
	if err := a.Err(); err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	network, err := gossip.New(gossip.Config{Bind: "127.0.0.1:0", Seeds: seeds, Cluster: cluster, Logger: quiet})
	if err != nil {
		return nil, err
	}
	reg, err := registry.Open(registry.Config{Node: name, Transport: network, Logger: quiet, WatchBuffer: watchBuffer})
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.reg, n.network = reg, network
	n.mu.Unlock()
	_, port, err := net.SplitHostPort(network.Addr())
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseInt(port, 10, 64)
	return []int64{number}, err
}

// alone opens a registry without a transport.
func (n *node) alone(context.Context, *wire.Args) ([]int64, error) {
	reg, err := registry.Open(registry.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reg = reg
	return nil, nil
}

// reached returns the number of nodes, this one included, that are up, linked and
// serving.
func (n *node) reached(context.Context, *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	return []int64{reached(reg)}, nil
}

func reached(reg *registry.Registry) (count int64) {
	for _, s := range reg.Status().Nodes {
		if s.Up && s.Serving && (s.Self || s.Linked) {
			count++
		}
	}
	return count
}

// gone waits until a node is known not to be up, and returns when.
func (n *node) gone(ctx context.Context, _ *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	for {
		for _, s := range reg.Status().Nodes {
			if !s.Up {
				return []int64{moment(time.Now())}, nil
			}
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// cut blocks the traffic with the nodes at the given addresses.
func (n *node) cut(_ context.Context, a *wire.Args) ([]int64, error) {
	if _, err := n.opened(); err != nil {
		return nil, err
	}
	return nil, n.network.Fault().Block(a.Rest()...)
}

// mend lets all traffic flow again.
func (n *node) mend(context.Context, *wire.Args) ([]int64, error) {
	if _, err := n.opened(); err != nil {
		return nil, err
	}
	return nil, n.network.Fault().Unblock()
}

// moment returns a time as the wire has it.
func moment(t time.Time) int64 { return t.UnixNano() }

func since(t time.Time) int64 { return int64(time.Since(t)) }
