package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
)

// reconciliation is what a heal cost: bytes that the registries of all nodes sent,
// nanoseconds of the busiest node, and nanoseconds that it took.
type reconciliation struct{ bytes, cpu, took float64 }

// reconcile cuts a cluster of rollcall in two, changes some of the names that its
// first node holds, mends the network, and waits until all show the same. The
// nodes watch their views already; round makes new names differ from earlier ones.
func reconcile(ctx context.Context, c *cluster.Cluster, a, b []int, count, round int) (reconciliation, error) {
	var none reconciliation
	all := slices.Concat(a, b)
	if err := c.Cut(ctx, a, b); err != nil {
		return none, err
	}
	for _, side := range [][]int{a, b} {
		if err := c.AwaitReached(ctx, len(side), side...); err != nil {
			return none, err
		}
	}
	if _, err := c.Ask(ctx, 0, "change", session, fmt.Sprintf("heal%03d", round), count); err != nil {
		return none, err
	}
	time.Sleep(settle / 2)
	before, err := costs(ctx, c, all)
	if err != nil {
		return none, err
	}
	mended := time.Now()
	if err := c.Mend(ctx, a, b); err != nil {
		return none, err
	}
	if err := c.AwaitReached(ctx, len(all), all...); err != nil {
		return none, err
	}
	for equal := false; !equal; {
		time.Sleep(5 * time.Millisecond)
		if equal, err = sameView(ctx, c, all); err != nil {
			return none, err
		}
	}
	h := reconciliation{took: float64(time.Since(mended))}
	after, err := costs(ctx, c, all)
	if err != nil {
		return none, err
	}
	for i := range after {
		h.bytes += after[i].sent - before[i].sent
		h.cpu = max(h.cpu, after[i].cpu-before[i].cpu)
	}
	return h, nil
}

// sameView reports whether some nodes show the same.
func sameView(ctx context.Context, c *cluster.Cluster, nodes []int) (bool, error) {
	views, err := c.AskAll(ctx, nodes, "view")
	if err != nil {
		return false, err
	}
	for _, v := range views {
		if v[1] != views[0][1] {
			return false, nil
		}
	}
	return true, nil
}

// cost is what a node has used up to now: bytes that the registry sent, and
// nanoseconds.
type cost struct{ sent, cpu float64 }

func costs(ctx context.Context, c *cluster.Cluster, nodes []int) ([]cost, error) {
	sent, err := c.AskAll(ctx, nodes, "sent")
	if err != nil {
		return nil, err
	}
	cpu, err := c.AskAll(ctx, nodes, "cpu")
	if err != nil {
		return nil, err
	}
	all := make([]cost, len(nodes))
	for i := range all {
		all[i] = cost{sent: float64(sent[i][0]), cpu: float64(cpu[i][0])}
	}
	return all, nil
}
