package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// failure is a run of a sweep that did not hold.
type failure struct {
	Scenario string   `json:"scenario"`
	Seed     uint64   `json:"seed"`
	Verdict  string   `json:"verdict"`
	Broken   []string `json:"broken"`
	Error    string   `json:"error,omitempty"`
	Trace    string   `json:"trace_hash,omitempty"`
	File     string   `json:"file,omitempty"`
	Replay   string   `json:"replay,omitempty"`
}

// tally sums up a sweep.
type tally struct {
	title   string
	want    uint64 // runs in all; 0 when nobody knows
	goals   bool   // every goal must be met, when there are enough runs
	began   time.Time
	elapsed time.Duration
	status  status

	runs, again     int
	virtual         time.Duration
	count           map[status]int
	judged          map[string]int // runs in which a check was put to the test
	met             map[string]int
	missing         []string
	seldom          []string // checks that too few runs put to the test
	failed          []*failure
	unsure          []string // runs of which nobody can tell, and why
	agreed, doubles []int64
	healed          []int64
	bytes           int64
}

func newTally(title string, want uint64) *tally {
	return &tally{
		title: title, want: want, began: time.Now(), count: map[status]int{}, met: map[string]int{},
		judged: map[string]int{},
	}
}

// add takes in a run and returns a failure when it is one.
func (t *tally) add(r *sim.Swept) *failure {
	t.runs++
	if r.Judged == nil {
		f := &failure{Scenario: fmt.Sprintf("run %d", r.Number), Verdict: internal.String(), Error: r.Err.Error()}
		t.fail(internal, f)
		return f
	}
	t.measure(r)
	s := statusOf(r.Judged)
	f := &failure{
		Scenario: r.Scenario.Name, Seed: r.Scenario.Seed, Broken: append([]string{}, r.Broken()...), Trace: traceOf(r.Result),
	}
	if r.Err != nil {
		s, f.Error = internal, r.Err.Error()
		if errors.Is(r.Err, sim.ErrNotDeterministic) {
			s = notDeterministic
		}
	}
	f.Verdict = s.String()
	if s == unknown {
		t.unsure = append(t.unsure, r.Scenario.Name+": "+whyUnknown(r.Report))
	}
	if s == held || s == unknown {
		t.count[s]++
		return nil
	}
	t.fail(s, f)
	return f
}

// whyUnknown says what a report lacks that every complete run has.
func whyUnknown(r *check.Report) string {
	all := check.All()
	for _, x := range r.Results {
		needed := slices.ContainsFunc(all, func(c check.Check) bool { return c.Name == x.Check && c.Needed })
		if needed && x.Verdict == check.Unknown {
			return x.Check + ": " + x.Note
		}
	}
	return "nothing was judged"
}

func (t *tally) fail(s status, f *failure) {
	t.count[s]++
	t.status = t.status.graver(s)
	t.failed = append(t.failed, f)
}

// measure takes in what a run measured.
func (t *tally) measure(r *sim.Swept) {
	if r.Verified {
		t.again++
	}
	t.virtual += r.Result.Virtual
	t.bytes += r.Result.Bytes
	for _, name := range r.Met {
		t.met[name]++
	}
	for _, c := range r.Report.Results {
		if c.Verdict != check.Unknown {
			t.judged[c.Check]++
		}
	}
	if r.Result.Agreed {
		t.agreed = append(t.agreed, int64(r.Result.AgreedAfter))
	}
	heals := slices.ContainsFunc(r.Scenario.Steps, func(s scenario.Step) bool { return s.Verb == scenario.Heal })
	if r.Result.Agreed && heals {
		t.healed = append(t.healed, r.Result.HealBytes)
	}
	for _, d := range r.Doubles {
		t.doubles = append(t.doubles, int64(d))
	}
}

// finish closes the sweep.
func (t *tally) finish() {
	t.elapsed = time.Since(t.began)
	if t.runs > 0 && t.count[unknown] == t.runs {
		t.status = t.status.graver(unknown)
	}
	if t.goals && t.runs >= goalsFrom {
		t.cover()
	}
}

// cover finds the goals that no run met and the checks that too few runs put to
// the test: then nobody can tell.
func (t *tally) cover() {
	for _, g := range sim.Goals() {
		if t.met[g.Name] == 0 {
			t.missing = append(t.missing, g.Name)
		}
	}
	for _, c := range check.All() {
		if n := t.judged[c.Name]; n < t.runs/judgedOneIn {
			t.seldom = append(t.seldom, c.Name)
		}
	}
	if len(t.missing)+len(t.seldom) > 0 {
		t.status = t.status.graver(unknown)
	}
}

// values sums up measurements.
func values(list []int64) check.Values {
	if len(list) == 0 {
		return check.Values{}
	}
	list = slices.Clone(list)
	slices.Sort(list)
	at := func(percent int) int64 { return list[min(len(list)-1, len(list)*percent/100)] }
	return check.Values{
		Count: len(list), Min: list[0], P50: at(50), P95: at(95), P99: at(99), Max: list[len(list)-1],
	}
}

func (t *tally) distributions() []check.Distribution {
	return []check.Distribution{
		{Name: "time to converge after the last event", Unit: "ns", Values: values(t.agreed)},
		{Name: "two processes hold one name", Unit: "ns", Values: values(t.doubles)},
		{Name: "bytes from the last heal to agreement", Unit: "bytes", Values: values(t.healed)},
	}
}

func (t *tally) rate() float64 { return float64(t.runs) / max(t.elapsed.Seconds(), 0.001) }

// sweepObject is what --json prints of a sweep.
type sweepObject struct {
	Version       string               `json:"version"`
	Commit        string               `json:"commit,omitempty"`
	Title         string               `json:"title"`
	Verdict       string               `json:"verdict"`
	Exit          int                  `json:"exit"`
	Runs          int                  `json:"runs"`
	Held          int                  `json:"held"`
	Broken        int                  `json:"broken"`
	NotConverged  int                  `json:"not_converged"`
	Unknown       int                  `json:"unknown"`
	RunTwice      int                  `json:"run_twice"`
	Different     int                  `json:"not_deterministic"`
	Elapsed       time.Duration        `json:"elapsed_ns"`
	Virtual       time.Duration        `json:"virtual_ns"`
	Rate          float64              `json:"schedules_per_second"`
	Coverage      map[string]int       `json:"coverage"`
	Missing       []string             `json:"missing"`
	Seldom        []string             `json:"seldom_judged"`
	Judged        map[string]int       `json:"judged"`
	Distributions []check.Distribution `json:"distributions"`
	Failures      []*failure           `json:"failures"`
	Unsure        []string             `json:"unknown_runs"`
}

func (t *tally) object() *sweepObject {
	version, commit := build()
	o := &sweepObject{
		Version: version, Commit: commit, Title: t.title, Verdict: t.status.String(), Exit: int(t.status),
		Runs: t.runs, Held: t.count[held], Broken: t.count[broken], NotConverged: t.count[notConverged],
		Unknown: t.count[unknown], RunTwice: t.again, Different: t.count[notDeterministic],
		Elapsed: t.elapsed, Virtual: t.virtual, Rate: t.rate(), Coverage: map[string]int{},
		Missing: append([]string{}, t.missing...), Seldom: append([]string{}, t.seldom...), Judged: map[string]int{},
		Distributions: t.distributions(), Failures: append([]*failure{}, t.failed...),
		Unsure: append([]string{}, t.unsure...),
	}
	for _, g := range sim.Goals() {
		o.Coverage[g.Name] = t.met[g.Name]
	}
	for _, c := range check.All() {
		o.Judged[c.Name] = t.judged[c.Name]
	}
	return o
}

// tell prints what came of the sweep.
func (t *tally) tell(w io.Writer) {
	fmt.Fprintf(w, "%s: %d runs in %v, %.1f schedules per second, %.1f virtual hours, %d bytes\n",
		t.title, t.runs, t.elapsed.Round(100*time.Millisecond), t.rate(), t.virtual.Hours(), t.bytes)
	fmt.Fprintf(w, "  %d held, %d broken, %d did not converge in time, %d unknown\n",
		t.count[held], t.count[broken], t.count[notConverged], t.count[unknown])
	fmt.Fprintf(w, "  %d were run twice, %d of them differed\n\n", t.again, t.count[notDeterministic])
	fmt.Fprintf(w, "%-40s %8s %10s %10s %10s %10s %10s\n", "", "count", "min", "p50", "p95", "p99", "max")
	for _, d := range t.distributions() {
		v := d.Values
		fmt.Fprintf(w, "%-40s %8d", d.Name, v.Count)
		for _, x := range []int64{v.Min, v.P50, v.P95, v.P99, v.Max} {
			fmt.Fprintf(w, " %10s", amount(x, d.Unit))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\nsituations met, by runs\n")
	for _, g := range sim.Goals() {
		fmt.Fprintf(w, "  %-22s %6d  %s\n", g.Name, t.met[g.Name], g.Text)
	}
	fmt.Fprint(w, "\nchecks put to the test, by runs\n")
	for _, c := range check.All() {
		fmt.Fprintf(w, "  %-22s %6d  %s\n", c.Name, t.judged[c.Name], c.Text)
	}
	fmt.Fprintln(w)
	if len(t.missing) > 0 {
		fmt.Fprintln(w, "never met:", t.missing)
	}
	if len(t.seldom) > 0 {
		fmt.Fprintf(w, "put to the test in fewer than %d of %d runs: %v\n", t.runs/judgedOneIn, t.runs, t.seldom)
	}
	for i, f := range t.failed {
		if i == listMost {
			fmt.Fprintf(w, "and %d more that failed\n", len(t.failed)-i)
			break
		}
		fmt.Fprintf(w, "%s %s: %q %s\n", f.Verdict, f.Scenario, f.Broken, f.Error)
	}
	for i, u := range t.unsure {
		if i == unsureMost {
			fmt.Fprintf(w, "and %d more of which nobody can tell\n", len(t.unsure)-i)
			break
		}
		fmt.Fprintln(w, "unknown", u)
	}
	t.tellSorts(w)
	fmt.Fprintln(w, "verdict:", t.status)
	if len(t.failed) > 0 && t.failed[0].Replay != "" {
		fmt.Fprintln(w, "replay:", t.failed[0].Replay)
	}
}

// tellSorts says how many runs broke what.
func (t *tally) tellSorts(w io.Writer) {
	sorts := map[string]int{}
	for _, f := range t.failed {
		for _, b := range f.Broken {
			sorts[b]++
		}
	}
	for _, b := range sortedKeys(sorts) {
		fmt.Fprintf(w, "broken in %d runs: %s\n", sorts[b], b)
	}
}

func amount(x int64, unit string) string {
	if unit == "ns" {
		return time.Duration(x).Round(time.Millisecond).String()
	}
	return fmt.Sprint(x)
}
