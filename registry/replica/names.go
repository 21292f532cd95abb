package replica

import (
	"slices"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// claimSet holds the claims to a name that is not simply held, or hidden with its
// one holder: there are several, or one is left of several and hidden.
type claimSet struct {
	all       []*Entry
	contested bool
	judged    uint64     // which set of claims was last settled as a conflict
	told      []crdt.Dot // pairs: own claim, rival; for policies that keep all
}

// doom is a claim of this node that lost and is to be withdrawn.
type doom struct {
	entry *Entry
	loss  Loss
}

// claimsOf returns all claims to a name that are known, hidden ones too. The
// slice is the machine's.
func (m *Machine) claimsOf(name string) []*Entry {
	if cs, ok := m.contended[name]; ok {
		return cs.all
	}
	if e, ok := m.hidden[name]; ok {
		return []*Entry{e}
	}
	if e, ok := m.cfg.Table.Load(name); ok {
		return []*Entry{e}
	}
	return nil
}

// indexClaim adds a claim.
func (m *Machine) indexClaim(e, old *Entry, why Reason) {
	defer m.fulfil(e)
	m.align(e.key)
	claims := m.claimsOf(e.key)
	if len(claims) == 0 && e.origin.up {
		m.show(e.key, e, why)
		return
	}
	if len(claims) == 1 && e.origin.up && claims[0].origin == e.origin && claims[0].seq < e.seq {
		m.obsolete(claims[0])
		m.plain(e.key)
		m.show(e.key, e, whyAgain(claims[0], e, why))
		return
	}
	kept := make([]*Entry, 0, len(claims)+1)
	for _, c := range claims {
		switch {
		case c.origin == e.origin && c.seq > e.seq:
			m.obsolete(e)
			return
		case c == old || c.origin == e.origin:
			why = whyAgain(c, e, why)
			m.obsolete(c)
		default:
			kept = append(kept, c)
		}
	}
	m.settle(e.key, append(kept, e), why)
}

// obsolete takes out of its log an entry whose owner has made a later one for the
// same thing, and so has removed this one. Left in, it would be in the digest and
// not in what is shown.
func (m *Machine) obsolete(e *Entry) {
	if _, live := e.origin.log.Get(e.seq); live && !e.origin.self {
		e.origin.log.Drop(e.seq)
		m.touch(e.origin)
	}
}

// whyAgain returns the reason for an entry that takes the place of its owner's
// earlier one, where the record that would say so was missed.
func whyAgain(old, next *Entry, why Reason) Reason {
	switch {
	case why != Registered:
		return why
	case old.serial == next.serial:
		return Updated
	}
	return Reregistered
}

// unindexClaim takes a removed claim out.
func (m *Machine) unindexClaim(e *Entry, why Reason) {
	claims := m.claimsOf(e.key)
	if !slices.Contains(claims, e) {
		return
	}
	if len(claims) == 1 {
		m.plain(e.key)
		m.show(e.key, nil, why)
		return
	}
	kept := make([]*Entry, 0, len(claims)-1)
	for _, c := range claims {
		if c != e {
			kept = append(kept, c)
		}
	}
	m.settle(e.key, kept, why)
}

// plain notes that a name is held by one visible claim, or by none.
func (m *Machine) plain(name string) {
	delete(m.contended, name)
	delete(m.hidden, name)
}

// reshowAlone shows or hides a claim whose node came up or went down, if it is the
// only one to its name; otherwise it reports false, and all of them must be looked
// at. Of a split in two it is nearly all of the work.
func (m *Machine) reshowAlone(e *Entry, why Reason) bool {
	if _, ok := m.contended[e.key]; ok {
		return false
	}
	hidden, isHidden := m.hidden[e.key]
	if !isHidden {
		if h, ok := m.cfg.Table.Load(e.key); !ok || h != e {
			return false
		}
	}
	switch {
	case isHidden && hidden != e:
		return false
	case isHidden && e.origin.up:
		delete(m.hidden, e.key)
		m.cfg.Table.Store(e.key, e)
		m.shown++
		m.change(Change{Kind: Name, Key: e.key, Reason: why, New: e})
	case !isHidden && !e.origin.up:
		m.hide(e, why)
	}
	return true
}

// hide hides the only claim to a name, which is shown or new.
func (m *Machine) hide(e *Entry, why Reason) {
	m.hidden[e.key] = e
	m.show(e.key, nil, why)
}

// show makes holder what the name shows.
func (m *Machine) show(name string, holder *Entry, why Reason) {
	old, had := m.cfg.Table.Load(name)
	switch {
	case holder == nil && had:
		m.cfg.Table.Delete(name)
		m.shown--
	case holder != nil && old != holder:
		m.cfg.Table.Store(name, holder)
		if !had {
			m.shown++
		}
	}
	m.change(Change{Kind: Name, Key: name, Reason: why, Old: old, New: holder})
}

// settle decides what a name shows, given all its claims. Only visible claims
// count: a hidden one neither wins nor evicts.
func (m *Machine) settle(name string, claims []*Entry, why Reason) {
	visible := visibleClaims(claims)
	if len(claims) <= 1 && len(visible) == len(claims) {
		m.plain(name)
		if len(claims) == 0 {
			m.show(name, nil, why)
		} else {
			m.show(name, claims[0], why)
		}
		return
	}
	cs, ok := m.contended[name]
	if !ok {
		if len(claims) == 1 && !claims[0].origin.up {
			m.hide(claims[0], why)
			return
		}
		cs = &claimSet{}
		m.contended[name] = cs
		delete(m.hidden, name)
	}
	cs.all, cs.contested = claims, false
	standing := m.dropSuperseded(visible)
	switch len(standing) {
	case 0:
		m.show(name, nil, why)
	case 1:
		m.show(name, standing[0], m.whyReplaced(name, standing, standing[0], why))
	default:
		m.decide(name, cs, standing, why)
	}
}

// visibleClaims returns the claims whose node is reachable, in the order of
// birth, so that the order in which they came does not show.
func visibleClaims(claims []*Entry) []*Entry {
	visible := make([]*Entry, 0, len(claims))
	for _, c := range claims {
		if c.origin.up && !c.doomed {
			visible = append(visible, c)
		}
	}
	slices.SortFunc(visible, func(a, b *Entry) int { return a.Born().Compare(b.Born()) })
	return visible
}

// dropSuperseded leaves out the claims that a visible Reregister replaced: what
// causality knows, the policy is not asked. Those of this node are withdrawn.
func (m *Machine) dropSuperseded(visible []*Entry) []*Entry {
	standing := make([]*Entry, 0, len(visible))
	for _, c := range visible {
		i := slices.IndexFunc(visible, func(o *Entry) bool { return o != c && o.supersedes(c) })
		if i < 0 {
			standing = append(standing, c)
			continue
		}
		if c.local() {
			m.doom(c, Loss{
				Reason: Reregistered, Action: resolve.Notify,
				Winner: visible[i].Claim(), Claims: []resolve.Claim{c.Claim(), visible[i].Claim()},
			})
		}
	}
	return standing
}

// decide applies the policy to the claims that stand.
func (m *Machine) decide(name string, cs *claimSet, standing []*Entry, why Reason) {
	claims := make([]resolve.Claim, len(standing))
	for i, e := range standing {
		claims[i] = e.Claim()
	}
	v := m.cfg.Judge(m.cfg.Policy, claims)
	m.recordConflict(name, cs, claims, v)
	switch v.Outcome {
	case resolve.Held:
		winner := standing[v.Winner]
		m.show(name, winner, m.whyReplaced(name, standing, winner, why))
		for i, e := range standing {
			if i != v.Winner && e.local() {
				m.doom(e, Loss{
					Reason: ConflictLost, Action: m.cfg.Policy.Loss(),
					Winner: claims[v.Winner], Claims: claims, Verdict: v,
				})
			}
		}
	case resolve.Contested:
		cs.contested = true
		m.show(name, nil, Contested)
		m.tellRivals(cs, standing, claims, v)
	default:
		m.count.PolicyFailures++
		m.show(name, nil, PolicyFailed)
		for _, e := range standing {
			if e.local() {
				m.doom(e, Loss{Reason: PolicyFailed, Action: resolve.Notify, Claims: claims, Verdict: v})
			}
		}
	}
}

// whyReplaced returns the reason to report when next takes the place of a holder
// that still claims the name: it lost.
func (m *Machine) whyReplaced(name string, standing []*Entry, next *Entry, why Reason) Reason {
	old, had := m.cfg.Table.Load(name)
	if !had || old == next || !old.origin.up {
		return why
	}
	if next.supersedes(old) {
		return Reregistered
	}
	if slices.Contains(standing, old) {
		return ConflictLost
	}
	return why
}

// tellRivals tells this node's claimants of rivals that they have not been told
// of: each once for each rival, whatever the order in which they meet.
func (m *Machine) tellRivals(cs *claimSet, standing []*Entry, claims []resolve.Claim, v resolve.Verdict) {
	for i, own := range standing {
		if !own.local() {
			continue
		}
		news := false
		for j := range standing {
			if i != j && !cs.knows(claims[i].Born, claims[j].Born) {
				cs.told = append(cs.told, claims[i].Born, claims[j].Born)
				news = true
			}
		}
		if news {
			m.fx.Losses = append(m.fx.Losses, Loss{
				Serial: own.serial, Name: own.key, Reason: Contested,
				Action: resolve.Keep, Claims: claims, Verdict: v,
			})
		}
	}
}

func (cs *claimSet) knows(own, rival crdt.Dot) bool {
	for i := 0; i < len(cs.told); i += 2 {
		if cs.told[i] == own && cs.told[i+1] == rival {
			return true
		}
	}
	return false
}

// doom marks a claim of this node as lost. It is withdrawn when the input that
// is being handled is done, so that ten thousand losses make one record.
func (m *Machine) doom(e *Entry, l Loss) {
	if e.doomed {
		return
	}
	e.doomed = true
	l.Serial, l.Name = e.serial, e.key
	m.doomed = append(m.doomed, doom{e, l})
}

// withdraw removes the doomed claims and tells their processes. A loser that has
// an end to come, or a name to give up, hears of it once, here and nowhere else.
func (m *Machine) withdraw() {
	byReason := map[Reason][]*Entry{}
	for _, d := range m.doomed {
		byReason[d.loss.Reason] = append(byReason[d.loss.Reason], d.entry)
		m.fx.Losses = append(m.fx.Losses, d.loss)
	}
	m.count.Withdrawn += uint64(len(m.doomed))
	m.doomed = m.doomed[:0]
	for why := range reasons {
		if entries := byReason[why]; len(entries) > 0 {
			m.remove(entries, why)
		}
	}
}

// Holder returns who holds a name.
func (m *Machine) Holder(name string) (*Entry, bool) { return m.cfg.Table.Load(name) }

// Names returns the number of names that have a holder.
func (m *Machine) Names() int { return m.shown }

// Claims returns the claims to a name that are known and whether the name is
// contested. Claims whose node is unreachable come with hidden set.
func (m *Machine) Claims(name string) (claims []resolve.Claim, hidden []bool, contested bool) {
	for _, e := range m.claimsOf(name) {
		claims = append(claims, e.Claim())
		hidden = append(hidden, !e.origin.up)
	}
	cs, ok := m.contended[name]
	return claims, hidden, ok && cs.contested
}

// Update gives the claim of a process to a name another value. The claim keeps
// its birth: an update is no bid.
func (m *Machine) Update(now crdt.Reading, serial uint64, name string, value []byte) (*Entry, error) {
	m.begin(now)
	defer m.end()
	if err := m.check(serial, name, value); err != nil {
		return nil, err
	}
	m.align(name)
	e := m.ownClaim(serial, name)
	if e == nil {
		return nil, ErrNotHolder
	}
	return m.replace(e, value), nil
}

// Unregister gives a name up.
func (m *Machine) Unregister(now crdt.Reading, serial uint64, name string) error {
	m.begin(now)
	defer m.end()
	if err := m.check(serial, name, nil); err != nil {
		return err
	}
	m.align(name)
	e := m.ownClaim(serial, name)
	if e == nil {
		return ErrNotHolder
	}
	m.remove([]*Entry{e}, Unregistered)
	return nil
}

// ownClaim returns the claim of a process of this node to a name, or nil.
func (m *Machine) ownClaim(serial uint64, name string) *Entry {
	for _, e := range m.claimsOf(name) {
		if e.local() && e.serial == serial {
			return e
		}
	}
	return nil
}

// replace puts a copy of an entry of this node with another value in its place.
func (m *Machine) replace(e *Entry, value []byte) *Entry {
	n := *e
	n.value = value
	m.add(&n, []*Entry{e}, Updated)
	return &n
}
