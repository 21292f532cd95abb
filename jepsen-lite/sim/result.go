package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Sample is a node's state digest from a moment on.
type Sample struct {
	At     int64
	Node   string
	Digest string
	Up     bool
}

// LinkTraffic is what flowed over one direction of a link, by kind of frame; over
// all links when From and To are empty, as they are in a quiet run.
type LinkTraffic struct {
	From, To, Kind         string
	Frames, Bytes, Dropped int64
}

// FaultSpan is a fault from its beginning to its end.
type FaultSpan struct {
	From, To int64
	Kind     string
	Text     string
}

// Result is what came of a run.
type Result struct {
	// History is all that happened.
	History *history.History
	// Hash is the trace's hash and Steps the number of its events; Marks holds the
	// hash after each, when it was asked for.
	Hash  uint64
	Steps int
	Marks []uint64
	// Failures are the expectations that did not hold.
	Failures []Failure
	// Agreed says whether all nodes that reach each other agreed at the end, and
	// AgreedAfter how long after the last step they did.
	Agreed      bool
	AgreedAfter time.Duration
	// HealBytes is what flowed from the last heal to agreement.
	HealBytes int64
	// Bytes is what flowed in all.
	Bytes   int64
	States  []Sample
	Faults  []FaultSpan
	Traffic []LinkTraffic
	// Counters are the machines' sums, of the runs that lived to the end.
	Counters replica.Counters
	// Virtual is how much time passed in the run.
	Virtual time.Duration
}

func (c *Cluster) fail(line int, text string, convergence bool) {
	c.failures = append(c.failures, Failure{Line: line, At: c.now, Text: text, Convergence: convergence})
}

func (c *Cluster) result() *Result {
	r := &Result{
		History: &history.History{Header: c.rec.header, Records: c.rec.records}, Hash: c.trace.hash, Steps: c.trace.steps, Marks: c.trace.marks,
		Failures: c.failures, Agreed: c.agreedAt > 0, Bytes: c.bytes,
		States: c.states, Faults: c.faults, Virtual: time.Duration(c.now),
	}
	if r.Agreed {
		r.AgreedAfter = time.Duration(c.agreedAt - c.lastStep)
		r.HealBytes = c.agreeB - c.healByte
	}
	for i := range r.Faults {
		if r.Faults[i].To == 0 {
			r.Faults[i].To = c.now
		}
	}
	r.Traffic = c.traffic.all(c)
	slices.SortFunc(r.Traffic, func(a, b LinkTraffic) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind))
	})
	for _, n := range c.up() {
		r.Counters = r.Counters.Plus(n.m.Counters())
	}
	return r
}

// Line sums a run up in one line.
func (r *Result) Line() string {
	agreed := "never"
	if r.Agreed {
		agreed = r.AgreedAfter.String()
	}
	return fmt.Sprintf("%d steps, %v virtual, agreed after %s, %d bytes, trace %016x, %d failures",
		r.Steps, r.Virtual, agreed, r.Bytes, r.Hash, len(r.Failures))
}
