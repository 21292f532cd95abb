package replica

import (
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
)

// Anti-entropy. Two nodes compare one hash over all that they show. When it
// differs, one sends its vector: version and fingerprint of each incarnation.
// Whoever is behind on an incarnation fetches, in chunks, what lives above its
// version; what was removed below is found by range-based reconciliation (Meyer,
// arXiv 2212.13567). No payload is sent for what both have.
//
// Every message about an incarnation is a statement that is true when it is made
// and stays true: "up to my version, this is all that lives in this range". So
// messages may be lost, repeated, overtaken and mixed between sessions; what
// sessions add is only that work is not done twice.

// pull is a fetch of an origin's missing entries from one peer.
type pull struct {
	from Peer
	base uint64 // the version here when the fetch began
	last bool   // all is here; what was removed below is being asked for
	at   int64  // when the peer last moved it on
}

// Limits of the exchange. A chunk is small enough that applying one does not
// hold up a local call for long; a fetch has at most chunksAhead of them under
// way, so that a peer's queue is never filled by repair.
const (
	maxChunk    = 32 << 10
	chunksAhead = 8
	pullWait    = 2 * time.Second
)

// compareWithSomeone compares with a random peer.
func (m *Machine) compareWithSomeone() {
	n := 0
	var chosen *peer
	for _, p := range m.peers {
		if p.ready() {
			n++
			if m.rng.IntN(n) == 0 {
				chosen = p
			}
		}
	}
	if chosen != nil {
		m.compareWith(chosen)
	}
}

// Digest returns a hash of all that this node shows or would exchange: versions
// and live sets of the incarnations that are up. Nodes with equal digests show
// the same. It is a sum of keyed hashes, one for each incarnation, so that a
// change costs one hash, however many nodes there are.
func (m *Machine) Digest() uint64 {
	for _, o := range m.touched {
		part := uint64(0)
		if o.up {
			part = o.log.Digest()
		}
		m.digest += part - o.part
		o.part, o.stale = part, false
	}
	clear(m.touched)
	m.touched = m.touched[:0]
	return m.digest
}

// position is what a node has of an incarnation.
type position struct {
	identity
	version uint64
	sum     uint64
}

func (m *Machine) vector() []position {
	v := make([]position, 0, len(m.origins))
	for _, o := range m.origins {
		if o.up {
			v = append(v, o.position())
		}
	}
	return v
}

func (o *origin) position() position {
	return position{o.identity, o.log.Version(), o.log.Sum()}
}

// onVector fetches what the peer has and this node lacks, and offers, in answer
// to a vector that was not an answer, what it is the other way round with.
func (m *Machine) onVector(p *peer, reply bool, theirs []position) {
	m.vectors++
	var ahead []position
	next := 0 // both are in order: most origins are found without being looked for
	for _, pos := range theirs {
		for next < len(m.origins) && m.origins[next].id.Node < pos.id.Node {
			next++
		}
		var o *origin
		if next < len(m.origins) && m.origins[next].id == pos.id && !m.origins[next].gated && !m.origins[next].self {
			o = m.origins[next]
		} else if o = m.acceptListed(pos); o == nil {
			continue
		}
		o.listed = m.vectors
		switch {
		case pos.version > o.log.Version():
			m.fetch(p, o)
		case pos.version < o.log.Version():
			ahead = append(ahead, o.position())
		case pos.sum != o.log.Sum():
			m.reconcile(p, o)
		}
	}
	for _, o := range m.origins {
		if o.up && o.listed != m.vectors {
			ahead = append(ahead, o.position())
		}
	}
	if !reply && len(ahead) > 0 {
		m.send(p, Bulk, m.enc.vector(true, ahead))
	}
	m.comparedWith(p)
}

// acceptListed returns the origin that a position is about; this node's own when
// the position is about that.
func (m *Machine) acceptListed(pos position) *origin {
	if pos.id == m.self.id {
		if pos.version > m.self.log.Version() {
			// Nobody has more of this node than itself: an earlier run had its epoch.
			m.bearAgain(m.self.id.Epoch + 1)
			return nil
		}
		return m.self
	}
	return m.accept(pos.identity)
}

// fetch asks a peer for what lives above this node's version of an origin, up to
// whatever version the peer has when it answers: an answer that ended below it
// would lack what was updated since.
func (m *Machine) fetch(p *peer, o *origin) {
	if o.self || o.pull != nil || !p.ready() {
		return
	}
	m.count.Pulls++
	p.pulls++
	o.pull = &pull{from: p.id, base: o.log.Version()}
	m.pullOn(p, o)
}

// pullOn asks for the next chunks of a fetch. The last request carries the
// fingerprint of what lives here, so that the peer can see whether anything was
// removed. It comes last because an update gives an entry a new number: to take
// the old one away before the new one is here would show nobody meanwhile.
func (m *Machine) pullOn(p *peer, o *origin) {
	q := pullMsg{id: o.id, after: o.log.Version(), last: o.pull.last, sum: o.log.Sum()}
	if q.last {
		q.upto = q.after
	}
	o.pull.at = m.now.Mono
	m.send(p, Bulk, m.enc.pull(q))
}

// onPull answers with what lives above the version asked from, and opens the
// reconciliation of what is below when the sets differ there.
func (m *Machine) onPull(p *peer, q pullMsg) {
	o := m.known(q.id)
	if o == nil || !o.up || q.after > o.log.Version() {
		m.send(p, Bulk, m.enc.adds(addsMsg{identity: identity{id: q.id, run: q.id.Epoch}, lo: q.after, hi: q.after, done: true}, nil))
		return
	}
	if q.last {
		if sum, _ := o.log.RangeSum(0, q.after); sum != q.sum {
			m.sendRanges(p, o, 0, q.after)
		}
	}
	upto := o.log.Version()
	if q.upto != 0 {
		upto = min(upto, q.upto)
	}
	m.sendAdds(p, o, q.after, upto)
}

// sendAdds sends the live items of (after, upto], in at most chunksAhead chunks.
func (m *Machine) sendAdds(p *peer, o *origin, after, upto uint64) {
	lo, size, chunks := after, 0, 0
	var items []crdt.Item[*Entry]
	for it := range o.log.Range(after, upto) {
		if n := entrySize(it.Elem); size > 0 && size+n > maxChunk {
			hi := items[len(items)-1].Seq
			chunks++
			m.send(p, Bulk, m.enc.adds(addsMsg{
				identity: o.identity, lo: lo, hi: hi, version: o.log.Version(), last: chunks == chunksAhead,
			}, items))
			if chunks == chunksAhead {
				return
			}
			lo, size, items = hi, 0, items[:0]
		}
		size += entrySize(it.Elem)
		items = append(items, it)
	}
	m.send(p, Bulk, m.enc.adds(addsMsg{
		identity: o.identity, lo: lo, hi: upto, version: o.log.Version(), done: true}, items))
}

// onAdds applies a chunk, and asks for the next when that was the last under way.
func (m *Machine) onAdds(p *peer, a addsMsg) {
	o := m.accept(a.identity)
	if o == nil {
		m.endPull(p, m.known(a.id))
		return
	}
	if a.hi <= a.version {
		m.extend(o, a)
	}
	m.drain(o)
	q := o.pull
	if q == nil || q.from != p.id {
		return
	}
	q.at = m.now.Mono
	if a.done && !q.last && q.base > 0 {
		q.last = true
		m.pullOn(p, o)
		return
	}
	if a.done {
		if o.log.Version() > q.base {
			m.fetched(o, p.id)
		}
		m.endPull(p, o)
		if len(o.waiting) > 0 && o.log.Version() > q.base {
			m.fetch(p, o)
		}
		m.synced()
		return
	}
	if a.last {
		m.pullOn(p, o)
	}
}

func (m *Machine) endPull(p *peer, o *origin) {
	if o != nil && o.pull != nil && o.pull.from == p.id {
		o.pull = nil
		p.pulls--
	}
}

// extend applies a statement about all that lives in a range.
func (m *Machine) extend(o *origin, a addsMsg) {
	have := o.log.Version()
	if a.lo > have || a.hi <= have {
		return
	}
	// Of what is covered here already the statement may know removals; they are
	// left to the reconciliation, which waits for what took their place.
	items := slices.DeleteFunc(a.items, func(it crdt.Item[*Entry]) bool { return it.Seq <= have })
	for _, it := range items {
		it.Elem.origin = o
	}
	m.touch(o)
	added, _, _ := o.log.Extend(have, a.hi, items)
	o.asOf = max(o.asOf, a.version)
	for _, it := range added {
		m.observe(it.Elem)
		m.index(it.Elem, nil, Registered)
	}
	m.dropDue(o)
	m.count.EntriesIn += uint64(len(added))
}

// expirePulls gives up the fetches that a peer does not answer; the next
// comparison begins them anew, with whoever is there.
func (m *Machine) expirePulls() {
	for _, o := range m.origins {
		if o.pull == nil || m.now.Mono-o.pull.at < int64(pullWait) {
			continue
		}
		if p := m.peer(o.pull.from); p != nil {
			m.endPull(p, o)
			m.synced()
		} else {
			o.pull = nil
		}
	}
}
