package cases

import (
	"context"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

const largeGroup = "Large sizes"

// differences is in how many names two nodes differ that are to be reconciled.
const differences = 1000

func largeSizes() []plan.Case { return []plan.Case{million()} }

// million measures nodes with a million names.
func million() plan.Case {
	return plan.Case{
		ID: "million", Group: largeGroup, Limit: 4 * time.Minute,
		Measures: []plan.Measure{
			{Key: "late", Work: "a node joins a cluster with 1,000,000 names, until it has all", Unit: "s",
				Aims: only(below(5, "< 5 s"), cluster.PG)},
			{Key: "register", Work: "register on three nodes with 1,000,000 names, median", Unit: "us", Against: "few",
				AgainstName: "rollcall, 1,000 names",
				Aims:        map[string]plan.Aim{"": {Text: "flat: at most 1.5 times", Ratio: 1 / 1.5}}},
			{Key: "bytes", Work: "two nodes with 1,000,000 names that differ in 1,000: sent by both, heal until equal", Unit: "KB",
				Aims: only(below(400, "< 400 KB"))},
			{Key: "cpu", Work: "the same: processor time of the busier side", Unit: "ms", Aims: only(below(100, "< 100 ms"))},
			{Key: "heal", Work: "the same: time from the network's return until equal", Unit: "s", Aims: only(plan.Aim{})},
		},
		Sides: []plan.Side{millionOurs(), millionPG()},
	}
}

// fillFirst registers many names on the first node, a thousand for each process.
func fillFirst(ctx context.Context, c *cluster.Cluster, names int) error {
	_, err := c.Ask(ctx, 0, "fill", many, session, 0, names, max(1, names/1000))
	return err
}

// millionPG measures how a node of pg joins.
func millionPG() plan.Side {
	return work{
		open: nodes(1),
		prepare: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error {
			return fillFirst(ctx, c, b.Size(1_000_000, 2000))
		},
		round: func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, _ int) (plan.Values, error) {
			i, late, err := joinLate(ctx, c, b.Size(1_000_000, 2000))
			if err != nil {
				return nil, err
			}
			c.Forget(i)
			return plan.Values{"late": late / second}, c.AwaitReached(ctx, 1, 0)
		},
	}.sides(cluster.PG)[0]
}

// joinLate has one more node join and returns how long it took until it had all
// names, in nanoseconds.
func joinLate(ctx context.Context, c *cluster.Cluster, names int) (int, float64, error) {
	i, err := c.Launch(ctx)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := c.Join(ctx, i); err != nil {
		return 0, 0, err
	}
	whole, err := c.Ask(ctx, i, "await-count", "atleast", names)
	if err != nil {
		return 0, 0, err
	}
	return i, float64(whole[0] - began.UnixNano()), nil
}

// millionOurs has two nodes with a million names, and three with a thousand to
// compare with.
func millionOurs() plan.Side {
	return plan.Side{Peer: plan.Ours, Kind: cluster.Rollcall, Begin: func(ctx context.Context, b *plan.Bench) (*plan.Session, error) {
		few, err := b.Stage.Open(ctx, cluster.Rollcall, 3)
		if err != nil {
			return nil, err
		}
		lots, err := b.Stage.Open(ctx, cluster.Rollcall, 2)
		if err != nil {
			few.Close()
			return nil, err
		}
		s := &plan.Session{
			Round: func(ctx context.Context, round int) (plan.Values, error) {
				return millionRound(ctx, b, few, lots, round)
			},
			Close: func() { few.Close(); lots.Close() },
		}
		size := b.Size(1_000_000, 2000)
		if err = fillFirst(ctx, few, 1000); err == nil {
			err = fillFirst(ctx, lots, size)
		}
		if err == nil {
			_, err = lots.Ask(ctx, 1, "await-count", "atleast", size)
		}
		if err == nil {
			_, err = lots.AskAll(ctx, numbers(0, 2), "view-watch", session, size)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
		return s, nil
	}}
}

func millionRound(ctx context.Context, b *plan.Bench, few, lots *cluster.Cluster, round int) (plan.Values, error) {
	values := plan.Values{}
	i, late, err := joinLate(ctx, lots, b.Size(1_000_000, 2000))
	if err != nil {
		return nil, err
	}
	values["late"] = late / second
	if err := lots.AwaitReached(ctx, 3, 0, 1, i); err != nil {
		return nil, err
	}
	time.Sleep(2 * settle) // while a change of membership is new, two nodes are asked
	for key, c := range map[string]*cluster.Cluster{"register": lots, "few": few} {
		pairs, err := c.Ask(ctx, 0, "sequence", arbitrated, other, 0, b.Size(1000, 100), 0)
		if err != nil {
			return nil, err
		}
		values[key] = plan.Percentile(durations(pairs), 0.5) / micro
		if _, err := c.Ask(ctx, 0, "drop", other); err != nil {
			return nil, err
		}
	}
	lots.Forget(i)
	if err := lots.AwaitReached(ctx, 2, 0, 1); err != nil {
		return nil, err
	}
	h, err := reconcile(ctx, lots, []int{0}, []int{1}, b.Size(differences, 100), round)
	if err != nil {
		return nil, err
	}
	values["bytes"], values["cpu"], values["heal"] = h.bytes/1000, h.cpu/milli, h.took/second
	return values, nil
}
