package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// mutant is one planted fault.
type mutant struct {
	name  string // short, for -only
	fault string // what the changed source does, in words
	edits []edit
}

// edit is a change of one file, whose path is from the root of the module. The old
// text occurs in it exactly once.
type edit struct{ file, old, new string }

// where returns the packages that the mutant changes.
func (m mutant) where() []string {
	var dirs []string
	for _, e := range m.edits {
		dir := e.file[:strings.LastIndex(e.file, "/")]
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// options are the flags.
type options struct {
	only    string
	layer   string
	workers int
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "run these mutants only, separated by commas")
	flag.StringVar(&o.layer, "layer", "", "run this layer only: unit, laws or sim")
	flag.IntVar(&o.workers, "j", 1, "mutants to try at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	mutants, layers, err := choose(o)
	if err != nil {
		return err
	}
	var faults []error
	for _, m := range mutants {
		if _, err := m.apply(root); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	trials, err := tryAll(ctx, root, mutants, layers, max(o.workers, 1))
	if err != nil {
		return err
	}
	fmt.Print(table(trials, layers))
	for _, t := range trials {
		if t.err != nil {
			faults = append(faults, t.err)
		} else if !t.noticed() {
			faults = append(faults, fmt.Errorf("%s: nobody noticed", t.mutant.name))
		}
	}
	return errors.Join(faults...)
}

// moduleRoot returns the directory of the module that the program is run in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// choose returns the mutants and the layers that the flags name.
func choose(o options) ([]mutant, []layer, error) {
	mutants, layers := allMutants(), allLayers()
	if o.only != "" {
		var named []mutant
		for _, name := range strings.Split(o.only, ",") {
			i := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
			if i < 0 {
				return nil, nil, fmt.Errorf("there is no mutant %q", name)
			}
			named = append(named, mutants[i])
		}
		mutants = named
	}
	if o.layer != "" {
		layers = slices.DeleteFunc(layers, func(l layer) bool { return l.name != o.layer })
		if len(layers) == 0 {
			return nil, nil, fmt.Errorf("there is no layer %q", o.layer)
		}
	}
	return mutants, layers, nil
}
