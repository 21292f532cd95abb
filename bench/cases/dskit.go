package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

// dskitKeys is over how many keys the names are spread in a KV that holds many:
// one key is one value there.
const dskitKeys = 5

// changeLarge registers one name after the other where there are 10,000: in dskit
// each is a CAS of a key with so many entries.
func changeLarge() plan.Case {
	better := plan.Aim{Text: "less", Ratio: 1}
	return plan.Case{
		ID: "change-10k", Group: goPeersGroup,
		Measures: []plan.Measure{
			{Key: "seen", Work: "three nodes with 10,000 entries: one more is visible everywhere, median (dskit: CAS of a key)", Unit: "ms",
				Aims: only(better, cluster.Dskit)},
			{Key: "cpu", Work: "the same: processor time of all nodes for each change", Unit: "ms", Aims: only(better, cluster.Dskit)},
		},
		Sides: work{
			open: nodes(3),
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				return spreadEntries(ctx, c, []string{session}, b.Size(10_000, 500))
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error) {
				count := b.Size(20, 5)
				from := b.Size(10_000, 500) + round*count
				// A prefix of its own where a key is not a value, so that it can be dropped.
				prefix := session
				if c.Kind == cluster.Rollcall {
					prefix = fmt.Sprintf("chang%02d", round)
				}
				others := []int{1, 2}
				if c.Kind == cluster.Dskit {
					if _, err := c.AskAll(ctx, others, "watch", prefix, from, count); err != nil {
						return nil, err
					}
				}
				if _, err := c.AskAll(ctx, others, "observe", "up", prefix, from, count); err != nil {
					return nil, err
				}
				before, err := cpuOf(ctx, c, numbers(0, 3)...)
				if err != nil {
					return nil, err
				}
				pairs, err := c.Ask(ctx, 0, "sequence", optimistic, prefix, from, count, 37_000)
				if err != nil {
					return nil, err
				}
				seen, err := c.AskAll(ctx, others, "observed")
				if err != nil {
					return nil, err
				}
				after, err := cpuOf(ctx, c, numbers(0, 3)...)
				return plan.Values{
					"seen": plan.Percentile(delays(pairs, seen...), 0.5) / milli,
					"cpu":  float64(after-before) / float64(count) / milli,
				}, err
			},
		}.sides(cluster.Rollcall, cluster.Dskit),
	}
}

// spreadEntries registers names on the first of three nodes and waits until the
// others have them.
func spreadEntries(ctx context.Context, c *cluster.Cluster, prefixes []string, count int) error {
	for _, prefix := range prefixes {
		if _, err := c.Ask(ctx, 0, "fill", many, prefix, 0, count, 10); err != nil {
			return err
		}
	}
	if c.Kind != cluster.Dskit {
		_, err := c.AskAll(ctx, []int{1, 2}, "await-count", "atleast", count*len(prefixes))
		return err
	}
	for _, prefix := range prefixes {
		for have := false; !have; time.Sleep(10 * time.Millisecond) {
			counts, err := c.AskAll(ctx, []int{1, 2}, "count", prefix)
			if err != nil && ctx.Err() != nil {
				return err
			}
			// A key that is not there yet is an error.
			have = err == nil && min(counts[0][0], counts[1][0]) == int64(count)
		}
	}
	return nil
}

// cpuOf returns the processor time that some nodes have used, in nanoseconds.
func cpuOf(ctx context.Context, c *cluster.Cluster, nodes ...int) (sum int64, err error) {
	used, err := c.AskAll(ctx, nodes, "cpu")
	for _, u := range used {
		sum += u[0]
	}
	return sum, err
}

// idleLarge lets three nodes with 50,000 entries be idle for more than two of
// memberlist's intervals of push/pull, in which dskit exchanges its whole state.
func idleLarge() plan.Case {
	const wait = 65 * time.Second
	better := plan.Aim{Text: "less", Ratio: 1}
	return plan.Case{
		ID: "idle-50k", Group: goPeersGroup, Waits: true, Slow: true,
		Measures: []plan.Measure{
			{Key: "bytes", Work: "three idle nodes with 50,000 entries: sent by one, membership included", Unit: "B/s", Aims: only(better, cluster.Dskit)},
			{Key: "cpu", Work: "three idle nodes with 50,000 entries: processor time of one", Unit: "ms/s", Aims: only(better, cluster.Dskit)},
		},
		Sides: work{
			open: nodes(3),
			prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
				var prefixes []string
				for i := range dskitKeys {
					prefixes = append(prefixes, fmt.Sprintf("idle%03d", i))
				}
				return spreadEntries(ctx, c, prefixes, b.Size(50_000, 500)/dskitKeys)
			},
			round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
				pause := wait
				if b.Quick {
					pause = time.Second
				}
				before, cpu, err := used(ctx, c)
				if err != nil {
					return nil, err
				}
				time.Sleep(pause)
				after, cpuAfter, err := used(ctx, c)
				each := 3 * pause.Seconds()
				return plan.Values{
					"bytes": float64(after-before) / each,
					"cpu":   float64(cpuAfter-cpu) / each / milli,
				}, err
			},
		}.sides(cluster.Rollcall, cluster.Dskit),
	}
}

// used returns the bytes that three nodes have sent and the processor time that
// they have used.
func used(ctx context.Context, c *cluster.Cluster) (bytes, cpu int64, err error) {
	sent, err := c.AskAll(ctx, numbers(0, 3), "sent")
	if err != nil {
		return 0, 0, err
	}
	for _, s := range sent {
		bytes += s[0] + s[1]
	}
	cpu, err = cpuOf(ctx, c, numbers(0, 3)...)
	return bytes, cpu, err
}
