package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const moreNodesGroup = "More nodes, on one machine"

func moreNodes() []plan.Case {
	return []plan.Case{onNodes(3), onNodes(8), onNodes(16), onNodes(32)}
}

// onNodes measures what grows with the number of nodes.
func onNodes(size int) plan.Case {
	on := fmt.Sprintf("%d nodes: ", size)
	return plan.Case{
		ID: fmt.Sprintf("nodes-%d", size), Group: moreNodesGroup, Slow: size > 3, Limit: 4 * time.Minute,
		Measures: []plan.Measure{
			{Key: "register", Work: on + "register, median", Unit: "us", Aims: map[string]plan.Aim{
				"": below(100, "< 100 us"), "global": {Text: "flat: 7 times as fast as global", Ratio: 7},
			}},
			{Key: "seen50", Work: on + "call until seen by the last node, median", Unit: "ms",
				Aims: only(plan.Aim{Text: "not above pg", Ratio: 1}, cluster.PG)},
			{Key: "seen99", Work: on + "call until seen by the last node, p99", Unit: "ms",
				Aims: only(plan.Aim{Text: "not above pg", Ratio: 1}, cluster.PG)},
			{Key: "bulk", Work: on + "10,000 entries of one node, all others have all", Unit: "s",
				Aims: only(plan.Aim{Text: "sooner than pg", Ratio: 1}, cluster.PG)},
			{Key: "kill", Work: on + "node with 10,000 names killed, gone on all others", Unit: "ms",
				Aims: only(plan.Aim{Text: "sooner than pg", Ratio: 1}, cluster.PG)},
		},
		Sides: work{
			open: func(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
				// One more node joins in each round, to be killed.
				return b.Stage.Open(ctx, kind, b.Size(size, min(size, 4))-1)
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				return growing(ctx, b, c, b.Size(size, min(size, 4)))
			},
		}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// growing adds a node to a cluster, measures, and kills it.
func growing(ctx context.Context, b *plan.Bench, c *cluster.Cluster, size int) (plan.Values, error) {
	values, others := plan.Values{}, numbers(0, size-1)
	if c.Kind != cluster.PG {
		i, err := c.Add(ctx, others...)
		if err != nil {
			return nil, err
		}
		pairs, err := c.Ask(ctx, 0, "sequence", arbitrated, session, 0, b.Size(200, 50), 0)
		if err != nil {
			return nil, err
		}
		values["register"] = plan.Percentile(durations(pairs), 0.5) / micro
		if _, err := c.Ask(ctx, 0, "drop", session); err != nil {
			return nil, err
		}
		c.Forget(i)
		if c.Kind == cluster.Global {
			return values, c.AwaitReached(ctx, len(others), others...)
		}
		if err := c.AwaitReached(ctx, len(others), others...); err != nil {
			return nil, err
		}
	}
	return values, asPG(ctx, b, c, values, others)
}

// asPG measures what pg can do too: how an entry spreads, and how many do.
func asPG(ctx context.Context, b *plan.Bench, c *cluster.Cluster, values plan.Values, others []int) error {
	i, err := c.Add(ctx, others...)
	if err != nil {
		return err
	}
	observers := append(others[1:len(others):len(others)], i)
	seen, _, err := seenAndGone(ctx, c, optimistic, b.Size(200, 50), observers...)
	if err != nil {
		return err
	}
	values["seen50"] = plan.Percentile(seen, 0.5) / milli
	values["seen99"] = plan.Percentile(seen, 0.99) / milli
	took, err := spreadAll(ctx, c, b.Size(10_000, 1000), observers...)
	if err != nil {
		return err
	}
	values["bulk"] = took / second
	c.Forget(i)
	if err := c.AwaitReached(ctx, len(others), others...); err != nil {
		return err
	}
	took, err = killMany(ctx, c, b.Size(10_000, 1000), others...)
	values["kill"] = took / milli
	return err
}
