package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

func (a *app) explainCommand(f *flag.FlagSet, args []string) (status, error) {
	names, err := parse(f, args)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("%w: explain wants the name of a check or of a situation; list has them", errUsage)
	}
	used := ""
	for i, name := range names {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		text, err := a.explain(name)
		if err != nil {
			return 0, err
		}
		used += text
	}
	var words [][2]string
	for _, w := range check.Words() {
		if slices.ContainsFunc(strings.Split(w[0], ", "), func(word string) bool { return strings.Contains(used, word) }) {
			words = append(words, w)
		}
	}
	if len(words) > 0 {
		fmt.Fprintln(a.out, "\nWords")
	}
	for _, w := range words {
		paragraph(a.out, "  "+w[0]+": ", "    ", w[1]+".")
	}
	return held, nil
}

// explain explains one check or situation, and returns the text.
func (a *app) explain(name string) (string, error) {
	e, ok := check.Explain(name)
	if !ok {
		i := slices.IndexFunc(sim.Goals(), func(g sim.Goal) bool { return g.Name == name })
		if i < 0 {
			return "", fmt.Errorf("%w: there is no check or situation %q; list has them", errUsage, name)
		}
		fmt.Fprintf(a.out, "%s is a situation that a sweep of %d runs or more must meet once.\n\n", name, goalsFrom)
		paragraph(a.out, "", "", sim.Goals()[i].Text)
		return "", nil
	}
	fmt.Fprintf(a.out, "%s\n\n", name)
	paragraph(a.out, "", "", e.Text)
	fmt.Fprintln(a.out)
	paragraph(a.out, "What counts: ", "", e.Counts)
	fmt.Fprintln(a.out)
	paragraph(a.out, "Unknown when ", "", e.Unknown+".")
	if e.Needed {
		paragraph(a.out, "", "", "Every complete run has something for it to judge, so a run in which it is unknown is unknown.")
	}
	return e.Text + e.Counts + " unknown", nil
}

// paragraph writes text in lines of about 80 characters.
func paragraph(w io.Writer, first, rest, text string) {
	const width = 80
	line := first
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			fmt.Fprintln(w, line)
			line = rest + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}
