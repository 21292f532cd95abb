package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// nodeCurves are the curves against nodes.
func nodeCurves() []plan.Curve {
	return []plan.Curve{
		{ID: "nodes-form", Title: "Start until each node reaches all", Unit: "s", Against: "nodes"},
		{ID: "nodes-register", Title: "Register, median", Unit: "us", Against: "nodes"},
		{ID: "nodes-spread", Title: "Call until visible on another node, 100 updates/s, median", Unit: "ms", Against: "nodes"},
		{ID: "nodes-idle", Title: "Idle: sent by one node", Unit: "B/s", Against: "nodes"},
		{ID: "nodes-cpu", Title: "Idle: processor time of one node", Unit: "ms/s", Against: "nodes"},
		{ID: "nodes-memory", Title: "Memory of one node with 1,000 names", Unit: "KB", Against: "nodes"},
		{ID: "nodes-heal-time", Title: "Split in halves, 100 names on both sides: heal until all agree", Unit: "s", Against: "nodes"},
		{ID: "nodes-heal-bytes", Title: "The same heal: sent by one node", Unit: "KB", Against: "nodes"},
	}
}

// nodesTogether measures real nodes of one program against their number.
func nodesTogether(kind string) plan.Survey {
	return plan.Survey{
		ID: "curves-nodes-" + kind, Curves: nodeCurves(),
		Run: func(ctx context.Context, b *plan.Bench, add plan.Add) error {
			counts := []int{3, 10, 30, 100}
			if b.Quick {
				counts = []int{3, 10}
			}
			for _, count := range counts {
				if err := nodesAt(ctx, b, kind, count, add); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// nodesAt measures a crowd of one size, in a program of its own.
func nodesAt(ctx context.Context, b *plan.Bench, kind string, count int, add plan.Add) error {
	c, err := b.Stage.Bare(cluster.Rollcall)
	if err != nil {
		return err
	}
	defer c.Close()
	x, each := float64(count), float64(count)
	point := func(curve string, y float64) { add(curve, kind, x, y) }
	empty, err := c.Ask(ctx, 0, "heap")
	if err != nil {
		return err
	}
	formed, err := c.Ask(ctx, 0, "crowd", kind, "curve", count)
	if err != nil {
		return err
	}
	point("nodes-form", float64(formed[0])/second)
	time.Sleep(2 * settle)
	pairs, err := c.Ask(ctx, 0, "crowd-register", arbitrated, other, b.Size(200, 20))
	if err != nil {
		return err
	}
	point("nodes-register", plan.Percentile(durations(pairs), 0.5)/micro)
	if _, err := c.Ask(ctx, 0, "crowd-fill", session, 0, 1000); err != nil {
		return err
	}
	heap, err := c.Ask(ctx, 0, "heap")
	if err != nil {
		return err
	}
	point("nodes-memory", float64(heap[0]-empty[0])/each/1000)
	values := plan.Values{}
	if err := carry(ctx, c, values, 100, b.Size(2000, 300)); err != nil {
		return err
	}
	point("nodes-spread", values["delay50"])
	idle, err := crowdIdle(ctx, c, count, time.Duration(b.Size(4000, 300))*time.Millisecond)
	if err != nil {
		return err
	}
	point("nodes-idle", idle.registry)
	if kind == "gossip" {
		add("nodes-idle", "gossip, with membership", x, idle.registry+idle.membership)
	}
	point("nodes-cpu", idle.cpu/milli)
	if _, err := c.Ask(ctx, 0, "crowd-split", "splitup", 100); err != nil {
		return err
	}
	healed, err := c.Ask(ctx, 0, "crowd-heal")
	if err != nil {
		return err
	}
	point("nodes-heal-time", float64(healed[0])/second)
	point("nodes-heal-bytes", float64(healed[1])/each/1000)
	return nil
}

// simulated measures nodes of the simulator, in virtual time, against their
// number.
func simulated(long bool) plan.Survey {
	id, counts := "curves-nodes-simulated", []int{30, 100, 300}
	if long {
		id, counts = id+"-1000", []int{1000}
	}
	return plan.Survey{
		ID: id, Long: long, Limit: time.Hour, Curves: nodeCurves(),
		Run: func(_ context.Context, b *plan.Bench, add plan.Add) error {
			if b.Quick {
				counts = counts[:1]
			}
			for _, count := range counts {
				s, err := scenario.Parse(strings.NewReader(splitOf(count)))
				if err != nil {
					return err
				}
				r, err := sim.Run(s, sim.Options{Quiet: true})
				if err != nil {
					return err
				}
				if len(r.Failures) > 0 {
					return fmt.Errorf("%d simulated nodes: %s", count, r.Failures[0])
				}
				add("nodes-heal-time", "simulated", float64(count), r.AgreedAfter.Seconds())
				add("nodes-heal-bytes", "simulated", float64(count), float64(r.HealBytes)/float64(count)/1000)
			}
			return nil
		},
	}
}

// splitOf returns the scenario of some nodes that are split in halves, with a name
// that both sides register.
func splitOf(count int) string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("n%04d", i)
	}
	sides := slices.Collect(slices.Chunk(names, (count+1)/2))
	var b strings.Builder
	fmt.Fprintf(&b, "scenario split-of-%d\nnodes %s\nlimit 40s\n", count, strings.Join(names, " "))
	fmt.Fprintf(&b, "at 3s bulk %s register k{1..1000} as w optimistic\n", names[0])
	fmt.Fprintf(&b, "at 5s cut {%s} | {%s}\n", strings.Join(sides[0], " "), strings.Join(sides[1], " "))
	for k := range 100 {
		fmt.Fprintf(&b, "at 15s %s register b%d as a%d optimistic\n", sides[0][0], k, k)
		fmt.Fprintf(&b, "at 15s %s register b%d as z%d optimistic\n", sides[1][0], k, k)
	}
	b.WriteString("at 17s heal\nexpect converged within 10s\n")
	return b.String()
}
