package replica

import (
	"math/rand/v2"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Machine is one node's replica of the registry.
//
// Invariant: origins has at most one incarnation for each node name, the newest
// that was heard of; byNode and byID have what origins and peers have; Table holds
// exactly the names that have a holder; hidden and contended, which share none, hold
// exactly the names whose claims are not just their visible holder.
type Machine struct {
	cfg   Config
	print uint64 // of the policy
	now   crdt.Reading
	clock *crdt.Clock
	rng   *rand.Rand
	fx    Effects

	self    *origin
	origins []*origin // in the order of node names, self among them
	byNode  map[string]*origin
	floors  map[string]floor
	peers   []*peer // in the order of Peer
	byID    map[Peer]*peer
	reached int    // nodes of this component; 0 when they must be counted anew
	peersAt int64  // until then no peer waits for the time to pass
	vectors uint64 // that came

	digest  uint64    // sum of the parts of all origins
	touched []*origin // whose parts are out of date
	compare compares

	tree    *overlay.Overlay[Peer]
	apart   bool      // a peer is up to which no link has led for a while
	large   bool      // the cluster is: this node's changes go along its tree alone
	links   []Peer    // memory for lists of the tree's links
	news    []*origin // that the neighbors behind lazy links have not been told of
	missing []missed  // what they have told of, in the order in which they did
	frame   []byte    // that is being handled

	procs     map[uint64]*process
	contended map[string]*claimSet
	hidden    map[string]*Entry // the only claims to names whose nodes are unreachable
	groups    map[string]*group
	shown     int // names that have a holder

	walks    []*walk
	walkStep int

	out    []crdt.Record[*Entry] // made, not yet sent
	doomed []doom                // local claims to withdraw before the call ends

	pending      []*pending
	awaited      map[uint64]*pending
	asking       []*peer // have claims to be sent when the input is handled
	reservations map[string]reservation
	views        []view
	viewStale    bool // the nodes that may be homes have changed since the last view
	homes        int  // peers that serve
	nextNonce    uint64

	started  int64
	nextSync int64
	swept    int64
	serving  bool
	left     bool
	rebirths int

	split *split
	audit audit
	count Counters
	enc   encoder
}

// Counters counts what the machine did and refused.
type Counters struct {
	FramesIn, FramesRefused          uint64 // frames received; refused as malformed
	Stale                            uint64 // frames about an incarnation that is over
	Gaps, Pulls                      uint64 // gaps seen in origins' streams; fetches begun
	Digests, DigestsEqual            uint64 // comparisons begun; found equal
	RecordsOut, RecordsIn, EntriesIn uint64 // records sent on; applied; entries fetched
	Repaired                         uint64 // entries dropped by reconciliation
	Relayed, Duplicates, Grafts      uint64 // frames sent along the tree; received twice; links mended
	Claims, Granted, Taken, Moved    uint64 // claims asked of others; answers given as a home
	Conflicts, Withdrawn             uint64 // conflicts settled; claims of this node withdrawn
	PolicyFailures                   uint64
}

// New returns the machine of a node that has just started.
func New(cfg Config, now crdt.Reading) (*Machine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	clock, err := crdt.NewClock(crdt.ClockConfig{MaxOffset: cfg.ClockBound})
	if err != nil {
		return nil, err
	}
	m := &Machine{
		cfg: cfg, now: now, started: now.Mono, swept: now.Mono,
		print:        crdt.Key{}.Hash(resolve.Fingerprint(cfg.Policy), wireVersion),
		clock:        clock,
		rng:          rand.New(rand.NewPCG(cfg.Seed, cfg.Self.Run)),
		byNode:       map[string]*origin{},
		floors:       map[string]floor{},
		byID:         map[Peer]*peer{},
		procs:        map[uint64]*process{},
		contended:    map[string]*claimSet{},
		hidden:       map[string]*Entry{},
		groups:       map[string]*group{},
		reservations: map[string]reservation{},
		awaited:      map[uint64]*pending{},
		audit:        audit{limit: cfg.AuditLimit},
		serving:      !cfg.Joins,
	}
	m.self = m.newOrigin(identity{
		id: crdt.Replica{Node: cfg.Self.Node, Epoch: cfg.Self.Run}, label: cfg.Label, run: cfg.Self.Run,
	})
	m.self.self, m.self.up = true, true
	m.touch(m.self)
	m.origins, m.byNode[cfg.Self.Node] = []*origin{m.self}, m.self
	m.nextSync = now.Mono + m.jittered(cfg.SyncInterval)
	m.tree, m.walkStep = overlay.New[Peer](m.rng), walkStep
	m.viewChanged()
	return m, nil
}

// begin starts the handling of an input.
func (m *Machine) begin(now crdt.Reading) {
	m.now = now
	if step, ok := m.clock.Step(); ok {
		m.notice(Notice{Kind: ClockStepped, Node: m.self.id.Node, Amount: step,
			Text: "the wall clock jumped; rollcall goes on by the monotonic clock"})
	}
}

// end finishes the handling of an input: what this node's processes have lost is
// withdrawn and told, and claims go out.
func (m *Machine) end() {
	if len(m.doomed) > 0 {
		m.withdraw()
	}
	if len(m.asking) > 0 {
		m.sendClaims()
	}
}

// Take moves the effects so far to fx, which must be empty. Changes of this
// node's own entries are not among the Sends before Flush.
func (m *Machine) Take(fx *Effects) { *fx, m.fx = m.fx, *fx }

// Counters returns what was counted so far.
func (m *Machine) Counters() Counters { return m.count }

// Serving reports whether the first sync is done, so that this node may answer
// claims.
func (m *Machine) Serving() bool { return m.serving }

// Epoch returns the epoch of this node's incarnation.
func (m *Machine) Epoch() uint64 { return m.self.id.Epoch }

// Tick lets time pass. It is to be called about every 100 ms.
func (m *Machine) Tick(now crdt.Reading) {
	m.begin(now)
	m.serveAlone()
	m.lookAtPeers()
	m.pruneViews()
	m.growTree()
	m.advanceAll()
	if now.Mono >= m.nextSync {
		m.nextSync = now.Mono + m.jittered(m.cfg.SyncInterval)
		m.compareWithSomeone()
	}
	if now.Mono-m.swept >= int64(time.Second) {
		m.swept = now.Mono
		m.sweepReservations()
		m.expirePulls()
		m.forgetOld()
	}
	m.closeSplit()
	m.end()
}

// Leave stops the machine from accepting calls. The transport tells the peers.
func (m *Machine) Leave(now crdt.Reading) {
	m.begin(now)
	m.left = true
	for _, p := range m.pending {
		m.fx.Results = append(m.fx.Results, Result{ID: p.call.ID, Err: ErrClosed})
	}
	m.pending = nil
	clear(m.awaited)
	m.end()
}

// jittered returns a time between three quarters and five quarters of d, in
// nanoseconds, so that nodes do not act in step.
func (m *Machine) jittered(d time.Duration) int64 {
	return int64(d)*3/4 + m.rng.Int64N(int64(d)/2+1)
}

func (m *Machine) notice(n Notice) { m.fx.Notices = append(m.fx.Notices, n) }

func (m *Machine) change(c Change) {
	if c.Old == c.New {
		return
	}
	m.fx.Changes = append(m.fx.Changes, c)
}

// stamp returns the next stamp of this node's clock.
func (m *Machine) stamp() crdt.Stamp { return m.clock.Now(m.now) }

// Clock returns the stamp of the time as this node sees it.
func (m *Machine) Clock(now crdt.Reading) crdt.Stamp {
	m.now = now
	return m.stamp()
}

// PolicyPrint identifies the policy and the version of the protocol: nodes that
// differ in it refuse each other.
func (m *Machine) PolicyPrint() uint64 { return m.print }

// ClockOffset returns how far this node's clock is corrected against the wall
// clock.
func (m *Machine) ClockOffset() time.Duration { return m.clock.Offset() }

// Footprint returns how many live entries the machine keeps, hidden ones too, and
// how many frames it keeps that are ahead of a gap. Beside these it keeps one
// counter for each node.
func (m *Machine) Footprint() (entries, waiting int) {
	for _, o := range m.origins {
		entries += o.log.Len()
		waiting += len(o.waiting)
	}
	return entries, waiting
}

// Plus returns the sums of two machines' counters.
func (c Counters) Plus(o Counters) Counters {
	c.FramesIn += o.FramesIn
	c.FramesRefused += o.FramesRefused
	c.Stale += o.Stale
	c.Gaps += o.Gaps
	c.Pulls += o.Pulls
	c.Digests += o.Digests
	c.DigestsEqual += o.DigestsEqual
	c.RecordsOut += o.RecordsOut
	c.RecordsIn += o.RecordsIn
	c.EntriesIn += o.EntriesIn
	c.Repaired += o.Repaired
	c.Relayed += o.Relayed
	c.Duplicates += o.Duplicates
	c.Grafts += o.Grafts
	c.Claims += o.Claims
	c.Granted += o.Granted
	c.Taken += o.Taken
	c.Moved += o.Moved
	c.Conflicts += o.Conflicts
	c.Withdrawn += o.Withdrawn
	c.PolicyFailures += o.PolicyFailures
	return c
}
