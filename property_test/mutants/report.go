package main

import (
	"fmt"
	"strings"
)

// line sums a trial up.
func (t trial) line(layers []layer) string {
	if t.err != nil {
		return "error: " + t.err.Error()
	}
	if !t.noticed() {
		return "NOBODY NOTICED"
	}
	var parts []string
	for _, l := range layers {
		if test := t.found[l.name]; test != "" {
			parts = append(parts, l.name+": "+test)
		}
	}
	return strings.Join(parts, ", ")
}

// table returns the trials as a table in Markdown, with the sums below it.
func table(trials []trial, layers []layer) string {
	var b strings.Builder
	b.WriteString("| name | fault | in |")
	rule := "\n|---|---|---|"
	for _, l := range layers {
		fmt.Fprintf(&b, " %s |", l.name)
		rule += "---|"
	}
	b.WriteString(rule + "\n")
	sums, noticed := map[string]int{}, 0
	for _, t := range trials {
		fmt.Fprintf(&b, "| %s | %s | %s |", t.mutant.name, t.mutant.fault, strings.Join(t.mutant.where(), ", "))
		for _, l := range layers {
			cell := "–"
			if test := t.found[l.name]; test != "" {
				cell = test
				sums[l.name]++
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
		if t.noticed() {
			noticed++
		}
	}
	fmt.Fprintf(&b, "\n%d faults, %d noticed", len(trials), noticed)
	for _, l := range layers {
		fmt.Fprintf(&b, "; %d by %s", sums[l.name], l.name)
	}
	b.WriteString(".\n")
	return b.String()
}
