package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cases"
	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/erlang"
	"github.com/rollcall-dev/rollcall/bench/plan"
	"github.com/rollcall-dev/rollcall/bench/report"
)

// options are the flags.
type options struct {
	only   *regexp.Regexp
	rounds int
	quick  bool
	json   bool
	list   bool
	curves bool
	long   bool
	out    string
	docs   string
	dskit  string
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&only, "only", "", "measure only the cases whose names match this regular expression")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each side is measured")
	flags.BoolVar(&o.quick, "quick", false, "one small round of everything, to see that it works")
	flags.BoolVar(&o.json, "json", false, "print one JSON object, and nothing else, on the standard output")
	flags.BoolVar(&o.list, "list", false, "print the names of the cases and end")
	flags.BoolVar(&o.curves, "curves", true, "also measure how costs grow with names and nodes")
	flags.BoolVar(&o.long, "long", false, "also simulate 1,000 nodes, which takes some ten minutes")
	flags.StringVar(&o.out, "out", "out", "directory for the plots")
	flags.StringVar(&o.docs, "docs", "", "directory of the docs whose generated parts are to be written")
	flags.StringVar(&o.dskit, "dskit", "", "program of a node of dskit; without it dskit is not measured")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.rounds < 1 {
		return o, errors.New("-rounds: there must be one")
	}
	if o.quick {
		o.rounds = 1
	}
	return o, nil
}

// run measures and returns the program's exit code.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	o, err := parse(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && o.list {
		for _, c := range cases.All() {
			fmt.Fprintln(out, c.ID)
		}
		for _, s := range cases.Surveys() {
			fmt.Fprintln(out, s.ID)
		}
		return 0
	}
	var failed bool
	if err == nil {
		failed, err = measure(ctx, o, out, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 2
	}
	if failed {
		return 1
	}
	return 0
}

// measure carries out what the options ask for and reports. It returns whether
// something could not be measured that should have been.
func measure(ctx context.Context, o options, out, errs io.Writer) (bool, error) {
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	tools, err := erlang.Find()
	if err != nil && !errors.Is(err, erlang.ErrMissing) {
		return false, err
	}
	if tools != nil {
		defer tools.Close()
	}
	b := &plan.Bench{
		Stage:  &cluster.Stage{Self: self, DskitNode: o.dskit, Tools: tools},
		Rounds: o.rounds, Quick: o.quick, Progress: errs,
	}
	began := time.Now()
	outcome := plan.Run(ctx, b, o.cases())
	curves, failures := plan.Surveys(ctx, b, o.surveys())
	r := report.Report{
		Rows: outcome.Rows, Curves: curves, Missing: outcome.Missing, Failures: append(outcome.Failures, failures...),
		Machine: report.Machine(), Began: began, Took: time.Since(began).Seconds(), Quick: o.quick,
	}
	if ctx.Err() != nil {
		r.Failures = append(r.Failures, "interrupted: what was measured until then is told")
	}
	return len(r.Failures) > 0, o.tell(r, out, errs)
}

// cases returns the cases that were asked for.
func (o options) cases() []plan.Case {
	return slices.DeleteFunc(cases.All(), func(c plan.Case) bool {
		return !o.selects(c.ID) || c.Slow && o.quick && o.all()
	})
}

// surveys returns the surveys that were asked for.
func (o options) surveys() []plan.Survey {
	return slices.DeleteFunc(cases.Surveys(), func(s plan.Survey) bool {
		return !o.selects(s.ID) || s.Long && !o.long || o.all() && (o.quick || !o.curves)
	})
}

func (o options) selects(id string) bool { return o.only.MatchString(id) }

// all reports whether nothing was selected.
func (o options) all() bool { return o.only.String() == "" }

// tell reports in the ways that were asked for.
func (o options) tell(r report.Report, out, errs io.Writer) error {
	if o.json {
		// What was not measured is said to people too.
		fmt.Fprintln(errs, r.Verdict())
		if err := r.JSON(out); err != nil {
			return err
		}
	} else {
		r.Table(out)
	}
	if files, err := r.Plots(o.out); err != nil || len(files) == 0 {
		return err
	}
	fmt.Fprintf(errs, "plots are in %s\n", o.out)
	if o.docs == "" {
		return nil
	}
	return r.Docs(o.docs)
}
