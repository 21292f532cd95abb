package cases

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const oneNodeGroup = "One node"

func oneNode() []plan.Case {
	return []plan.Case{register1k(), register20k(), register100k(), joinLarge()}
}

// register1k registers 1,000 names on an empty node, again and again.
func register1k() plan.Case {
	return plan.Case{
		ID: "register-1k", Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "default", Work: "register, 1,000 names", Unit: "us",
				Aims: only(below(2, "< 2 us"), cluster.Global, cluster.PG)},
			{Key: optimistic, Work: "register optimistically, 1,000 names", Unit: "us",
				Aims: only(below(1, "< 1 us"), cluster.Global, cluster.PG)},
		},
		Sides: work{open: alone, round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			again := b.Size(20, 2)
			if c.Kind == cluster.Global {
				again = b.Size(3, 1)
			}
			values := plan.Values{}
			for key, mode := range map[string]string{"default": arbitrated, optimistic: optimistic} {
				register, _, err := fillAndDrop(ctx, c, mode, 1000, again)
				if err != nil {
					return nil, err
				}
				values[key] = register / micro
			}
			return values, nil
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// fillAndDrop registers names, each with a process of its own, ends the processes,
// and does so again. It returns the time for each name of both, in nanoseconds.
func fillAndDrop(ctx context.Context, c *cluster.Cluster, mode string, names, again int) (register, drop float64, err error) {
	for range again {
		filled, dropped, err := fillAndDropAs(ctx, c, mode, session, names)
		if err != nil {
			return 0, 0, err
		}
		register += filled
		drop += dropped
	}
	return register / float64(again), drop / float64(again), nil
}

// fillAndDropAs does so once, with names of a prefix.
func fillAndDropAs(ctx context.Context, c *cluster.Cluster, mode, prefix string, names int) (register, drop float64, err error) {
	filled, err := c.Ask(ctx, 0, "fill", mode, prefix, 0, names, 0)
	if err != nil {
		return 0, 0, err
	}
	dropped, err := c.Ask(ctx, 0, "drop", prefix)
	if err != nil {
		return 0, 0, err
	}
	return took(filled) / float64(names), took(dropped) / float64(names), nil
}

// register20k registers a few names on a node that has 20,000.
func register20k() plan.Case {
	return plan.Case{
		ID: "register-20k", Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "register", Work: "register, 20,000 names", Unit: "us", Aims: only(below(2, "flat: < 2 us"), cluster.Global)},
			{Key: "lookup1", Work: "look-up, 20,000 names, 1 reader", Unit: "ns", Aims: only(below(150, "< 150 ns"), cluster.Global)},
			{Key: "lookup2", Work: "look-up, 20,000 names, 2 readers", Unit: "ns", Aims: only(below(150, "< 150 ns"), cluster.Global)},
			{Key: "drop", Work: "owners of names die, 20,000 names: clean-up of one", Unit: "us",
				Aims: only(below(1, "< 1 us"), cluster.Global)},
		},
		Sides: work{
			open: alone,
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 0, "fill", arbitrated, session, 0, b.Size(20_000, 1000), 0)
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				// So few that it hardly matters how long the others take; we are too fast
				// for the clock with them.
				few := b.Size(200, 50)
				if c.Kind == cluster.Rollcall {
					few = 2000
				}
				register, drop, err := fillAndDropAs(ctx, c, arbitrated, other, few)
				if err != nil {
					return nil, err
				}
				values, err := lookups(ctx, b, c, b.Size(20_000, 1000), map[string][2]int{"lookup1": {1, 0}, "lookup2": {2, 0}})
				if err != nil {
					return nil, err
				}
				values["register"] = register / micro
				values["drop"] = drop / micro
				return values, nil
			},
		}.sides(cluster.Rollcall, cluster.Global),
	}
}

// register100k registers 100,000 names, each with a process of its own, and ends
// the processes.
func register100k() plan.Case {
	return plan.Case{
		ID: "register-100k", Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "register", Work: "register, 100,000 names", Unit: "us", Aims: only(below(1.5, "< 1.5 us"), cluster.PG)},
			{Key: "drop", Work: "owners of 100,000 names die: clean-up of one", Unit: "us", Aims: only(below(1, "< 1 us"), cluster.PG)},
		},
		Sides: work{open: alone, round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			register, drop, err := fillAndDrop(ctx, c, arbitrated, b.Size(100_000, 5000), 1)
			return plan.Values{"register": register / micro, "drop": drop / micro}, err
		}}.sides(cluster.Rollcall, cluster.PG),
	}
}

// joinLarge puts processes in a group that has 10,000 members.
func joinLarge() plan.Case {
	const group = "room"
	return plan.Case{
		ID: "join-10k", Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "join", Work: "join a group of 10,000", Unit: "us", Aims: only(below(2, "< 2 us"), cluster.PG)},
		},
		Sides: work{
			open: alone,
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 0, "join", group, "base", b.Size(10_000, 1000))
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
				label, more := fmt.Sprint("more", round), b.Size(1000, 100)
				joined, err := c.Ask(ctx, 0, "join", group, label, more)
				if err != nil {
					return nil, err
				}
				_, err = c.Ask(ctx, 0, "leave", label)
				return plan.Values{"join": took(joined) / float64(more) / micro}, err
			},
		}.sides(cluster.Rollcall, cluster.PG),
	}
}
