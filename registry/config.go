package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/transport"
)

// Limits, in bytes.
const (
	MaxKey     = replica.MaxKey
	MaxValue   = replica.MaxValue
	MaxMessage = 16 << 20
)

// Minority says what Register does on a node that sees less than a majority of
// the expected cluster.
type Minority uint8

const (
	// Allow registers: each side of a split goes on, and the policy settles what
	// both sides registered. This is the default.
	Allow Minority = iota
	// Refuse returns ErrMinority: of two sides of a split at most one registers
	// names. A side without a majority cannot register; what it had registered
	// before the split it goes on holding, hidden from the other side, where those
	// names are free.
	Refuse
)

// Config configures a node. The zero value of every field is its default, and
// the default is for production.
type Config struct {
	// Node is the node's name, unique in the cluster, 1 to 128 bytes; default
	// "local", which suffices for a registry without a transport. A node that is
	// started again keeps its name.
	Node string
	// Transport connects the node with others; default nil: there are none. Open
	// starts it and Close closes it.
	Transport transport.Transport
	// Label is a word about this node, such as its zone, that the policy Prefer can
	// look at; default none.
	Label string
	// Policy settles conflicts; default resolve.LastWriter(). It must be the same
	// on all nodes: nodes that run another one are refused.
	Policy resolve.Policy
	// PolicyLimit is how long a policy of your own may take to judge one name;
	// default resolve.DefaultLimit. One that takes longer has failed: the name is
	// freed and its claimants are told. Look-ups go on meanwhile, registrations
	// wait. A policy that is too slow again and again is not asked any more; see
	// resolve.Guard.
	PolicyLimit time.Duration
	// Secret keys the fingerprints by which nodes compare what they hold, so that
	// nobody without it can make two different registries look the same; the same
	// on all nodes. Default none: enough where only trusted programs can connect.
	Secret []byte
	// Expected is the number of nodes of the whole cluster; needed for Refuse.
	Expected int
	// Minority says what Register does where no majority of Expected is seen.
	Minority Minority
	// ClaimTimeout limits a Register that has to ask other nodes, beside its
	// context; default 10 s.
	ClaimTimeout time.Duration
	// SyncInterval is the mean time between two comparisons with a random node;
	// default 1 s. Shorter repairs what was lost sooner and costs 11 bytes and their
	// framing a time while all is equal.
	SyncInterval time.Duration
	// JoinWait is how long a node with a transport waits for another before it
	// serves alone; default 1 s. Registrations that are not optimistic wait that
	// long on the first node of a cluster.
	JoinWait time.Duration
	// SettleTime is how long after a change of membership a registration also asks
	// the node that was responsible before it; default 1 s.
	SettleTime time.Duration
	// ForgetAfter is how long the entries of a node that cannot be reached are
	// kept, hidden, for its return; default 24 h.
	ForgetAfter time.Duration
	// TreeAbove is the number of nodes above which changes travel along a broadcast
	// tree; up to it every node sends its changes to every other one. Default 150.
	TreeAbove int
	// WatchBuffer is how many events a Watch holds for a slow reader before it
	// makes it start over from a snapshot; default 4,096.
	WatchBuffer int
	// Mailbox is how many messages wait for a process's handler; default 1,024.
	Mailbox int
	// AuditLimit is how many conflicts, and how many heals, are kept; default 256.
	AuditLimit int
	// Now is the wall clock; default time.Now. It is for tests with clocks that
	// are wrong; intervals are always measured with the runtime's monotonic clock.
	Now func() time.Time
	// Logger takes what an operator wants to know; default slog.Default().
	Logger *slog.Logger

	ownClock bool // Now was given
}

func (c Config) withDefaults() Config {
	if c.Node == "" && c.Transport == nil {
		c.Node = "local"
	}
	if c.Policy == nil {
		c.Policy = resolve.LastWriter()
	}
	if c.PolicyLimit == 0 {
		c.PolicyLimit = resolve.DefaultLimit
	}
	if c.WatchBuffer == 0 {
		c.WatchBuffer = 4096
	}
	if c.Mailbox == 0 {
		c.Mailbox = 1024
	}
	c.ownClock = c.Now != nil
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// validate joins all faults that the machine does not find itself.
func (c Config) validate() error {
	var errs []error
	if c.Node == "" {
		errs = append(errs, errors.New("Node is empty: a node with a transport needs a name that no other node has"))
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"PolicyLimit", int64(c.PolicyLimit)}, {"Expected", int64(c.Expected)},
		{"WatchBuffer", int64(c.WatchBuffer)}, {"Mailbox", int64(c.Mailbox)}, {"AuditLimit", int64(c.AuditLimit)},
		{"TreeAbove", int64(c.TreeAbove)},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %d", n.name, n.value))
		}
	}
	if c.Minority > Refuse {
		errs = append(errs, fmt.Errorf("Minority is %d: want Allow or Refuse", c.Minority))
	}
	return errors.Join(errs...)
}

// machine returns the configuration of the node's machine.
func (c Config) machine(run uint64, table replica.Table) replica.Config {
	guard := resolve.NewGuard(c.Policy, c.PolicyLimit)
	m := replica.Config{
		Self:  replica.Peer{Node: c.Node, Run: run},
		Label: c.Label, Seed: run, Policy: c.Policy, Table: table,
		Judge:    func(_ resolve.Policy, claims []resolve.Claim) resolve.Verdict { return guard.Judge(claims) },
		Joins:    c.Transport != nil,
		JoinWait: c.JoinWait, SyncInterval: c.SyncInterval, Settle: c.SettleTime, ClaimWait: c.ClaimTimeout,
		ForgetAfter: c.ForgetAfter, Expected: c.Expected, RefuseMinority: c.Minority == Refuse, AuditLimit: c.AuditLimit,
		TreeAbove: c.TreeAbove,
	}
	if len(c.Secret) > 0 {
		sum := sha256.Sum256(append([]byte("rollcall fingerprint key\x00"), c.Secret...))
		m.Secret = crdt.Key(sum[:16])
	}
	return m
}
