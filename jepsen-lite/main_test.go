package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

const good = `scenario good
nodes n1 n2
at 1s n1 register k as p1 => ok
at 2s n1 join g as p1
expect converged within 2s
expect holder k == p1
`

// call runs the command with arguments.
func call(t *testing.T, o sim.Options, args ...string) (s status, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{out: &stdout, err: &stderr, options: o}
	s = a.main(args)
	return s, stdout.String(), stderr.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestStatuses(t *testing.T) {
	late := strings.Replace(good, "at 2s n1 join g as p1", "at 2s kill n2", 1)
	for _, c := range []struct {
		what string
		want status
		args []string
	}{
		{"all held", held, []string{"run", write(t, "a.netsplit", good)}},
		{"an expectation broke", broken, []string{"run", write(t, "b.netsplit", good+"expect holder k == p2\n")}},
		{"an outcome was another", broken, []string{"run", write(t, "c.netsplit", good+"at 3s n2 register k as p2 => ok\n")}},
		{"views did not agree in time", notConverged, []string{"run",
			write(t, "d.netsplit", strings.Replace(late, "within 2s", "within 1ms", 1)+"at 3s start n2\n")}},
		{"no such check", unknown, []string{"check", "--only", "nonsense", recordedHistory(t)}},
		{"a history that holds", held, []string{"check", recordedHistory(t)}},
		{"a bad scenario", badUsage, []string{"run", write(t, "e.netsplit", "scenario x\nnonsense\n")}},
		{"no such file", badUsage, []string{"run", "no-such-file"}},
		{"a bad flag", badUsage, []string{"run", "--nonsense"}},
		{"a bad profile", badUsage, []string{"sweep", "--profile", "nonsense"}},
		{"a bad range", badUsage, []string{"sweep", "--seeds", "9-1"}},
		{"a bad depth", badUsage, []string{"exhaust", "--depth", "99"}},
		{"no command", badUsage, nil},
		{"no such command", badUsage, []string{"nonsense"}},
		{"nothing to shrink", badUsage, []string{"shrink", write(t, "f.netsplit", good)}},
		{"help", held, []string{"help"}},
		{"help of a command", held, []string{"help", "sweep"}},
		{"list", held, []string{"list"}},
	} {
		s, out, errs := call(t, sim.Options{}, c.args...)
		require.Equal(t, c.want, s, "%s: %s%s", c.what, out, errs)
		if s == broken || s == notConverged {
			lines := strings.Split(strings.TrimSpace(out), "\n")
			require.True(t, strings.HasPrefix(lines[len(lines)-1], "replay: go run ./jepsen-lite "), "%s: %s", c.what, out)
		}
	}
}

// TestRunsThatDiffer plants a source of chance that is not keyed.
func TestRunsThatDiffer(t *testing.T) {
	n := uint64(0)
	o := sim.Options{Configure: func(c *replica.Config) { n++; c.Seed = n }}
	s, _, errs := call(t, o, "replay", write(t, "a.netsplit", good))
	require.Equal(t, notDeterministic, s)
	require.Contains(t, errs, "not deterministic: step ")
	s, out, _ := call(t, o, "sweep", "--seeds", "1-1", "--nodes", "3", "-j", "1", "--out", t.TempDir())
	require.Equal(t, notDeterministic, s, out)
}

func recordedHistory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	s, out, errs := call(t, sim.Options{}, "run", write(t, "h.netsplit", good), "--out", dir)
	require.Equal(t, held, s, out+errs)
	return filepath.Join(dir, historyFile)
}

func TestRunWritesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s, out, errs := call(t, sim.Options{}, "run", "--seed", "3", "--out", dir, "--json")
	require.Equal(t, held, s, errs)
	var o object
	require.NoError(t, json.Unmarshal([]byte(out), &o))
	for _, name := range []string{scenarioFile, historyFile, resultsFile, htmlFile, textFile} {
		require.FileExists(t, filepath.Join(dir, name))
		require.Contains(t, o.Files, strings.ReplaceAll(name, ".", "_"))
	}
	s, out, errs = call(t, sim.Options{}, "replay", dir)
	require.Equal(t, held, s, errs)
	require.Contains(t, out, o.Trace, "the replay has the trace of the run")
	s, _, errs = call(t, sim.Options{}, "report", dir, "-o", filepath.Join(dir, "again.html"))
	require.Equal(t, held, s, errs)
	require.FileExists(t, filepath.Join(dir, "again.html"))

	broke := filepath.Join(t.TempDir(), "broke")
	s, _, _ = call(t, sim.Options{}, "run", write(t, "b.netsplit", good+"expect holder k == p2\n"), "--out", broke)
	require.Equal(t, broken, s)
	for range 2 { // as it was written, and as it is written again
		page, err := os.ReadFile(filepath.Join(broke, htmlFile))
		require.NoError(t, err)
		require.Contains(t, string(page), "line 7: expected holder k == p2; n1: holder is p1")
		require.Contains(t, string(page), "1 failed, ")
		s, _, errs = call(t, sim.Options{}, "report", broke)
		require.Equal(t, held, s, errs)
	}

	o.Trace = "0000000000000000"
	text, err := json.Marshal(o)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, resultsFile), text, 0o644))
	s, _, errs = call(t, sim.Options{}, "replay", dir)
	require.Equal(t, notDeterministic, s, errs)
}

func TestJSONIsOneObject(t *testing.T) {
	_, out, _ := call(t, sim.Options{}, "run", "--seed", "3", "--json")
	d := json.NewDecoder(strings.NewReader(out))
	var o map[string]any
	require.NoError(t, d.Decode(&o))
	require.False(t, d.More(), "nothing follows the object")
	for _, key := range []string{
		"version", "scenario", "seed", "options", "trace_hash", "verdict", "exit", "broken", "checks", "expectations",
		"convergence", "traffic", "files", "replay", "steps", "virtual_ns",
	} {
		require.Contains(t, o, key)
	}
	_, again, _ := call(t, sim.Options{}, "run", "--seed", "3", "--json")
	require.Equal(t, out, again, "the same run prints the same")

	_, out, _ = call(t, sim.Options{}, "sweep", "--seeds", "1-3", "--profile", "quiet", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &o))
	for _, key := range []string{"runs", "held", "coverage", "distributions", "failures", "schedules_per_second", "verdict"} {
		require.Contains(t, o, key)
	}
}

// byValue is a policy that every node may answer differently: which of two claims
// wins depends on which comes first.
type byValue struct{ resolve.Policy }

func (byValue) Compare(a, b resolve.Claim) int { return 1 }

// wrong plants a policy in which no order is kept.
func wrong() sim.Options {
	return sim.Options{Configure: func(c *replica.Config) { c.Policy = byValue{c.Policy} }}
}

func TestPlantedFaultIsFoundShrunkAndReplayed(t *testing.T) {
	if testing.Short() {
		t.Skip("shrinking is bounded by real time, which the short and slow runs do not have")
	}
	dir := t.TempDir()
	s, out, errs := call(t, wrong(), "sweep", "--seeds", "1-60", "--profile", "quiet", "--fail-fast", "--out", dir)
	require.Contains(t, []status{broken, notConverged}, s, out+errs)
	kept, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	text, err := os.ReadFile(kept[0])
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 10, "%s", text)
	require.Contains(t, out, "replay: go run ./jepsen-lite replay "+kept[0])

	s, first, _ := call(t, wrong(), "replay", kept[0])
	require.Contains(t, []status{broken, notConverged}, s)
	_, second, _ := call(t, wrong(), "replay", kept[0])
	require.Equal(t, first, second)
	s, _, _ = call(t, sim.Options{}, "replay", kept[0])
	require.Equal(t, held, s, "without the planted fault it holds")
}

func TestShrinkKeepsWhatFails(t *testing.T) {
	s := nemesis.Generate(5, nemesis.Options{Profile: nemesis.Partitions})
	path := write(t, "s.netsplit", s.String()+"expect count names == 99\n")
	small := filepath.Join(t.TempDir(), "small.netsplit")
	st, out, errs := call(t, sim.Options{}, "shrink", path, "-o", small, "--what", "expected count names == 99", "--budget", "30s")
	require.Equal(t, held, st, errs)
	text, err := os.ReadFile(small)
	require.NoError(t, err)
	require.Equal(t, "scenario partitions-5\nnodes n1\nexpect count names == 99\n", string(text), out)
}

// TestAnotherProcessHasTheSameTrace runs this test program again, on one
// processor.
func TestAnotherProcessHasTheSameTrace(t *testing.T) {
	const marker = "JEPSEN_LITE_TRACES"
	traces := ""
	for seed := range uint64(8) {
		r, err := sim.Run(nemesis.Generate(seed, nemesis.Options{}), sim.Options{})
		require.NoError(t, err)
		traces += "trace " + traceOf(r) + "\n"
	}
	if os.Getenv(marker) != "" {
		require.NoError(t, os.WriteFile(os.Getenv(marker), []byte(traces), 0o644))
		return
	}
	path := filepath.Join(t.TempDir(), "traces")
	c := exec.Command(os.Args[0], "-test.run=^TestAnotherProcessHasTheSameTrace$")
	c.Env = append(os.Environ(), "GOMAXPROCS=1", marker+"="+path)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	other, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, traces, string(other))
}

// TestSweepWantsEveryCheckPutToTheTest: a sweep in which a check was hardly ever
// judged has not held.
func TestSweepWantsEveryCheckPutToTheTest(t *testing.T) {
	sum := func(relay, runs int) *tally {
		tl := newTally("", uint64(runs))
		tl.goals, tl.runs = true, runs
		for _, g := range sim.Goals() {
			tl.met[g.Name] = 1
		}
		for _, c := range check.All() {
			tl.judged[c.Name] = runs
		}
		tl.judged["relay"] = relay
		tl.finish()
		return tl
	}
	require.Equal(t, held, sum(50, 2000).status)
	seldom := sum(49, 2000)
	require.Equal(t, unknown, seldom.status)
	require.Equal(t, []string{"relay"}, seldom.seldom)
	require.Equal(t, []string{"relay"}, seldom.object().Seldom)
	var out bytes.Buffer
	seldom.tell(&out)
	require.Contains(t, out.String(), "put to the test in fewer than 50 of 2000 runs: [relay]\n")
	require.Equal(t, held, sum(0, goalsFrom-1).status, "a short sweep has no such goal")
}

// TestSweepSaysWhyNobodyCanTell: a run that is unknown is named, with what it lacks.
func TestSweepSaysWhyNobodyCanTell(t *testing.T) {
	s, err := scenario.Parse(strings.NewReader("scenario lone\nnodes n1\nat 1s n1 register k as p1\n"))
	require.NoError(t, err)
	j, err := sim.Judge(s, sim.Options{})
	require.NoError(t, err)
	tl := newTally("", 1)
	require.Nil(t, tl.add(&sim.Swept{Judged: j}))
	tl.finish()
	require.Equal(t, unknown, tl.status)
	require.Equal(t, []string{"lone: final-agreement: no two nodes reach each other at the end"}, tl.object().Unsure)
	var out bytes.Buffer
	tl.tell(&out)
	require.Contains(t, out.String(), "unknown lone: final-agreement: no two nodes reach each other at the end\n")
}

func TestSweepHasABudget(t *testing.T) {
	s, out, errs := call(t, sim.Options{}, "sweep", "--seeds", "1-1000000", "--profile", "quiet", "--nodes", "2", "--budget", "300ms")
	require.Equal(t, held, s, out+errs)
	require.Contains(t, out, "verdict: held")
}
