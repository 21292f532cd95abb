package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// traced is a run with all its events.
type traced struct {
	scenario *scenario.Scenario
	result   *sim.Result
	steps    []sim.Step
}

// tracing has the runs of an app collect their events in t. It returns a function
// that ends that.
func (a *app) tracing(t *traced) func() {
	before := a.options.Trace
	a.options.Trace = func(s sim.Step) { t.steps = append(t.steps, s) }
	return func() { a.options.Trace = before }
}

// traceOfScenario plays a scenario and keeps its events.
func (a *app) traceOfScenario(s *scenario.Scenario) (*traced, error) {
	t := &traced{scenario: s}
	defer a.tracing(t)()
	r, err := sim.Run(s, a.options)
	t.result = r
	return t, err
}

// traceTo writes a trace to a file, or to the output when it is "-". Of a file it
// says where it is, if tell is set.
func (a *app) traceTo(path string, t *traced, tell bool) error {
	if path == "-" {
		return t.write(a.out)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = t.write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil && tell {
		fmt.Fprintf(a.out, "trace: %s\n", path)
	}
	return err
}

// traceBegins is how the first line of a written trace begins.
const traceBegins = "trace of "

// write writes the events that did something, each with what it put on record.
func (t *traced) write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s%s: seed %d, policy %s, nodes %s\n", traceBegins, t.scenario.Name, t.scenario.Seed,
		t.scenario.Policy, strings.Join(t.scenario.Nodes, " "))
	fmt.Fprintf(b, "%7s %11s  %-44s %8s  %s\n", "step", "time", "what happened", "sent", "hash")
	t.records(b, 0, t.recordsBefore(0))
	for i, s := range t.steps {
		from := t.recordsBefore(i)
		if !idle(s) || slices.ContainsFunc(t.words(from, s.Records), func(w string) bool { return w != "" }) {
			fmt.Fprintln(b, stepLine(s))
			t.records(b, from, s.Records)
		}
	}
	if n := len(t.steps); n > 0 {
		t.records(b, t.steps[n-1].Records, len(t.result.History.Records))
	}
	fmt.Fprintf(b, "%d steps, trace %s\n", t.result.Steps, traceOf(t.result))
	return b.Flush()
}

// recordsBefore returns how many records there were before a step.
func (t *traced) recordsBefore(step int) int {
	switch {
	case step > 0:
		return t.steps[step-1].Records
	case len(t.steps) == 0:
		return len(t.result.History.Records)
	}
	for i, r := range t.result.History.Records[:t.steps[0].Records] {
		if r.At >= t.steps[0].At {
			return i
		}
	}
	return t.steps[0].Records
}

// records writes what is on record from one place to another.
func (t *traced) records(w io.Writer, from, to int) {
	for _, words := range t.words(from, to) {
		if words != "" {
			fmt.Fprintf(w, "%21s| %s\n", "", words)
		}
	}
}

func (t *traced) words(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, recordWords(&t.result.History.Records[i]))
	}
	return all
}

// idle reports whether an event is one of those that come again and again, and
// sent nothing.
func idle(s sim.Step) bool {
	switch s.Kind {
	case "tick", "sample", "views", "merge":
		return s.Sent == 0
	}
	return false
}

// stepLine is an event in one line.
func stepLine(s sim.Step) string {
	what := s.Kind
	if s.Frame != "" {
		what += fmt.Sprintf(" %s, %d bytes,", s.Frame, s.Size)
	}
	switch {
	case s.From != "" && s.To != "":
		what += " " + s.From + " -> " + s.To
	case s.To != "":
		what += " " + s.To
	}
	sent := ""
	if s.Sent > 0 {
		sent = fmt.Sprint(s.Sent)
	}
	return fmt.Sprintf("%7d %11s  %-44s %8s  %016x", s.Number, seconds(s.At), what, sent, s.Hash)
}

func seconds(at int64) string { return fmt.Sprintf("%.6fs", time.Duration(at).Seconds()) }

// recordWords says what a record tells, in one line; empty for the views and sums
// that are recorded again and again.
func recordWords(r *history.Record) string {
	switch r.F {
	case history.NodeUp:
		return fmt.Sprintf("%s is up, run %d", r.Node, r.Run)
	case history.NodeDown:
		return fmt.Sprintf("%s is down: %s", r.Node, r.Reason)
	case history.Pause, history.Resume:
		return fmt.Sprintf("%s: %s", r.Node, r.F)
	case history.Spawn:
		return fmt.Sprintf("%s begins on %s", r.Process, r.Node)
	case history.Exit:
		return r.Process + " ended"
	case history.Forgot:
		return fmt.Sprintf("%s forgot %s", r.Node, r.About)
	case history.Suspect:
		return fmt.Sprintf("%s takes %s for lost", r.Node, r.About)
	case history.Settled:
		return "all faults are over"
	case history.Event:
		return fmt.Sprintf("%s shows %s %s: %s, was %s (%s)", r.Node, r.Kind, r.Key, shownWords(r.New), shownWords(r.Old), r.Reason)
	case history.Lost:
		return fmt.Sprintf("%s on %s is told that it lost %s to %s (%s)", r.Process, r.Node, r.Name, orNobody(r.Winner), r.Reason)
	case history.Cut, history.Heal, history.OneWay, history.Degrade, history.Skew:
		if r.Type == history.Invoke {
			return ""
		}
		return fmt.Sprintf("%s; %d links closed", r.Text, len(r.Closed))
	case history.View, history.State, history.Traffic, history.Snapshot:
		return ""
	}
	return operationWords(r)
}

func operationWords(r *history.Record) string {
	what := fmt.Sprintf("%s: %s %s%s as %s", r.Node, r.F, r.Name, r.Group, orNobody(r.Process))
	if r.Mode == history.Optimistic {
		what += " optimistic"
	}
	if r.Value != "" {
		what += fmt.Sprintf(" value=%s", r.Value)
	}
	switch {
	case r.Type == history.Invoke:
		return what
	case r.Holder != "":
		return fmt.Sprintf("%s: %s, taken by %s", what, r.Type, r.Holder)
	case r.Error != "":
		return fmt.Sprintf("%s: %s, %s", what, r.Type, r.Error)
	case r.Fence != 0:
		return fmt.Sprintf("%s: %s, fence %d", what, r.Type, r.Fence)
	}
	return fmt.Sprintf("%s: %s", what, r.Type)
}

func shownWords(s *history.Shown) string {
	switch {
	case s == nil:
		return "nobody"
	case s.Value != "":
		return s.Process + "=" + s.Value
	}
	return s.Process
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}
