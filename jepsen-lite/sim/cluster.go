package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
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
	// Trace is called with every event when it has happened.
	Trace func(Step)
}

// Cluster is a run under way.
//
// Invariant: nodes that are alive have a machine; all and pairs never change their
// length, so pairs stay where they are.
type Cluster struct {
	scenario *scenario.Scenario
	opts     Options
	policy   resolve.Policy

	now    int64
	queue  queue
	events uint64
	dice   dice
	trace  trace
	nobody uint64 // the hash of no name

	nodes   map[string]*node // by name, all that the scenario speaks of
	all     []*node          // the same, by index
	pairs   []pair           // of all with all
	sorted  []*node          // those that ever ran, in order
	order   []string         // their names
	alive   []*node          // those that live, in order; nil when they must be found anew
	watches int              // that were numbered
	procs   map[string]*process
	byPID   map[resolve.PID]string
	numbers map[string]int // of the names, in the order in which they were first held
	parted  bool           // the parts of nodes are those of the network as it is
	shapes  uint64         // that the network has had

	net     conditions            // of links that have none of their own
	own     map[*pair]*conditions // of those that have
	waiting map[*pair][]deed      // frames that are held
	sent    map[*pair][]sent      // frames that are kept for replay
	members []*replica.Entry      // of the group that is looked at; its memory is used again
	seen    []history.Shown       // the same, as history has them
	fx      replica.Effects       // of the machine that is being served; its memory is used again

	merging   bool  // what is known of members is about to be merged
	mergeFrom int64 // and not before this time

	rec      recorder
	closed   []history.Link
	failures []Failure
	states   []Sample
	faults   []FaultSpan
	lastStep int64 // when the last step of the scenario happened
	lastHeal int64
	agreedAt int64 // since when all agree, after the last step; 0 while they do not
	lost     map[string]int
	traffic  traffic
	bytes    int64
	healByte int64 // bytes at the last heal
	agreeB   int64 // bytes at agreement
	settled  bool  // the history says so
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
	// lastViews is how much longer than it must a run goes on after its last step,
	// so that the last views count.
	lastViews = 2 * time.Second
)

// Bounds that a run declares in its history, from the model of membership and
// the machine's defaults.
const (
	boundT      = 12 * time.Second // to agree
	boundHop    = 3 * time.Second  // more for each node beyond the first that news is handed on by
	boundDetect = 9 * time.Second  // to notice a lost node
	boundClaim  = 11 * time.Second // to answer a registration
	// machineSettle is replica.Config.Settle where nothing else is said.
	machineSettle = time.Second
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
	c.always(c.lastStep+int64(time.Millisecond), ofSettle, c.settle)
	c.always(sampleEvery, ofSample, c.sample)
	if !opts.Quiet {
		c.always(viewEvery, ofViews, c.viewsEvery)
	}
	end := c.end()
	c.rec.reserve(c, end)
	for c.queue.len() > 0 && c.queue.next() <= end {
		c.now = c.queue.next()
		d := c.queue.pop()
		c.trace.step(c.now, c.dice.faces[d.kind].name, d.about)
		sent := c.bytes
		c.happen(&d)
		if opts.Trace != nil {
			opts.Trace(c.told(&d, sent))
		}
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
		dice: newDice(s.Seed), nobody: hashText(""),
		nodes: map[string]*node{}, procs: map[string]*process{}, byPID: map[resolve.PID]string{}, numbers: map[string]int{},
		net: conditionsOf(s.Net), own: map[*pair]*conditions{}, waiting: map[*pair][]deed{}, sent: map[*pair][]sent{},
		lost: map[string]int{}, traffic: traffic{pairs: map[*pair]*[frameKinds]carried{}},
		rec: recorder{header: history.Header{
			Format: history.FormatVersion,
			Name:   s.Name, Policy: s.Policy, Seed: s.Seed, Nodes: slices.Clone(s.Nodes),
			Bound: boundOf(s), Detect: int64(boundDetect), Claim: int64(boundClaim), Settle: settleOf(s),
			Forget: int64(s.Forget), Budget: budget(s),
		}},
	}
	c.trace.keep = opts.Marks
	c.place()
	for _, step := range s.Steps {
		if step.Verb != scenario.Check && step.Verb != scenario.Look {
			c.lastStep = max(c.lastStep, int64(lastOf(step)))
		}
	}
	return c, nil
}

// settleOf returns how long after a change of the topology, or after it was
// noticed, arbitration is exact. A missing peer is looked for again; that takes a
// tick and a contact; what the two know of others is merged and spreads; they greet
// each other; and then the machine asks the home of before too, for its Settle. On
// a network that loses frames a greeting may have to be made again, and an old home
// may not have heard: nothing less than the bound is certain there, which 0 stands
// for.
func settleOf(s *scenario.Scenario) int64 {
	if s.Net.Loss > 0 {
		return 0
	}
	look := int64(rejoin.DefaultEvery)*6/5 + tickEvery
	spread := mergeWithin + introHigh
	greet := 4 * int64(s.Net.High)
	if s.Net.Dup > 0 || s.Net.Reorder > 0 {
		greet *= 5 // a frame that is late comes up to four times as late again
	}
	return min(look+spread+greet+int64(machineSettle), boundOf(s))
}

// boundOf returns the time to agree. On a network that loses frames by nature an
// exchange takes four of them, and each may have to be made again. Where news must
// be handed on from node to node it waits for a comparison at each, and twice: a
// claim goes to one end of a line, and that it lost there comes back.
func boundOf(s *scenario.Scenario) int64 {
	kept := 1 - min(s.Net.Loss, 0.9)
	far := max(0, longest(s)-2)
	return int64(float64(boundT+time.Duration(far)*boundHop) / (kept * kept * kept * kept))
}

// longest returns the number of links between the two nodes that are farthest from
// each other in any of the shapes that a scenario gives its network.
func longest(s *scenario.Scenario) int {
	names, hops := slices.Clone(s.Nodes), 1
	var see func(steps []scenario.Step)
	see = func(steps []scenario.Step) {
		for i := range steps {
			switch steps[i].Verb {
			case scenario.Start:
				if !slices.Contains(names, steps[i].A) {
					names = append(names, steps[i].A)
				}
			case scenario.Line:
				hops = max(hops, len(names)-1)
			case scenario.Ring, scenario.Majorities:
				hops = max(hops, len(names)/2)
			case scenario.Bridge, scenario.Star:
				hops = max(hops, 2)
			case scenario.Repeat:
				see(steps[i].Inner)
			}
		}
	}
	see(s.Steps)
	return hops
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
// have come true, and when nodes that the last step has cut off must have been
// noticed and the rest must agree.
func (c *Cluster) end() int64 {
	rest := boundDetect + time.Duration(boundOf(c.scenario)) + lastViews
	for _, e := range c.scenario.Expects {
		rest = max(rest, e.Within+lastViews)
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
	for i := range c.pairs {
		if c.degraded(&c.pairs[i]) {
			return
		}
	}
	c.settled = true
	c.add(history.Record{Type: history.Info, F: history.Settled})
}

// happen does what an event is.
func (c *Cluster) happen(d *deed) {
	switch d.kind {
	case ofFrame, ofReleased:
		c.arrive(d)
	case ofSilence:
		c.fellSilent(d)
	case ofDetect:
		c.detected(d)
	case ofHangup:
		c.hungUp(d)
	case ofCrash:
		c.crashed(d)
	case ofContact:
		c.reached(d)
	case ofRefute:
		c.spreadNews()
	case ofIntro:
		c.introduced(d)
	case ofTick:
		c.tick(d.to, d.run)
	default:
		d.do()
	}
}

// plan puts a step in the queue; of a repetition, its parts.
func (c *Cluster) plan(at time.Duration, s *scenario.Step) {
	if s.Verb != scenario.Repeat {
		about := [2]uint64{hashText(s.Node + s.A), hashText(s.Key)}
		c.later(int64(at)-c.now, c.dice.step("step "+string(s.Verb)), about, func() { c.play(s) })
		return
	}
	for i := range s.Count {
		c.plan(at+time.Duration(i)*s.Every, &s.Inner[i%len(s.Inner)])
	}
}

// up returns the nodes that live, in order. The slice is the cluster's.
func (c *Cluster) up() []*node {
	if c.alive == nil {
		for _, n := range c.sorted {
			if n.alive {
				c.alive = append(c.alive, n)
			}
		}
	}
	return c.alive
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
	c.always(sampleEvery, ofSample, c.sample)
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
	c.components()
	first := map[int]*node{}
	for _, n := range c.up() {
		if n.paused {
			continue
		}
		f, ok := first[n.part]
		if !ok {
			first[n.part] = n
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
