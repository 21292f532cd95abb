package node

import (
	"context"
	"errors"
	"slices"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport/gossip"
)

// open opens the registry. A program does this once, where it starts.
func (n *node) open(_ context.Context, args wire.OpenArgs) (wire.Opened, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.registry != nil {
		return wire.Opened{}, errors.New("the registry is open already")
	}
	transport, err := gossip.New(gossip.Config{
		Bind: "127.0.0.1:0", Seeds: args.Seeds, Cluster: args.Cluster, Logger: n.log,
	})
	if err != nil {
		return wire.Opened{}, err
	}
	reg, err := registry.Open(registry.Config{Node: args.Node, Transport: transport, Logger: n.log})
	if err != nil {
		return wire.Opened{}, err
	}
	n.registry, n.transport = reg, transport
	return wire.Opened{Addr: transport.Addr()}, nil
}

// close leaves the cluster, if the node is in one.
func (n *node) close() error {
	reg, err := n.opened()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	return reg.Close(ctx)
}

// opened returns the registry, or ErrNotOpen.
func (n *node) opened() (*registry.Registry, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.registry == nil {
		return nil, ErrNotOpen
	}
	return n.registry, nil
}

// status says which nodes this one can reach, itself among them, and what it
// knows of netsplits that ended.
func (n *node) status(context.Context, wire.None) (wire.Status, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Status{}, err
	}
	status := reg.Status()
	seen := wire.Status{Serving: status.Serving, Digest: status.Digest}
	for _, peer := range status.Nodes {
		if peer.Self || peer.Up {
			seen.Nodes = append(seen.Nodes, peer.Name)
		}
	}
	for _, heal := range reg.Heals() {
		seen.Heals = append(seen.Heals, healOf(heal))
	}
	return seen, nil
}

// healOf returns the end of a netsplit as it travels.
func healOf(h registry.Heal) wire.Heal {
	heal := wire.Heal{Nodes: h.Nodes, LastedMillis: h.Lasted.Milliseconds()}
	for _, conflict := range h.Conflicts {
		heal.Conflicts = append(heal.Conflicts, conflict.Name)
	}
	slices.Sort(heal.Conflicts)
	for _, pid := range h.Losers() {
		heal.Losers = append(heal.Losers, pid.String())
	}
	return heal
}

// block drops all traffic with the nodes at the given addresses, in both
// directions, as a network that is cut does.
func (n *node) block(_ context.Context, args wire.BlockArgs) (wire.None, error) {
	if _, err := n.opened(); err != nil {
		return wire.None{}, err
	}
	return wire.None{}, n.transport.Fault().Block(args.Addrs...)
}

// heal lets all traffic flow again.
func (n *node) heal(context.Context, wire.None) (wire.None, error) {
	if _, err := n.opened(); err != nil {
		return wire.None{}, err
	}
	return wire.None{}, n.transport.Fault().Unblock()
}
