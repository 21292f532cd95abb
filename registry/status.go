package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// NodeStatus is what this node thinks of a node.
type NodeStatus struct {
	// Name is the node's name and Addr where it listens, as far as is known.
	Name, Addr string
	// Label is the node's label.
	Label string
	// Epoch identifies the node's present run.
	Epoch uint64
	// Self says that it is this node.
	Self bool
	// Up says that the node can be reached, directly or in the judgement of others:
	// what it holds is shown.
	Up bool
	// Linked says that there is a direct connection.
	Linked bool
	// Serving says that the node has finished its first sync and answers claims.
	Serving bool
	// Refused says that the node runs another policy or protocol and is kept out.
	Refused bool
	// Entries is how many registrations and memberships are known of the node.
	Entries int
	// Since is for how long it has been up or down.
	Since time.Duration
}

// Conflict is one conflict as this node saw it settled.
type Conflict = replica.Conflict

// Heal is the end of a split as this node saw it.
type Heal struct {
	// Nodes had been cut off from this node and came back.
	Nodes []string
	// Lasted is how long, and Ago how long since the last of them came back.
	Lasted, Ago time.Duration
	// Conflicts are the names that both sides had claimed, with the claims and who
	// won. Their Held is how long two processes held a name at once.
	Conflicts []Conflict
}

// Losers returns the processes that lost a name by the heal, sorted.
func (h Heal) Losers() []PID {
	var losers []PID
	for _, c := range h.Conflicts {
		for i, claim := range c.Claims {
			if i != c.Verdict.Winner {
				losers = append(losers, claim.Holder)
			}
		}
	}
	slices.SortFunc(losers, PID.Compare)
	return slices.Compact(losers)
}

// Status is a node's view of itself and of the cluster.
type Status struct {
	// Node is this node, and Epoch its present run.
	Node  string
	Epoch uint64
	// Addr is where the transport listens.
	Addr string
	// Serving says that the first sync is done.
	Serving bool
	// Policy is the name of the policy.
	Policy string
	// Nodes are all nodes that are known, in the order of names.
	Nodes []NodeStatus
	// Component is the number of nodes that reach each other here, this one
	// included.
	Component int
	// CutOff are the nodes that were lost without having left, and CutFor for how
	// long the first of them has been.
	CutOff []string
	CutFor time.Duration
	// LastHeal is the last split that ended; nil when there was none.
	LastHeal *Heal
	// Names and Groups count what is shown.
	Names, Groups int
	// Processes counts the processes of this node that live.
	Processes int
	// Digest is equal on two nodes exactly when they show the same.
	Digest uint64
	// Clock is how far this node's clock is corrected against the wall clock.
	Clock time.Duration
	// Machine counts what the replica did, and Transport what the transport did.
	Machine   replica.Counters
	Transport map[string]uint64
}

// Status returns this node's view.
func (r *Registry) Status() Status {
	s := Status{Node: r.cfg.Node, Policy: r.cfg.Policy.Name(), Names: r.Count(), Processes: r.procs.Size()}
	if r.cfg.Transport != nil {
		s.Addr, s.Transport = r.cfg.Transport.Addr(), r.cfg.Transport.Counters()
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.machine
	s.Epoch, s.Serving, s.Component, s.Digest = m.Epoch(), m.Serving(), m.Reached(), m.Digest()
	s.Machine, s.Groups, s.Clock = m.Counters(), len(m.Groups()), m.ClockOffset()
	for _, n := range m.Nodes() {
		s.Nodes = append(s.Nodes, NodeStatus{
			Name: n.Node, Addr: n.Addr, Label: n.Label, Epoch: n.Epoch, Self: n.Self, Up: n.Up, Linked: n.Linked,
			Serving: n.Serving, Refused: n.Refused, Entries: n.Entries, Since: time.Duration(now.Mono - n.Since),
		})
	}
	if from, nodes, ok := m.SplitSince(); ok {
		s.CutOff, s.CutFor = nodes, time.Duration(now.Mono-from)
	}
	if heals := m.Heals(); len(heals) > 0 {
		h := healOf(heals[len(heals)-1], now.Mono)
		s.LastHeal = &h
	}
	return s
}

func healOf(h replica.Heal, mono int64) Heal {
	return Heal{Nodes: h.Nodes, Lasted: h.Length(), Ago: time.Duration(mono - h.To), Conflicts: h.Conflicts}
}

// Heals returns the ends of splits that are kept in the audit log, the oldest
// first.
func (r *Registry) Heals() []Heal {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var heals []Heal
	for _, h := range r.machine.Heals() {
		heals = append(heals, healOf(h, now.Mono))
	}
	return heals
}

// Conflicts returns the conflicts that are kept in the audit log, the oldest
// first.
func (r *Registry) Conflicts() []Conflict {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.machine.Conflicts("")
}

// Explanation says why a name shows what it shows.
type Explanation struct {
	// Name is the name.
	Name string
	// Held says whether the name has a holder, and Winner is its claim.
	Held   bool
	Winner Claim
	// Contested says that the policy keeps all claims.
	Contested bool
	// Claims are those that are known now; Hidden says of each whether its node
	// cannot be reached, so that it does not count.
	Claims []Claim
	Hidden []bool
	// Rule is the policy.
	Rule string
	// History is what the audit log has of the name's conflicts, the oldest first.
	History []Conflict
}

// Why explains what a name shows: the claims, the winner, the rule, and the
// conflicts that there were. A conflict is in the history of the loser's node for
// certain, and of every other node that saw both claims at once; a node that heard
// of the loser's withdrawal first saw no conflict.
func (r *Registry) Why(name string) Explanation {
	x := Explanation{Name: name, Rule: r.cfg.Policy.Name()}
	r.mu.Lock()
	defer r.mu.Unlock()
	x.Claims, x.Hidden, x.Contested = r.machine.Claims(name)
	if e, ok := r.machine.Holder(name); ok {
		x.Held, x.Winner = true, e.Claim()
	}
	x.History = r.machine.Conflicts(name)
	return x
}

// String explains in a few lines for a person.
func (x Explanation) String() string {
	var b strings.Builder
	switch {
	case x.Held:
		fmt.Fprintf(&b, "%s is held by %s since %s", x.Name, x.Winner.Holder, x.Winner.Birth.Time().Format(time.RFC3339Nano))
	case x.Contested:
		fmt.Fprintf(&b, "%s is contested by %d claims: policy %s keeps them all", x.Name, len(x.Claims), x.Rule)
	default:
		fmt.Fprintf(&b, "%s is held by nobody", x.Name)
	}
	for i, c := range x.Claims {
		if x.Hidden[i] {
			fmt.Fprintf(&b, "\n  hidden: %s, its node cannot be reached", c.Holder)
		} else if !x.Held || c.Born != x.Winner.Born {
			fmt.Fprintf(&b, "\n  claimed too: %s", c.Holder)
		}
	}
	for _, c := range x.History {
		fmt.Fprintf(&b, "\n  conflict at %s: %s", c.At.Time().Format(time.RFC3339Nano), describe(c))
	}
	return b.String()
}

func describe(c Conflict) string {
	switch c.Verdict.Outcome {
	case resolve.Held:
		w := c.Claims[c.Verdict.Winner]
		var losers []string
		for i, claim := range c.Claims {
			if i != c.Verdict.Winner {
				losers = append(losers, claim.Holder.String())
			}
		}
		return fmt.Sprintf("%s won over %s by %s", w.Holder, strings.Join(losers, ", "), c.Verdict.Rule)
	case resolve.Failed:
		return fmt.Sprintf("policy %s failed: %s", c.Verdict.Rule, c.Verdict.Reason)
	}
	return fmt.Sprintf("%d claims were kept by %s", len(c.Claims), c.Verdict.Rule)
}
