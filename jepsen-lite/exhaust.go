package main

import (
	"flag"
	"fmt"
	"iter"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// Limits of exhaust, and how often it does a run twice.
const (
	exhaustNodes = 4
	exhaustDepth = 6
	exhaustAgain = 500
)

func (a *app) exhaustCommand(f *flag.FlagSet, args []string) (status, error) {
	var w sweepFlags
	nodes := f.Int("nodes", 3, fmt.Sprintf("nodes, 2 to %d", exhaustNodes))
	depth := f.Int("depth", 4, fmt.Sprintf("steps of a schedule at most, 1 to %d", exhaustDepth))
	every := f.Int("every", 1, "play one of so many schedules")
	w.defineRuns(f)
	rest, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 || *nodes < 2 || *nodes > exhaustNodes || *depth < 1 || *depth > exhaustDepth || *every < 1 {
		return 0, fmt.Errorf("%w: exhaust wants 2 to %d nodes, a depth of 1 to %d and no argument", errUsage, exhaustNodes, exhaustDepth)
	}
	count := uint64(0)
	for range nemesis.Enumerate(*nodes, *depth) {
		count++
	}
	t := newTally(fmt.Sprintf("%d schedules of up to %d steps on %d nodes", count, *depth, *nodes), count/uint64(*every))
	next, stop := iter.Pull(nemesis.Enumerate(*nodes, *depth))
	defer stop()
	s := sim.Sweep{
		Jobs: w.jobs, Again: exhaustAgain, Budget: w.budget, Options: a.options,
		Next: func() (s *scenario.Scenario, ok bool) {
			for range *every {
				if s, ok = next(); !ok {
					return nil, false
				}
			}
			return s, true
		},
	}
	return a.sweep(&w, s, t)
}
