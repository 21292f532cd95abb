package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const goPeersGroup = "Go peers on memberlist"

func goPeers() []plan.Case {
	return []plan.Case{
		spreadGo(3, cluster.Rollcall, cluster.Memberlist, cluster.Serf),
		spreadGo(30, cluster.Rollcall, cluster.Serf), spreadGo(100, cluster.Rollcall, cluster.Serf),
		rate(), steady(), joinTenMegabytes(), messages(), changeLarge(), idleLarge(), crash(), healsItself(),
	}
}

// modeOf returns how a kind spreads one name at a time.
func modeOf(kind cluster.Kind) string {
	switch kind {
	case cluster.Serf:
		return "tag"
	case cluster.Memberlist:
		return "broadcast"
	}
	return optimistic
}

// spreadGo notes how long it takes until another node sees what one spreads.
func spreadGo(size int, kinds ...cluster.Kind) plan.Case {
	better := plan.Aim{Text: "sooner", Ratio: 1}
	measures := []plan.Measure{
		{Key: "50", Work: fmt.Sprintf("%d nodes: call until visible on another node, median (serf: a tag; memberlist: its broadcast queue)", size),
			Unit: "ms", Aims: only(better, kinds[1:]...)},
		{Key: "99", Work: fmt.Sprintf("%d nodes: the same, p99", size), Unit: "ms", Aims: only(better, kinds[1:]...)},
	}
	return plan.Case{
		ID: fmt.Sprintf("spread-%d", size), Group: goPeersGroup, Slow: size > 3, Measures: measures,
		Sides: work{
			open: func(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
				return b.Stage.Open(ctx, kind, b.Size(size, 3))
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
				// Those that gossip need some hundred milliseconds for each.
				count, prefix := b.Size(10, 3), fmt.Sprintf("round%02d", round)
				if c.Kind == cluster.Rollcall {
					count = b.Size(200, 20)
				}
				last := b.Size(size, 3) - 1
				if _, err := c.Ask(ctx, last, "observe", "up", prefix, 0, count); err != nil {
					return nil, err
				}
				pause := gap
				if c.Kind == cluster.Memberlist {
					pause = 37_000 // so that the calls meet its ticks at different times
				}
				pairs, err := c.Ask(ctx, 0, "sequence", modeOf(c.Kind), prefix, 0, count, pause)
				if err != nil {
					return nil, err
				}
				seen, err := c.Ask(ctx, last, "observed")
				if err != nil {
					return nil, err
				}
				d := delays(pairs, seen)
				return plan.Values{"50": plan.Percentile(d, 0.5) / milli, "99": plan.Percentile(d, 0.99) / milli}, nil
			},
		}.sides(kinds...),
	}
}

// rate makes as many updates on one of three nodes as it can for some seconds and
// counts those that the others have seen a second later.
func rate() plan.Case {
	return plan.Case{
		ID: "rate", Group: goPeersGroup,
		Measures: []plan.Measure{{
			Key: "rate", Work: "updates per second from one of three nodes that reach the others (memberlist: its broadcast queue)",
			Unit: "updates/s", More: true, Aims: only(plan.Aim{Text: "more", Ratio: 1}, cluster.Memberlist),
		}},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
			prefix, count := fmt.Sprintf("rate%03d", round), b.Size(100_000, 2000)
			if c.Kind == cluster.Memberlist {
				count = b.Size(1000, 100)
			}
			if _, err := c.AskAll(ctx, []int{1, 2}, "observe", "up", prefix, 0, count); err != nil {
				return nil, err
			}
			began := time.Now()
			if _, err := c.Ask(ctx, 0, "sequence", modeOf(c.Kind), prefix, 0, count, 0); err != nil {
				return nil, err
			}
			for limit := time.Now().Add(time.Duration(b.Size(5, 1)) * time.Second); ; time.Sleep(5 * time.Millisecond) {
				seen, err := c.AskAll(ctx, []int{1, 2}, "seen")
				if err != nil {
					return nil, err
				}
				all := min(seen[0][0], seen[1][0])
				if all == int64(count) || time.Now().After(limit) {
					took := time.Since(began)
					return plan.Values{"rate": float64(all) / took.Seconds()}, emptied(ctx, c, prefix)
				}
			}
		}}.sides(cluster.Rollcall, cluster.Memberlist),
	}
}

// emptied removes the names of a prefix where they do not go by themselves.
func emptied(ctx context.Context, c *cluster.Cluster, prefix string) error {
	if c.Kind != cluster.Rollcall {
		return nil
	}
	_, err := c.Ask(ctx, 0, "drop", prefix)
	return err
}

// steady makes 300 updates a second for some seconds and counts those that get
// lost.
func steady() plan.Case {
	return plan.Case{
		ID: "steady-300", Group: goPeersGroup,
		Measures: []plan.Measure{{
			Key: "seen", Work: "300 updates a second on one of three nodes: share that the others have seen 3 s later (serf: user events)",
			Unit: "%", More: true, Aims: only(plan.Aim{Text: "100 %", AtLeast: 100}, cluster.Serf, cluster.Memberlist),
		}},
		Sides: work{open: nodes(3), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
			prefix, count := fmt.Sprintf("calm%03d", round), b.Size(900, 60)
			if _, err := c.AskAll(ctx, []int{1, 2}, "observe", "up", prefix, 0, count); err != nil {
				return nil, err
			}
			mode := modeOf(c.Kind)
			if c.Kind == cluster.Serf {
				mode = "event"
			}
			if _, err := c.Ask(ctx, 0, "sequence", mode, prefix, 0, count, 1_000_000/300); err != nil {
				return nil, err
			}
			time.Sleep(3 * time.Second)
			seen, err := c.AskAll(ctx, []int{1, 2}, "seen")
			if err != nil {
				return nil, err
			}
			share := 100 * float64(seen[0][0]+seen[1][0]) / float64(2*count)
			return plan.Values{"seen": share}, emptied(ctx, c, prefix)
		}}.sides(cluster.Rollcall, cluster.Memberlist, cluster.Serf),
	}
}

// joinTenMegabytes starts a node beside one that has about 10 MB of names and
// values, and waits until it has them.
func joinTenMegabytes() plan.Case {
	const valueSize = 76 // with a name of 24 bytes 100
	return plan.Case{
		ID: "join-10mb", Group: goPeersGroup,
		Measures: []plan.Measure{{
			Key: "join", Work: "a node joins one with 10 MB of state (memberlist: push/pull of one block)", Unit: "s",
			Aims: only(plan.Aim{Text: "sooner", Ratio: 1}, cluster.Memberlist),
		}},
		Sides: work{
			open: nodes(1),
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				names := b.Size(100_000, 1000)
				if c.Kind == cluster.Memberlist {
					_, err := c.Ask(ctx, 0, "state", session, names, valueSize)
					return err
				}
				_, err := c.Ask(ctx, 0, "fill-values", session, names, valueSize)
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				i, err := c.Launch(ctx)
				if err != nil {
					return nil, err
				}
				began := time.Now()
				if err := c.Join(ctx, i); err != nil {
					return nil, err
				}
				defer c.Forget(i)
				verb, args := "await-count", []any{"atleast", b.Size(100_000, 1000)}
				if c.Kind == cluster.Memberlist {
					verb, args = "merged", nil
				}
				whole, err := c.Ask(ctx, i, verb, args...)
				if err != nil {
					return nil, err
				}
				return plan.Values{"join": float64(whole[len(whole)-1]-began.UnixNano()) / second}, nil
			},
		}.sides(cluster.Rollcall, cluster.Memberlist),
	}
}

// messages sends as many messages of 64 bytes to another node as it can.
func messages() plan.Case {
	return plan.Case{
		ID: "messages", Group: goPeersGroup,
		Measures: []plan.Measure{{
			Key: "rate", Work: "messages of 64 bytes to a process on another node (memberlist: SendReliable)", Unit: "messages/s",
			More: true, Aims: only(plan.Aim{Text: "more", Ratio: 1}, cluster.Memberlist),
		}},
		Sides: work{
			open: nodes(2),
			prepare: func(ctx context.Context, _ *plan.Bench, c *cluster.Cluster) error {
				_, err := c.Ask(ctx, 1, "handle")
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				before, err := c.Ask(ctx, 1, "handled")
				if err != nil {
					return nil, err
				}
				sent, err := c.Ask(ctx, 0, "flood", b.Size(1000, 100), 64, 1)
				if err != nil {
					return nil, err
				}
				time.Sleep(200 * time.Millisecond) // what is under way arrives
				after, err := c.Ask(ctx, 1, "handled")
				if err != nil {
					return nil, err
				}
				took := float64(after[1] - sent[1])
				return plan.Values{"rate": float64(after[0]-before[0]) / took * second}, nil
			},
		}.sides(cluster.Rollcall, cluster.Memberlist),
	}
}
