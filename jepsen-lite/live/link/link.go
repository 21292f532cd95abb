package link

import (
	"hash/fnv"
	"math/bits"
	"time"
)

// MaxHeld is how many frames a link holds back; what comes on top is dropped as
// Stale.
const MaxHeld = 4096

// MaxUnderway is how many frames may be on their way, those held among them; what
// comes on top is dropped as Stale. It bounds memory where a long delay meets a
// busy sender.
const MaxUnderway = 1 << 16

// minLate is the least that a reordered frame may be late by at most: without it
// a link without delay would reorder nothing.
const minLate = 5 * time.Millisecond

// Arrival is a frame that gets to the end of the link.
type Arrival struct {
	At    time.Duration
	Frame []byte
}

// Link is one directed link. Times are those of one clock that does not go back,
// from any beginning.
//
// Invariant: Offered + Copied = Delivered + all of Dropped + Underway.
type Link struct {
	c     Conditions
	base  uint64 // of all draws
	drawn [decisions]uint64
	last  time.Duration // the latest arrival of a frame in order
	free  time.Duration // when what waits for the rate has left
	held  [][]byte
	stats Stats
}

// decision is what a draw is about.
type decision uint64

const (
	ofLoss decision = iota
	ofDup
	ofLatency
	ofReorder
	ofLate
	decisions
)

// New returns a link that carries everything at once.
func New(seed uint64, from, to string) *Link {
	return &Link{base: mix(mix(seed, hashText(from)), hashText(to))}
}

// Conditions returns how the link carries frames now.
func (l *Link) Conditions() Conditions { return l.c }

// Stats returns what became of all frames until now.
func (l *Link) Stats() Stats { return l.stats }

// Set changes how the link carries frames, and returns what it held back if it
// holds no more: it arrives at once, in order. Frames in flight stay on their
// way, unless the link is closed. The conditions must be valid.
func (l *Link) Set(now time.Duration, c Conditions) []Arrival {
	l.c = c
	switch {
	case c.Closed:
		for _, frame := range l.held {
			l.land(frame)
			l.stats.Dropped[Cut].add(frame)
		}
		l.held = nil
	case !c.Held && len(l.held) > 0:
		all := make([]Arrival, len(l.held))
		for i, frame := range l.held {
			all[i] = Arrival{now, frame}
		}
		l.last, l.held = max(l.last, now), nil
		return all
	}
	return nil
}

// Offer puts a frame on the link and returns when it arrives: never, once or
// twice. The link keeps the frame, which must not be changed.
func (l *Link) Offer(now time.Duration, frame []byte) []Arrival {
	l.stats.Offered.add(frame)
	if r, dropped := l.drops(now, frame); dropped {
		l.stats.Dropped[r].add(frame)
		return nil
	}
	all := l.carry(now, frame, false, nil)
	if l.chance(l.c.Dup, ofDup) {
		l.stats.Copied.add(frame)
		all = l.carry(now, frame, true, all)
	}
	return all
}

// Arrive reports whether a frame that gets to the end of the link is delivered:
// not if the link was closed in the meantime. Each arrival is told once.
func (l *Link) Arrive(frame []byte) bool {
	l.land(frame)
	if l.c.Closed {
		l.stats.Dropped[Cut].add(frame)
		return false
	}
	l.stats.Delivered.add(frame)
	return true
}

// drops decides whether a frame is dropped, and takes its place in the queue
// before the rate if not.
func (l *Link) drops(now time.Duration, frame []byte) (Reason, bool) {
	protocol := protocolOf(frame)
	switch {
	case l.c.Closed:
		return Cut, true
	case l.c.NoUDP && protocol == protocolUDP:
		return UDP, true
	case l.c.NoTCP && protocol == protocolTCP:
		return TCP, true
	case l.c.Size > 0 && len(frame) > l.c.Size:
		return Large, true
	case l.chance(l.c.Loss, ofLoss):
		return Lost, true
	case l.full():
		return Stale, true
	case l.c.Rate > 0 && !l.queue(now, len(frame)):
		return Full, true
	}
	return 0, false
}

// queue lets a frame wait for the rate, and reports whether there was room.
func (l *Link) queue(now time.Duration, size int) bool {
	room := l.c.Queue
	if room == 0 {
		room = DefaultQueue
	}
	begin := max(l.free, now)
	if begin > now && begin-now+l.airtime(size) > l.airtime(room) {
		return false
	}
	l.free = begin + l.airtime(size)
	return true
}

// airtime is how long a number of bytes takes at the rate. It is computed in
// floating point, which no size and rate overflow.
func (l *Link) airtime(size int) time.Duration {
	return time.Duration(float64(size) / float64(l.c.Rate) * float64(time.Second))
}

// carry appends the arrival of a frame, or holds it back.
func (l *Link) carry(now time.Duration, frame []byte, copied bool, all []Arrival) []Arrival {
	at := now
	if l.c.Rate > 0 {
		at = max(at, l.free)
	}
	at += l.between(l.c.Low, l.c.High, ofLatency)
	if late := l.chance(l.c.Reorder, ofReorder); late || copied {
		at += l.between(0, max(4*l.c.High, minLate), ofLate)
	} else {
		at = max(at, l.last)
		l.last = at
	}
	if copied && l.full() {
		l.stats.Dropped[Stale].add(frame)
		return all
	}
	l.stats.Underway.add(frame)
	if l.c.Held {
		l.held = append(l.held, frame)
		return all
	}
	return append(all, Arrival{at, frame})
}

// full reports whether the link can keep no further frame.
func (l *Link) full() bool {
	return l.c.Held && len(l.held) >= MaxHeld || l.stats.Underway.Frames >= MaxUnderway
}

// land takes a frame out of those on their way.
func (l *Link) land(frame []byte) {
	l.stats.Underway.Frames--
	l.stats.Underway.Bytes -= int64(len(frame))
}

// chance decides something that happens with probability p. What never happens is
// not drawn, which moves no later decision: each kind counts its own.
func (l *Link) chance(p float64, d decision) bool {
	return p > 0 && float64(l.draw(d)>>11)/(1<<53) < p
}

// between draws a time from low to high.
func (l *Link) between(low, high time.Duration, d decision) time.Duration {
	if high <= low {
		return low
	}
	above, _ := bits.Mul64(l.draw(d), uint64(high-low)+1)
	return low + time.Duration(above)
}

func (l *Link) draw(d decision) uint64 {
	n := l.drawn[d]
	l.drawn[d]++
	return mix(mix(l.base, uint64(d)), n)
}

// mix hashes two words into one: a step of SplitMix64 (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", 2014) on each.
func mix(a, b uint64) uint64 {
	return finish(finish(a+0x9e3779b97f4a7c15) + b*0x9e3779b97f4a7c15)
}

func finish(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
