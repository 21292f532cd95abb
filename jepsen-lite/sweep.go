package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// Parameters of a sweep.
const (
	// goalsFrom is the number of runs from which on every goal must be met.
	goalsFrom = 500
	// judgedOneIn is how many runs there may be for each that puts a check to the
	// test: 50 of 2,000 must, or a sweep in which the check never broke says little.
	judgedOneIn = 40
	// runAgain is how often a run is done twice: one in runAgain.
	runAgain = 20
	// shrinkMost is the number of failing runs that are made smaller; further ones
	// are kept as they are.
	shrinkMost = 3
	// listMost is the number of failing runs that are listed at the end.
	listMost = 50
	// unsureMost is the number of runs of which nobody can tell that are listed.
	unsureMost = 5
	// toldInSweep is the number of findings of each check that are printed.
	toldInSweep = 2
	failures    = "failures"
)

// sweepFlags are what a sweep was told.
type sweepFlags struct {
	draw     drawFlags
	seeds    string
	budget   time.Duration
	jobs     int
	asJSON   bool
	failFast bool
	shrink   time.Duration
	out      string
}

func (w *sweepFlags) define(f *flag.FlagSet) {
	w.draw.define(f)
	f.StringVar(&w.seeds, "seeds", "1-200", "first and last seed")
	w.defineRuns(f)
}

// defineRuns defines the flags that do not say which scenarios there are.
func (w *sweepFlags) defineRuns(f *flag.FlagSet) {
	f.DurationVar(&w.budget, "budget", 0, "end after this time; 0 for no limit")
	f.IntVar(&w.jobs, "j", 0, "runs at once; default the number of processors")
	f.BoolVar(&w.asJSON, "json", false, "print one JSON object and nothing else")
	f.BoolVar(&w.failFast, "fail-fast", false, "end at the first run that fails")
	f.DurationVar(&w.shrink, "shrink", 20*time.Second, "time to make a failing run smaller; 0 keeps it as it is")
	f.StringVar(&w.out, "out", "", "directory for the scenarios that fail and sweep.json; default "+failures+" for the former")
}

// seedRange parses A-B or A.
func seedRange(text string) (from, to uint64, err error) {
	a, b, both := strings.Cut(text, "-")
	if !both {
		b = a
	}
	from, err1 := strconv.ParseUint(a, 10, 63)
	to, err2 := strconv.ParseUint(b, 10, 63)
	if err1 != nil || err2 != nil || to < from {
		return 0, 0, fmt.Errorf("%w: --seeds %q: want a range such as 1-2000", errUsage, text)
	}
	return from, to, nil
}

func (a *app) sweepCommand(f *flag.FlagSet, args []string) (status, error) {
	var w sweepFlags
	w.define(f)
	rest, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		return 0, fmt.Errorf("%w: sweep wants no argument, but has %q", errUsage, rest)
	}
	from, to, err := seedRange(w.seeds)
	if err != nil {
		return 0, err
	}
	o, err := w.draw.options()
	if err != nil {
		return 0, err
	}
	t := newTally(fmt.Sprintf("seeds %d-%d of %s", from, to, w.draw.profile), to-from+1)
	t.goals = o.Profile == nemesis.Mixed
	next := from
	s := sim.Sweep{
		Jobs: w.jobs, Again: runAgain, Budget: w.budget, Options: a.options,
		Next: func() (*scenario.Scenario, bool) {
			if next > to {
				return nil, false
			}
			next++
			return nemesis.Generate(next-1, o), true
		},
	}
	return a.sweep(&w, s, t)
}

// sweep does a sweep and tells what came of it.
func (a *app) sweep(w *sweepFlags, s sim.Sweep, t *tally) (status, error) {
	p := a.progressOf(t)
	var failed error
	s.Each = func(r *sim.Swept) bool {
		fail := t.add(r)
		p.show(false)
		if fail == nil {
			return true
		}
		p.clear()
		if failed = a.keep(w, t, r, fail); failed != nil {
			return false
		}
		return !w.failFast
	}
	s.Run()
	p.clear()
	if failed != nil {
		return 0, failed
	}
	t.finish()
	if w.out != "" {
		if err := saveSweep(filepath.Join(w.out, "sweep.json"), t); err != nil {
			return 0, err
		}
	}
	if w.asJSON {
		return t.status, printJSON(a.out, t.object())
	}
	t.tell(a.out)
	return t.status, nil
}

func saveSweep(path string, t *tally) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = printJSON(f, t.object())
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// keep makes a failing run small, writes its scenario and tells of it.
func (a *app) keep(w *sweepFlags, t *tally, r *sim.Swept, fail *failure) error {
	if r.Judged == nil {
		fmt.Fprintf(a.err, "%s: %v\n", fail.Scenario, r.Err)
		return nil
	}
	small, shrunk := r.Scenario, false
	if r.Err == nil && w.shrink > 0 && a.fresh(t, fail) {
		small, shrunk = sim.Shrink(r.Scenario, r.Breaks(fail.Broken[0], a.options), w.shrink), true
	}
	dir := w.out
	if dir == "" {
		dir = failures
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	fail.File = filepath.Join(dir, fail.Scenario+suffix)
	fail.Replay = fmt.Sprintf("%s replay %s", program, quote(fail.File))
	if err := os.WriteFile(fail.File, []byte(small.String()), 0o644); err != nil {
		return err
	}
	if w.asJSON {
		return nil
	}
	fmt.Fprintf(a.out, "%s: %s: %q\n", fail.Scenario, fail.Verdict, fail.Broken)
	if r.Err != nil {
		fmt.Fprintf(a.out, "  %v\n", r.Err)
	}
	if shrunk {
		a.tellBroken(r.Judged, toldInSweep)
		lines := strings.Count(small.String(), "\n")
		fmt.Fprintf(a.out, "the smallest scenario found that breaks %q, %d lines:\n%s", fail.Broken[0], lines, small)
	}
	fmt.Fprintf(a.out, "replay: %s\n", fail.Replay)
	return nil
}

// fresh reports whether a failure is one of the first, or the first of its sort,
// and so is made smaller.
func (a *app) fresh(t *tally, fail *failure) bool {
	if len(fail.Broken) == 0 {
		return false
	}
	before := t.failed[:len(t.failed)-1]
	return len(before) < shrinkMost || len(before) < 5*shrinkMost && !slices.ContainsFunc(before, func(f *failure) bool {
		return slices.Contains(f.Broken, fail.Broken[0])
	})
}
