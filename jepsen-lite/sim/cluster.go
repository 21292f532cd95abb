package sim

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Options change how a run is done, not what happens in it.
type Options struct {
	// Quiet leaves views and watch events out of the history, for runs that are
	// large. What is left suffices for the expectations.
	Quiet bool
	// Marks keeps the hash after every step, to find where two runs part.
	Marks bool
	// Configure changes the machines' configuration, for instance the policy.
	Configure func(*replica.Config)
}

// Cluster is a run under way.
//
// Invariant: order lists the names of all nodes that ever were, sorted; alive
// nodes have a machine.
type Cluster struct {
	scenario *scenario.Scenario
	opts     Options
	policy   resolve.Policy

	now    int64
	queue  queue
	events uint64
	drawn  map[source]uint64
	bases  map[source]uint64
	trace  trace

	nodes map[string]*node
	order []string
	links map[[2]string]*link
	procs map[string]*process
	byPID map[resolve.PID]string
	parts map[string]int // connected component by node; nil when it must be found anew

	merging   bool  // what is known of members is about to be merged
	mergeFrom int64 // and not before this time

	rec      *history.Recorder
	closed   []history.Link
	failures []Failure
	states   []Sample
	faults   []FaultSpan
	lastStep int64 // when the last step of the scenario happened
	lastHeal int64
	agreedAt int64 // since when all agree, after the last step; 0 while they do not
	lost     map[string]int
	traffic  map[trafficKey]*LinkTraffic
	bytes    int64
	healByte int64 // bytes at the last heal
	agreeB   int64 // bytes at agreement
	stopped  bool
	calm     bool // links carry frames as on a good network, also those that are new
	settled  bool // the history says so
}

// Failure is an expectation that did not hold.
type Failure struct {
	// Line is the line of the scenario, or 0.
	Line int
	// At is when, in nanoseconds of virtual time.
	At int64
	// Text says what was expected and what was seen.
	Text string
	// Convergence says that it is a matter of time: views did not agree.
	Convergence bool
}

// String names the line and the time.
func (f Failure) String() string {
	return fmt.Sprintf("line %d, at %v: %s", f.Line, time.Duration(f.At), f.Text)
}

// Intervals of the run itself.
const (
	tickEvery   = int64(100 * time.Millisecond)
	sampleEvery = int64(50 * time.Millisecond)
	viewEvery   = int64(500 * time.Millisecond)
	// wallBase is the wall clock at the beginning.
	wallBase = int64(1_700_000_000_000_000_000)
	// settleTime is how long a run goes on after its last step: until nodes that
	// the last step has cut off must have been noticed and the rest must agree, and
	// a little longer, so that the last views count.
	settleTime = boundDetect + boundT + 2*time.Second
)

// Bounds that a run declares in its history, from the model of membership and
// the machine's defaults.
const (
	boundT      = 12 * time.Second // to agree
	boundDetect = 9 * time.Second  // to notice a lost node
	boundClaim  = 11 * time.Second // to answer a registration
)

// Run plays a scenario to its end.
func Run(s *scenario.Scenario, opts Options) (*Result, error) {
	c, err := newCluster(s, opts)
	if err != nil {
		return nil, err
	}
	for _, name := range s.Nodes {
		c.startNode(name)
	}
	for i := range s.Steps {
		c.plan(s.Steps[i].At, &s.Steps[i])
	}
	c.later(c.lastStep+int64(time.Millisecond), "settle", "", "", c.settle)
	c.later(sampleEvery, "sample", "", "", c.sample)
	if !opts.Quiet {
		c.later(viewEvery, "views", "", "", c.viewsEvery)
	}
	end := c.end()
	for len(c.queue) > 0 && !c.stopped {
		e := heap.Pop(&c.queue).(*event)
		if e.at > end {
			break
		}
		c.now = e.at
		c.trace.step(e)
		e.run()
	}
	c.now = end
	c.finish()
	return c.result(), nil
}

func newCluster(s *scenario.Scenario, opts Options) (*Cluster, error) {
	policy, err := resolve.Parse(s.Policy)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		scenario: s, opts: opts, policy: policy,
		drawn: map[source]uint64{}, bases: map[source]uint64{},
		nodes: map[string]*node{}, links: map[[2]string]*link{}, procs: map[string]*process{},
		byPID: map[resolve.PID]string{},
		lost:  map[string]int{}, traffic: map[trafficKey]*LinkTraffic{},
		rec: history.NewRecorder(history.Header{
			Name: s.Name, Policy: s.Policy, Seed: s.Seed, Nodes: slices.Clone(s.Nodes),
			Bound: boundOf(s), Detect: int64(boundDetect), Claim: int64(boundClaim), Budget: budget(s),
		}),
	}
	c.trace.keep = opts.Marks
	for _, step := range s.Steps {
		if step.Verb != scenario.Check && step.Verb != scenario.Look {
			c.lastStep = max(c.lastStep, int64(lastOf(step)))
		}
	}
	return c, nil
}

// boundOf returns the time to agree on a network that loses frames by nature: an
// exchange takes four of them, and each may have to be made again.
func boundOf(s *scenario.Scenario) int64 {
	kept := 1 - min(s.Net.Loss, 0.9)
	return int64(float64(boundT) / (kept * kept * kept * kept))
}

// lastOf returns when the last part of a step happens.
func lastOf(s scenario.Step) time.Duration {
	at := s.At + s.For
	if s.Verb == scenario.Repeat {
		at = s.At + time.Duration(s.Count)*s.Every
	}
	if s.Verb == scenario.Skew || s.Verb == scenario.Replay {
		at = s.At
	}
	return at
}

func budget(s *scenario.Scenario) int64 {
	for _, e := range s.Expects {
		if e.Subject == scenario.TrafficIs {
			return int64(e.Lo)
		}
	}
	return 0
}

// end returns when the run ends: when all that is expected within a time must
// have come true, and the bound after the last step has passed.
func (c *Cluster) end() int64 {
	rest := settleTime
	for _, e := range c.scenario.Expects {
		rest = max(rest, e.Within+2*time.Second)
	}
	end := c.lastStep + int64(rest)
	for _, s := range c.scenario.Steps {
		end = max(end, int64(s.At)+1)
	}
	return min(int64(c.scenario.Limit), end)
}

// settle says in the history that all faults are over and no client acts any
// more, unless some link is still worse than the others.
func (c *Cluster) settle() {
	for _, l := range c.links { // all must pass, so in any order
		if c.degraded(l) {
			return
		}
	}
	c.settled = true
	c.add(history.Record{Type: history.Info, F: history.Settled})
}

// plan puts a step in the queue; of a repetition, its parts.
func (c *Cluster) plan(at time.Duration, s *scenario.Step) {
	if s.Verb != scenario.Repeat {
		c.later(int64(at)-c.now, "step "+string(s.Verb), s.Node+s.A, s.Key, func() { c.play(s) })
		return
	}
	for i := range s.Count {
		c.plan(at+time.Duration(i)*s.Every, &s.Inner[i%len(s.Inner)])
	}
}

// up returns the nodes that live, in order.
func (c *Cluster) up() []*node {
	var up []*node
	for _, name := range c.order {
		if n := c.nodes[name]; n.alive {
			up = append(up, n)
		}
	}
	return up
}

// sample looks at every node's state, for the report and to find when all agree.
func (c *Cluster) sample() {
	for _, n := range c.up() {
		if d := n.m.Digest(); d != n.digest || !n.sampled {
			n.digest, n.sampled = d, true
			c.trace.fold(d)
			c.states = append(c.states, Sample{At: c.now, Node: n.name, Digest: fmt.Sprintf("%016x", d), Up: true})
		}
	}
	c.watchAgreement()
	c.later(sampleEvery, "sample", "", "", c.sample)
}

// watchAgreement notes since when all nodes that reach each other agree.
func (c *Cluster) watchAgreement() {
	if c.now <= c.lastStep {
		c.agreedAt = 0
		return
	}
	if c.disagreement() != "" {
		c.agreedAt = 0
		return
	}
	if c.agreedAt == 0 {
		c.agreedAt, c.agreeB = c.now, c.bytes
	}
}

// disagreement says which two nodes that reach each other show different things;
// empty when none do.
func (c *Cluster) disagreement() string {
	parts := c.components()
	first := map[int]*node{}
	for _, n := range c.up() {
		if n.paused {
			continue
		}
		f, ok := first[parts[n.name]]
		if !ok {
			first[parts[n.name]] = n
			continue
		}
		if f.m.Digest() != n.m.Digest() {
			return fmt.Sprintf("%s and %s show different things", f.name, n.name)
		}
		if f.m.Reached() != n.m.Reached() {
			return fmt.Sprintf("%s reaches %d nodes and %s reaches %d", f.name, f.m.Reached(), n.name, n.m.Reached())
		}
	}
	return ""
}
