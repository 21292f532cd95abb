package sim

import "github.com/rollcall-dev/rollcall/registry/replica"

// Step is one event of a run, as Options.Trace is told of it when it has happened.
type Step struct {
	// Number counts the events from 1, and At is when, in nanoseconds of virtual
	// time.
	Number int
	At     int64
	// Kind is what happened: a frame arrived, a node ticked, a step of the scenario.
	Kind string
	// From and To are the nodes that it is about: of an event of one node To alone.
	From, To string
	// Frame is the kind of a frame and Size its bytes.
	Frame string
	Size  int
	// Sent is the number of bytes that were sent because of it.
	Sent int64
	// Records is the number of records that the history has now.
	Records int
	// Hash is the trace's hash now. Runs are the same up to the first step in which
	// it differs.
	Hash uint64
}

// told returns an event that has happened, as a trace tells it; sent is what had
// been sent before.
func (c *Cluster) told(d *deed, sent int64) Step {
	s := Step{
		Number: c.trace.steps, At: c.now, Kind: c.dice.kindName(d.kind), Sent: c.bytes - sent,
		Records: len(c.rec.records), Hash: c.trace.hash,
	}
	if d.from != nil {
		s.From = d.from.name
	}
	if d.to != nil {
		s.To = d.to.name
	}
	if d.frame != nil {
		s.Frame, s.Size = replica.FrameKind(d.frame), len(d.frame)
	}
	return s
}

// kindName returns the name of a kind, of a step of the scenario too.
func (d *dice) kindName(k kind) string {
	if names := kindNames(); int(k) < len(names) {
		return names[k]
	}
	for name, of := range d.steps { // one of them at most, so in any order
		if of == k {
			return name
		}
	}
	return "unknown"
}
