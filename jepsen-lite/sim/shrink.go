package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Breaks returns a function that reports whether a scenario breaks what Broken
// named so in the run that is to be made smaller, j. An expectation is easily missed
// by a scenario in which too little happens. So it must be missed in the same way,
// nothing else may break that held, and the processes that it names must still ask
// for something.
func (j *Judged) Breaks(what string, opts Options) func(*scenario.Scenario) bool {
	ways, all := j.ways(what), j.Broken()
	named := slices.DeleteFunc(j.expects(what), func(p string) bool { return !asks(j.Scenario.Steps, p) })
	return func(s *scenario.Scenario) bool {
		if slices.ContainsFunc(named, func(p string) bool { return !asks(s.Steps, p) }) {
			return false
		}
		now, err := Judge(s, opts)
		if err != nil || !slices.Contains(now.Broken(), what) {
			return false
		}
		if len(ways) == 0 {
			return true
		}
		other := slices.ContainsFunc(now.Broken(), func(b string) bool { return !slices.Contains(all, b) })
		return !other && slices.ContainsFunc(now.ways(what), func(w string) bool { return slices.Contains(ways, w) })
	}
}

// expects returns the processes that an expectation names, of those with steps.
func (j *Judged) expects(what string) []string {
	var named []string
	for i := range j.Scenario.Steps {
		for _, word := range strings.FieldsFunc(what, func(r rune) bool { return strings.ContainsRune(" |{}", r) }) {
			if p := j.Scenario.Steps[i].Process; p != "" && p == word && !slices.Contains(named, p) {
				named = append(named, p)
			}
		}
	}
	return named
}

// asks reports whether a process registers or joins something.
func asks(steps []scenario.Step, process string) bool {
	return slices.ContainsFunc(steps, func(s scenario.Step) bool {
		switch s.Verb {
		case scenario.Register, scenario.Reregister, scenario.Join, scenario.Bulk:
			return s.Process == process
		case scenario.Repeat:
			return asks(s.Inner, process)
		}
		return false
	})
}

// ways returns how an expectation was missed: on which node, and what was seen,
// without the numbers, which change when a scenario is made smaller.
func (j *Judged) ways(what string) []string {
	var ways []string
	for _, f := range j.Result.Failures {
		_, seen, ok := strings.Cut(f.Text, "; ")
		if !ok || f.name() != what {
			continue
		}
		words := strings.Fields(seen)
		for i, w := range words {
			if w[0] >= '0' && w[0] <= '9' {
				words[i] = "#"
			}
		}
		ways = append(ways, strings.Join(words, " "))
	}
	return ways
}

// Shrink makes a failing scenario smaller while fails says that it still fails:
// it leaves steps out by halves and ever smaller parts (Zeller and Hildebrandt,
// "Simplifying and isolating failure-inducing input", 2002), then nodes,
// expectations and options, then makes times round and short. It ends when nothing
// helps any more, or when the budget is spent. The result is the smallest that was
// found; s itself is not modified.
func Shrink(s *scenario.Scenario, fails func(*scenario.Scenario) bool, budget time.Duration) *scenario.Scenario {
	k := &shrinker{best: copied(s), fails: fails, until: time.Now().Add(budget)}
	k.try(func(s *scenario.Scenario) { s.Seed = scenario.DefaultSeed })
	for before := ""; before != k.best.String() && !k.spent(); {
		before = k.best.String()
		k.steps()
		k.nodes()
		k.expects()
		k.options()
		k.values()
		k.times()
	}
	return k.best
}

// shrinker holds the smallest scenario that still fails.
type shrinker struct {
	best  *scenario.Scenario
	fails func(*scenario.Scenario) bool
	until time.Time
}

func (k *shrinker) spent() bool { return time.Now().After(k.until) }

// copied returns the scenario as its file gives it back, and nil when that is
// not one.
func copied(s *scenario.Scenario) *scenario.Scenario {
	c, err := scenario.Parse(strings.NewReader(s.String()))
	if err != nil {
		return nil
	}
	return c
}

// try changes a copy and keeps it if it still fails.
func (k *shrinker) try(change func(*scenario.Scenario)) bool {
	if k.spent() {
		return false
	}
	c := copied(k.best)
	change(c)
	if c = copied(c); c == nil || c.String() == k.best.String() || !k.fails(c) {
		return false
	}
	k.best = c
	return true
}

// steps leaves out as many steps as it can.
func (k *shrinker) steps() {
	for size := max(1, len(k.best.Steps)/2); ; size /= 2 {
		for i := 0; i < len(k.best.Steps); {
			to := min(i+size, len(k.best.Steps))
			if !k.try(func(s *scenario.Scenario) { s.Steps = slices.Delete(s.Steps, i, to) }) {
				i = to
			}
		}
		if size <= 1 || k.spent() {
			return
		}
	}
}

// nodes leaves out nodes, with all that happens on them.
func (k *shrinker) nodes() {
	for i := len(k.best.Nodes) - 1; i >= 0 && len(k.best.Nodes) > 1; i-- {
		name := k.best.Nodes[i]
		k.try(func(s *scenario.Scenario) {
			s.Nodes = slices.Delete(s.Nodes, i, i+1)
			s.Steps = without(s.Steps, name)
		})
	}
}

// without leaves a node out of steps.
func without(steps []scenario.Step, name string) []scenario.Step {
	var rest []scenario.Step
	for _, s := range steps {
		if s.Node == name || s.A == name || s.B == name {
			continue
		}
		var sides [][]string
		for _, side := range s.Sides {
			side = slices.DeleteFunc(slices.Clone(side), func(n string) bool { return n == name })
			if len(side) > 0 {
				sides = append(sides, side)
			}
		}
		s.Sides = sides
		if s.Verb == scenario.Repeat {
			if s.Inner = without(s.Inner, name); len(s.Inner) == 0 {
				continue
			}
		}
		rest = append(rest, s)
	}
	return rest
}

// expects leaves out expectations.
func (k *shrinker) expects() {
	for i := len(k.best.Expects) - 1; i >= 0; i-- {
		k.try(func(s *scenario.Scenario) { s.Expects = slices.Delete(s.Expects, i, i+1) })
	}
}

// options gives options their defaults.
func (k *shrinker) options() {
	millisecond := scenario.Net{Low: time.Millisecond, High: time.Millisecond}
	for _, change := range []func(*scenario.Scenario){
		func(s *scenario.Scenario) { s.Net = millisecond },
		func(s *scenario.Scenario) { s.Net.Loss = 0 },
		func(s *scenario.Scenario) { s.Net.Dup = 0 },
		func(s *scenario.Scenario) { s.Net.Reorder = 0 },
		func(s *scenario.Scenario) { s.Net.Low, s.Net.High = millisecond.Low, millisecond.High },
		func(s *scenario.Scenario) { s.Net.Low = s.Net.High },
		func(s *scenario.Scenario) { s.Forget = 0 },
		func(s *scenario.Scenario) { s.Optimistic = false },
		func(s *scenario.Scenario) { s.Policy = "last-writer" },
		func(s *scenario.Scenario) { s.Limit = scenario.DefaultLimit },
	} {
		k.try(change)
	}
}

// values makes single steps plainer.
func (k *shrinker) values() {
	for i := range k.best.Steps {
		for _, change := range []func(*scenario.Step){
			func(s *scenario.Step) { s.Value, s.HasVal = "", false },
			func(s *scenario.Step) { s.Priority = 0 },
			func(s *scenario.Step) { s.Mode = "" },
			func(s *scenario.Step) { s.Hi = s.Lo },
			func(s *scenario.Step) { s.Hi = s.Lo + (s.Hi-s.Lo)/2 },
			func(s *scenario.Step) { s.Count /= 2 },
			func(s *scenario.Step) { s.Rate = 1 },
			func(s *scenario.Step) { s.For = s.For.Round(time.Second) },
			func(s *scenario.Step) { s.For = time.Second },
		} {
			if i < len(k.best.Steps) && k.best.Steps[i].Verb != scenario.Update {
				k.try(func(s *scenario.Scenario) { change(&s.Steps[i]) })
			}
		}
	}
}

// times makes the times round, and takes time out between steps.
func (k *shrinker) times() {
	for _, to := range grains() {
		k.retime(func(s *scenario.Scenario) {
			for i := range s.Steps {
				s.Steps[i].At = max(to, s.Steps[i].At.Round(to))
			}
		})
		for i := range k.best.Steps {
			k.retime(func(s *scenario.Scenario) { s.Steps[i].At = max(to, s.Steps[i].At.Round(to)) })
		}
	}
	for i := range k.best.Steps {
		for _, gap := range []time.Duration{0, time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second} {
			if k.retime(func(s *scenario.Scenario) { pull(s, i, gap) }) {
				break
			}
		}
	}
}

// grains are the times that others are rounded to.
func grains() []time.Duration {
	return []time.Duration{time.Second, 500 * time.Millisecond, 100 * time.Millisecond}
}

// retime is try for a change of times, which must make them rounder, or shorter and
// no less round: or rounding and pulling would undo each other for ever.
func (k *shrinker) retime(change func(*scenario.Scenario)) bool {
	c := copied(k.best)
	change(c)
	return slices.Compare(uneven(c), uneven(k.best)) < 0 && k.try(change)
}

// uneven returns how many times are no multiples of each grain, and their sum.
func uneven(s *scenario.Scenario) []time.Duration {
	grains := grains()
	odd := make([]time.Duration, len(grains)+1)
	for _, x := range s.Steps {
		for i, g := range grains {
			if x.At%g != 0 {
				odd[i]++
			}
		}
		odd[len(grains)] += x.At
	}
	return odd
}

// pull brings a step and all after it nearer to the one before it.
func pull(s *scenario.Scenario, i int, gap time.Duration) {
	before := time.Duration(0)
	if i > 0 {
		before = s.Steps[i-1].At
	}
	by := s.Steps[i].At - before - gap
	if by <= 0 {
		return
	}
	for ; i < len(s.Steps); i++ {
		s.Steps[i].At -= by
	}
}
