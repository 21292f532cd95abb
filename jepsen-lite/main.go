package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// status is what the command exits with.
type status int

// The statuses. Of several runs, the gravest counts.
const (
	held             status = 0
	broken           status = 1
	unknown          status = 2
	notDeterministic status = 3
	notConverged     status = 4
	badUsage         status = 64
	internal         status = 70
)

func (s status) String() string {
	switch s {
	case held:
		return "held"
	case broken:
		return "broken"
	case unknown:
		return "unknown"
	case notDeterministic:
		return "not-deterministic"
	case notConverged:
		return "not-converged"
	case badUsage:
		return "bad-usage"
	}
	return "internal-error"
}

// gravity orders the statuses of runs.
func (s status) gravity() int {
	switch s {
	case internal:
		return 6
	case badUsage:
		return 5
	case notDeterministic:
		return 4
	case broken:
		return 3
	case notConverged:
		return 2
	case unknown:
		return 1
	}
	return 0
}

// graver returns the graver of two statuses.
func (s status) graver(o status) status {
	if o.gravity() > s.gravity() {
		return o
	}
	return s
}

// errUsage is wrapped by errors that the caller made.
var errUsage = errors.New("usage")

// program is what replay lines begin with.
const program = "go run ./jepsen-lite"

// app is one call of the command.
type app struct {
	out, err io.Writer
	// terminal says that err is a terminal, so that progress may be redrawn.
	terminal bool
	// options are those of every run; tests plant faults with them.
	options sim.Options
}

// command is a subcommand.
type command struct {
	name, args, text string
	run              func(a *app, f *flag.FlagSet, args []string) (status, error)
}

func commands() []command {
	return []command{
		{"run", "[FILE|DIR...]", "Play scenarios, or the one of a seed, and check what came of them.", (*app).runCommand},
		{"sweep", "--seeds A-B", "Play a scenario for each seed; make those that fail small and keep them.", (*app).sweepCommand},
		{"exhaust", "", "Play every short schedule on a few nodes.", (*app).exhaustCommand},
		{"replay", "FILE|DIR", "Play a scenario twice and compare the traces, also with what DIR recorded.", (*app).replayCommand},
		{"shrink", "FILE|DIR", "Make a failing scenario small while it fails the same way.", (*app).shrinkCommand},
		{"check", "HISTORY", "Hold a history against the checks, whoever recorded it.", (*app).checkCommand},
		{"report", "DIR", "Write the report of a run again.", (*app).reportCommand},
		{"diff", "RUN RUN", "Find the first step at which two runs part: scenarios, directories or written traces.", (*app).diffCommand},
		{"explain", "CHECK...", "Say what a check demands, what counts, and what unknown means.", (*app).explainCommand},
		{"new", "[NAME]", "Print a scenario to begin with, or the one of a seed.", (*app).newCommand},
		{"list", "[DIR]", "List the scenarios of a directory, the profiles, the checks and the goals.", (*app).listCommand},
	}
}

func main() {
	debug.SetGCPercent(400) // runs are short and memory is plenty
	info, err := os.Stderr.Stat()
	a := &app{out: os.Stdout, err: os.Stderr, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
	os.Exit(int(a.main(os.Args[1:])))
}

// main does one call and returns its status.
func (a *app) main(args []string) (s status) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintln(a.err, "jepsen-lite: internal error:", p)
			s = internal
		}
	}()
	if len(args) == 0 {
		a.usage(a.err)
		return badUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return a.help(args[1:])
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		f := flag.NewFlagSet(c.name, flag.ContinueOnError)
		f.SetOutput(a.err)
		f.Usage = func() { usageOf(f, c) }
		s, err := c.run(a, f, args[1:])
		return a.ended(s, err)
	}
	fmt.Fprintf(a.err, "jepsen-lite: there is no command %q\n", args[0])
	a.usage(a.err)
	return badUsage
}

// ended tells of an error and turns it into a status.
func (a *app) ended(s status, err error) status {
	switch {
	case err == nil:
		return s
	case errors.Is(err, flag.ErrHelp):
		return held
	}
	fmt.Fprintln(a.err, "jepsen-lite:", err)
	switch {
	case errors.Is(err, errUsage), errors.Is(err, scenario.ErrScenario), errors.Is(err, nemesis.ErrProfile):
		return badUsage
	case errors.Is(err, sim.ErrNotDeterministic):
		return notDeterministic
	}
	return internal
}

func (a *app) usage(w io.Writer) {
	fmt.Fprint(w, "jepsen-lite puts rollcall through netsplits.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %-15s %s\n", c.name, c.args, c.text)
	}
	fmt.Fprint(w, `
"help COMMAND" lists the flags of a command. They may stand before and after its
arguments. Exit status: 0 held, 1 broken, 2 unknown, 3 not deterministic, 4 did
not converge in time, 64 bad usage or scenario, 70 internal error.
`)
}

func (a *app) help(args []string) status {
	if len(args) == 0 {
		a.usage(a.out)
		return held
	}
	inner := &app{out: a.out, err: a.out}
	return inner.main([]string{args[0], "-h"})
}

func usageOf(f *flag.FlagSet, c command) {
	fmt.Fprintf(f.Output(), "jepsen-lite %s %s [flags]\n\n%s\n\n", c.name, c.args, c.text)
	f.PrintDefaults()
}

// parse reads flags and arguments in any order and returns the arguments.
func parse(f *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, f.Arg(0))
		args = f.Args()[1:]
	}
}
