package replica

import "github.com/rollcall-dev/rollcall/crdt"

// Range-based reconciliation of one incarnation's live numbers. A message holds
// parts: a range with the fingerprint of what lives in it, or with the exact
// list. A fingerprint that differs is answered with the range split by rank, or
// with its list when it is short; a list settles its range, since both sides
// cover it: what only one of them has was removed.

const (
	// splitParts is the fan-out of a split.
	splitParts = 16
	// listMax is the number of items at which a range is listed instead of split:
	// about as many bytes as the next split's fingerprints.
	listMax = 96
	// maxParts bounds the parts of one message.
	maxParts = 512
)

// part speaks about the live numbers in (lo, hi].
type part struct {
	lo, hi uint64
	print  uint32 // fingerprint, when listed is false
	listed bool
	seqs   []uint64 // all of them, when listed
}

// ranges is a message about one incarnation. The sender's version is at least
// the end of every part.
type ranges struct {
	id      crdt.Replica
	version uint64
	salt    uint64
	parts   []part
}

// salted returns the short fingerprint of a range. A fresh salt for each
// exchange means that a chance match is not repeated in the next.
func salted(sum uint64, n int, salt uint64) uint32 {
	return uint32(mix(sum^salt^uint64(n)*0x9e3779b97f4a7c15) >> 32)
}

// reconcile opens the reconciliation of two live sets at the same version.
func (m *Machine) reconcile(p *peer, o *origin) { m.sendRanges(p, o, 0, o.log.Version()) }

// sendRanges opens the reconciliation of a range.
func (m *Machine) sendRanges(p *peer, o *origin, lo, hi uint64) {
	if lo >= hi {
		return
	}
	r := ranges{id: o.id, version: o.log.Version(), salt: m.rng.Uint64()}
	r.parts = splitRange(o, r.parts, lo, hi, r.salt)
	m.send(p, Bulk, m.enc.ranges(r))
}

// splitRange appends a range as its list when it is short, split otherwise.
func splitRange(o *origin, parts []part, lo, hi, salt uint64) []part {
	if _, n := o.log.RangeSum(lo, hi); n <= listMax {
		seqs := make([]uint64, 0, n)
		for it := range o.log.Range(lo, hi) {
			seqs = append(seqs, it.Seq)
		}
		return append(parts, part{lo: lo, hi: hi, listed: true, seqs: seqs})
	}
	for _, end := range o.log.Split(lo, hi, splitParts) {
		sum, n := o.log.RangeSum(lo, end)
		parts = append(parts, part{lo: lo, hi: end, print: salted(sum, n, salt)})
		lo = end
	}
	return parts
}

// onRanges compares what a peer says of ranges with what lives here, and answers
// the differences.
func (m *Machine) onRanges(p *peer, r ranges) {
	o := m.known(r.id)
	if o == nil || !o.up {
		return
	}
	back := ranges{id: o.id, version: o.log.Version(), salt: r.salt}
	var gone []uint64
	for _, q := range r.parts {
		if q.hi > o.log.Version() || q.hi > r.version {
			continue
		}
		if q.listed {
			extra, missing := o.log.Compare(q.lo, q.hi, q.seqs)
			gone = append(gone, missing...)
			m.dropRemoved(o, extra, r.version)
			continue
		}
		if sum, n := o.log.RangeSum(q.lo, q.hi); salted(sum, n, r.salt) != q.print {
			back.parts = splitRange(o, back.parts, q.lo, q.hi, r.salt)
		}
		if len(back.parts) >= maxParts {
			m.send(p, Bulk, m.enc.ranges(back))
			back.parts = nil
		}
	}
	if len(back.parts) > 0 {
		m.send(p, Bulk, m.enc.ranges(back))
	}
	for len(gone) > 0 {
		n := min(len(gone), maxRemoved)
		m.send(p, Bulk, m.enc.drops(dropsMsg{id: o.id, version: o.log.Version(), seqs: gone[:n]}))
		gone = gone[n:]
	}
}

// onDrops takes in which numbers a peer covers and does not have.
func (m *Machine) onDrops(d dropsMsg) {
	o := m.known(d.id)
	if o == nil || !o.up {
		return
	}
	var seqs []uint64
	for _, seq := range d.seqs {
		if seq <= d.version && seq <= o.log.Version() {
			seqs = append(seqs, seq)
		}
	}
	m.dropRemoved(o, seqs, d.version)
}

// removals are numbers of which it is known that their owner removed them before
// it reached a version.
type removals struct {
	version uint64
	seqs    []uint64
}

// maxRemovals bounds the removals that wait for a version. Beyond it they are let
// go; the next comparison finds them again.
const maxRemovals = 64

// dropRemoved removes entries of which a peer at a version has shown that their
// owner removed them. It waits until this node is at that version too: an entry
// that is gone there may have been updated, and to take the old form away before
// the new one is here would show nobody meanwhile. The owner itself knows better
// than anybody what it holds.
func (m *Machine) dropRemoved(o *origin, seqs []uint64, version uint64) {
	if o.self || len(seqs) == 0 {
		return
	}
	if version = max(version, o.asOf); version > o.log.Version() {
		if len(o.removals) < maxRemovals {
			o.removals = append(o.removals, removals{version, seqs})
		}
		return
	}
	m.touch(o)
	for _, seq := range seqs {
		if e, ok := o.log.Drop(seq); ok {
			m.count.Repaired++
			m.unindex(e, Gone)
		}
	}
}

// dropDue removes what waited for the version that an origin has reached.
func (m *Machine) dropDue(o *origin) {
	waiting := o.removals
	o.removals = nil
	for _, r := range waiting {
		m.dropRemoved(o, r.seqs, r.version)
	}
}
