package cases

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

// Surveys returns what is measured as it grows.
func Surveys() []plan.Survey {
	return []plan.Survey{namesAlone(), namesTogether(), nodesTogether("memory"), nodesTogether("gossip"), simulated(false), simulated(true)}
}

// sizes are the numbers of names.
func sizes(b *plan.Bench) []int {
	if b.Quick {
		return []int{100, 1000}
	}
	return []int{1000, 10_000, 100_000, 1_000_000}
}

// curveRounds is how often a point is measured that is cheap; it is the median.
const curveRounds = 5

// globalNames is how many names are registered with global at most: more would
// take minutes.
const globalNames = 10_000

// namesAlone measures one node of rollcall, global and pg against names.
func namesAlone() plan.Survey {
	return plan.Survey{
		ID: "curves-names-1",
		Curves: []plan.Curve{
			{ID: "names-register", Title: "One node: register", Unit: "us", Against: "names"},
			{ID: "names-lookup", Title: "One node: look-up", Unit: "ns", Against: "names"},
			{ID: "names-memory", Title: "One node: memory for a name", Unit: "B", Against: "names"},
		},
		Run: func(ctx context.Context, b *plan.Bench, add plan.Add) error {
			var failed error
			for _, kind := range []cluster.Kind{cluster.Rollcall, cluster.PG, cluster.Global} {
				err := namesOn(ctx, b, kind, add)
				if err != nil && !errors.Is(err, cluster.ErrMissing) {
					failed = errors.Join(failed, err)
				}
			}
			return failed
		},
	}
}

// namesOn fills one node more and more.
func namesOn(ctx context.Context, b *plan.Bench, kind cluster.Kind, add plan.Add) error {
	c, err := b.Stage.Alone(ctx, kind)
	if err != nil {
		return err
	}
	defer c.Close()
	before, err := c.Ask(ctx, 0, "heap")
	if err != nil {
		return err
	}
	have, line := 0, string(kind)
	for _, size := range sizes(b) {
		holders := max(1, sizes(b)[len(sizes(b))-1]/1000)
		if kind == cluster.Global {
			if size > globalNames {
				break
			}
			holders = 0 // a process has one name at most
			err = fillGlobal(ctx, c, have, size)
		} else {
			_, err = c.Ask(ctx, 0, "fill", arbitrated, session, have, size-have, holders)
		}
		if err != nil {
			return err
		}
		have = size
		heap, err := c.Ask(ctx, 0, "heap")
		if err != nil {
			return err
		}
		if holders > 0 { // otherwise the processes would count
			add("names-memory", line, float64(size), float64(heap[0]-before[0])/float64(size))
		}
		if err := timesAt(ctx, b, c, size, add); err != nil {
			return err
		}
	}
	return nil
}

// fillGlobal registers names each of which has a process of its own, under a
// prefix for each step, since the processes of a prefix are made at once.
func fillGlobal(ctx context.Context, c *cluster.Cluster, from, to int) error {
	if from == 0 {
		_, err := c.Ask(ctx, 0, "fill", arbitrated, session, 0, to, 0)
		return err
	}
	_, err := c.Ask(ctx, 0, "fill", arbitrated, "session2", from, to-from, 0)
	return err
}

// timesAt adds what a registration and a look-up take on a node of some names.
func timesAt(ctx context.Context, b *plan.Bench, c *cluster.Cluster, size int, add plan.Add) error {
	var register, lookup []float64
	few := b.Size(1000, 100)
	if c.Kind == cluster.Global {
		few = 100
	}
	looked := size
	if c.Kind == cluster.Global {
		looked = min(size, sizes(b)[0]) // the later ones have another prefix
	}
	for range min(curveRounds, b.Rounds) {
		took, _, err := fillAndDropAs(ctx, c, arbitrated, other, few)
		if err != nil {
			return err
		}
		register = append(register, took/micro)
		values, err := lookups(ctx, b, c, looked, map[string][2]int{"alone": {1, 0}})
		if err != nil {
			return err
		}
		lookup = append(lookup, values["alone"])
	}
	add("names-register", string(c.Kind), float64(size), plan.Percentile(register, 0.5))
	add("names-lookup", string(c.Kind), float64(size), plan.Percentile(lookup, 0.5))
	return nil
}

// namesTogether measures three nodes of rollcall against names.
func namesTogether() plan.Survey {
	return plan.Survey{
		ID: "curves-names-3",
		Curves: []plan.Curve{
			{ID: "names-arbitrated", Title: "Three nodes: register, median", Unit: "us", Against: "names"},
			{ID: "names-spread", Title: "Three nodes: call until visible on another node, median", Unit: "us", Against: "names"},
			{ID: "names-idle", Title: "Three idle nodes: sent by the registry of one", Unit: "B/s", Against: "names"},
			{ID: "names-cpu", Title: "Three idle nodes: processor time of one", Unit: "ms/s", Against: "names"},
			{ID: "names-heal-bytes", Title: "Three nodes that differ in 1,000 names: sent by all, heal until equal", Unit: "KB", Against: "names"},
			{ID: "names-heal-time", Title: "Three nodes that differ in 1,000 names: heal until equal", Unit: "s", Against: "names"},
		},
		Run: func(ctx context.Context, b *plan.Bench, add plan.Add) error {
			c, err := b.Stage.Open(ctx, cluster.Rollcall, 3)
			if err != nil {
				return err
			}
			defer c.Close()
			all, have := numbers(0, 3), 0
			for round, size := range sizes(b) {
				if _, err := c.Ask(ctx, 0, "fill", many, session, have, size-have, 100); err != nil {
					return err
				}
				have = size
				if _, err := c.AskAll(ctx, all[1:], "await-count", "atleast", size); err != nil {
					return err
				}
				if _, err := c.AskAll(ctx, all, "view-watch", session, size); err != nil {
					return err
				}
				if err := togetherAt(ctx, b, c, size, round, add); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func togetherAt(ctx context.Context, b *plan.Bench, c *cluster.Cluster, size, round int, add plan.Add) error {
	const line = "rollcall"
	x := float64(size)
	time.Sleep(2 * settle)
	pairs, err := c.Ask(ctx, 0, "sequence", arbitrated, other, 0, b.Size(500, 50), 0)
	if err != nil {
		return err
	}
	add("names-arbitrated", line, x, plan.Percentile(durations(pairs), 0.5)/micro)
	if _, err := c.Ask(ctx, 0, "drop", other); err != nil {
		return err
	}
	seen, _, err := seenAndGoneAs(ctx, c, optimistic, "spreads", b.Size(200, 20), 2)
	if err != nil {
		return err
	}
	add("names-spread", line, x, plan.Percentile(seen, 0.5)/micro)
	before, cpu, err := used(ctx, c)
	if err != nil {
		return err
	}
	wait := time.Duration(b.Size(3000, 300)) * time.Millisecond
	time.Sleep(wait)
	after, cpuAfter, err := used(ctx, c)
	if err != nil {
		return err
	}
	each := 3 * wait.Seconds()
	add("names-idle", line, x, float64(after-before)/each)
	add("names-cpu", line, x, float64(cpuAfter-cpu)/each/milli)
	h, err := reconcile(ctx, c, []int{0}, []int{1, 2}, min(differences, size), round)
	if err != nil {
		return err
	}
	add("names-heal-bytes", line, x, h.bytes/1000)
	add("names-heal-time", line, x, h.took/second)
	return nil
}
