package sim

import (
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Goal is a situation that a sweep should have met at least once: without it, a
// sweep that finds nothing says little.
type Goal struct {
	Name string
	// Text says what the situation is, in one sentence.
	Text string
	seen func(*sight) bool
}

// Times of the goals.
const (
	// lasting is how long something must last until membership has noticed.
	lasting = detectHigh + int64(time.Second)
	// beside is how near to each other two operations are at the same time.
	beside = int64(100 * time.Millisecond)
	// manyEntries is the number of fetched entries that makes a full sync.
	manyEntries = 100
)

// Goals returns the situations that a sweep should meet.
func Goals() []Goal {
	return append(conflictGoals(), faultGoals()...)
}

func conflictGoals() []Goal {
	return []Goal{
		{"three-claims", "Three claims or more met in one conflict.", threeClaims},
		{"dead-before-told", "One of two holders of a name died before either was told.",
			func(s *sight) bool { return s.diedUntold }},
		{"add-beside-removal", "A name was registered on one node while another one gave it up.", addBesideRemoval},
		{"second-conflict", "A name was in conflict again, seconds after a conflict of it was settled.", secondConflict},
		{"reregistered-in-split", "A name was re-registered while a node that runs was cut off.", reregisteredInSplit},
		{"claimed-on-both-sides", "Processes on both sides of a lasting split held one name.",
			func(s *sight) bool { return s.heldApart }},
		{"kept-claims", "A policy that frees a contested name was put to the test.", keptClaims},
		{"other-policy", "A policy other than the default settled a conflict.",
			func(s *sight) bool { return s.j.Scenario.Policy != "last-writer" && s.count(history.Lost) > 0 }},
		{"taken", "A registration was refused because the name was taken.", taken},
		{"undecided-claim", "A registration was refused because no home node answered in time.", undecided},
	}
}

func faultGoals() []Goal {
	return []Goal{
		{"lasting-split", "Two nodes that ran could not reach each other for longer than detection takes.",
			func(s *sight) bool { return s.longest.apart >= lasting }},
		{"lasting-bridge", "Two nodes reached each other only through others for longer than detection takes.",
			func(s *sight) bool { return s.longest.indirect >= lasting }},
		{"one-way", "A link was closed one way alone for longer than its ends bear silence.",
			func(s *sight) bool { return s.longest.half >= silence+int64(time.Second) }},
		{"back-after-forgotten", "A run of a node came back after others had forgotten it.",
			func(s *sight) bool { return s.backForgotten }},
		{"full-sync", "Many entries were fetched, as by a node that joins late.",
			func(s *sight) bool { return s.j.Result.Counters.EntriesIn >= manyEntries }},
		{"older-run", "A frame about an earlier run of a node arrived.",
			func(s *sight) bool { return s.j.Result.Counters.Stale > 0 }},
		{"false-suspicion", "A node took another for dead that was alive and in reach.",
			func(s *sight) bool { return s.fault("suspect") }},
		{"quick-restart", "A node was killed and back within a second.", quickRestart},
		{"frozen", "A node was frozen for longer than detection takes.",
			func(s *sight) bool { return s.longest.paused >= lasting }},
		{"clock-back", "A wall clock jumped back.", clockBack},
		{"late-join", "A node joined that was not there at the beginning.", lateJoin},
		{"all-restarted", "All nodes were restarted at once.", func(s *sight) bool { return s.verb(scenario.RestartAll) }},
		{"graceful-leave", "A node left gracefully.", func(s *sight) bool { return s.verb(scenario.Stop) }},
		{"replayed", "Frames of before arrived again.", func(s *sight) bool { return s.verb(scenario.Replay) }},
		{"gap", "A gap in an origin's stream was found and fetched.",
			func(s *sight) bool { return s.j.Result.Counters.Gaps > 0 && s.j.Result.Counters.Pulls > 0 }},
		{"repaired", "Reconciliation dropped entries that were gone elsewhere.",
			func(s *sight) bool { return s.j.Result.Counters.Repaired > 0 }},
		{"minority-core", "The nodes that agreed in the end were a minority.", minorityCore},
	}
}

// met returns the names of the goals that a run met, in the order of Goals.
func (s *sight) met() []string {
	var met []string
	for _, g := range Goals() {
		if g.seen(s) {
			met = append(met, g.Name)
		}
	}
	return met
}

func (s *sight) records() []history.Record { return s.j.Result.History.Records }

func (s *sight) count(f history.Func) int {
	n := 0
	for i := range s.records() {
		if s.records()[i].F == f {
			n++
		}
	}
	return n
}

func (s *sight) verb(v scenario.Verb) bool {
	for i := range s.j.Scenario.Steps {
		if s.j.Scenario.Steps[i].Verb == v {
			return true
		}
	}
	return false
}

func (s *sight) fault(kind string) bool {
	for _, f := range s.j.Result.Faults {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

func threeClaims(s *sight) bool {
	for i := range s.records() {
		if r := &s.records()[i]; r.F == history.Lost && len(r.Claims) >= 3 {
			return true
		}
	}
	return false
}

func addBesideRemoval(s *sight) bool {
	type act struct {
		at   int64
		node string
	}
	added, removed := map[string]act{}, map[string]act{}
	near := func(list map[string]act, r *history.Record) bool {
		a, ok := list[r.Name]
		return ok && a.node != r.Node && r.At-a.at <= beside
	}
	for i := range s.records() {
		r := &s.records()[i]
		switch {
		case r.Type != history.Ok:
		case r.F == history.Register:
			if near(removed, r) {
				return true
			}
			added[r.Name] = act{r.At, r.Node}
		case r.F == history.Unregister:
			if near(added, r) {
				return true
			}
			removed[r.Name] = act{r.At, r.Node}
		}
	}
	return false
}

func secondConflict(s *sight) bool {
	first := map[string]int64{}
	for i := range s.records() {
		r := &s.records()[i]
		if r.F != history.Lost || len(r.Claims) < 2 {
			continue
		}
		if at, ok := first[r.Name]; ok && r.At-at > int64(5*time.Second) {
			return true
		} else if !ok {
			first[r.Name] = r.At
		}
	}
	return false
}

func reregisteredInSplit(s *sight) bool {
	for i := range s.records() {
		r := &s.records()[i]
		if r.F == history.Reregister && r.Type == history.Ok && s.alone(r.Node, r.At) {
			return true
		}
	}
	return false
}

func keptClaims(s *sight) bool {
	for i := range s.records() {
		if r := &s.records()[i]; r.F == history.Lost && r.Reason == "contested" {
			return true
		}
	}
	return false
}

func taken(s *sight) bool {
	for i := range s.records() {
		if r := &s.records()[i]; r.F == history.Register && r.Type == history.Fail && r.Holder != "" {
			return true
		}
	}
	return false
}

func undecided(s *sight) bool {
	begun := map[int]int64{}
	for i := range s.records() {
		r := &s.records()[i]
		if r.F != history.Register {
			continue
		}
		if r.Type == history.Invoke {
			begun[r.Op] = r.At
		} else if r.Type == history.Fail && r.Holder == "" && r.At-begun[r.Op] > int64(5*time.Second) {
			return true
		}
	}
	return false
}

func quickRestart(s *sight) bool {
	down := map[string]int64{}
	for i := range s.records() {
		r := &s.records()[i]
		switch r.F {
		case history.NodeDown:
			down[r.Node] = r.At
		case history.NodeUp:
			if at, ok := down[r.Node]; ok && r.At-at <= int64(time.Second) {
				return true
			}
		}
	}
	return false
}

func clockBack(s *sight) bool {
	for i := range s.records() {
		if r := &s.records()[i]; r.F == history.Skew && strings.Contains(r.Text, " -") {
			return true
		}
	}
	return false
}

func lateJoin(s *sight) bool { return len(s.seg[len(s.seg)-1].nodes) > len(s.j.Scenario.Nodes) }

func minorityCore(s *sight) bool {
	last := s.seg[len(s.seg)-1]
	size := map[int]int{}
	largest := 0
	for _, n := range last.nodes {
		if part, up := last.part[n]; up {
			size[part]++
			largest = max(largest, size[part])
		}
	}
	return 2*largest <= len(last.nodes) && largest > 0
}
