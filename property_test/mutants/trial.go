package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// layer is a set of tests that may notice a fault.
type layer struct {
	name  string
	about string
	limit time.Duration
	// args returns the arguments of go test for a fault in some packages; none
	// when the layer has nothing to do with them.
	args func(where []string) []string
}

// allLayers returns the layers in the order in which they run.
func allLayers() []layer {
	return []layer{
		{"unit", "the tests beside the code, with -short", 2 * time.Minute, unitArgs},
		{"laws", "the laws of property_test", 2 * time.Minute, func(where []string) []string {
			if !slices.ContainsFunc(where, func(dir string) bool { return dir == "crdt" || dir == "resolve" }) {
				return nil
			}
			return []string{"-short", "-run", "^TestLaws", "./property_test"}
		}},
		{"sim", "scenarios and random netsplits in the simulator, with -short", 4 * time.Minute, func([]string) []string {
			return []string{"-short", "-run", "^(TestSim|TestScenario|TestSplitBrain|TestSweep)", "./property_test", "./jepsen-lite/sim"}
		}},
	}
}

// unitArgs tests the changed packages and those that stand on them.
func unitArgs(where []string) []string {
	args := []string{"-short"}
	dirs := []string{"crdt", "resolve", "registry/replica"}
	for i, dir := range dirs {
		if slices.ContainsFunc(where, func(w string) bool { return slices.Contains(dirs[:i+1], w) }) {
			args = append(args, "./"+dir)
		}
	}
	return args
}

// trial is what came of one mutant.
type trial struct {
	mutant mutant
	found  map[string]string // by layer: the test that noticed
	took   time.Duration
	err    error
}

func (t trial) noticed() bool { return len(t.found) > 0 }

// apply returns the changed files by their path from the root.
func (m mutant) apply(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		text, ok := files[e.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s: %s has the text %d times that it should have once:\n%s", m.name, e.file, n, e.old)
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}

// overlay writes the changed files to dir and returns the path of the overlay.
func (m mutant) overlay(root, dir string) (string, error) {
	files, err := m.apply(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range files {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, file)] = path
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// tryAll tries the layers without a fault, and then every mutant.
func tryAll(ctx context.Context, root string, mutants []mutant, layers []layer, workers int) ([]trial, error) {
	for _, l := range layers {
		noticed, err := l.test(ctx, root, "", []string{"crdt", "resolve", "registry/replica"})
		if err != nil || noticed != "" {
			return nil, errors.Join(fmt.Errorf("layer %s fails without any fault: %s", l.name, noticed), err)
		}
	}
	trials := make([]trial, len(mutants))
	next := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := range next {
				trials[i] = try(ctx, root, mutants[i], layers)
				fmt.Fprintf(os.Stderr, "%-28s %6.1fs  %s\n", mutants[i].name, trials[i].took.Seconds(), trials[i].line(layers))
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	wait.Wait()
	return trials, ctx.Err()
}

// try plants one fault and runs the layers.
func try(ctx context.Context, root string, m mutant, layers []layer) (t trial) {
	begun := time.Now()
	t = trial{mutant: m, found: map[string]string{}}
	defer func() { t.took = time.Since(begun) }()
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		t.err = err
		return t
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path, err := m.overlay(root, dir)
	if err != nil {
		t.err = err
		return t
	}
	for _, l := range layers {
		noticed, err := l.test(ctx, root, path, m.where())
		if err != nil {
			t.err = fmt.Errorf("%s: %w", m.name, err)
			return t
		}
		if noticed != "" {
			t.found[l.name] = noticed
		}
	}
	return t
}

// test runs the layer's tests and returns the first that fails; "" when none does.
func (l layer) test(ctx context.Context, root, overlay string, where []string) (noticed string, err error) {
	rest := l.args(where)
	if len(rest) == 0 {
		return "", nil
	}
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-ldflags=-s -w", "-timeout=" + l.limit.String()}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, rest...)...)
	cmd.Dir = root
	// No shrinking, and nothing written into the working tree.
	cmd.Env = append(os.Environ(), "RAPID_SHRINKTIME=0s", "RAPID_NOFAILFILE=true")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return failure(string(out))
}

// failure finds the test that failed in what go test printed.
func failure(out string) (test string, err error) {
	if strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]") {
		return "", fmt.Errorf("it does not compile:\n%s", out)
	}
	if strings.Contains(out, "panic: test timed out") {
		return running(out) + " (never ends)", nil
	}
	if m := regexp.MustCompile(`(?m)^--- FAIL: ([^\s/]+)`).FindStringSubmatch(out); m != nil {
		return m[1], nil
	}
	if m := regexp.MustCompile(`\.(Test\w+)\(`).FindStringSubmatch(out); m != nil && strings.Contains(out, "panic:") {
		return m[1] + " (panic)", nil
	}
	return "", fmt.Errorf("go test failed without naming a test:\n%s", out)
}

// running returns the test that was running when the time was over.
func running(out string) string {
	if m := regexp.MustCompile(`running tests:\s+(\w+)`).FindStringSubmatch(out); m != nil {
		return m[1]
	}
	return "a test"
}
