package node

import (
	"context"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// whereis looks a name up.
func (n *node) whereis(_ context.Context, args wire.NameArgs) (wire.Found, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Found{}, err
	}
	holder, ok := reg.Whereis(args.Name)
	if !ok {
		return wire.Found{}, nil
	}
	return wire.Found{OK: true, Holder: holderOf(args.Name, holder)}, nil
}

// await waits until a name has a holder, other than the one that does not count.
func (n *node) await(ctx context.Context, args wire.AwaitArgs) (wire.Holder, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Holder{}, err
	}
	for {
		holder, err := reg.Await(ctx, args.Name)
		if err != nil {
			return wire.Holder{}, err
		}
		if holder.PID.String() != args.Not {
			return holderOf(args.Name, holder), nil
		}
		if err := untilChanged(ctx, reg, args.Name, holder.PID); err != nil {
			return wire.Holder{}, err
		}
	}
}

// untilChanged waits until a process does not hold a name, as this node sees it.
func untilChanged(ctx context.Context, reg *registry.Registry, name string, pid registry.PID) error {
	watch, err := reg.Watch(registry.OfName(name))
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		event, err := watch.Next(ctx)
		if err != nil {
			return err
		}
		if holderAfter(event) != pid {
			return nil
		}
	}
}

// holderAfter returns who holds the watched name after an event; the zero PID
// stands for nobody.
func holderAfter(event registry.Event) registry.PID {
	if !event.Snapshot {
		return event.New.PID
	}
	if len(event.Entries) == 0 {
		return registry.PID{}
	}
	return event.Entries[0].PID
}

// members lists a group.
func (n *node) members(_ context.Context, args wire.GroupArgs) (wire.Members, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Members{}, err
	}
	members := []wire.Member{}
	for _, m := range reg.Members(args.Group) {
		members = append(members, wire.Member{PID: m.PID.String(), Node: m.PID.Node, Value: string(m.Value)})
	}
	return wire.Members{Members: members}, nil
}

// why explains who holds a name, with the claims that met in the last conflict.
func (n *node) why(_ context.Context, args wire.NameArgs) (wire.Why, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Why{}, err
	}
	explained := reg.Why(args.Name)
	why := wire.Why{Rule: explained.Rule, Claims: []wire.Claim{}}
	if explained.Held {
		why.Winner = explained.Winner.Holder.String()
	}
	if len(explained.History) == 0 {
		return why, nil
	}
	conflict := explained.History[len(explained.History)-1]
	for _, claim := range conflict.Claims {
		why.Claims = append(why.Claims, wire.Claim{
			PID: claim.Holder.String(), Node: claim.Holder.Node, Value: string(claim.Value), UnixMillis: claim.Birth.Millis(),
		})
	}
	return why, nil
}

// holderOf returns a holder as it travels.
func holderOf(name string, h registry.Holder) wire.Holder {
	return wire.Holder{Name: name, PID: h.PID.String(), Node: h.PID.Node, Value: string(h.Value)}
}
