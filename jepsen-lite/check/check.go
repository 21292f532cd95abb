package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// Verdict is what a check says about a history.
type Verdict string

// The verdicts.
const (
	// Pass: what the check holds was put to the test, and held.
	Pass Verdict = "true"
	// Fail: it was broken; the findings say where.
	Fail Verdict = "false"
	// Unknown: the history has nothing for the check to judge, or too little.
	Unknown Verdict = "unknown"
)

// Merge returns the graver of two verdicts: Fail before Unknown before Pass. The
// empty verdict merges as Pass.
func (v Verdict) Merge(o Verdict) Verdict {
	switch {
	case v == Fail || o == Fail:
		return Fail
	case v == Unknown || o == Unknown:
		return Unknown
	}
	return Pass
}

// MaxFindings is the number of findings that a Result keeps; Count has them all.
const MaxFindings = 16

// Finding is one place in a history where a check was broken.
type Finding struct {
	// Index is the record that shows it, and At its time.
	Index int   `json:"index"`
	At    int64 `json:"at"`
	// Explain says what was seen and what should have been, with names, nodes,
	// times, and the indexes of other records in brackets.
	Explain string `json:"explain"`
}

// Result is what one check found.
type Result struct {
	// Check is the name of the check, and Text what it holds, in one sentence.
	Check   string  `json:"check"`
	Text    string  `json:"text"`
	Verdict Verdict `json:"verdict"`
	// Judged is how many times the history put it to the test.
	Judged int `json:"judged"`
	// Count is the number of findings; the first MaxFindings are in Findings, in
	// the order of their records.
	Count    int       `json:"count"`
	Findings []Finding `json:"findings,omitempty"`
	// Note says why the verdict is Unknown.
	Note string `json:"note,omitempty"`
}

// Stat counts the operations of one kind by how they ended.
type Stat struct {
	F       history.Func `json:"f"`
	Invoked int          `json:"invoked"`
	Ok      int          `json:"ok"`
	Failed  int          `json:"failed"`
	// Info counts those of which nobody knows, and Open those that have no second
	// record.
	Info int `json:"info"`
	Open int `json:"open"`
}

// Values sums up a set of measurements. All are 0 when Count is.
type Values struct {
	Count int   `json:"count"`
	Min   int64 `json:"min"`
	P50   int64 `json:"p50"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	Max   int64 `json:"max"`
}

// Distribution is a set of measurements with a name and a unit.
type Distribution struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Values Values `json:"values"`
}

// Report is what all checks found.
type Report struct {
	// Verdict is the gravest verdict of the results. A check that is Unknown
	// because the run had no such situation does not count, unless it is Needed or
	// nothing else was judged.
	Verdict       Verdict        `json:"verdict"`
	Results       []Result       `json:"results"`
	Stats         []Stat         `json:"stats"`
	Distributions []Distribution `json:"distributions"`
	Heals         []Healing      `json:"heals,omitempty"`
}

// Result returns the result of a check.
func (r *Report) Result(check string) (result Result, ok bool) {
	i := slices.IndexFunc(r.Results, func(o Result) bool { return o.Check == check })
	if i < 0 {
		return result, false
	}
	return r.Results[i], true
}

// Failed returns the names of the checks that are false, in the order of All.
func (r *Report) Failed() []string {
	var names []string
	for _, o := range r.Results {
		if o.Verdict == Fail {
			names = append(names, o.Check)
		}
	}
	return names
}

// Check is one thing that a history is held against.
type Check struct {
	// Name is stable: scenarios, shrinking and reports refer to it.
	Name string
	// Text says what the check holds, in one sentence.
	Text string
	// Needed says that every complete run has something for the check to judge, so
	// that a report in which it is Unknown is Unknown.
	Needed bool

	run func(x *index, f *finder)
}

// Run judges a history by the checks that are named, or by all when none is. A
// name that is not that of a check gives an Unknown result that says so.
func Run(h *history.History, only ...string) *Report {
	x := newIndex(h)
	agreed := x.agreements(0)
	r := &Report{Stats: x.stats(), Distributions: x.distributions(agreed), Heals: x.healings(agreed)}
	needed := Verdict("")
	all := All()
	for _, c := range all {
		if len(only) > 0 && !slices.Contains(only, c.Name) {
			continue
		}
		f := &finder{x: x, res: Result{Check: c.Name, Text: c.Text}}
		c.run(x, f)
		f.finish()
		r.Results = append(r.Results, f.res)
		if c.Needed {
			needed = needed.Merge(f.res.Verdict)
		}
	}
	for _, name := range only {
		if !slices.ContainsFunc(all, func(c Check) bool { return c.Name == name }) {
			r.Results = append(r.Results, Result{Check: name, Verdict: Unknown, Note: "there is no such check"})
			needed = needed.Merge(Unknown)
		}
	}
	r.Verdict = overall(r.Results, needed)
	return r
}

// overall returns the verdict of a report.
func overall(results []Result, needed Verdict) Verdict {
	judged := false
	for _, r := range results {
		if r.Verdict == Fail {
			return Fail
		}
		judged = judged || r.Verdict == Pass
	}
	if !judged {
		return Unknown
	}
	return Pass.Merge(needed)
}

// finder collects what a check finds.
type finder struct {
	x     *index
	res   Result
	holes []string // why what was judged is not enough
	idle  string   // why nothing was judged

	trimmed bool // the first MaxFindings findings are in order, and no later one matters
}

// judge notes that the history put the check to the test once more.
func (f *finder) judge() { f.res.Judged++ }

// found notes a finding at a record.
func (f *finder) found(record int, format string, args ...any) {
	f.res.Count++
	f.res.Judged++
	at := int64(0)
	if record >= 0 && record < len(f.x.recs) {
		at = f.x.recs[record].At
	}
	if f.trimmed && record >= f.res.Findings[MaxFindings-1].Index {
		return
	}
	f.res.Findings = append(f.res.Findings, Finding{record, at, fmt.Sprintf(format, args...)})
	if len(f.res.Findings) >= 8*MaxFindings {
		f.trim()
	}
}

// trim leaves the findings of the earliest records.
func (f *finder) trim() {
	slices.SortStableFunc(f.res.Findings, func(a, b Finding) int { return a.Index - b.Index })
	f.trimmed = len(f.res.Findings) >= MaxFindings
	f.res.Findings = f.res.Findings[:min(len(f.res.Findings), MaxFindings)]
}

// lacks notes what the history lacks for a verdict of Pass.
func (f *finder) lacks(format string, args ...any) {
	f.holes = append(f.holes, fmt.Sprintf(format, args...))
}

// finish turns what was collected into the result.
func (f *finder) finish() {
	f.trim()
	switch {
	case f.res.Count > 0:
		f.res.Verdict = Fail
	case len(f.holes) > 0:
		f.res.Verdict = Unknown
		f.res.Note = strings.Join(f.holes[:min(len(f.holes), 4)], "; ")
	case f.res.Judged == 0:
		f.res.Verdict, f.res.Note = Unknown, f.idle
	default:
		f.res.Verdict = Pass
	}
}
