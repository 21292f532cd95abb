package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const splitsGroup = "Splits"

func splits() []plan.Case {
	return []plan.Case{
		split("split-3", 3, 2, 10_000, map[string]plan.Aim{
			"global": {Text: "< 0.3 s, by itself, and sooner than global", Below: 0.3, Ratio: 1},
			"pg":     below(0.3, "< 0.3 s, by itself"),
		}),
		split("split-6", 6, 3, 1000, map[string]plan.Aim{
			"global": below(0.3, "< 0.3 s, by itself"), "pg": below(0.3, "< 0.3 s, by itself"),
		}),
		oneLink(),
	}
}

// parted returns what opens a cluster that is to be cut.
func parted(n int) func(context.Context, *plan.Bench, cluster.Kind) (*cluster.Cluster, error) {
	return func(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
		return b.Stage.Open(ctx, kind, n, cluster.AllowOverlap)
	}
}

// split cuts a cluster in two, registers the same names on both sides, and waits
// after the heal until all show the same. Nodes of Erlang are told to connect;
// ours find each other.
func split(id string, size, first, names int, aims map[string]plan.Aim) plan.Case {
	a, b := numbers(0, first), numbers(first, size-first)
	return plan.Case{
		ID: id, Group: splitsGroup, Slow: size > 3,
		Measures: []plan.Measure{{
			Key:  "heal",
			Work: fmt.Sprintf("split of %d nodes in %d and %d, %d names on both sides, heal until all agree", size, first, size-first, names),
			Unit: "s", Aims: aims,
		}},
		Sides: work{open: parted(size), round: func(ctx context.Context, bench *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
			took, err := healOf(ctx, c, a, b, fmt.Sprintf("split%02d", round), bench.Size(names, 100))
			return plan.Values{"heal": took / second}, err
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// settle is how long a cluster is left alone after a cut was noticed, and before
// a view counts as final.
const settle = time.Second

// healOf splits a cluster, has both sides register the same names, heals it, and
// returns how long after the heal the view of a node changed for the last time,
// in nanoseconds.
func healOf(ctx context.Context, c *cluster.Cluster, a, b []int, prefix string, names int) (float64, error) {
	all := slices.Concat(a, b)
	if err := c.Cut(ctx, a, b); err != nil {
		return 0, err
	}
	if err := c.AwaitReached(ctx, len(a), a...); err != nil {
		return 0, err
	}
	if err := c.AwaitReached(ctx, len(b), b...); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	if _, err := c.AskAll(ctx, []int{a[0], b[0]}, "fill", arbitrated, prefix, 0, names, 0); err != nil {
		return 0, err
	}
	for _, side := range [][]int{a, b} {
		if _, err := c.AskAll(ctx, side, "await-count", "atleast", names); err != nil {
			return 0, err
		}
	}
	if _, err := c.AskAll(ctx, all, "view-watch", prefix, names); err != nil {
		return 0, err
	}
	healed := time.Now()
	if err := c.Mend(ctx, a, b); err != nil {
		return 0, err
	}
	last, err := agreement(ctx, c, all)
	if err != nil {
		return 0, err
	}
	if _, err := c.AskAll(ctx, []int{a[0], b[0]}, "drop", prefix); err != nil {
		return 0, err
	}
	_, err = c.AskAll(ctx, all, "await-count", "atmost", 0)
	return float64(last - healed.UnixNano()), err
}

// agreement waits until all nodes reach each other, show the same, and have done
// so for a while, and returns when a view changed for the last time.
func agreement(ctx context.Context, c *cluster.Cluster, all []int) (int64, error) {
	if err := c.AwaitReached(ctx, len(all), all...); err != nil {
		return 0, err
	}
	for ; ctx.Err() == nil; time.Sleep(settle / 10) {
		views, err := c.AskAll(ctx, all, "view")
		if err != nil {
			return 0, err
		}
		last, same := latest(views), true
		for _, v := range views {
			same = same && v[1] == views[0][1]
		}
		if same && last > 0 && time.Now().UnixNano()-last > int64(settle) {
			return last, nil
		}
	}
	return 0, context.Cause(ctx)
}

// oneLink cuts one link of three and has both of its ends register a name.
func oneLink() plan.Case {
	return plan.Case{
		ID: "one-link", Group: splitsGroup,
		Measures: []plan.Measure{{
			Key: "answers", Work: "one link of three is cut, a name is claimed on both of its ends: different answers of the three nodes",
			Unit: "answers", Aims: only(below(1.5, "1"), cluster.Global, cluster.PG),
		}},
		Sides: work{open: parted(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
			prefix := fmt.Sprintf("link%03d", round)
			if err := c.Cut(ctx, []int{0}, []int{1}); err != nil {
				return nil, err
			}
			// Until the link is known to be down; what else goes down with it, goes.
			wait := 8 * time.Second
			if b.Quick || c.Kind != cluster.Rollcall {
				wait = 2 * time.Second
			}
			time.Sleep(wait)
			for _, i := range []int{0, 1} {
				// One of them may be told that the name is taken.
				_, _ = c.Ask(ctx, i, "fill", arbitrated, prefix, 0, 1, 1)
			}
			time.Sleep(settle)
			answers := map[int64]bool{}
			for i := range 3 {
				holder, err := c.Ask(ctx, i, "holder", prefix, 0)
				if err != nil {
					return nil, err
				}
				answers[holder[0]] = true
			}
			return plan.Values{"answers": float64(len(answers))}, restore(ctx, c, prefix)
		}}.sides(cluster.Rollcall, cluster.Global, cluster.PG),
	}
}

// restore mends the link between the first two nodes and removes their names.
func restore(ctx context.Context, c *cluster.Cluster, prefix string) error {
	if err := c.Mend(ctx, []int{0}, []int{1}); err != nil {
		return err
	}
	if c.Kind != cluster.Rollcall {
		// A node that lost all its peers with the one link is told of the third too.
		for i := range 2 {
			if _, err := c.Ask(ctx, i, "ping", c.Address(2)); err != nil {
				return err
			}
		}
	}
	if err := c.AwaitReached(ctx, 3, 0, 1, 2); err != nil {
		return err
	}
	// Which of them holds names is what was measured: one may have none to drop.
	_, _ = c.AskAll(ctx, []int{0, 1}, "drop", prefix)
	_, err := c.AskAll(ctx, numbers(0, 3), "await-count", "atmost", 0)
	return err
}
