package propertytest

import (
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/jepsen-lite/sim"
)

// shrunk returns a scenario that still fails and is as short as it gets: steps and
// nodes are left out, and then the settings that need a line in the file.
func shrunk(s *scenario.Scenario, fails func(*scenario.Scenario) bool) *scenario.Scenario {
	s = sim.Shrink(s, fails, shrinkFor)
	for _, simpler := range []func(*scenario.Scenario){
		func(p *scenario.Scenario) { p.Limit = scenario.DefaultLimit },
		func(p *scenario.Scenario) { p.Net.Low, p.Net.High = time.Millisecond, time.Millisecond },
		func(p *scenario.Scenario) { p.Seed = scenario.DefaultSeed },
	} {
		p := *s
		simpler(&p)
		if p.String() != s.String() && fails(&p) {
			s = &p
		}
	}
	return s
}
