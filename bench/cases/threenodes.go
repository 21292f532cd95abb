package cases

import (
	"context"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const threeNodesGroup = "Three nodes"

func threeNodes() []plan.Case {
	return []plan.Case{registerThree(), visible(), bulk(), kill(), frozen()}
}

// registerThree registers names one after the other on one of three nodes.
func registerThree() plan.Case {
	faster := plan.Aim{Text: "< 100 us and 7 times as fast as global", Below: 100, Ratio: 7}
	return plan.Case{
		ID: "register-3", Group: threeNodesGroup,
		Measures: []plan.Measure{
			{Key: "arbitrated50", Work: "register, median", Unit: "us",
				Aims: map[string]plan.Aim{"": below(100, "< 100 us"), "global": faster}},
			{Key: "arbitrated99", Work: "register, p99", Unit: "us", Aims: only(below(300, "< 300 us"), cluster.Global)},
			{Key: "optimistic50", Work: "register optimistically, median (pg: join, without uniqueness)", Unit: "us",
				Aims: only(below(3, "< 3 us"), cluster.PG)},
			{Key: "optimistic99", Work: "register optimistically, p99 (pg: join, without uniqueness)", Unit: "us",
				Aims: only(plan.Aim{}, cluster.PG)},
		},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			values := plan.Values{}
			for _, mode := range modesOf(c.Kind) {
				pairs, err := c.Ask(ctx, 0, "sequence", mode, session, 0, b.Size(1000, 100), 0)
				if err != nil {
					return nil, err
				}
				if _, err := c.Ask(ctx, 0, "drop", session); err != nil {
					return nil, err
				}
				d := durations(pairs)
				values[mode+"50"] = plan.Percentile(d, 0.5) / micro
				values[mode+"99"] = plan.Percentile(d, 0.99) / micro
			}
			return values, nil
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// modesOf returns the modes in which a kind registers: with global's, which locks
// all nodes, our arbitrated one is compared, and with pg's, which asks nobody, our
// optimistic one.
func modesOf(kind cluster.Kind) []string {
	switch kind {
	case cluster.Global:
		return []string{arbitrated}
	case cluster.Rollcall:
		return []string{arbitrated, optimistic}
	}
	return []string{optimistic}
}

// visible registers names some milliseconds apart and notes when another node
// sees each; then it ends their processes and notes when they are gone.
func visible() plan.Case {
	asPG := func(limit float64, text string) plan.Aim { return plan.Aim{Text: text, Below: limit, Ratio: 1} }
	up := func(mode string, peer cluster.Kind, quantile, work string, aim plan.Aim) plan.Measure {
		return plan.Measure{Key: mode + quantile, Work: work, Unit: "us", Aims: map[string]plan.Aim{"": aim, string(peer): aim}}
	}
	return plan.Case{
		ID: "visible-3", Group: threeNodesGroup,
		Measures: []plan.Measure{
			up(optimistic, cluster.PG, "50", "call until visible on another node, median (optimistic)", asPG(70, "< 70 us and not above pg")),
			up(optimistic, cluster.PG, "99", "call until visible on another node, p99 (optimistic)", asPG(200, "< 200 us and not above pg")),
			up(arbitrated, cluster.Global, "50", "call until visible on another node, median (arbitrated)", plan.Aim{Text: "not above global", Ratio: 1}),
			up(arbitrated, cluster.Global, "99", "call until visible on another node, p99 (arbitrated)", plan.Aim{Text: "not above global", Ratio: 1}),
			{Key: "gone", Work: "process ended until gone on another node, median", Unit: "us",
				Aims: only(below(100, "< 100 us"), cluster.Global, cluster.PG)},
		},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			values := plan.Values{}
			for _, mode := range modesOf(c.Kind) {
				seen, gone, err := seenAndGone(ctx, c, mode, b.Size(400, 50), 2)
				if err != nil {
					return nil, err
				}
				values[mode+"50"] = plan.Percentile(seen, 0.5) / micro
				values[mode+"99"] = plan.Percentile(seen, 0.99) / micro
				values["gone"] = plan.Percentile(gone, 0.5) / micro
			}
			return values, nil
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// gap is how far apart names are registered whose way is timed, in microseconds:
// far enough for the network to be idle.
const gap = 2000

// seenAndGone registers names on the first node and ends their processes. It
// returns, for each name, how long it took from the call until it was seen, and
// from the end until it was gone, on the last of the observers, in nanoseconds.
func seenAndGone(ctx context.Context, c *cluster.Cluster, mode string, count int, observers ...int) (seen, gone []float64, err error) {
	return seenAndGoneAs(ctx, c, mode, session, count, observers...)
}

// seenAndGoneAs is seenAndGone with names of another prefix.
func seenAndGoneAs(
	ctx context.Context, c *cluster.Cluster, mode, prefix string, count int, observers ...int,
) (seen, gone []float64, err error) {
	if _, err := c.AskAll(ctx, observers, "observe", "up", prefix, 0, count); err != nil {
		return nil, nil, err
	}
	pairs, err := c.Ask(ctx, 0, "sequence", mode, prefix, 0, count, gap)
	if err != nil {
		return nil, nil, err
	}
	up, err := c.AskAll(ctx, observers, "observed")
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.AskAll(ctx, observers, "observe", "gone", prefix, 0, count); err != nil {
		return nil, nil, err
	}
	ends, err := c.Ask(ctx, 0, "end-each", prefix, gap)
	if err != nil {
		return nil, nil, err
	}
	down, err := c.AskAll(ctx, observers, "observed")
	if err != nil {
		return nil, nil, err
	}
	pairsOfEnds := make([]int64, 0, 2*len(ends))
	for _, at := range ends {
		pairsOfEnds = append(pairsOfEnds, at, at)
	}
	return delays(pairs, up...), delays(pairsOfEnds, down...), nil
}

// bulk registers many names on one node and waits until the others have all.
func bulk() plan.Case {
	return plan.Case{
		ID: "bulk-3", Group: threeNodesGroup,
		Measures: []plan.Measure{
			{Key: "100k", Work: "100,000 names from one node, all visible on the others", Unit: "s", Aims: map[string]plan.Aim{
				"": below(0.5, "< 0.5 s"), "pg": {Text: "< 0.5 s and 3 times sooner than pg", Below: 0.5, Ratio: 3},
			}},
			{Key: "2k", Work: "2,000 names from one node, all visible on the others", Unit: "s",
				Aims: only(plan.Aim{}, cluster.Global)},
		},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			sizes := map[string]int{"100k": b.Size(100_000, 5000), "2k": b.Size(2000, 200)}
			switch c.Kind {
			case cluster.Global:
				delete(sizes, "100k") // it would take minutes
			case cluster.PG:
				delete(sizes, "2k")
			}
			values := plan.Values{}
			for key, count := range sizes {
				took, err := spreadAll(ctx, c, count, 1, 2)
				if err != nil {
					return nil, err
				}
				values[key] = took / second
			}
			return values, nil
		}}.sides(cluster.Rollcall, cluster.PG, cluster.Global),
	}
}

// spreadAll registers names on the first node and returns how long it took until
// the last of the others had all of them, in nanoseconds. Then it ends their
// processes, and waits until the names are gone everywhere.
func spreadAll(ctx context.Context, c *cluster.Cluster, count int, others ...int) (float64, error) {
	holders := min(count, 100)
	if c.Kind == cluster.Global {
		holders = 0 // a process has one name at most
	}
	filled, err := c.Ask(ctx, 0, "fill", many, session, 0, count, holders)
	if err != nil {
		return 0, err
	}
	have, err := c.AskAll(ctx, others, "await-count", "atleast", count)
	if err != nil {
		return 0, err
	}
	if _, err := c.Ask(ctx, 0, "drop", session); err != nil {
		return 0, err
	}
	_, err = c.AskAll(ctx, others, "await-count", "atmost", 0)
	return float64(latest(have) - filled[0]), err
}

// kill kills a node and waits until its names are gone on the others.
func kill() plan.Case {
	return plan.Case{
		ID: "kill-3", Group: threeNodesGroup,
		Measures: []plan.Measure{
			{Key: "one", Work: "node killed, one name gone on the others", Unit: "ms",
				Aims: only(below(10, "< 10 ms"), cluster.Global, cluster.PG)},
			{Key: "100k", Work: "node killed, 100,000 names gone on the others", Unit: "ms", Aims: map[string]plan.Aim{
				"": below(150, "< 150 ms"), "pg": {Text: "< 150 ms and sooner than pg", Below: 150, Ratio: 1},
			}},
			{Key: "2k", Work: "node killed, 2,000 names gone on the others", Unit: "ms", Aims: only(plan.Aim{}, cluster.Global)},
		},
		Sides: work{open: nodes(2), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			values := plan.Values{}
			took, err := killOne(ctx, c)
			if err != nil {
				return nil, err
			}
			values["one"] = took / milli
			for key, count := range map[string]int{"100k": b.Size(100_000, 5000), "2k": b.Size(2000, 200)} {
				if c.Kind == cluster.Global && key == "100k" || c.Kind == cluster.PG && key == "2k" {
					continue
				}
				took, err := killMany(ctx, c, count, 0, 1)
				if err != nil {
					return nil, err
				}
				values[key] = took / milli
			}
			return values, nil
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// killOne adds a node with one name and kills it. It returns how long it took
// until the name was gone on the first two nodes, in nanoseconds.
func killOne(ctx context.Context, c *cluster.Cluster) (float64, error) {
	i, err := c.Add(ctx, 0, 1)
	if err != nil {
		return 0, err
	}
	defer c.Forget(i)
	if _, err := c.Ask(ctx, i, "fill", arbitrated, session, 0, 1, 1); err != nil {
		return 0, err
	}
	if _, err := c.AskAll(ctx, []int{0, 1}, "await-count", "atleast", 1); err != nil {
		return 0, err
	}
	if _, err := c.AskAll(ctx, []int{0, 1}, "observe", "gone", session, 0, 1); err != nil {
		return 0, err
	}
	shot, err := c.Node(i).Shoot()
	if err != nil {
		return 0, err
	}
	gone, err := c.AskAll(ctx, []int{0, 1}, "observed")
	if err != nil {
		return 0, err
	}
	return float64(latest(gone) - shot.UnixNano()), nil
}

// killMany adds a node with many names and kills it. It returns how long it took
// until all were gone on the other nodes, in nanoseconds.
func killMany(ctx context.Context, c *cluster.Cluster, count int, others ...int) (float64, error) {
	i, err := c.Add(ctx, others...)
	if err != nil {
		return 0, err
	}
	defer c.Forget(i)
	holders := 100
	if c.Kind == cluster.Global {
		holders = 0
	}
	if _, err := c.Ask(ctx, i, "fill", many, session, 0, count, holders); err != nil {
		return 0, err
	}
	if _, err := c.AskAll(ctx, others, "await-count", "atleast", count); err != nil {
		return 0, err
	}
	shot, err := c.Node(i).Shoot()
	if err != nil {
		return 0, err
	}
	gone, err := c.AskAll(ctx, others, "await-count", "atmost", 0)
	if err != nil {
		return 0, err
	}
	return float64(latest(gone) - shot.UnixNano()), nil
}

// frozen stops a node without killing it and waits until its name is gone on
// another. All rounds run at once: nothing happens for a minute.
func frozen() plan.Case {
	return plan.Case{
		ID: "frozen-3", Group: threeNodesGroup, Waits: true, Slow: true,
		Measures: []plan.Measure{{
			Key: "gone", Work: "node frozen, its name gone on the others, default settings", Unit: "s",
			Aims: only(below(6, "< 6 s"), cluster.Global, cluster.PG),
		}},
		Sides: work{
			open: nodes(3),
			prepare: func(ctx context.Context, _ *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 0, "fill", arbitrated, session, 0, 1, 1)
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				if _, err := c.AskAll(ctx, []int{1, 2}, "await-count", "atleast", 1); err != nil {
					return nil, err
				}
				stopped, err := c.Node(0).Freeze()
				if err != nil {
					return nil, err
				}
				gone, err := c.AskAll(ctx, []int{1, 2}, "await-count", "atmost", 0)
				if err != nil {
					return nil, err
				}
				return plan.Values{"gone": float64(latest(gone)-stopped.UnixNano()) / second}, nil
			},
		}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}
