package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/report"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// Files of a run's directory.
const (
	scenarioFile = "scenario.netsplit"
	historyFile  = "history.jsonl"
	resultsFile  = "results.json"
	htmlFile     = "report.html"
	textFile     = "report.txt"
	suffix       = ".netsplit"
)

// played is a run with where it came from.
type played struct {
	*sim.Judged
	drawn  [][2]string
	replay string
}

// play plays a scenario.
func (a *app) play(s *scenario.Scenario, drawn [][2]string, replay string) (*played, error) {
	j, err := sim.Judge(s, a.options)
	if err != nil {
		return nil, err
	}
	if drawn == nil {
		drawn = optionsOf(s)
	}
	return &played{j, drawn, replay}, nil
}

// optionsOf lists the options of a scenario that was not drawn.
func optionsOf(s *scenario.Scenario) [][2]string {
	return [][2]string{
		{"nodes", fmt.Sprint(len(s.Nodes))},
		{"policy", s.Policy},
		{"optimistic", fmt.Sprint(s.Optimistic)},
		{"forget", s.Forget.String()},
		{"limit", s.Limit.String()},
		{"net", strings.TrimPrefix(s.Net.String(), "net ")},
	}
}

// quote makes a path fit for a shell.
func quote(path string) string {
	if strings.ContainsAny(path, " \t'\"$&;()*?<>|\\`#~!{}[]") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// load reads the scenario of a file or of a run's directory.
func load(path string) (*scenario.Scenario, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, scenarioFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	s, err := scenario.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// files returns the scenario files that paths name: of a directory, all below it.
func files(paths []string) ([]string, error) {
	var all []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if !info.IsDir() {
			all = append(all, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// drawFlags are the flags that say how a scenario is generated.
type drawFlags struct {
	profile string
	nodes   int
}

func (d *drawFlags) define(f *flag.FlagSet) {
	f.StringVar(&d.profile, "profile", string(nemesis.Mixed), fmt.Sprint("kinds of faults: one of ", nemesis.Profiles()))
	f.IntVar(&d.nodes, "nodes", 0, fmt.Sprintf("nodes at the beginning, 1 to %d; 0 draws", nemesis.MaxNodes))
}

func (d *drawFlags) options() (nemesis.Options, error) {
	p, err := nemesis.ParseProfile(d.profile)
	if err != nil {
		return nemesis.Options{}, err
	}
	if d.nodes < 0 || d.nodes > nemesis.MaxNodes {
		return nemesis.Options{}, fmt.Errorf("%w: %d nodes: want 1 to %d, or 0 to draw", errUsage, d.nodes, nemesis.MaxNodes)
	}
	return nemesis.Options{Profile: p, Nodes: d.nodes}, nil
}

// line returns the flags as they were given.
func (d *drawFlags) line() string {
	line := " --profile " + d.profile
	if d.nodes > 0 {
		line += fmt.Sprintf(" --nodes %d", d.nodes)
	}
	return line
}

func (a *app) runCommand(f *flag.FlagSet, args []string) (status, error) {
	var d drawFlags
	d.define(f)
	seed := f.Uint64("seed", 1, "seed of the generated scenario, when no file is given; of a file, its seed instead")
	asJSON := f.Bool("json", false, "print one JSON object and nothing else")
	out := f.String("out", "", "directory for the scenario, the history, the results and the reports")
	trace := f.String("trace", "", "file for every event, one a line, and what it put on record; - prints it")
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if *trace == "-" && *asJSON {
		return 0, fmt.Errorf("%w: --json prints one object and nothing else: give --trace a file", errUsage)
	}
	if len(paths) == 0 {
		o, err := d.options()
		if err != nil {
			return 0, err
		}
		replay := fmt.Sprintf("%s run --seed %d%s", program, *seed, d.line())
		return a.runOne(nemesis.Generate(*seed, o), nemesis.DrawSwarm(*seed, o).List(), replay, outputs{*out, *trace, *asJSON})
	}
	all, err := files(paths)
	if err != nil {
		return 0, err
	}
	if len(all) != 1 && *trace != "" {
		return 0, fmt.Errorf("%w: --trace is of one run, not of %d", errUsage, len(all))
	}
	if len(all) != 1 {
		return a.runMany(all, *out, *asJSON)
	}
	s, err := load(all[0])
	if err != nil {
		return 0, err
	}
	replay := fmt.Sprintf("%s replay %s", program, quote(all[0]))
	f.Visit(func(x *flag.Flag) {
		if x.Name == "seed" {
			s.Seed = *seed
			replay = fmt.Sprintf("%s run --seed %d %s", program, *seed, quote(all[0]))
		}
	})
	return a.runOne(s, nil, replay, outputs{*out, *trace, *asJSON})
}

// outputs are what run was told to leave behind.
type outputs struct {
	dir   string
	trace string
	json  bool
}

// runOne plays one scenario and tells all about it.
func (a *app) runOne(s *scenario.Scenario, drawn [][2]string, replay string, to outputs) (status, error) {
	t := &traced{scenario: s}
	if to.trace != "" {
		defer a.tracing(t)()
	}
	p, err := a.play(s, drawn, replay)
	if err != nil {
		return 0, err
	}
	o := objectOf(p)
	if to.dir != "" {
		if err := save(p, o, to.dir); err != nil {
			return 0, err
		}
	}
	if to.trace != "" {
		if t.result = p.Result; to.trace != "-" {
			o.Files["trace"] = to.trace
		}
		if err := a.traceTo(to.trace, t, !to.json); err != nil {
			return 0, err
		}
	}
	if to.json {
		return statusOf(p.Judged), printJSON(a.out, o)
	}
	if to.dir != "" {
		fmt.Fprintf(a.out, "report: %s\n", filepath.Join(to.dir, htmlFile))
	}
	a.tell(p)
	return statusOf(p.Judged), nil
}

// runMany plays several scenarios, with one line for each that held.
func (a *app) runMany(paths []string, out string, asJSON bool) (status, error) {
	if len(paths) == 0 {
		return 0, fmt.Errorf("%w: no file that ends in %s", errUsage, suffix)
	}
	worst := held
	var objects []*object
	for _, path := range paths {
		s, err := load(path)
		if err != nil {
			return 0, err
		}
		p, err := a.play(s, nil, fmt.Sprintf("%s replay %s", program, quote(path)))
		if err != nil {
			return 0, err
		}
		o := objectOf(p)
		objects = append(objects, o)
		if out != "" {
			if err := save(p, o, filepath.Join(out, strings.TrimSuffix(filepath.Base(path), suffix))); err != nil {
				return 0, err
			}
		}
		worst = worst.graver(statusOf(p.Judged))
		switch {
		case asJSON:
		case statusOf(p.Judged) == held:
			fmt.Fprintf(a.out, "held %-40s agreed %8v after the last event, %7d bytes\n", s.Name, p.Result.AgreedAfter, p.Result.Bytes)
		default:
			a.tell(p)
		}
	}
	if asJSON {
		return worst, printJSON(a.out, struct {
			Verdict string    `json:"verdict"`
			Exit    int       `json:"exit"`
			Runs    []*object `json:"runs"`
		}{worst.String(), int(worst), objects})
	}
	fmt.Fprintf(a.out, "verdict: %s (%d scenarios)\n", worst, len(paths))
	return worst, nil
}

// reportOf turns a run into what the reports are made from.
func reportOf(p *played) *report.Run {
	var wrong []missed
	for _, f := range p.Result.Failures {
		wrong = append(wrong, missed{f.Line, f.At, f.Text})
	}
	r := &report.Run{
		History: p.Result.History, Check: withExpectations(p.Report, len(p.Scenario.Expects), wrong), Replay: p.replay,
		TraceHash: traceOf(p.Result), Options: p.drawn, Scenario: p.Scenario.String(),
	}
	for _, s := range p.Result.States {
		r.States = append(r.States, report.Sample(s))
	}
	for _, t := range p.Result.Traffic {
		r.Traffic = append(r.Traffic, report.LinkTraffic(t))
	}
	for _, x := range p.Result.Faults {
		kind, _, _ := strings.Cut(x.Text, " ")
		r.Faults = append(r.Faults, report.Fault{From: x.From, To: x.To, Kind: kind, Text: x.Text, Verified: true})
	}
	return r
}

// withExpectations returns a report with what the scenario expects as one more
// result, the first.
func withExpectations(r *check.Report, expects int, wrong []missed) *check.Report {
	if expects == 0 && len(wrong) == 0 {
		return r
	}
	e := check.Result{
		Check: "expectations", Text: "What the scenario expects came true.", Verdict: check.Pass,
		Judged: max(expects, len(wrong)), Count: len(wrong),
	}
	for i, w := range wrong {
		e.Verdict = check.Fail
		if i < check.MaxFindings {
			e.Findings = append(e.Findings, check.Finding{Index: -1, At: w.At, Explain: fmt.Sprintf("line %d: %s", w.Line, w.Text)})
		}
	}
	all := *r
	all.Results = append([]check.Result{e}, r.Results...)
	all.Verdict = r.Verdict.Merge(e.Verdict)
	return &all
}

// save writes a run's directory, and the names of its files into the object.
func save(p *played, o *object, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	names := []string{scenarioFile, historyFile, resultsFile, htmlFile, textFile}
	for _, name := range names {
		o.Files[strings.ReplaceAll(name, ".", "_")] = filepath.Join(dir, name)
	}
	r := reportOf(p)
	for _, name := range names {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		switch name {
		case scenarioFile:
			_, err = f.WriteString(p.Scenario.String())
		case historyFile:
			err = history.Write(f, p.Result.History)
		case resultsFile:
			err = printJSON(f, o)
		case htmlFile:
			err = report.HTML(f, r)
		case textFile:
			err = report.Text(f, r)
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m { // sorted below, so in any order
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
