package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

const (
	// rounds is how often each call is timed.
	rounds = 500
	// batch is how many look-ups are timed together: one alone is too short for
	// the clock.
	batch = 1000
	// spacing lets a name spread before the next is registered, so that each is
	// timed on an idle network.
	spacing = 5 * time.Millisecond
)

// bench times look-ups, registrations and calls from this node.
func (n *node) bench(ctx context.Context, args wire.BenchArgs) (wire.Bench, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Bench{}, err
	}
	p, err := reg.Attach(n.life)
	if err != nil {
		return wire.Bench{}, err
	}
	// Its end removes all names of the benchmark.
	defer p.Stop(nil)

	lookUps, err := measure(func(int) error {
		for range batch {
			reg.Whereis(args.Far)
		}
		return nil
	})
	result := wire.Bench{WhereisNanos: lookUps.Median * 1000 / batch}
	for _, m := range []struct {
		into *wire.Timing
		do   func(i int) error
	}{
		{&result.Optimistic, func(i int) error {
			_, err := reg.Register(ctx, fmt.Sprintf("bench/optimistic/%d", i), p, registry.Optimistic())
			return err
		}},
		{&result.Arbitrated, func(i int) error {
			_, err := reg.Register(ctx, fmt.Sprintf("bench/arbitrated/%d", i), p)
			return err
		}},
		{&result.Call, func(int) error {
			_, err := registry.Call[operation, float64](ctx, reg, registry.Name(args.Far), operation{Name: "add", A: 5, B: 3})
			return err
		}},
	} {
		if err == nil {
			*m.into, err = measure(m.do)
		}
	}
	return result, err
}

// measure times do in each round and sums up.
func measure(do func(round int) error) (wire.Timing, error) {
	took := make([]time.Duration, rounds)
	for i := range took {
		began := time.Now()
		if err := do(i); err != nil {
			return wire.Timing{}, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	return wire.Timing{Median: micros(took[rounds/2]), P99: micros(took[rounds*99/100]), Rounds: rounds}, nil
}

// spread registers names one after the other, once somebody watches, and notes
// when each call began.
func (n *node) spread(ctx context.Context, args wire.SpreadArgs) (wire.Moments, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Moments{}, err
	}
	if _, err := reg.Await(ctx, watcherName(args.Prefix)); err != nil {
		return wire.Moments{}, err
	}
	// The names stay until the node ends: one that was gone before the watcher
	// saw it could not be timed.
	p, err := reg.Attach(n.life)
	if err != nil {
		return wire.Moments{}, err
	}
	pace := time.NewTicker(spacing)
	defer pace.Stop()
	moments := wire.Moments{}
	for i := range args.Count {
		moments.UnixNanos = append(moments.UnixNanos, time.Now().UnixNano())
		if _, err := reg.Register(ctx, fmt.Sprintf("%s%06d", args.Prefix, i), p, registry.Optimistic()); err != nil {
			return wire.Moments{}, err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return wire.Moments{}, context.Cause(ctx)
		}
	}
	return moments, nil
}

// watch watches the names of spread and notes when each appeared. It says that
// it watches by registering a name itself.
func (n *node) watch(ctx context.Context, args wire.SpreadArgs) (wire.Moments, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Moments{}, err
	}
	watch, err := reg.Watch(registry.OfPrefix(args.Prefix))
	if err != nil {
		return wire.Moments{}, err
	}
	defer watch.Close()
	// The snapshot comes first; after it nothing is missed.
	if _, err := watch.Next(ctx); err != nil {
		return wire.Moments{}, err
	}
	p, err := reg.Attach(n.life)
	if err != nil {
		return wire.Moments{}, err
	}
	defer p.Stop(nil)
	if _, err := reg.Register(ctx, watcherName(args.Prefix), p); err != nil {
		return wire.Moments{}, err
	}
	moments := wire.Moments{}
	for len(moments.UnixNanos) < args.Count {
		event, err := watch.Next(ctx)
		if err != nil {
			return wire.Moments{}, err
		}
		if event.Snapshot {
			return wire.Moments{}, fmt.Errorf("the watch missed %d changes", event.Missed)
		}
		if event.Reason == registry.Registered {
			moments.UnixNanos = append(moments.UnixNanos, time.Now().UnixNano())
		}
	}
	return moments, nil
}

// watcherName returns the name of who watches names with a prefix. It does not
// begin with the prefix.
func watcherName(prefix string) string { return "watcher of " + prefix }
