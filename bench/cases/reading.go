package cases

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

// readMillis is how long reads are timed, in milliseconds.
const readMillis = 300

func reading() []plan.Case {
	return []plan.Case{
		lookUp("lookup-1k", "1,000", 1000, 50, cluster.Rollcall, cluster.Global, cluster.PG),
		lookUp("lookup-100k", "100,000", 100_000, 150, cluster.Rollcall, cluster.PG),
		members("members-100", "100", 100, 0.3),
		members("members-10k", "10,000", 10_000, 10),
	}
}

// lookups times look-ups with readers and writers; the figures are nanoseconds.
func lookups(ctx context.Context, b *plan.Bench, c *cluster.Cluster, names int, which map[string][2]int) (plan.Values, error) {
	values := plan.Values{}
	for key, w := range which {
		took, err := c.Ask(ctx, 0, "lookup", session, names, w[0], w[1], b.Size(readMillis, 50))
		if err != nil {
			return nil, err
		}
		values[key] = float64(took[0]) / 1000
	}
	return values, nil
}

// lookUp looks names up, alone, beside another reader, and beside a writer at full
// speed.
func lookUp(id, text string, names int, limit float64, kinds ...cluster.Kind) plan.Case {
	absolute := below(limit, fmt.Sprintf("< %g ns", limit))
	faster := plan.Aim{Text: absolute.Text + " and 4 times as fast as pg", Below: limit, Ratio: 4}
	aims := with(only(absolute, kinds...), cluster.PG, faster)
	writer := with(only(plan.Aim{}, kinds...), cluster.PG, plan.Aim{Text: "4 times as fast as pg", Ratio: 4})
	return plan.Case{
		ID: id, Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "alone", Work: "look-up, " + text + " names, 1 reader", Unit: "ns", Aims: aims},
			{Key: "two", Work: "look-up, " + text + " names, 2 readers", Unit: "ns", Aims: aims},
			{Key: "writer", Work: "look-up, " + text + " names, beside a writer at full speed", Unit: "ns", Aims: writer},
		},
		Sides: work{
			open: alone,
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 0, "fill", arbitrated, session, 0, b.Size(names, min(names, 2000)), 0)
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				return lookups(ctx, b, c, b.Size(names, min(names, 2000)),
					map[string][2]int{"alone": {1, 0}, "two": {2, 0}, "writer": {1, 1}})
			},
		}.sides(kinds...),
	}
}

// members reads and walks the members of a group.
func members(id, text string, size int, limit float64) plan.Case {
	const group = "room"
	aims := only(below(limit, fmt.Sprintf("< %g us", limit)), cluster.PG)
	return plan.Case{
		ID: id, Group: oneNodeGroup,
		Measures: []plan.Measure{
			{Key: "alone", Work: "members of a group of " + text + ", walked, 1 reader", Unit: "us", Aims: aims},
			{Key: "two", Work: "members of a group of " + text + ", walked, 2 readers", Unit: "us", Aims: aims},
		},
		Sides: work{
			open: alone,
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 0, "join", group, "base", b.Size(size, min(size, 1000)))
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				values := plan.Values{}
				for key, readers := range map[string]int{"alone": 1, "two": 2} {
					took, err := c.Ask(ctx, 0, "members", group, readers, b.Size(readMillis, 50))
					if err != nil {
						return nil, err
					}
					values[key] = float64(took[0]) / 1000 / micro
				}
				return values, nil
			},
		}.sides(cluster.Rollcall, cluster.PG),
	}
}
