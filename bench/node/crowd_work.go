package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

const (
	// carryObservers is how many nodes of a crowd note when they see an update:
	// some, since noting is a cost.
	carryObservers = 8
	// carryGrace is how long updates may take at most to be everywhere.
	carryGrace = 20 * time.Second
)

// crowdCarry registers names at a rate for a time, on one node after the other,
// and returns how many (update, node) pairs there were and how many of them were
// seen, and then the delays at some of the nodes.
func (n *node) crowdCarry(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, rate, millis := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	count := rate * millis / 1000
	begun := make([]int64, count)
	seen := make([][]int64, min(carryObservers, len(c.nodes)))
	life, end := context.WithCancel(c.life)
	var watching sync.WaitGroup
	for i := range seen {
		watch, err := c.nodes[i*len(c.nodes)/len(seen)].Watch(registry.OfPrefix(prefix + "/"))
		if err != nil {
			end()
			return nil, err
		}
		seen[i] = make([]int64, count)
		watching.Go(func() { noteAll(life, watch, seen[i]) })
	}
	err = c.paced(ctx, prefix, rate, begun)
	grace, done := context.WithTimeout(ctx, carryGrace)
	defer done()
	// What was not delivered by then is told by the count.
	_ = c.await(grace, time.Millisecond, func() bool { return c.allHave(c.names + count) })
	delivered := 0
	for _, reg := range c.nodes {
		delivered += min(count, reg.Count()-c.names)
	}
	c.names += count
	time.Sleep(10 * time.Millisecond) // the observers take their last event
	end()
	watching.Wait()
	return append([]int64{int64(delivered), int64(count * len(c.nodes))}, delays(begun, seen)...), err
}

// noteAll notes when each name of a watch appeared.
func noteAll(ctx context.Context, watch *registry.Watch, seen []int64) {
	defer watch.Close()
	for e := range watch.All(ctx) {
		if i := numberAt(e.Key); !e.Snapshot && !e.New.PID.IsZero() && i < len(seen) && seen[i] == 0 {
			seen[i] = moment(time.Now())
		}
	}
}

// paced registers as many names as begun has room for, at a rate per second.
func (c *crowd) paced(ctx context.Context, prefix string, rate int, begun []int64) error {
	owners := make([]*registry.Process, len(c.nodes))
	for i, reg := range c.nodes {
		p, err := reg.Attach(c.life)
		if err != nil {
			return err
		}
		owners[i] = p
	}
	names, start := namesOf(prefix, 0, len(begun)), time.Now()
	for i, name := range names {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		at := i % len(c.nodes)
		begun[i] = moment(time.Now())
		if _, err := c.nodes[at].Register(ctx, name, owners[at], registry.Optimistic()); err != nil {
			return err
		}
	}
	return nil
}

// delays returns how long after each update began each observer saw it.
func delays(begun []int64, seen [][]int64) []int64 {
	var all []int64
	for _, moments := range seen {
		for i, at := range moments {
			if at != 0 {
				all = append(all, at-begun[i])
			}
		}
	}
	slices.Sort(all)
	// A thousand of them suffice for every percentile, and keep the reply short.
	if step := len(all) / 1000; step > 1 {
		for i := range 1000 {
			all[i] = all[(i+1)*len(all)/1000-1]
		}
		all = all[:1000]
	}
	return all
}

// crowdSplit cuts the crowd in two halves, registers some names on both sides,
// and returns how long it took until each side had noticed.
func (n *node) crowdSplit(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, names := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	half := len(c.nodes) / 2
	began := time.Now()
	if err := c.cut(half); err != nil {
		return nil, err
	}
	noticed := func() bool { return c.allReach(c.nodes[:half]) && c.allReach(c.nodes[half:]) }
	if err := c.await(ctx, formPoll, noticed); err != nil {
		return nil, err
	}
	took := since(began)
	for _, reg := range []*registry.Registry{c.nodes[0], c.nodes[half]} {
		for i := range names {
			p, err := reg.Attach(c.life)
			if err != nil {
				return nil, err
			}
			if _, err := reg.Register(ctx, nameOf(prefix, i), p); err != nil {
				return nil, err
			}
		}
	}
	c.names += names
	return []int64{took}, nil
}

// cut cuts the first nodes off from the others.
func (c *crowd) cut(half int) error {
	if c.network != nil {
		sides := [2][]string{}
		for i, reg := range c.nodes {
			side := min(i/half, 1)
			sides[side] = append(sides[side], reg.Node())
		}
		c.network.Partition(sides[0], sides[1])
		return nil
	}
	addrs := make([]string, len(c.gossips))
	for i, g := range c.gossips {
		addrs[i] = g.Addr()
	}
	for i, g := range c.gossips {
		others := addrs[half:]
		if i >= half {
			others = addrs[:half]
		}
		if err := g.Fault().Block(others...); err != nil {
			return err
		}
	}
	return nil
}

// crowdHeal mends the network and returns how long it took until all nodes
// reached each other and showed the same, and the bytes that were sent meanwhile.
func (n *node) crowdHeal(ctx context.Context, _ *wire.Args) ([]int64, error) {
	c, err := n.crowded()
	if err != nil {
		return nil, err
	}
	before := c.sent()
	began := time.Now()
	if c.network != nil {
		c.network.Heal()
	}
	for _, g := range c.gossips {
		if err := g.Fault().Unblock(); err != nil {
			return nil, err
		}
	}
	healed := func() bool { return c.allReach(c.nodes) && c.allAgree() }
	if err := c.await(ctx, healPoll, healed); err != nil {
		return nil, fmt.Errorf("node: the crowd did not heal: %w", err)
	}
	return []int64{since(began), c.sent() - before}, nil
}
