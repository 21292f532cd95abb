package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/nemesis"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenarios"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// faulty has an event of nearly every kind.
const faulty = `scenario faulty
nodes n1 n2 n3
net latency=1ms..5ms
at 1s n1 register k as p1 value=v
at 2s n2 register k as p2
at 2s cut {n1} | {n2 n3}
at 3s pause n3 for 1s
at 12s n2 register k as p3 optimistic
at 20s suspect n3 of n2
at 25s heal
at 30s skew n1 1s
at 31s kill n3
at 32s start n3
`

func TestTraceIsReadable(t *testing.T) {
	path := write(t, "faulty.netsplit", faulty)
	s, plain, errs := call(t, sim.Options{}, "run", path)
	require.Equal(t, held, s, plain+errs)
	s, out, errs := call(t, sim.Options{}, "run", path, "--trace", "-")
	require.Equal(t, held, s, errs)
	trace, told, found := strings.Cut(out, "\nfaulty: seed 1")
	require.True(t, found, out)
	require.Equal(t, plain, "faulty: seed 1"+told, "to be watched changes nothing")

	lines := strings.Split(strings.TrimSpace(trace), "\n")
	require.Equal(t, "trace of faulty: seed 1, policy last-writer, nodes n1 n2 n3", lines[0])
	require.Regexp(t, `^\d+ steps, trace [0-9a-f]{16}$`, lines[len(lines)-1])
	require.Contains(t, plain, lines[len(lines)-1][strings.Index(lines[len(lines)-1], "trace"):])
	step := regexp.MustCompile(`^ *\d+ +\d+\.\d{6}s  .{44} +\d* +[0-9a-f]{16}$`)
	record := regexp.MustCompile(`^ {21}\| \S.*[^;]$`)
	for _, l := range lines[2 : len(lines)-1] {
		require.True(t, step.MatchString(l) || record.MatchString(l), "%q", l)
	}
	for _, want := range []string{
		"| n1 is up, run 1", "frame hello, ", "| p1 begins on n1", "n1: register k as p1 value=v\n", "n1: register k as p1: ok, fence ",
		"n2: register k as p2: fail, taken by p1", "| cut {n1} | {n2 n3}; 4 links closed", "| n3: pause", "| n3: resume",
		"| n2 shows name k: nobody, was p1=v (node down)", "n2: register k as p3 optimistic: ok", "| n3 takes n2 for lost",
		"| heal; 0 links closed", "| p1 on n1 is told that it lost k to p3 (conflict lost)", "| p1 ended", "| skew n1 1s; ",
		"| n3 is down: killed", "| n3 is up, run 2", "| all faults are over",
	} {
		require.True(t, strings.Contains(trace, want), "no %q in\n%s", want, path)
	}
}

func TestTraceGoesToAFile(t *testing.T) {
	path, file := write(t, "a.netsplit", good), filepath.Join(t.TempDir(), "a.trace")
	s, out, errs := call(t, sim.Options{}, "run", path, "--trace", file)
	require.Equal(t, held, s, errs)
	require.Contains(t, out, "trace: "+file+"\n")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, isTrace(file))
	_, printed, _ := call(t, sim.Options{}, "run", path, "--trace", "-")
	require.True(t, strings.HasPrefix(printed, string(text)))

	s, out, errs = call(t, sim.Options{}, "run", path, "--trace", file, "--json")
	require.Equal(t, held, s, errs)
	require.Contains(t, out, `"trace": "`+file)
	require.True(t, strings.HasPrefix(out, "{"), "nothing but the object")
	for _, args := range [][]string{
		{"run", path, "--trace", "-", "--json"}, {"run", path, path, "--trace", file},
	} {
		s, _, errs := call(t, sim.Options{}, args...)
		require.Equal(t, badUsage, s, errs)
	}
}

func TestDiffNamesTheFirstStep(t *testing.T) {
	a, dir := write(t, "a.netsplit", good), filepath.Join(t.TempDir(), "run")
	b := write(t, "b.netsplit", strings.Replace(good, "at 2s", "at 2.5s", 1))
	trace := filepath.Join(t.TempDir(), "a.trace")
	s, _, errs := call(t, sim.Options{}, "run", a, "--out", dir, "--trace", trace)
	require.Equal(t, held, s, errs)
	for _, same := range [][2]string{{a, a}, {a, dir}, {dir, trace}, {trace, trace}, {trace, a}} {
		s, out, errs := call(t, sim.Options{}, "diff", same[0], same[1])
		require.Equal(t, held, s, out+errs)
		require.Contains(t, out, "the runs are the same, step by step\n")
	}
	for _, other := range [][2]string{{a, b}, {trace, b}} {
		s, out, errs := call(t, sim.Options{}, "diff", other[0], other[1])
		require.Equal(t, broken, s, out+errs)
		require.Regexp(t, `steps are the same; then they part:\n`, out)
		require.Regexp(t, `(?m)^- .* 2\.000000s  step join`, out)
		require.Regexp(t, `(?m)^\+ `, out)
	}
	for _, args := range [][]string{{"diff", a}, {"diff", a, "no-such-file"}, {"diff", a, b, a}} {
		s, _, _ := call(t, sim.Options{}, args...)
		require.Equal(t, badUsage, s)
	}

	n := uint64(0)
	drifting := sim.Options{Configure: func(c *replica.Config) { n++; c.Seed = n }}
	s, out, _ := call(t, drifting, "diff", a, a)
	require.Equal(t, broken, s, out)
	s, out, _ = call(t, drifting, "diff", a, dir)
	require.Equal(t, broken, s)
	require.Contains(t, out, "the directory recorded another trace")
}

func TestExplain(t *testing.T) {
	for _, c := range check.All() {
		s, out, errs := call(t, sim.Options{}, "explain", c.Name)
		require.Equal(t, held, s, errs)
		flat := strings.Join(strings.Fields(out), " ")
		require.True(t, strings.HasPrefix(flat, c.Name+" "+c.Text+" What counts: "), out)
		require.Contains(t, flat, "Unknown when ")
		require.Contains(t, flat, "unknown: the history had nothing for the check to judge")
		require.Equal(t, c.Needed, strings.Contains(flat, "so a run in which it is unknown is unknown"))
		for _, l := range strings.Split(out, "\n") {
			require.LessOrEqual(t, len(l), 80)
		}
	}
	for _, g := range sim.Goals() {
		s, out, errs := call(t, sim.Options{}, "explain", g.Name)
		require.Equal(t, held, s, errs)
		require.Contains(t, strings.Join(strings.Fields(out), " "), g.Text)
	}
	for _, args := range [][]string{{"explain"}, {"explain", "nonsense"}} {
		s, _, errs := call(t, sim.Options{}, args...)
		require.Equal(t, badUsage, s)
		require.Contains(t, errs, "list has them")
	}
}

func TestListShowsWhatThereIs(t *testing.T) {
	s, out, errs := call(t, sim.Options{}, "list")
	require.Equal(t, held, s, errs)
	for _, c := range check.All() {
		require.Contains(t, out, "  "+c.Name+" ")
		require.Contains(t, out, c.Text)
	}
	for _, g := range sim.Goals() {
		require.Contains(t, out, "  "+g.Name+" ")
	}
	for _, f := range scenarios.All() {
		require.Contains(t, out, "  "+f.Name+" ")
	}
	for _, p := range nemesis.Profiles() {
		require.Contains(t, out, string(p))
	}
	s, out, errs = call(t, sim.Options{}, "list", write(t, "x.netsplit", good))
	require.Equal(t, held, s, errs)
	require.Regexp(t, `^  good +2 nodes,   2 steps`, out)
}

func TestEveryCommandHasHelp(t *testing.T) {
	_, usage, _ := call(t, sim.Options{}, "help")
	for _, c := range commands() {
		require.Contains(t, usage, "  "+c.name+" ")
		s, out, _ := call(t, sim.Options{}, "help", c.name)
		require.Equal(t, held, s)
		require.True(t, strings.HasPrefix(out, "jepsen-lite "+c.name+" "+c.args+" [flags]\n\n"+c.text), out)
	}
	_, out, _ := call(t, sim.Options{}, "help", "run")
	require.Contains(t, out, "-trace")
}
