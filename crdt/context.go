package crdt

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MaxSeq is the highest sequence number of a dot. Numbers above it name no
// event, so sums of two sequence numbers cannot overflow. A stream of a million
// events a second gets there after 290,000 years.
const MaxSeq = uint64(1)<<63 - 1

// Range is a run of sequence numbers of one replica, from Lo to Hi, both
// included.
type Range struct {
	Lo, Hi uint64
}

// Len returns the number of events in the range.
func (r Range) Len() uint64 { return r.Hi - r.Lo + 1 }

// Context is a causal context: the set of dots that have been seen. A dot that
// is in the context and not in the store was seen and removed; this is what
// makes tombstones unnecessary. (Almeida, Shoker, Baquero, arXiv 1603.01529,
// section 7; the compaction is section 7.2.)
//
// For each replica the context keeps a prefix, the n for which all of 1..n have
// been seen, and above it the runs of numbers that came out of order, as
// ranges. The prefix grows over a range only when the two touch, so the size of
// a context depends on the number of replicas and of gaps, and not on the
// number of events.
//
// A gap is never folded away by taking the maximum. Counterexample: replica a
// adds x with dot a:1 and y with dot a:2, and the delta of x is late. A receiver
// that notes a:2 as "all up to 2" covers a:1 without holding x. That reads as
// "x was seen and removed": the late delta of x is ignored, and every replica
// that merges with the receiver loses x too. The replicas agree, and x is gone
// although nobody removed it.
//
// The zero Context is empty and ready for use. A Context must not be copied
// once it is in use: Clone copies.
//
// Invariant: streams are strictly sorted by replica, none is empty; within each,
// prefix+1 < ranges[0].Lo, ranges are sorted, neither overlap nor touch, and no
// number is above MaxSeq. So equal sets of dots have equal representations.
type Context struct {
	streams []stream
}

// stream is what has been seen of one replica.
type stream struct {
	replica Replica
	prefix  uint64
	ranges  []Range
}

// Has reports whether d has been seen.
func (c *Context) Has(d Dot) bool {
	i, ok := c.find(d.Replica)
	return ok && c.streams[i].has(d.Seq)
}

// Add notes that d has been seen and reports whether that is new. A dot whose
// Seq is 0 or above MaxSeq names no event and is not added.
func (c *Context) Add(d Dot) bool { return c.AddRange(d.Replica, d.Seq, d.Seq) }

// AddRange notes that the events lo to hi of r, both included, have been seen
// and reports whether any of them is new. Numbers outside 1..MaxSeq are left out.
func (c *Context) AddRange(r Replica, lo, hi uint64) bool {
	lo, hi = max(lo, 1), min(hi, MaxSeq)
	if lo > hi {
		return false
	}
	i, ok := c.find(r)
	if !ok {
		c.streams = slices.Insert(c.streams, i, stream{replica: r})
	}
	return c.streams[i].add(lo, hi)
}

// Merge adds all dots of o, which stays as it is, and reports whether any of
// them is new.
func (c *Context) Merge(o *Context) bool {
	grew := false
	known := len(c.streams)
	for i := range o.streams {
		from := &o.streams[i]
		if at, ok := search(c.streams[:known], from.replica); ok {
			grew = c.streams[at].union(from) || grew
			continue
		}
		c.streams = append(c.streams, from.clone())
	}
	if len(c.streams) == known {
		return grew
	}
	slices.SortFunc(c.streams, func(a, b stream) int { return a.replica.Compare(b.replica) })
	return true
}

// Equal reports whether c and o hold the same dots.
func (c *Context) Equal(o *Context) bool {
	return slices.EqualFunc(c.streams, o.streams, func(a, b stream) bool {
		return a.replica == b.replica && a.prefix == b.prefix && slices.Equal(a.ranges, b.ranges)
	})
}

// Clone returns a copy that shares nothing with c.
func (c *Context) Clone() Context {
	streams := slices.Clone(c.streams)
	for i := range streams {
		streams[i].ranges = slices.Clone(streams[i].ranges)
	}
	return Context{streams: streams}
}

// Next returns the dot that r mints next: the one above every dot of r in the
// context, never one in a gap, since a number in a gap may have been used for an
// event that has not arrived. It does not add the dot. Only r itself may mint
// its dots.
func (c *Context) Next(r Replica) Dot {
	i, ok := c.find(r)
	if !ok {
		return Dot{Replica: r, Seq: 1}
	}
	return Dot{Replica: r, Seq: c.streams[i].last() + 1}
}

// Version returns the highest n for which all of the events 1..n of r have been
// seen; 0 if the first is missing. Events seen above a gap do not count.
func (c *Context) Version(r Replica) uint64 {
	i, ok := c.find(r)
	if !ok {
		return 0
	}
	return c.streams[i].prefix
}

// All returns the dots as ranges: replicas in their order, and the ranges of
// each upward, the prefix n as the range 1..n. The context must not change
// meanwhile.
func (c *Context) All() iter.Seq2[Replica, Range] {
	return func(yield func(Replica, Range) bool) {
		for i := range c.streams {
			s := &c.streams[i]
			if s.prefix > 0 && !yield(s.replica, Range{Lo: 1, Hi: s.prefix}) {
				return
			}
			for _, r := range s.ranges {
				if !yield(s.replica, r) {
					return
				}
			}
		}
	}
}

// IsEmpty reports whether no dot has been seen.
func (c *Context) IsEmpty() bool { return len(c.streams) == 0 }

// Len returns the number of dots that have been seen, at most 2^64 - 1.
func (c *Context) Len() uint64 {
	var n uint64
	for _, r := range c.All() {
		sum := n + r.Len()
		if sum < n {
			return ^uint64(0)
		}
		n = sum
	}
	return n
}

// Size returns the number of prefixes and ranges that the context keeps, which
// is what its memory grows with. A context without gaps has one per replica.
func (c *Context) Size() int {
	n := 0
	for i := range c.streams {
		n += len(c.streams[i].ranges)
		if c.streams[i].prefix > 0 {
			n++
		}
	}
	return n
}

// String returns the context as {node@epoch:1-5,7 ...}, in the order of All.
func (c *Context) String() string {
	var b strings.Builder
	b.WriteByte('{')
	var last Replica
	for r, run := range c.All() {
		switch {
		case r == last && b.Len() > 1:
			b.WriteByte(',')
		case b.Len() > 1:
			fmt.Fprintf(&b, " %s:", r)
		default:
			fmt.Fprintf(&b, "%s:", r)
		}
		last = r
		if run.Lo == run.Hi {
			fmt.Fprintf(&b, "%d", run.Lo)
		} else {
			fmt.Fprintf(&b, "%d-%d", run.Lo, run.Hi)
		}
	}
	b.WriteByte('}')
	return b.String()
}

// find returns where the stream of r is, or where it would be.
func (c *Context) find(r Replica) (int, bool) { return search(c.streams, r) }

func search(streams []stream, r Replica) (int, bool) {
	return slices.BinarySearchFunc(streams, r, func(s stream, r Replica) int {
		return s.replica.Compare(r)
	})
}

func (s *stream) clone() stream {
	return stream{replica: s.replica, prefix: s.prefix, ranges: slices.Clone(s.ranges)}
}

func (s *stream) has(seq uint64) bool {
	if seq <= s.prefix {
		return seq > 0
	}
	i := s.endingFrom(seq)
	return i < len(s.ranges) && s.ranges[i].Lo <= seq
}

// last returns the highest number seen.
func (s *stream) last() uint64 {
	if n := len(s.ranges); n > 0 {
		return s.ranges[n-1].Hi
	}
	return s.prefix
}

// endingFrom returns the index of the first range with Hi >= seq.
func (s *stream) endingFrom(seq uint64) int {
	i, _ := slices.BinarySearchFunc(s.ranges, seq, func(r Range, seq uint64) int {
		if r.Hi < seq {
			return -1
		}
		return 1
	})
	return i
}

// add notes lo..hi, with 1 <= lo <= hi <= MaxSeq, and reports whether any of
// them is new.
func (s *stream) add(lo, hi uint64) bool {
	if hi <= s.prefix {
		return false
	}
	if lo <= s.prefix+1 {
		s.prefix = hi
		s.absorb()
		return true
	}
	from := s.endingFrom(lo - 1)
	if from < len(s.ranges) && s.ranges[from].Lo <= lo && hi <= s.ranges[from].Hi {
		return false
	}
	to := from
	for to < len(s.ranges) && s.ranges[to].Lo <= hi+1 {
		lo = min(lo, s.ranges[to].Lo)
		hi = max(hi, s.ranges[to].Hi)
		to++
	}
	s.ranges = slices.Replace(s.ranges, from, to, Range{Lo: lo, Hi: hi})
	return true
}

// absorb lets the prefix grow over the ranges that it reaches.
func (s *stream) absorb() {
	n := 0
	for n < len(s.ranges) && s.ranges[n].Lo <= s.prefix+1 {
		s.prefix = max(s.prefix, s.ranges[n].Hi)
		n++
	}
	s.ranges = s.ranges[n:]
	if len(s.ranges) == 0 {
		s.ranges = nil
	}
}

// fewRanges is the number of ranges up to which they are added one by one, a
// search and a shift each. Above it one pass over all is cheaper, and the time
// that a context of many ranges costs does not grow with its square.
const fewRanges = 8

// union adds all that o has seen and reports whether any of it is new.
func (s *stream) union(o *stream) bool {
	grew := o.prefix > 0 && s.add(1, o.prefix)
	if len(o.ranges) <= fewRanges {
		for _, r := range o.ranges {
			grew = s.add(r.Lo, r.Hi) || grew
		}
		return grew
	}
	for _, r := range o.ranges {
		grew = grew || !s.covers(r)
	}
	if !grew {
		return false
	}
	s.ranges = zip(s.ranges, o.ranges)
	s.absorb()
	return true
}

func (s *stream) covers(r Range) bool {
	if r.Hi <= s.prefix {
		return true
	}
	i := s.endingFrom(r.Hi)
	return i < len(s.ranges) && s.ranges[i].Lo <= max(r.Lo, s.prefix+1)
}

// zip returns the union of two sorted lists of ranges, in one pass.
func zip(a, b []Range) []Range {
	out := make([]Range, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && b[0].Lo < a[0].Lo {
			a, b = b, a
		}
		next := a[0]
		a = a[1:]
		if n := len(out); n > 0 && next.Lo <= out[n-1].Hi+1 {
			out[n-1].Hi = max(out[n-1].Hi, next.Hi)
			continue
		}
		out = append(out, next)
	}
	return out
}
