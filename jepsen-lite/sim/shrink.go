package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Breaks returns a function that reports whether a scenario breaks what Broken
// named so in the run that is to be made smaller.
func Breaks(what string, opts Options) func(*scenario.Scenario) bool {
	return func(s *scenario.Scenario) bool {
		j, err := Judge(s, opts)
		return err == nil && slices.Contains(j.Broken(), what)
	}
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
	for _, to := range []time.Duration{time.Second, 500 * time.Millisecond, 100 * time.Millisecond} {
		k.try(func(s *scenario.Scenario) {
			for i := range s.Steps {
				s.Steps[i].At = max(to, s.Steps[i].At.Round(to))
			}
		})
		for i := range k.best.Steps {
			k.try(func(s *scenario.Scenario) { s.Steps[i].At = max(to, s.Steps[i].At.Round(to)) })
		}
	}
	for i := range k.best.Steps {
		for _, gap := range []time.Duration{0, time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second} {
			if k.try(func(s *scenario.Scenario) { pull(s, i, gap) }) {
				break
			}
		}
	}
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
