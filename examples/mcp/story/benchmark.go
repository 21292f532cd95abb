package story

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// spreadCount is how many names are registered to measure how they spread.
const spreadCount = 200

// benchmark is the act in which some calls are timed.
func (t *tale) benchmark() stage.Act {
	return stage.Act{
		Title: "How fast it is",
		Intro: "Measured on this machine, which three nodes share. A look-up stays on the node. An optimistic registration does " +
			"too; an arbitrated one, the default, asks the one node that is responsible for the name first, so that two nodes never " +
			"both get a name. One time in a hundred takes longer than p99.",
		Steps: []stage.Step{
			{Name: "look-ups, registrations and calls are timed", Run: t.timeCalls},
			{Name: "the spreading of names is timed", Run: t.timeSpreading},
		},
	}
}

// timeCalls measures on n1, with the calculator of n3 as the far end.
func (t *tale) timeCalls(ctx context.Context, say stage.Say) (string, error) {
	bench, err := t.n1.Bench(ctx, "calculator")
	if err != nil {
		return "", err
	}
	say("%-32s %9s %9s", "", "median", "p99")
	say("%-32s %6.0f ns", "look a name up", bench.WhereisNanos)
	for _, row := range []struct {
		what   string
		timing wire.Timing
	}{
		{"register, optimistic", bench.Optimistic},
		{"register, arbitrated", bench.Arbitrated},
		{"call a process on another node", bench.Call},
	} {
		say("%-32s %6.1f us %6.1f us   of %d", row.what, row.timing.Median, row.timing.P99, row.timing.Rounds)
	}
	return fmt.Sprintf("whereis %.0f ns, register %.1f or %.0f us, call %.0f us",
		bench.WhereisNanos, bench.Optimistic.Median, bench.Arbitrated.Median, bench.Call.Median), nil
}

// timeSpreading measures from the start of a registration on n1 until n2 shows
// the name. Both processes read the same clock.
func (t *tale) timeSpreading(ctx context.Context, say stage.Say) (string, error) {
	const prefix = "spread/"
	type moments struct {
		at  []int64
		err error
	}
	watching := make(chan moments, 1)
	go func() {
		at, err := t.n2.Watch(ctx, prefix, spreadCount)
		watching <- moments{at, err}
	}()
	registered, err := t.n1.Spread(ctx, prefix, spreadCount)
	if err != nil {
		return "", err
	}
	seen := <-watching
	if seen.err != nil {
		return "", seen.err
	}
	if len(registered) != spreadCount || len(seen.at) != spreadCount {
		return "", fmt.Errorf("%d names were registered and %d seen, not %d", len(registered), len(seen.at), spreadCount)
	}
	var took []time.Duration
	for i := range registered {
		took = append(took, time.Duration(seen.at[i]-registered[i]))
	}
	slices.Sort(took)
	median, slow := took[len(took)/2], took[len(took)*99/100]
	say("%d names are registered on n1, one after the other, and n2 watches them appear", spreadCount)
	return fmt.Sprintf("n2 shows what n1 registers after %s (median), %s (p99)", stage.Span(median), stage.Span(slow)), nil
}
