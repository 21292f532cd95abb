package replica

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Peer identifies one run of a node as its transport sees it.
type Peer struct {
	Node string
	Run  uint64
}

// RunAt returns the number of a run that begins at wall, in nanoseconds since the
// Unix epoch: the time, but for the last 65 µs, which are random. A clock that
// begins at the same moment at each start, as one without a battery does, or that
// was set back by just the time since, must not name two runs alike: what the
// earlier one held would count as held by the later.
func RunAt(wall int64, random uint64) uint64 { return uint64(wall)&^0xffff | random&0xffff }

// Table is where the machine keeps the holder of each name, so that readers in
// other goroutines may look names up. Only the machine writes. A nil entry is
// never stored.
type Table interface {
	Load(name string) (*Entry, bool)
	Store(name string, holder *Entry)
	Delete(name string)
}

// Config is what a machine is made with. The zero value of every field is its
// default.
type Config struct {
	// Self is this run of this node. Run grows from run to run; it is the node's
	// first epoch. Both parts are required.
	Self Peer
	// Label is this node's label, which the policy Prefer may look at.
	Label string
	// Seed feeds the machine's random source.
	Seed uint64
	// Policy settles conflicts; default resolve.LastWriter. It must be the same
	// on all nodes.
	Policy resolve.Policy
	// Judge applies the policy; default resolve.Judge. The registry passes one
	// that limits the time a user's policy may take.
	Judge func(resolve.Policy, []resolve.Claim) resolve.Verdict
	// Secret keys the fingerprints; the same on all nodes.
	Secret crdt.Key
	// Table holds the names; default a plain map.
	Table Table
	// Joins says that other nodes are expected: the machine serves claims only
	// after its first sync, or when JoinWait has passed without a peer.
	Joins bool
	// JoinWait is how long a node that expects others waits for one; default 1 s.
	JoinWait time.Duration
	// SyncInterval is the mean time between two comparisons with a random peer;
	// default 1 s.
	SyncInterval time.Duration
	// Settle is how long after a change of membership a claim asks the old home
	// before the new one; default 1 s. It should cover the time in which a change
	// of membership spreads.
	Settle time.Duration
	// Reserve is how long a home node keeps a name for a claimant it granted it
	// to, and how long the claimant may take to use the grant; default 5 s.
	Reserve time.Duration
	// AskWait is how long a claimant waits for one home node's answer before it
	// asks again; default 500 ms.
	AskWait time.Duration
	// ClaimWait limits a whole arbitrated registration; default 10 s.
	ClaimWait time.Duration
	// ForgetAfter is how long the entries of an unreachable node are kept, hidden;
	// default 24 h.
	ForgetAfter time.Duration
	// Expected is the number of nodes of the whole cluster, for RefuseMinority.
	Expected int
	// RefuseMinority makes Register fail with ErrMinority while the node sees no
	// majority of Expected; the default is to allow it.
	RefuseMinority bool
	// ClockBound is how far a joining node's clock may be ahead of its peers'
	// before it corrects itself; default 1 minute.
	ClockBound time.Duration
	// TreeAbove is the number of nodes above which changes travel along a broadcast
	// tree; up to it every node sends its changes to every other one. Default 150.
	TreeAbove int
	// AuditLimit is the number of conflicts and of heals that are kept; default 256.
	AuditLimit int
}

// durations lists the fields that are times, with their defaults.
func (c *Config) durations() []duration {
	return []duration{
		{"JoinWait", &c.JoinWait, time.Second},
		{"SyncInterval", &c.SyncInterval, time.Second},
		{"Settle", &c.Settle, time.Second},
		{"Reserve", &c.Reserve, 5 * time.Second},
		{"AskWait", &c.AskWait, 500 * time.Millisecond},
		{"ClaimWait", &c.ClaimWait, 10 * time.Second},
		{"ForgetAfter", &c.ForgetAfter, 24 * time.Hour},
		{"ClockBound", &c.ClockBound, time.Minute},
	}
}

type duration struct {
	name  string
	field *time.Duration
	value time.Duration
}

func (c Config) withDefaults() Config {
	if c.Policy == nil {
		c.Policy = resolve.LastWriter()
	}
	if c.Judge == nil {
		c.Judge = resolve.Judge
	}
	if c.Table == nil {
		c.Table = mapTable{}
	}
	for _, f := range c.durations() {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if c.TreeAbove == 0 {
		c.TreeAbove = 150
	}
	if c.AuditLimit == 0 {
		c.AuditLimit = 256
	}
	return c
}

// Validate joins all faults of the configuration into one error.
func (c Config) Validate() error {
	var errs []error
	if c.Self.Node == "" || len(c.Self.Node) > MaxKey || !utf8.ValidString(c.Self.Node) {
		errs = append(errs, fmt.Errorf("node name %q: want 1 to %d bytes of UTF-8", c.Self.Node, MaxKey))
	}
	if c.Self.Run == 0 {
		errs = append(errs, errors.New("run is 0: want a number that grows from run to run, such as the time"))
	}
	if len(c.Label) > MaxKey || !utf8.ValidString(c.Label) {
		errs = append(errs, fmt.Errorf("label of %d bytes: want at most %d bytes of UTF-8", len(c.Label), MaxKey))
	}
	if c.TreeAbove < 0 {
		errs = append(errs, fmt.Errorf("TreeAbove is negative: %d", c.TreeAbove))
	}
	if c.RefuseMinority && c.Expected < 1 {
		errs = append(errs, errors.New("RefuseMinority needs Expected, the number of nodes of the whole cluster"))
	}
	for _, f := range c.durations() {
		if *f.field < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %v", f.name, *f.field))
		}
	}
	return errors.Join(errs...)
}

type mapTable map[string]*Entry

func (t mapTable) Load(name string) (*Entry, bool) { h, ok := t[name]; return h, ok }
func (t mapTable) Store(name string, h *Entry)     { t[name] = h }
func (t mapTable) Delete(name string)              { delete(t, name) }
