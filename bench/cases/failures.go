package cases

import (
	"context"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

// crash kills one of three nodes and waits until another one knows.
func crash() plan.Case {
	return plan.Case{
		ID: "crash", Group: goPeersGroup, Waits: true,
		Measures: []plan.Measure{{
			Key: "noticed", Work: "one of three nodes killed, noticed by the last of the others", Unit: "ms",
			Aims: only(plan.Aim{Text: "sooner", Ratio: 1}, cluster.Memberlist),
		}},
		Sides: work{open: nodes(3), round: func(ctx context.Context, _ *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			shot, err := c.Node(2).Shoot()
			if err != nil {
				return nil, err
			}
			noticed, err := c.AskAll(ctx, []int{0, 1}, "gone")
			if err != nil {
				return nil, err
			}
			return plan.Values{"noticed": float64(latest(noticed)-shot.UnixNano()) / milli}, nil
		}}.sides(cluster.Rollcall, cluster.Memberlist),
	}
}

const (
	// longSplit is longer than memberlist gossips to nodes that it calls dead.
	longSplit = 40 * time.Second
	// healWait is how long a heal is waited for.
	healWait = 20 * time.Second
)

// healsItself cuts a cluster in two for longer than memberlist remembers the other
// side, mends the network, and waits.
func healsItself() plan.Case {
	return plan.Case{
		ID: "heals-itself", Group: goPeersGroup, Waits: true, Slow: true,
		Measures: []plan.Measure{{
			Key: "heal", Work: "split of 40 s, mended until all reach each other (20 s: not at all)", Unit: "s",
			Aims: only(plan.Aim{Text: "< 2 s, by itself", Below: 2}, cluster.Memberlist),
		}},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			a, z, all := []int{0, 1}, []int{2}, numbers(0, 3)
			if err := c.Cut(ctx, a, z); err != nil {
				return nil, err
			}
			pause, wait := longSplit, healWait
			if b.Quick {
				pause, wait = time.Second, time.Second
			}
			time.Sleep(pause)
			mended := time.Now()
			if err := c.Mend(ctx, a, z); err != nil {
				return nil, err
			}
			limited, end := context.WithTimeout(ctx, wait)
			defer end()
			if err := c.AwaitReached(limited, 3, all...); err != nil && limited.Err() == nil {
				return nil, err
			}
			return plan.Values{"heal": min(time.Since(mended), wait).Seconds()}, nil
		}}.sides(cluster.Rollcall, cluster.Memberlist),
	}
}
