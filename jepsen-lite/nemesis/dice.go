package nemesis

import (
	"hash/fnv"
	"time"
)

// dice draws decisions from a seed. Each kind of decision has a stream of its
// own, so one that is drawn more often leaves the others as they were.
type dice struct {
	seed  uint64
	drawn map[string]uint64
}

func newDice(seed uint64) *dice { return &dice{seed: seed, drawn: map[string]uint64{}} }

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// bits returns 64 random bits for a kind of decision.
func (d *dice) bits(kind string) uint64 {
	n := d.drawn[kind]
	d.drawn[kind] = n + 1
	h := fnv.New64a()
	h.Write([]byte(kind))
	return mix(mix(mix(d.seed)^h.Sum64()) ^ n)
}

// below returns a number from 0 to n-1.
func (d *dice) below(kind string, n int) int { return int(d.bits(kind) % uint64(n)) }

// from returns a number from low to high.
func (d *dice) from(kind string, low, high int) int { return low + d.below(kind, high-low+1) }

// chance reports whether something of a probability in percent happens.
func (d *dice) chance(kind string, percent int) bool { return d.below(kind, 100) < percent }

// span returns a time from low to high in whole steps.
func (d *dice) span(kind string, low, high, step time.Duration) time.Duration {
	return low + time.Duration(d.below(kind, int((high-low)/step)+1))*step
}

// around returns a time that is mean on average, from none to twice as long, in
// whole steps and never zero.
func (d *dice) around(kind string, mean, step time.Duration) time.Duration {
	return max(step, d.span(kind, 0, 2*mean, step))
}

// pick returns one of some things.
func pick[T any](d *dice, kind string, list ...T) T { return list[d.below(kind, len(list))] }

// shuffled returns the things in another order.
func shuffled[T any](d *dice, kind string, list []T) []T {
	out := append([]T(nil), list...)
	for i := len(out) - 1; i > 0; i-- {
		j := d.below(kind, i+1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// weighted is a thing and how often it is drawn beside others.
type weighted[T any] struct {
	weight int
	item   T
}

// draw returns one of some things by their weights.
func draw[T any](d *dice, kind string, list []weighted[T]) T {
	sum := 0
	for _, w := range list {
		sum += w.weight
	}
	n := d.below(kind, sum)
	for _, w := range list {
		if n -= w.weight; n < 0 {
			return w.item
		}
	}
	panic("nemesis: weights that do not sum up")
}
