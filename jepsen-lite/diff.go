package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// diffContext is how many lines before and after the first difference are shown.
const diffContext = 4

// side is one of two runs that are compared: its events, in lines.
type side struct {
	name  string
	lines []string
	last  string // how it ended
	note  string // what else is to be said of it
}

func (a *app) diffCommand(f *flag.FlagSet, args []string) (status, error) {
	paths, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(paths) != 2 {
		return 0, fmt.Errorf("%w: diff wants two runs: scenarios, directories of runs or written traces", errUsage)
	}
	written := isTrace(paths[0]) || isTrace(paths[1])
	var sides [2]*side
	for i, path := range paths {
		if sides[i], err = a.sideOf(path, written); err != nil {
			return 0, err
		}
		fmt.Fprintf(a.out, "%s %s: %s\n", [2]string{"-", "+"}[i], sides[i].name, sides[i].last)
		if sides[i].note != "" {
			fmt.Fprintln(a.out, "  "+sides[i].note)
		}
	}
	return a.difference(sides[0], sides[1]), nil
}

// isTrace reports whether a file is a trace that was written.
func isTrace(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begins := make([]byte, len(traceBegins))
	n, _ := f.Read(begins)
	return string(begins[:n]) == traceBegins
}

// sideOf reads a written trace, or plays a scenario: all its events, or, to be
// compared with a written trace, those that would be written.
func (a *app) sideOf(path string, written bool) (*side, error) {
	if isTrace(path) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return sideOfText(path, string(text)), nil
	}
	s, err := load(path)
	if err != nil {
		return nil, err
	}
	t, err := a.traceOfScenario(s)
	if err != nil {
		return nil, err
	}
	if written {
		var b strings.Builder
		if err := t.write(&b); err != nil {
			return nil, err
		}
		return sideOfText(path, b.String()), nil
	}
	d := &side{name: path, last: fmt.Sprintf("%d steps, trace %s", t.result.Steps, traceOf(t.result))}
	before := t.recordsBefore(0)
	d.lines = t.lines(0, before)
	for _, s := range t.steps {
		d.lines = append(d.lines, stepLine(s))
		d.lines = append(d.lines, t.lines(before, s.Records)...)
		before = s.Records
	}
	d.lines = append(d.lines, t.lines(before, len(t.result.History.Records))...)
	if text, err := os.ReadFile(filepath.Join(path, resultsFile)); err == nil && !strings.Contains(string(text), traceOf(t.result)) {
		d.note = "the directory recorded another trace: another version wrote it"
	}
	return d, nil
}

// lines returns what is on record from one place to another, as a trace has it.
func (t *traced) lines(from, to int) []string {
	var b strings.Builder
	t.records(&b, from, to)
	if b.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// sideOfText takes the events out of a written trace: without its first two lines,
// which name the run, and with the last aside.
func sideOfText(path, text string) *side {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	d := &side{name: path, last: lines[len(lines)-1]}
	if len(lines) > 3 {
		d.lines = lines[2 : len(lines)-1]
	}
	return d
}

// difference tells of the first line in which two runs differ.
func (a *app) difference(x, y *side) status {
	n := 0
	for n < min(len(x.lines), len(y.lines)) && x.lines[n] == y.lines[n] {
		n++
	}
	if n == len(x.lines) && n == len(y.lines) && x.last == y.last {
		fmt.Fprintln(a.out, "the runs are the same, step by step")
		return held
	}
	same := 0
	for _, line := range x.lines[:n] {
		if isStep(line) {
			same++
		}
	}
	fmt.Fprintf(a.out, "%d lines with %d steps are the same; then they part:\n", n, same)
	for _, line := range x.lines[max(0, n-diffContext):n] {
		fmt.Fprintln(a.out, "  "+line)
	}
	for i, d := range [2]*side{x, y} {
		sign := [2]string{"- ", "+ "}[i]
		for _, line := range d.lines[n:min(len(d.lines), n+diffContext)] {
			fmt.Fprintln(a.out, sign+line)
		}
		if n == len(d.lines) {
			fmt.Fprintln(a.out, sign+"the run is over")
		}
	}
	return broken
}

// isStep reports whether a line of a trace is of an event, not of a record.
func isStep(line string) bool { return !strings.HasPrefix(strings.TrimSpace(line), "|") }
