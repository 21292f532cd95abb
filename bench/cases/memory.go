package cases

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

func memoryUse() []plan.Case { return []plan.Case{memoryPerName(), memoryMillion(), churn()} }

// fresh opens a new node for each round, since what is left of an earlier one
// would count.
func fresh(measure func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) (plan.Values, error), kinds ...cluster.Kind) []plan.Side {
	sides := make([]plan.Side, len(kinds))
	for i, kind := range kinds {
		sides[i] = plan.Side{Peer: string(kind), Kind: kind, Begin: func(_ context.Context, b *plan.Bench) (*plan.Session, error) {
			round := func(ctx context.Context, _ int) (plan.Values, error) {
				c, err := b.Stage.Alone(ctx, kind)
				if err != nil {
					return nil, err
				}
				defer c.Close()
				return measure(ctx, b, c)
			}
			return &plan.Session{Round: round, Close: func() {}}, nil
		}}
	}
	return sides
}

// heapFor returns how much more memory a node uses for names; what the processes
// need that hold them does not count.
func heapFor(ctx context.Context, c *cluster.Cluster, names, holders int) (float64, error) {
	if _, err := c.Ask(ctx, 0, "hold", session, holders); err != nil {
		return 0, err
	}
	before, err := c.Ask(ctx, 0, "heap")
	if err != nil {
		return 0, err
	}
	if _, err := c.Ask(ctx, 0, "fill", arbitrated, session, 0, names, holders); err != nil {
		return 0, err
	}
	after, err := c.Ask(ctx, 0, "heap")
	if err != nil {
		return 0, err
	}
	return float64(after[0]-before[0]) / float64(names), nil
}

func memoryPerName() plan.Case {
	return plan.Case{
		ID: "memory", Group: oneNodeGroup,
		Measures: []plan.Measure{{
			Key: "name", Work: "memory for a name with a process of its own", Unit: "B",
			Aims: only(below(300, "< 300 B"), cluster.Global, cluster.PG),
		}},
		Sides: fresh(func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) (plan.Values, error) {
			names := b.Size(100_000, 2000)
			if c.Kind == cluster.Global {
				names = b.Size(4000, 500) // more would take it minutes
			}
			bytes, err := heapFor(ctx, c, names, names)
			return plan.Values{"name": bytes}, err
		}, cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// memoryMillion registers a million names of 24 bytes, a thousand for each of a
// thousand processes.
func memoryMillion() plan.Case {
	return plan.Case{
		ID: "memory-1m", Group: oneNodeGroup,
		Measures: []plan.Measure{{
			Key: "name", Work: "memory for a name, 1,000,000 names of 24 bytes", Unit: "B",
			Aims: only(below(300, "< 300 B"), cluster.PG),
		}},
		Sides: fresh(func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) (plan.Values, error) {
			bytes, err := heapFor(ctx, c, b.Size(1_000_000, 10_000), b.Size(1000, 10))
			return plan.Values{"name": bytes}, err
		}, cluster.Rollcall, cluster.PG),
	}
}

// churn registers and unregisters a million names, one after the other.
func churn() plan.Case {
	const baseline = 1 << 20
	return plan.Case{
		ID: "churn", Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "left", Work: "memory that is left after 1,000,000 cycles of register and unregister", Unit: "B",
				Aims: only(below(baseline, fmt.Sprintf("back to the baseline: < %d B", baseline)))},
			{Key: "cycle", Work: "a cycle of register and unregister", Unit: "us", Aims: only(plan.Aim{}, cluster.PG)},
		},
		Sides: fresh(func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) (plan.Values, error) {
			cycles := b.Size(1_000_000, 5000)
			if c.Kind == cluster.PG {
				cycles = b.Size(100_000, 1000) // more would take it long
			}
			// The first cycles make what stays for good, such as the tables themselves.
			if _, err := c.Ask(ctx, 0, "churn", other, 1000); err != nil {
				return nil, err
			}
			before, err := c.Ask(ctx, 0, "heap")
			if err != nil {
				return nil, err
			}
			churned, err := c.Ask(ctx, 0, "churn", session, cycles)
			if err != nil {
				return nil, err
			}
			after, err := c.Ask(ctx, 0, "heap")
			if err != nil {
				return nil, err
			}
			values := plan.Values{"cycle": took(churned) / float64(cycles) / micro}
			if c.Kind != cluster.PG {
				values["left"] = max(0, float64(after[0]-before[0]))
			}
			return values, nil
		}, cluster.Rollcall, cluster.PG),
	}
}
