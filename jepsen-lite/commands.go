package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/report"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenarios"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

func (a *app) shrinkCommand(f *flag.FlagSet, args []string) (status, error) {
	out := f.String("o", "", "file for the small scenario; default standard output")
	budget := f.Duration("budget", time.Minute, "end after this time")
	what := f.String("what", "", "what must stay broken, as run lists it; default the first")
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) != 1 {
		return 0, fmt.Errorf("%w: shrink wants one file or directory", errUsage)
	}
	s, err := load(paths[0])
	if err != nil {
		return 0, err
	}
	j, err := sim.Judge(s, a.options)
	if err != nil {
		return 0, err
	}
	all := j.Broken()
	if len(all) == 0 {
		return 0, fmt.Errorf("%w: %s does not fail", errUsage, paths[0])
	}
	if *what == "" {
		*what = all[0]
	}
	if !slices.Contains(all, *what) {
		return 0, fmt.Errorf("%w: %q does not break in it; there break %q", errUsage, *what, all)
	}
	small := sim.Shrink(s, j.Breaks(*what, a.options), *budget)
	if *out == "" {
		fmt.Fprint(a.out, small)
		return held, nil
	}
	if err := os.WriteFile(*out, []byte(small.String()), 0o644); err != nil {
		return 0, err
	}
	fmt.Fprintf(a.out, "%d steps became %d, which still break %q\n", len(s.Steps), len(small.Steps), *what)
	fmt.Fprintf(a.out, "replay: %s replay %s\n", program, quote(*out))
	return held, nil
}

func (a *app) checkCommand(f *flag.FlagSet, args []string) (status, error) {
	asJSON := f.Bool("json", false, "print one JSON object and nothing else")
	only := f.String("only", "", "checks, with commas between them; default all")
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) != 1 {
		return 0, fmt.Errorf("%w: check wants one history, or a run's directory", errUsage)
	}
	h, err := readHistory(paths[0])
	if err != nil {
		return 0, err
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	r := check.Run(h, names...)
	s := held
	switch r.Verdict {
	case check.Fail:
		s = broken
	case check.Unknown:
		s = unknown
	}
	if *asJSON {
		return s, printJSON(a.out, r)
	}
	for _, c := range r.Results {
		word := map[check.Verdict]string{check.Pass: "held", check.Fail: "BROKEN", check.Unknown: "unknown"}[c.Verdict]
		fmt.Fprintf(a.out, "%-8s %-22s judged %5d times  %s\n", word, c.Check, c.Judged, c.Note)
		for _, x := range c.Findings {
			fmt.Fprintf(a.out, "    at %v [%d]: %s\n", time.Duration(x.At), x.Index, x.Explain)
		}
	}
	fmt.Fprintln(a.out, "verdict:", s)
	if s != held {
		fmt.Fprintf(a.out, "replay: %s check %s\n", program, quote(paths[0]))
	}
	return s, nil
}

func readHistory(path string) (*history.History, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, historyFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	h, err := history.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, path, err)
	}
	return h, nil
}

func (a *app) reportCommand(f *flag.FlagSet, args []string) (status, error) {
	out := f.String("o", "", "file of the report; default "+htmlFile+" in the directory; - prints the text")
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) != 1 {
		return 0, fmt.Errorf("%w: report wants one run's directory, or a history", errUsage)
	}
	r, err := recorded(paths[0])
	if err != nil {
		return 0, err
	}
	if *out == "-" {
		return held, report.Text(a.out, r)
	}
	if *out == "" {
		*out = filepath.Join(paths[0], htmlFile)
		if info, err := os.Stat(paths[0]); err == nil && !info.IsDir() {
			*out = htmlFile
		}
	}
	w, err := os.Create(*out)
	if err != nil {
		return 0, err
	}
	err = report.HTML(w, r)
	if closed := w.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(a.out, "report: %s\n", *out)
	return held, nil
}

// recorded reads a run back. The traffic and the states that only the run itself
// knew are made from the history.
func recorded(path string) (*report.Run, error) {
	h, err := readHistory(path)
	if err != nil {
		return nil, err
	}
	r := &report.Run{History: h, Check: check.Run(h)}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return r, nil
	}
	if text, err := os.ReadFile(filepath.Join(path, scenarioFile)); err == nil {
		r.Scenario = string(text)
		r.Replay = fmt.Sprintf("%s replay %s", program, quote(path))
	}
	if text, err := os.ReadFile(filepath.Join(path, resultsFile)); err == nil {
		var o object
		if err := json.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errUsage, resultsFile, err)
		}
		r.TraceHash = o.Trace
		r.Check = withExpectations(r.Check, o.Expects, o.Expectations)
		for _, name := range sortedKeys(o.Options) {
			r.Options = append(r.Options, [2]string{name, o.Options[name]})
		}
	}
	return r, nil
}

// beginning is a scenario to begin with.
const beginning = `scenario %s
nodes n1 n2 n3
policy last-writer           # who keeps a name that both sides claimed
net latency=1ms..20ms

at 1s n1 join room as p0
at 2s cut {n1 n2} | {n3}
at 4s n1 register user/42 as p1 => ok
at 5s n3 register user/42 as p2 => ok
at 20s heal

expect converged within 5s
expect holder user/42 == p2
expect lost p1 exactly 1
expect members room == {p0}
`

func (a *app) newCommand(f *flag.FlagSet, args []string) (status, error) {
	var d drawFlags
	d.define(f)
	seed := f.Uint64("seed", 0, "print the scenario of this seed instead")
	rest, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(rest) > 1 {
		return 0, fmt.Errorf("%w: new wants one name", errUsage)
	}
	if *seed > 0 {
		o, err := d.options()
		if err != nil {
			return 0, err
		}
		for _, x := range nemesis.DrawSwarm(*seed, o).List() {
			fmt.Fprintf(a.out, "# %s: %s\n", x[0], x[1])
		}
		fmt.Fprint(a.out, nemesis.Generate(*seed, o))
		return held, nil
	}
	fmt.Fprintf(a.out, beginning, slices.Concat(rest, []string{"my-story"})[0])
	return held, nil
}

func (a *app) listCommand(f *flag.FlagSet, args []string) (status, error) {
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) > 0 {
		return held, a.listFiles(paths)
	}
	fmt.Fprintln(a.out, "scenarios")
	for _, x := range scenarios.All() {
		s, err := scenario.Parse(strings.NewReader(x.Text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", x.Name, err)
		}
		a.listOne(s)
	}
	fmt.Fprintln(a.out, "\nprofiles:", nemesis.Profiles())
	fmt.Fprintln(a.out, "\nchecks")
	for _, c := range check.All() {
		fmt.Fprintf(a.out, "  %-22s %s\n", c.Name, c.Text)
	}
	fmt.Fprintln(a.out, "\nsituations that a sweep must meet")
	for _, g := range sim.Goals() {
		fmt.Fprintf(a.out, "  %-22s %s\n", g.Name, g.Text)
	}
	return held, nil
}

func (a *app) listFiles(paths []string) error {
	all, err := files(paths)
	if err != nil {
		return err
	}
	for _, path := range all {
		s, err := load(path)
		if err != nil {
			return err
		}
		a.listOne(s)
	}
	return nil
}

func (a *app) listOne(s *scenario.Scenario) {
	fmt.Fprintf(a.out, "  %-34s %2d nodes, %3d steps  %s\n", s.Name, len(s.Nodes), len(s.Steps), s.Source)
}
