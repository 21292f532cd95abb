package scenarios_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenarios"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// sampleOf is one in how many files are played twice.
const sampleOf = 8

// failing names the scenarios that the machine fails, and why. A file is not
// weakened to pass; it leaves this list when the machine is right.
func failing() map[string]string {
	return map[string]string{}
}

func TestScenarios(t *testing.T) {
	known := failing()
	for _, f := range scenarios.All() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Parse(strings.NewReader(f.Text))
			require.NoError(t, err)
			j := play(t, s)
			r := j.Result
			t.Log(r.Line())
			if sampled(f.Name) {
				again, err := sim.Run(s, sim.Options{Quiet: skimmed(s)})
				require.NoError(t, err)
				require.Equal(t, r.Hash, again.Hash, "the same file gives the same trace")
				require.Equal(t, r.Steps, again.Steps)
			}
			faults := faultsOf(j)
			why, listed := known[f.Name]
			switch {
			case listed && faults == "":
				require.Fail(t, "it holds: take it off the list of failing ones")
			case listed:
				t.Skipf("known to fail: %s\n%s", why, faults)
			case faults != "":
				require.Fail(t, faults+"replay: go run ./jepsen-lite run jepsen-lite/scenarios/"+f.Name+".netsplit")
			}
		})
	}
}

// seeds is how many other seeds each file is played with in a long test.
const seeds = 20

// TestScenariosWithOtherSeeds plays each file with other seeds: what it expects
// follows from its text, not from the order in which one seed lets things happen.
// It takes a minute or two: set ROLLCALL_LONG=1.
func TestScenariosWithOtherSeeds(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("set ROLLCALL_LONG=1 to play all files with other seeds")
	}
	known := failing()
	for _, f := range scenarios.All() {
		if known[f.Name] != "" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Parse(strings.NewReader(f.Text))
			require.NoError(t, err)
			n := uint64(seeds)
			if large(s) {
				n = 3
			}
			first := s.Seed + 1
			for s.Seed = first; s.Seed < first+n; s.Seed++ {
				require.Empty(t, faultsOf(play(t, s)), "seed %d", s.Seed)
			}
		})
	}
}

// faultsOf returns the expectations of a run that did not hold, one on each line,
// the checks that are false, expected or not, with their first finding, and the
// first watch that went wrong.
func faultsOf(j *sim.Judged) string {
	var lines strings.Builder
	for i, x := range j.Result.Failures {
		if i == maxLines {
			fmt.Fprintf(&lines, "and %d more\n", len(j.Result.Failures)-i)
			break
		}
		fmt.Fprintln(&lines, x)
	}
	for _, c := range j.Report.Results {
		if c.Verdict == check.Fail {
			fmt.Fprintf(&lines, "check %s (%d): %s\n", c.Check, c.Count, c.Findings[0].Explain)
		}
	}
	if fault := foldWatches(j.Result.History); fault != "" {
		fmt.Fprintln(&lines, fault)
	}
	return lines.String()
}

// maxLines is how many failures of one run are listed.
const maxLines = 12

// play runs a scenario and holds it against all checks, as the command does. One
// with many names is only run in a short test, without views and events, which
// would be most of the time.
func play(t *testing.T, s *scenario.Scenario) *sim.Judged {
	t.Helper()
	if skimmed(s) {
		r, err := sim.Run(s, sim.Options{Quiet: true})
		require.NoError(t, err)
		return &sim.Judged{Scenario: s, Result: r, Report: &check.Report{}}
	}
	j, err := sim.Judge(s, sim.Options{})
	require.NoError(t, err)
	return j
}

func skimmed(s *scenario.Scenario) bool { return large(s) && testing.Short() }

func large(s *scenario.Scenario) bool {
	for _, step := range s.Steps {
		if step.Verb == scenario.Bulk && step.Hi-step.Lo >= 1000 {
			return true
		}
	}
	return false
}

func sampled(name string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()%sampleOf == 0
}

// watched is what the watch of one run of a node has said so far.
type watched struct {
	seq   uint64
	shown map[string]history.Shown
}

// foldWatches applies the events of every watch, in their order, to its snapshot,
// and returns the first that does not follow from those before it: a revision
// that was dropped, repeated or replayed from before. What a watch comes to must
// be what its node shows.
func foldWatches(h *history.History) string {
	all := map[string]*watched{}
	for i := range h.Records {
		r := &h.Records[i]
		run := fmt.Sprintf("%s/%d", r.Node, r.Run)
		switch {
		case r.F == history.Snapshot:
			all[run] = &watched{seq: r.Seq, shown: map[string]history.Shown{}}
		case r.F == history.Event:
			if fault := all[run].apply(r); fault != "" {
				return fmt.Sprintf("record %d: the watch on %s: %s", i, run, fault)
			}
		case r.F == history.View && r.Type == history.Ok:
			if fault := all[run].compare(r); fault != "" {
				return fmt.Sprintf("record %d: the watch on %s: %s", i, run, fault)
			}
		}
	}
	return ""
}

// apply takes an event in.
func (w *watched) apply(r *history.Record) string {
	if r.Seq != w.seq+1 {
		return fmt.Sprintf("event %d follows event %d", r.Seq, w.seq)
	}
	w.seq = r.Seq
	key := r.Kind + " " + r.Key
	if r.Kind == "group" {
		member := r.New
		if member == nil {
			member = r.Old
		}
		key += " " + member.Process
	}
	before, had := w.shown[key]
	if had != (r.Old != nil) || had && before != *r.Old {
		return fmt.Sprintf("event %d (%s, %s) replaces %v, but %v was shown", r.Seq, key, r.Reason, r.Old, before)
	}
	if r.New == nil {
		delete(w.shown, key)
	} else {
		w.shown[key] = *r.New
	}
	return ""
}

// compare holds what the watch has come to against what the node shows.
func (w *watched) compare(r *history.Record) string {
	n := len(r.Names)
	for name, shown := range r.Names {
		if w.shown["name "+name] != shown {
			return fmt.Sprintf("says %v of %s, but the node shows %v", w.shown["name "+name], name, shown)
		}
	}
	for group, members := range r.Groups {
		n += len(members)
		for _, shown := range members {
			if key := "group " + group + " " + shown.Process; w.shown[key] != shown {
				return fmt.Sprintf("says %v of %s, but the node shows %v", w.shown[key], key, shown)
			}
		}
	}
	if n != len(w.shown) {
		return fmt.Sprintf("has come to %d entries, but the node shows %d", len(w.shown), n)
	}
	return ""
}

func TestFilesAreNamedAsTheirScenarios(t *testing.T) {
	all := scenarios.All()
	require.Greater(t, len(all), 60)
	for _, f := range all {
		lines := strings.SplitN(f.Text, "\n", 4)
		require.Equal(t, "scenario "+f.Name, lines[0])
		require.True(t, strings.HasPrefix(lines[1], "source "), "%s: the second line names the source", f.Name)
		require.True(t, strings.HasPrefix(lines[2], "# "), "%s: the third line begins to say what the damage was", f.Name)
	}
}
