package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/gossip"
	"github.com/rollcall-dev/rollcall/transport/memory"
)

// crowd is many nodes in this program, connected in memory or over gossip.
//
// Invariant: network is nil exactly when the nodes are connected over gossip;
// then gossips has the transport of each node.
type crowd struct {
	network *memory.Network
	gossips []*gossip.Transport
	nodes   []*registry.Registry
	life    context.Context
	end     context.CancelFunc
	names   int // how many are registered
}

var errNoCrowd = errors.New("node: no crowd")

func (n *node) crowded() (*crowd, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.crowd == nil {
		return nil, errNoCrowd
	}
	return n.crowd, nil
}

// crowdOpen opens many nodes in this program and returns how long it took until
// each of them reached all.
func (n *node) crowdOpen(ctx context.Context, a *wire.Args) ([]int64, error) {
	kind, cluster, count := a.Word(), a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	c := &crowd{}
	c.life, c.end = context.WithCancel(n.life)
	if kind == "memory" {
		c.network = memory.NewNetwork(memory.Config{})
	}
	n.mu.Lock()
	n.crowd = c
	n.mu.Unlock()
	began := time.Now()
	for i := range count {
		if err := c.open(i, cluster); err != nil {
			return nil, err
		}
	}
	if err := c.await(ctx, formPoll, func() bool { return c.allReach(c.nodes) }); err != nil {
		return nil, err
	}
	return []int64{since(began)}, nil
}

const (
	// formPoll is how often it is looked at whether a crowd has formed: seldom,
	// since the look is a cost to those who form.
	formPoll = 50 * time.Millisecond
	// healPoll is how often it is looked at whether a crowd agrees.
	healPoll = 10 * time.Millisecond
)

// open opens node number i.
func (c *crowd) open(i int, cluster string) error {
	quiet := slog.New(slog.DiscardHandler)
	var t transport.Transport
	if c.network != nil {
		t = c.network.Transport()
	} else {
		var seeds []string
		if i > 0 {
			seeds = []string{c.gossips[0].Addr()}
		}
		g, err := gossip.New(gossip.Config{Bind: "127.0.0.1:0", Seeds: seeds, Cluster: cluster, Logger: quiet})
		if err != nil {
			return err
		}
		c.gossips = append(c.gossips, g)
		t = g
	}
	reg, err := registry.Open(registry.Config{
		Node: fmt.Sprintf("n%d", i+1), Transport: t, Logger: quiet, WatchBuffer: watchBuffer,
	})
	if err != nil {
		return err
	}
	c.nodes = append(c.nodes, reg)
	return nil
}

func (c *crowd) close(ctx context.Context) {
	c.end()
	var closing sync.WaitGroup
	for _, reg := range c.nodes {
		closing.Go(func() { _ = reg.Close(ctx) }) // nobody is left to tell
	}
	closing.Wait()
}

func (n *node) crowdClose(ctx context.Context, _ *wire.Args) ([]int64, error) {
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.crowd = nil
	n.mu.Unlock()
	c.close(ctx)
	return nil, nil
}

// await waits for a condition.
func (c *crowd) await(ctx context.Context, every time.Duration, ok func() bool) error {
	for !ok() {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.life.Done():
			return errNoCrowd
		}
	}
	return nil
}

// allReach reports whether each of the nodes reaches exactly as many as they are.
func (c *crowd) allReach(nodes []*registry.Registry) bool {
	for _, reg := range nodes {
		if reached(reg) != int64(len(nodes)) {
			return false
		}
	}
	return true
}

// allHave reports whether each node shows so many names.
func (c *crowd) allHave(names int) bool {
	for _, reg := range c.nodes {
		if reg.Count() < names {
			return false
		}
	}
	return true
}

// allAgree reports whether all nodes show the same.
func (c *crowd) allAgree() bool {
	first := c.nodes[0].Status().Digest
	for _, reg := range c.nodes[1:] {
		if reg.Status().Digest != first {
			return false
		}
	}
	return true
}

// crowdFill registers names on the first node and returns when it began and when
// all nodes had all of them.
func (n *node) crowdFill(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, from, count := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	p, err := c.nodes[0].Attach(c.life)
	if err != nil {
		return nil, err
	}
	bids := make([]registry.Bid, count)
	for i := range bids {
		bids[i].Key = nameOf(prefix, from+i)
	}
	began := time.Now()
	if _, err := c.nodes[0].RegisterMany(ctx, p, bids); err != nil {
		return nil, err
	}
	c.names += count
	if err := c.await(ctx, time.Millisecond, func() bool { return c.allHave(c.names) }); err != nil {
		return nil, err
	}
	return []int64{moment(began), moment(time.Now())}, nil
}

// crowdRegister registers names on the first node one after the other, and
// returns when each call began and returned.
func (n *node) crowdRegister(ctx context.Context, a *wire.Args) ([]int64, error) {
	mode, prefix, count := a.Word(), a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(c.life)
	defer end()
	p, err := c.nodes[0].Attach(life)
	if err != nil {
		return nil, err
	}
	defer p.Stop(nil)
	var moments []int64
	names, with := namesOf(prefix, 0, count), options(mode)
	for _, name := range names {
		began := time.Now()
		if _, err := c.nodes[0].Register(ctx, name, p, with...); err != nil {
			return nil, err
		}
		moments = append(moments, moment(began), moment(time.Now()))
	}
	return moments, nil
}

// crowdSent returns the bytes that all nodes of the crowd have sent.
func (n *node) crowdSent(context.Context, *wire.Args) ([]int64, error) {
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	return []int64{c.sent(), membershipBytes.Load()}, nil
}

func (c *crowd) sent() (sum int64) {
	for _, reg := range c.nodes {
		sum += frameBytes(reg.Status().Transport)
	}
	return sum
}
