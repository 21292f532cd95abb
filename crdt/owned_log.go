package crdt

import (
	"iter"
	"slices"
	"sort"
)

// Item is a live element of a Log, at the sequence number that added it.
type Item[E any] struct {
	Seq  uint64
	Elem E
}

// Record is one step of an owner's history: it takes the number Seq, removes
// what Removed names and, when Adds is set, adds Elem at Seq. An update is one
// record that does both, so that no reader sees a gap between old and new.
type Record[E any] struct {
	Seq     uint64
	Removed []uint64 // ascending, each below Seq
	Adds    bool
	Elem    E
	// Note is carried along with the record, for instance why it was made. The
	// algebra gives it no meaning, and a state does not keep it.
	Note uint8
}

// Log is the state of one incarnation in the owned form of the OR-set: the
// version, which is the number of its last record seen, and its live items by
// sequence number.
//
// Only the incarnation's owner makes records. A removal takes a number of its
// own, so the causal context of an incarnation is one counter, and of two states
// the one with the higher version is right. Two facts make every exchange safe
// in any order:
//
//   - covered and absent means removed, for ever: a number is added once;
//   - a statement about a range of numbers, made by someone whose version is at
//     least the end of the range, stays true.
//
// A gap is never applied: folding version 5 over a missing 4 would make the
// absence of item 4 read as its removal, and the next exchange would spread it.
//
// Invariant: items are ascending and none is above the version; sum is the sum of
// the keyed hashes of the live numbers.
type Log[E any] struct {
	replica Replica
	key     Key
	id      uint64
	version uint64
	count   int
	sum     uint64
	chunks  []*chunk[E]
}

// chunkItems is the number of items in a full chunk: large enough that a walk
// over chunks is short at a million items, small enough that a removal moves at
// most a few KiB.
const chunkItems = 256

type chunk[E any] struct {
	items []Item[E]
	sum   uint64
}

func (c *chunk[E]) first() uint64 { return c.items[0].Seq }
func (c *chunk[E]) last() uint64  { return c.items[len(c.items)-1].Seq }

// NewLog returns the empty log of a replica, with fingerprints under key.
func NewLog[E any](r Replica, key Key) *Log[E] {
	return &Log[E]{replica: r, key: key, id: r.hash(key)}
}

// Replica returns whose log this is.
func (l *Log[E]) Replica() Replica { return l.replica }

// Version returns the number of the last record seen; 0 before the first.
func (l *Log[E]) Version() uint64 { return l.version }

// Len returns the number of live items.
func (l *Log[E]) Len() int { return l.count }

// Sum returns the fingerprint of the whole live set.
func (l *Log[E]) Sum() uint64 { return l.sum }

// Digest returns a hash of the version and the live set. Logs of one replica
// whose digests are equal hold the same, but for one chance in 2^64.
func (l *Log[E]) Digest() uint64 { return l.key.Hash(l.id^l.version, l.sum) }

// Append makes the owner's next record, applies it and returns it. Numbers in
// removed that are not live are left out; removed is sorted in place.
func (l *Log[E]) Append(removed []uint64, adds bool, elem E, note uint8) Record[E] {
	slices.Sort(removed)
	kept := removed[:0]
	for _, seq := range removed {
		if _, ok := l.remove(seq); ok {
			kept = append(kept, seq)
		}
	}
	l.version++
	if adds {
		l.push(l.version, elem)
	}
	return Record[E]{Seq: l.version, Removed: kept, Adds: adds, Elem: elem, Note: note}
}

// Apply applies a record that another replica received from the owner, and
// returns the elements that it removed. It reports ok when the record was the
// next one; a record that was seen before, or that leaves a gap, changes nothing.
func (l *Log[E]) Apply(r Record[E]) (removed []Item[E], ok bool) {
	if r.Seq != l.version+1 {
		return nil, false
	}
	for _, seq := range r.Removed {
		if elem, found := l.remove(seq); found {
			removed = append(removed, Item[E]{seq, elem})
		}
	}
	l.version = r.Seq
	if r.Adds {
		l.push(r.Seq, r.Elem)
	}
	return removed, true
}

// Extend applies a statement of somebody whose version is at least hi: items is
// all that lives in (lo, hi]. It is applied only when lo is covered here, and
// then advances the version to hi. It returns what was added and what was
// removed; the elements of items at or below the version are not looked at.
func (l *Log[E]) Extend(lo, hi uint64, items []Item[E]) (added, removed []Item[E], ok bool) {
	if lo > l.version || hi < lo {
		return nil, nil, false
	}
	covered := min(hi, l.version)
	if lo < covered {
		for _, gone := range l.absent(lo, covered, items) {
			if elem, found := l.remove(gone); found {
				removed = append(removed, Item[E]{gone, elem})
			}
		}
	}
	for _, it := range items {
		if it.Seq > l.version && it.Seq <= hi {
			l.push(it.Seq, it.Elem)
			added = append(added, it)
		}
	}
	l.version = max(l.version, hi)
	return added, removed, true
}

// absent returns the live numbers in (lo, hi] that items does not list.
func (l *Log[E]) absent(lo, hi uint64, items []Item[E]) []uint64 {
	var gone []uint64
	i := 0
	for it := range l.Range(lo, hi) {
		for i < len(items) && items[i].Seq < it.Seq {
			i++
		}
		if i == len(items) || items[i].Seq != it.Seq {
			gone = append(gone, it.Seq)
		}
	}
	return gone
}

// Compare holds a list of somebody's live numbers in (lo, hi] against this log.
// It returns the numbers that live here and are not listed, and those listed
// that this log covers and does not have. Each of the former was removed when
// the other's version is at least hi; each of the latter was removed.
func (l *Log[E]) Compare(lo, hi uint64, listed []uint64) (extra, missing []uint64) {
	i := 0
	for it := range l.Range(lo, hi) {
		for i < len(listed) && listed[i] < it.Seq {
			missing = l.appendCovered(missing, listed[i])
			i++
		}
		if i < len(listed) && listed[i] == it.Seq {
			i++
			continue
		}
		extra = append(extra, it.Seq)
	}
	for ; i < len(listed); i++ {
		missing = l.appendCovered(missing, listed[i])
	}
	return extra, missing
}

func (l *Log[E]) appendCovered(seqs []uint64, seq uint64) []uint64 {
	if seq <= l.version {
		return append(seqs, seq)
	}
	return seqs
}

// Drop removes an item of which it is known that its owner removed it.
func (l *Log[E]) Drop(seq uint64) (elem E, ok bool) { return l.remove(seq) }

// Get returns the live element at seq.
func (l *Log[E]) Get(seq uint64) (elem E, ok bool) {
	c, i, ok := l.locate(seq)
	if !ok {
		return elem, false
	}
	return l.chunks[c].items[i].Elem, true
}

// All returns the live items, ascending.
func (l *Log[E]) All() iter.Seq[Item[E]] { return l.Range(0, l.version) }

// Range returns the live items in (lo, hi], ascending. The log must not change
// while it is walked.
func (l *Log[E]) Range(lo, hi uint64) iter.Seq[Item[E]] {
	return func(yield func(Item[E]) bool) {
		for c := l.chunkAbove(lo); c < len(l.chunks); c++ {
			items := l.chunks[c].items
			for i := above(items, lo); i < len(items); i++ {
				if items[i].Seq > hi || !yield(items[i]) {
					return
				}
			}
		}
	}
}

// RangeSum returns the fingerprint and the number of the live items in (lo, hi].
func (l *Log[E]) RangeSum(lo, hi uint64) (sum uint64, n int) {
	for c := l.chunkAbove(lo); c < len(l.chunks) && l.chunks[c].first() <= hi; c++ {
		ch := l.chunks[c]
		if ch.first() > lo && ch.last() <= hi {
			sum += ch.sum
			n += len(ch.items)
			continue
		}
		for i := above(ch.items, lo); i < len(ch.items) && ch.items[i].Seq <= hi; i++ {
			sum += l.hash(ch.items[i].Seq)
			n++
		}
	}
	return sum, n
}

// Split cuts (lo, hi] into at most parts ranges of about as many live items
// each, and returns their ends; the last is hi.
func (l *Log[E]) Split(lo, hi uint64, parts int) []uint64 {
	_, n := l.RangeSum(lo, hi)
	parts = max(1, min(parts, n))
	ends := make([]uint64, 0, parts)
	rank, next := 0, 1
	for c := l.chunkAbove(lo); c < len(l.chunks) && next < parts; c++ {
		items := l.chunks[c].items
		from := above(items, lo)
		for next < parts && n*next/parts <= rank+len(items)-from {
			ends = append(ends, items[from+n*next/parts-rank-1].Seq)
			next++
		}
		rank += len(items) - from
	}
	return append(ends, hi)
}

func (l *Log[E]) hash(seq uint64) uint64 { return l.key.Hash(l.id, seq) }

// chunkAbove returns the index of the first chunk with an item above seq.
func (l *Log[E]) chunkAbove(seq uint64) int {
	return sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].last() > seq })
}

// above returns the index of the first item above seq.
func above[E any](items []Item[E], seq uint64) int {
	return sort.Search(len(items), func(i int) bool { return items[i].Seq > seq })
}

func (l *Log[E]) locate(seq uint64) (c, i int, ok bool) {
	if seq == 0 {
		return 0, 0, false
	}
	c = l.chunkAbove(seq - 1)
	if c == len(l.chunks) {
		return 0, 0, false
	}
	items := l.chunks[c].items
	i = above(items, seq-1)
	return c, i, i < len(items) && items[i].Seq == seq
}

// push adds an item above all others.
func (l *Log[E]) push(seq uint64, elem E) {
	k := len(l.chunks)
	if k == 0 || len(l.chunks[k-1].items) >= chunkItems {
		l.chunks = append(l.chunks, &chunk[E]{})
		k++
	}
	ch := l.chunks[k-1]
	h := l.hash(seq)
	ch.items = append(ch.items, Item[E]{seq, elem})
	ch.sum += h
	l.sum += h
	l.count++
}

func (l *Log[E]) remove(seq uint64) (elem E, ok bool) {
	c, i, ok := l.locate(seq)
	if !ok {
		return elem, false
	}
	ch, h := l.chunks[c], l.hash(seq)
	elem = ch.items[i].Elem
	ch.items = slices.Delete(ch.items, i, i+1)
	ch.sum -= h
	l.sum -= h
	l.count--
	l.shrink(c)
	return elem, true
}

// shrink keeps chunks from staying nearly empty: memory follows what lives.
func (l *Log[E]) shrink(c int) {
	ch := l.chunks[c]
	switch {
	case len(ch.items) == 0:
		l.chunks = slices.Delete(l.chunks, c, c+1)
	case len(ch.items) >= chunkItems/4 || c == 0:
	case len(l.chunks[c-1].items)+len(ch.items) <= chunkItems:
		left := l.chunks[c-1]
		left.items = append(left.items, ch.items...)
		left.sum += ch.sum
		l.chunks = slices.Delete(l.chunks, c, c+1)
	}
}
