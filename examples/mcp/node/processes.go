package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// process is a process of the registry with what it registers.
type process struct {
	*registry.Process
	value []byte
}

// serve starts a process that is an MCP server. The process lives as long as the
// server does, and the other way round.
func (n *node) serve(_ context.Context, args wire.ServeArgs) (wire.Process, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Process{}, err
	}
	server, err := servers.Open(args.Server)
	if err != nil {
		return wire.Process{}, err
	}
	p, err := reg.Spawn(n.life, func(ctx context.Context, _ *registry.Process) error {
		return server.Serve(ctx)
	})
	if err != nil {
		return wire.Process{}, errors.Join(err, server.Close())
	}
	return n.keep(p, server.URL), nil
}

// attend starts a process that does nothing but live.
func (n *node) attend(_ context.Context, args wire.AttendArgs) (wire.Process, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Process{}, err
	}
	p, err := reg.Spawn(n.life, func(ctx context.Context, _ *registry.Process) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if err != nil {
		return wire.Process{}, err
	}
	return n.keep(p, args.Value), nil
}

// keep remembers a process, lets it answer calls, and notes each name that it is
// told it lost.
func (n *node) keep(p *registry.Process, value string) wire.Process {
	registry.Handle(p, func(_ context.Context, o operation) (float64, error) {
		return servers.Calculate(o.Name, o.A, o.B)
	})
	pid := p.PID().String()
	n.mu.Lock()
	n.processes[pid] = &process{Process: p, value: []byte(value)}
	n.mu.Unlock()
	p.OnLoss(func(lost *registry.ConflictError) { n.note(pid, lost) })
	return wire.Process{PID: pid, Value: value}
}

// note keeps what a process was told. Each telling is kept, so that a process
// which is told twice is seen.
func (n *node) note(pid string, lost *registry.ConflictError) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.losses = append(n.losses, wire.Loss{
		Name: lost.Name, PID: pid, Reason: lost.Reason.String(), Winner: lost.Winner.Holder.String(), Rule: lost.Rule,
	})
}

// told lists the losses so far.
func (n *node) told(context.Context, wire.None) (wire.Told, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return wire.Told{Losses: append([]wire.Loss{}, n.losses...)}, nil
}

// stop ends a process, as if its work were done.
func (n *node) stop(ctx context.Context, args wire.ProcessArgs) (wire.None, error) {
	p, err := n.process(args.PID)
	if err != nil {
		return wire.None{}, err
	}
	p.Stop(nil)
	select {
	case <-p.Done():
		return wire.None{}, nil
	case <-ctx.Done():
		return wire.None{}, context.Cause(ctx)
	}
}

// process returns a process of this node.
func (n *node) process(pid string) (*process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.processes[pid]
	if !ok {
		return nil, fmt.Errorf("no process %s on this node", pid)
	}
	return p, nil
}

// register gives a process a name, with its value.
func (n *node) register(ctx context.Context, args wire.RegisterArgs) (wire.Holder, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Holder{}, err
	}
	p, err := n.process(args.PID)
	if err != nil {
		return wire.Holder{}, err
	}
	_, err = reg.Register(ctx, args.Name, p.Process, registry.WithValue(p.value))
	if taken, ok := errors.AsType[*registry.TakenError](err); ok {
		return wire.Holder{}, &wire.TakenError{Holder: holderOf(args.Name, taken.Holder), Err: err}
	}
	if err != nil {
		return wire.Holder{}, err
	}
	return wire.Holder{Name: args.Name, PID: args.PID, Node: p.PID().Node, Value: string(p.value)}, nil
}

// takeOver gives a process a name as soon as it is free: it tries, and while
// somebody holds the name it waits for that to change.
func (n *node) takeOver(ctx context.Context, args wire.RegisterArgs) (wire.Holder, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Holder{}, err
	}
	for {
		holder, err := n.register(ctx, args)
		taken, ok := errors.AsType[*registry.TakenError](err)
		if !ok {
			return holder, err
		}
		if err := untilChanged(ctx, reg, args.Name, taken.Holder.PID); err != nil {
			return wire.Holder{}, err
		}
	}
}

// join puts a process into a group, with its value.
func (n *node) join(ctx context.Context, args wire.JoinArgs) (wire.None, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.None{}, err
	}
	p, err := n.process(args.PID)
	if err != nil {
		return wire.None{}, err
	}
	return wire.None{}, reg.Join(ctx, args.Group, p.Process, registry.WithValue(p.value))
}
