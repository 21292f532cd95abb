package replica

import (
	"slices"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// reservation is a name that this node, as its home, has granted to a process
// whose claim has not come yet.
type reservation struct {
	holder resolve.PID
	until  int64
}

// answer is what a home says to a claim.
type answer struct {
	Nonce  uint64
	Kind   answerKind
	Stamp  crdt.Stamp    // of granted: above all that the home has seen of the name
	Holder resolve.Claim // of taken; of granted, name and process of the claimant
}

type answerKind uint8

const (
	granted answerKind = iota
	taken
	moved
	notServing
	answerKinds
)

// onClaims answers a claimant: all claims of a frame in one frame, as a rule.
func (m *Machine) onClaims(p *peer, claims []claimMsg) {
	answers := make([]answer, len(claims))
	for i, c := range claims {
		c.Holder.Node = p.id.Node
		a := m.arbitrate(c.Name, c.Holder, c.Final)
		a.Nonce, a.Stamp = c.Nonce, m.stamp()
		if a.Kind == granted {
			a.Holder = resolve.Claim{Name: c.Name, Holder: c.Holder}
		}
		answers[i] = a
	}
	for len(answers) > 0 {
		frame, n := m.enc.answers(answers)
		m.send(p, Urgent, frame)
		answers = answers[n:]
	}
}

// arbitrate decides a claim as the name's home.
func (m *Machine) arbitrate(name string, holder resolve.PID, final bool) answer {
	if !m.serving || m.left {
		return answer{Kind: notServing}
	}
	if !final && !slices.ContainsFunc(m.homesOf(name), func(h home) bool { return h.self }) {
		m.count.Moved++
		return answer{Kind: moved}
	}
	if holder, ok := m.holding(name); ok {
		m.count.Taken++
		return answer{Kind: taken, Holder: holder}
	}
	if m.reservedForOther(name, holder) {
		m.count.Taken++
		return answer{Kind: taken, Holder: resolve.Claim{Name: name, Holder: m.reservations[name].holder}}
	}
	m.count.Granted++
	m.reservations[name] = reservation{holder, m.now.Mono + int64(m.cfg.Reserve)}
	return answer{Kind: granted}
}

func (m *Machine) reservedForOther(name string, holder resolve.PID) bool {
	r, ok := m.reservations[name]
	return ok && r.holder != holder && m.now.Mono < r.until
}

func (m *Machine) onRelease(p *peer, c claimMsg) {
	c.Holder.Node = p.id.Node
	m.unreserve(c.Name, c.Holder)
}

func (m *Machine) unreserve(name string, holder resolve.PID) {
	if r, ok := m.reservations[name]; ok && r.holder == holder {
		delete(m.reservations, name)
	}
}

// fulfil ends the reservation for a claim that has come.
func (m *Machine) fulfil(e *Entry) {
	if len(m.reservations) > 0 {
		m.unreserve(e.key, e.PID())
	}
}

// unreserveNode frees what is reserved for processes of a node that is gone.
func (m *Machine) unreserveNode(node string) {
	for name, r := range m.reservations { // in any order
		if r.holder.Node == node {
			delete(m.reservations, name)
		}
	}
}

func (m *Machine) sweepReservations() {
	for name, r := range m.reservations { // in any order
		if m.now.Mono >= r.until {
			delete(m.reservations, name)
		}
	}
}
