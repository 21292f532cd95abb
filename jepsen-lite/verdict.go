package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// object is what --json prints of a run, and what results.json holds.
type object struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	// Options are those that were drawn from the seed, or those of the file.
	Options map[string]string `json:"options"`
	Trace   string            `json:"trace_hash"`
	Steps   int               `json:"steps"`
	Virtual time.Duration     `json:"virtual_ns"`
	Verdict string            `json:"verdict"`
	Exit    int               `json:"exit"`
	Broken  []string          `json:"broken"`
	Checks  []check.Result    `json:"checks"`
	// Expects is the number of expectations at the end; Expectations are those, at the
	// end or before, that did not hold.
	Expects       int                  `json:"expects"`
	Expectations  []missed             `json:"expectations"`
	Convergence   convergence          `json:"convergence"`
	Traffic       traffic              `json:"traffic"`
	Distributions []check.Distribution `json:"distributions"`
	Files         map[string]string    `json:"files"`
	Replay        string               `json:"replay"`
}

type missed struct {
	Line int    `json:"line"`
	At   int64  `json:"t"`
	Text string `json:"text"`
}

type convergence struct {
	Agreed bool          `json:"agreed"`
	After  time.Duration `json:"after_ns"`
}

type traffic struct {
	Bytes     int64            `json:"bytes"`
	HealBytes int64            `json:"heal_bytes"`
	Frames    int64            `json:"frames"`
	Dropped   int64            `json:"dropped"`
	ByKind    map[string]int64 `json:"bytes_by_kind"`
}

// statusOf returns the status of a run.
func statusOf(j *sim.Judged) status {
	switch {
	case !j.Held():
		return broken
	case !j.Converged():
		return notConverged
	case j.Report.Verdict == check.Unknown:
		return unknown
	}
	return held
}

// objectOf describes a run.
func objectOf(p *played) *object {
	r := p.Result
	s := statusOf(p.Judged)
	version, commit := build()
	o := &object{
		Version: version, Commit: commit, Scenario: p.Scenario.Name, Seed: p.Scenario.Seed, Options: map[string]string{},
		Trace: traceOf(r), Steps: r.Steps, Virtual: r.Virtual, Verdict: s.String(), Exit: int(s),
		Broken: append([]string{}, p.Broken()...), Checks: p.Report.Results, Expects: len(p.Scenario.Expects),
		Expectations:  []missed{},
		Convergence:   convergence{r.Agreed, r.AgreedAfter},
		Traffic:       traffic{Bytes: r.Bytes, HealBytes: r.HealBytes, ByKind: map[string]int64{}},
		Distributions: p.Report.Distributions, Files: map[string]string{}, Replay: p.replay,
	}
	for _, x := range p.drawn {
		o.Options[x[0]] = x[1]
	}
	for _, f := range r.Failures {
		o.Expectations = append(o.Expectations, missed{f.Line, f.At, f.Text})
	}
	for _, t := range r.Traffic {
		o.Traffic.Frames += t.Frames
		o.Traffic.Dropped += t.Dropped
		o.Traffic.ByKind[t.Kind] += t.Bytes
	}
	return o
}

func traceOf(r *sim.Result) string { return fmt.Sprintf("%016x", r.Hash) }

// build returns the version of the module and the commit it was built from.
func build() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return info.Main.Version, commit
}

// printJSON writes one object.
func printJSON(w io.Writer, o any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(o)
}

// maxTold is the number of findings that are printed of a run.
const maxTold = 8

// tell prints what came of a run.
func (a *app) tell(p *played) {
	r := p.Result
	s := statusOf(p.Judged)
	fmt.Fprintf(a.out, "%s: seed %d, %d nodes, %v virtual, %d steps, trace %s\n",
		p.Scenario.Name, p.Scenario.Seed, len(p.Scenario.Nodes), r.Virtual, r.Steps, traceOf(r))
	if r.Agreed {
		fmt.Fprintf(a.out, "  agreed %v after the last event; %d bytes in all, %d since the last heal\n", r.AgreedAfter, r.Bytes, r.HealBytes)
	} else {
		fmt.Fprintf(a.out, "  did not agree; %d bytes in all\n", r.Bytes)
	}
	count := map[check.Verdict]int{}
	for _, c := range p.Report.Results {
		count[c.Verdict]++
	}
	fmt.Fprintf(a.out, "  checks: %d held, %d broken, %d had nothing to judge\n",
		count[check.Pass], count[check.Fail], count[check.Unknown])
	a.tellBroken(p.Judged, maxTold)
	fmt.Fprintln(a.out, "verdict:", s)
	if s != held && p.replay != "" {
		fmt.Fprintln(a.out, "replay:", p.replay)
	}
}

// tellBroken prints what did not hold, and some of the places where.
func (a *app) tellBroken(j *sim.Judged, most int) {
	told := 0
	for _, f := range j.Result.Failures {
		if told++; told <= most {
			fmt.Fprintf(a.out, "  %s\n", f)
		}
	}
	for _, c := range j.Report.Results {
		if c.Verdict != check.Fail {
			continue
		}
		fmt.Fprintf(a.out, "  check %s: %s (%d)\n", c.Check, c.Text, c.Count)
		for i, x := range c.Findings {
			if i < most {
				fmt.Fprintf(a.out, "    at %v [%d]: %s\n", time.Duration(x.At), x.Index, x.Explain)
			}
		}
	}
}
