package replica

import (
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// audit keeps the last conflicts and heals, each at most limit.
type audit struct {
	limit     int
	conflicts []Conflict
	heals     []Heal
}

func bounded[T any](list []T, item T, limit int) []T {
	if len(list) >= limit {
		list = slices.Delete(list, 0, len(list)-limit+1)
	}
	return append(list, item)
}

// split is a split under way, or just ending, as this node sees it.
type split struct {
	from      int64
	cut       []Peer // cut off and not back
	back      []Peer
	healedAt  int64 // when the last one came back
	conflicts []Conflict
}

// healGrace is how long after the last return conflicts count as the split's.
const healGrace = 2 * time.Second

// splitting notes that a peer was lost without having left.
func (m *Machine) splitting(id Peer) {
	if m.split == nil {
		m.split = &split{from: m.now.Mono}
	}
	m.split.cut = append(m.split.cut, id)
}

// healing notes that a peer is back in the same run: the network was gone, not
// the peer.
func (m *Machine) healing(id Peer) {
	s := m.split
	if s == nil {
		return
	}
	i := slices.Index(s.cut, id)
	if i < 0 {
		s.cut = slices.DeleteFunc(s.cut, func(p Peer) bool { return p.Node == id.Node && p.Run < id.Run })
		return
	}
	s.cut = slices.Delete(s.cut, i, i+1)
	s.back = append(s.back, id)
	s.healedAt = m.now.Mono
}

// closeSplit reports a heal when nobody has come back for a while, and forgets
// the peers that are gone for good.
func (m *Machine) closeSplit() {
	s := m.split
	if s == nil {
		return
	}
	s.cut = slices.DeleteFunc(s.cut, func(Peer) bool { return m.now.Mono-s.from > int64(m.cfg.ForgetAfter) })
	if len(s.back) == 0 {
		if len(s.cut) == 0 {
			m.split = nil
		}
		return
	}
	if m.now.Mono-s.healedAt < int64(healGrace) {
		return
	}
	h := Heal{From: s.from, To: s.healedAt, Conflicts: s.conflicts}
	for _, p := range s.back {
		h.Nodes = append(h.Nodes, p.Node)
	}
	slices.Sort(h.Nodes)
	m.audit.heals = bounded(m.audit.heals, h, m.audit.limit)
	m.notice(Notice{Kind: Healed, Node: m.self.id.Node, Amount: h.Length(), Heal: &h})
	s.back, s.conflicts = nil, nil
	if len(s.cut) == 0 {
		m.split = nil
	}
}

// recordConflict keeps a conflict, once for each set of claims.
func (m *Machine) recordConflict(name string, cs *claimSet, claims []resolve.Claim, v resolve.Verdict) {
	set := crdt.Key{}.Hash(uint64(len(claims)), uint64(v.Outcome))
	latest := crdt.Stamp(0)
	for _, c := range claims {
		set = crdt.Key{}.Hash(set, crdt.Key{}.Hash(crdt.Key{}.HashString(c.Born.Replica.Node), c.Born.Replica.Epoch^c.Born.Seq<<20))
		latest = max(latest, c.Birth)
	}
	if set == cs.judged {
		return
	}
	cs.judged = set
	m.count.Conflicts++
	at := m.stamp()
	c := Conflict{Name: name, At: at, Claims: claims, Verdict: v,
		Held: time.Duration(max(0, at.Millis()-latest.Millis())) * time.Millisecond}
	m.audit.conflicts = bounded(m.audit.conflicts, c, m.audit.limit)
	if m.split != nil && len(m.split.back) > 0 {
		m.split.conflicts = bounded(m.split.conflicts, c, m.audit.limit)
	}
}

// Conflicts returns the conflicts that were seen, the oldest first; of one name,
// or of all when name is empty.
func (m *Machine) Conflicts(name string) []Conflict {
	var found []Conflict
	for _, c := range m.audit.conflicts {
		if name == "" || c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// Heals returns the ends of splits that were seen, the oldest first.
func (m *Machine) Heals() []Heal { return slices.Clone(m.audit.heals) }

// SplitSince returns since when nodes have been cut off, by the monotonic clock,
// and which; ok is false when none are.
func (m *Machine) SplitSince() (from int64, nodes []string, ok bool) {
	if m.split == nil || len(m.split.cut) == 0 {
		return 0, nil, false
	}
	for _, p := range m.split.cut {
		nodes = append(nodes, p.Node)
	}
	slices.Sort(nodes)
	return m.split.from, slices.Compact(nodes), true
}
