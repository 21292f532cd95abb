package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

func crowds() []plan.Case { return []plan.Case{hundred(), idleMillion()} }

// bare starts a program without a node in it.
func bare(env ...string) func(context.Context, *plan.Bench, cluster.Kind) (*cluster.Cluster, error) {
	return func(_ context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
		return b.Stage.Bare(kind, env...)
	}
}

// hundred runs a hundred nodes in one program over real sockets: they form, carry
// updates, are cut in two and heal.
func hundred() plan.Case {
	return plan.Case{
		ID: "crowd-100", Group: largeGroup, Slow: true, Limit: 4 * time.Minute,
		Measures: []plan.Measure{
			{Key: "form", Work: "100 real nodes in one program: start until each reaches all", Unit: "s", Aims: only(below(30, "< 30 s"))},
			{Key: "carried", Work: "the same, 1,000 updates/s: share of (update, node) pairs that arrive", Unit: "%", More: true,
				Aims: only(plan.Aim{Text: "100 %", AtLeast: 100})},
			{Key: "delay50", Work: "the same: call until visible on another node, median", Unit: "ms", Aims: only(plan.Aim{})},
			{Key: "delay99", Work: "the same, p99", Unit: "ms", Aims: only(below(1000, "< 1 s"))},
			{Key: "register", Work: "register on 100 nodes, median", Unit: "us", Against: "three", AgainstName: "rollcall, 3 nodes in one program",
				Aims: map[string]plan.Aim{"": {Text: "flat: at most 1.5 times", Ratio: 1 / 1.5}}},
			{Key: "heal", Work: "100 nodes split in halves, 100 names on both sides, heal until all agree", Unit: "s",
				Aims: only(below(5, "< 5 s"))},
		},
		Sides: work{open: bare(), round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
			values := plan.Values{}
			three, err := crowdRegister(ctx, c, "gossip", fmt.Sprintf("three%d", round), 3)
			if err != nil {
				return nil, err
			}
			values["three"] = three / micro
			formed, err := c.Ask(ctx, 0, "crowd", "gossip", fmt.Sprintf("hundred%d", round), b.Size(100, 6))
			if err != nil {
				return nil, err
			}
			values["form"] = float64(formed[0]) / second
			time.Sleep(2 * settle)
			pairs, err := c.Ask(ctx, 0, "crowd-register", arbitrated, other, b.Size(200, 20))
			if err != nil {
				return nil, err
			}
			values["register"] = plan.Percentile(durations(pairs), 0.5) / micro
			if err := carry(ctx, c, values, b.Size(1000, 200), b.Size(4000, 300)); err != nil {
				return nil, err
			}
			if _, err := c.Ask(ctx, 0, "crowd-split", "splitup", 100); err != nil {
				return nil, err
			}
			healed, err := c.Ask(ctx, 0, "crowd-heal")
			if err != nil {
				return nil, err
			}
			values["heal"] = float64(healed[0]) / second
			_, err = c.Ask(ctx, 0, "crowd-close")
			return values, err
		}}.sides(cluster.Rollcall),
	}
}

// crowdRegister opens a crowd, registers on it, closes it, and returns the median
// in nanoseconds.
func crowdRegister(ctx context.Context, c *cluster.Cluster, kind, label string, size int) (float64, error) {
	if _, err := c.Ask(ctx, 0, "crowd", kind, label, size); err != nil {
		return 0, err
	}
	time.Sleep(2 * settle)
	pairs, err := c.Ask(ctx, 0, "crowd-register", arbitrated, session, 200)
	if err != nil {
		return 0, err
	}
	_, err = c.Ask(ctx, 0, "crowd-close")
	return plan.Percentile(durations(pairs), 0.5), err
}

// carry has a crowd carry updates at a rate for some milliseconds.
func carry(ctx context.Context, c *cluster.Cluster, values plan.Values, rate, millis int) error {
	reply, err := c.Ask(ctx, 0, "crowd-carry", "carried", rate, millis)
	if err != nil {
		return err
	}
	values["carried"] = 100 * float64(reply[0]) / float64(reply[1])
	d := make([]float64, len(reply)-2)
	for i := range d {
		d[i] = float64(reply[i+2])
	}
	values["delay50"] = plan.Percentile(d, 0.5) / milli
	values["delay99"] = plan.Percentile(d, 0.99) / milli
	return nil
}

// idleMillion lets fifty nodes be idle that all have the same million names. They
// are in one program, connected in memory, since the machine would not have room
// for fifty programs.
func idleMillion() plan.Case {
	return plan.Case{
		ID: "idle-1m-50", Group: largeGroup, Limit: 8 * time.Minute,
		Measures: []plan.Measure{
			{Key: "bytes", Work: "50 idle nodes with the same 1,000,000 names: sent by one, without membership", Unit: "B/s",
				Aims: only(below(1000, "< 1 KB/s"))},
			{Key: "cpu", Work: "the same: processor time of one", Unit: "ms/s", Aims: only(plan.Aim{})},
		},
		Sides: work{
			// The names alone take some 12 GB; garbage is collected early.
			open: bare("GOGC=20"),
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				if _, err := c.Ask(ctx, 0, "crowd", "memory", "idle", b.Size(50, 5)); err != nil {
					return err
				}
				for from, all, step := 0, b.Size(1_000_000, 2000), b.Size(50_000, 1000); from < all; from += step {
					if _, err := c.Ask(ctx, 0, "crowd-fill", session, from, step); err != nil {
						return err
					}
				}
				_, err := c.Ask(ctx, 0, "heap") // so that no garbage is collected while it is idle
				return err
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				idle, err := crowdIdle(ctx, c, b.Size(50, 5), time.Duration(b.Size(4000, 200))*time.Millisecond)
				if err != nil {
					return nil, err
				}
				return plan.Values{"bytes": idle.registry, "cpu": idle.cpu / milli}, nil
			},
		}.sides(cluster.Rollcall),
	}
}

// idling is what an idle node of a crowd uses in a second: bytes that the registry
// and the membership send, and nanoseconds.
type idling struct{ registry, membership, cpu float64 }

func crowdIdle(ctx context.Context, c *cluster.Cluster, size int, wait time.Duration) (idling, error) {
	before, err := crowdUsed(ctx, c)
	if err != nil {
		return idling{}, err
	}
	time.Sleep(wait)
	after, err := crowdUsed(ctx, c)
	each := float64(size) * wait.Seconds()
	return idling{
		registry:   (after[0] - before[0]) / each,
		membership: (after[1] - before[1]) / each,
		cpu:        (after[2] - before[2]) / each,
	}, err
}

func crowdUsed(ctx context.Context, c *cluster.Cluster) (used [3]float64, err error) {
	sent, err := c.Ask(ctx, 0, "crowd-sent")
	if err != nil {
		return used, err
	}
	cpu, err := c.Ask(ctx, 0, "cpu")
	if err != nil {
		return used, err
	}
	return [3]float64{float64(sent[0]), float64(sent[1]), float64(cpu[0])}, nil
}
