package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// ErrNotDeterministic is wrapped by the error of Verify: two runs of one scenario
// parted.
var ErrNotDeterministic = errors.New("sim: not deterministic")

// Judged is a run with what is to be said of it.
type Judged struct {
	Scenario *scenario.Scenario
	Result   *Result
	Report   *check.Report
}

// Judge plays a scenario and holds its history against the checks and its end
// against the scenario's expectations.
func Judge(s *scenario.Scenario, opts Options) (*Judged, error) {
	r, err := Run(s, opts)
	if err != nil {
		return nil, err
	}
	return &Judged{Scenario: s, Result: r, Report: check.Run(r.History)}, nil
}

// Broken names what did not hold: checks as "check NAME", expectations as they
// stand in the scenario. The names do not depend on times and lines, so that a
// scenario that was made smaller can be seen to break the same.
func (j *Judged) Broken() []string {
	var broken []string
	for _, name := range j.Report.Failed() {
		broken = append(broken, "check "+name)
	}
	for _, f := range j.Result.Failures {
		if name := f.name(); !slices.Contains(broken, name) {
			broken = append(broken, name)
		}
	}
	return broken
}

// name is what was expected, without what was seen.
func (f Failure) name() string {
	text, _, _ := strings.Cut(f.Text, ";")
	if f.Line == 0 {
		text, _, _ = strings.Cut(f.Text, ":")
	}
	return text
}

// Converged reports whether nothing broke that is a matter of time.
func (j *Judged) Converged() bool {
	return !slices.ContainsFunc(j.Result.Failures, func(f Failure) bool { return f.Convergence })
}

// Held reports whether all else held.
func (j *Judged) Held() bool {
	others := slices.ContainsFunc(j.Result.Failures, func(f Failure) bool { return !f.Convergence })
	return !others && len(j.Report.Failed()) == 0
}

// Verify plays a scenario twice and returns an error that wraps
// ErrNotDeterministic and names the first step at which the runs part.
func Verify(s *scenario.Scenario, opts Options) error {
	opts.Marks = true
	a, err := Run(s, opts)
	if err != nil {
		return err
	}
	b, err := Run(s, opts)
	if err != nil {
		return err
	}
	for i := range min(len(a.Marks), len(b.Marks)) {
		if a.Marks[i] != b.Marks[i] {
			return fmt.Errorf("%w: step %d is %016x in one run and %016x in the other", ErrNotDeterministic, i+1, a.Marks[i], b.Marks[i])
		}
	}
	if a.Hash != b.Hash || a.Steps != b.Steps {
		return fmt.Errorf("%w: %d steps and trace %016x in one run, %d and %016x in the other",
			ErrNotDeterministic, a.Steps, a.Hash, b.Steps, b.Hash)
	}
	return nil
}
