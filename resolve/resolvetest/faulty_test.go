package resolvetest

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"time"
	"unsafe"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// order is a policy of a function that nothing is added to, as Func would.
type order func(a, b resolve.Claim) int

func (order) Name() string { return "faulty" }

func (o order) Compare(a, b resolve.Claim) int { return o(a, b) }

func (order) Loss() resolve.Loss { return resolve.Exit }

// byBorn is the tie-break of the faulty policies whose fault lies elsewhere.
func byBorn(a, b resolve.Claim) int { return a.Born.Compare(b.Born) }

// faulty is a policy with a fault, the law that must be seen to be broken, and
// the number of claims that must be enough to show it.
type faulty struct {
	name   string
	law    string
	claims int
	make   func() resolve.Policy
}

// fault returns a faulty policy without state.
func fault(name, law string, claims int, o order) faulty {
	return faulty{name, law, claims, func() resolve.Policy { return o }}
}

// faults returns policies that Check finds to be faulty.
func faults() []faulty {
	return append(append(faultyFields(), faultyOrders()...), faultyStates()...)
}

// faultyFields have a wrong idea of the claims.
func faultyFields() []faulty {
	return []faulty{
		fault("no tie-break", "decides-ties", 2, func(a, b resolve.Claim) int {
			return cmp.Compare(a.Birth, b.Birth)
		}),
		fault("tie-break by holder", "decides-ties", 2, func(a, b resolve.Claim) int {
			return a.Holder.Compare(b.Holder)
		}),
		fault("returns 0", "decides-ties", 2, func(_, _ resolve.Claim) int { return 0 }),
		fault("returns 0 for a rare pair", "decides-ties", 2, func(a, b resolve.Claim) int {
			if a.Label == "us" && b.Label == "eu" || a.Label == "eu" && b.Label == "us" {
				return 0
			}
			return byBorn(a, b)
		}),
		fault("looks at Value", "blind-to-updates", 2, func(a, b resolve.Claim) int {
			if a.Born == b.Born {
				return 0
			}
			return cmp.Or(bytes.Compare(a.Value, b.Value), byBorn(a, b))
		}),
		fault("looks at the length of Value", "same-claim", 1, func(a, b resolve.Claim) int {
			return cmp.Or(len(a.Value)-len(b.Value), byBorn(a, b))
		}),
		fault("looks at Dot", "blind-to-updates", 2, func(a, b resolve.Claim) int {
			if a.Born == b.Born {
				return 0
			}
			return cmp.Or(a.Dot.Compare(b.Dot), byBorn(a, b))
		}),
		fault("looks at the age of Dot", "same-claim", 1, func(a, b resolve.Claim) int {
			return cmp.Or(cmp.Compare(a.Dot.Seq, b.Dot.Seq), byBorn(a, b))
		}),
		fault("looks at memory", "survives-encoding", 2, func(a, b resolve.Claim) int {
			if a.Born == b.Born {
				return 0
			}
			where := func(c resolve.Claim) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(c.Name))) }
			return cmp.Or(cmp.Compare(where(a), where(b)), byBorn(a, b))
		}),
		fault("panics on no Value", "answers", 1, func(a, b resolve.Claim) int {
			return cmp.Or(int(a.Value[0])-int(b.Value[0]), byBorn(a, b))
		}),
		fault("panics on a rare priority", "answers", 1, func(a, b resolve.Claim) int {
			return cmp.Or([]int{0, 1, 2}[max(a.Priority, 0)]-[]int{0, 1, 2}[max(b.Priority, 0)], byBorn(a, b))
		}),
		fault("panics on a zero claim", "answers", 1, func(a, b resolve.Claim) int {
			return cmp.Or(int(a.Born.Replica.Node[0])-int(b.Born.Replica.Node[0]), byBorn(a, b))
		}),
		fault("mutates Value", "read-only", 1, func(a, b resolve.Claim) int {
			if len(a.Value) > 0 {
				a.Value[0] = 'x'
			}
			return byBorn(a, b)
		}),
		fault("appends to Value", "read-only", 1, func(a, b resolve.Claim) int {
			_ = append(a.Value, 'x')
			return byBorn(a, b)
		}),
	}
}

// faultyOrders look at the right fields and make no total order of them.
func faultyOrders() []faulty {
	return []faulty{
		fault("first argument", "antisymmetric", 2, func(a, b resolve.Claim) int {
			if a.Born == b.Born {
				return 0
			}
			return 1
		}),
		fault("first argument of a tie", "antisymmetric", 2, func(a, b resolve.Claim) int {
			if a.Born == b.Born {
				return 0
			}
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), 1)
		}),
		fault("wins against itself", "same-claim", 1, func(a, b resolve.Claim) int {
			return cmp.Or(byBorn(a, b), 1)
		}),
		fault("rock, paper, scissors of labels", "transitive", 3, func(a, b resolve.Claim) int {
			rank := map[string]int{"eu": 1, "us": 2, "ap": 3}
			x, y := rank[a.Label], rank[b.Label]
			if x == 0 || y == 0 || x == y {
				return cmp.Or(cmp.Compare(x, y), byBorn(a, b))
			}
			return []int{0, 1, -1}[(x-y+3)%3]
		}),
		fault("rock, paper, scissors of priorities", "transitive", 3, func(a, b resolve.Claim) int {
			return cmp.Or([]int{0, 1, -1}[((a.Priority%3-b.Priority%3)%3+3)%3], byBorn(a, b))
		}),
		fault("two out of three", "transitive", 3, func(a, b resolve.Claim) int {
			votes := cmp.Compare(a.Birth, b.Birth) + cmp.Compare(a.Priority, b.Priority) + cmp.Compare(a.Seen, b.Seen)
			return cmp.Or(votes, byBorn(a, b))
		}),
		fault("births that are near are the same", "transitive", 3, func(a, b resolve.Claim) int {
			if d := int64(a.Birth) - int64(b.Birth); d > 1 || d < -1 {
				return cmp.Compare(a.Birth, b.Birth)
			}
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), byBorn(a, b))
		}),
		fault("difference that overflows", "antisymmetric", 2, func(a, b resolve.Claim) int {
			return cmp.Or(int(a.Priority-b.Priority), byBorn(a, b))
		}),
		fault("difference of births that overflows", "antisymmetric", 2, func(a, b resolve.Claim) int {
			return cmp.Or(int(a.Birth-b.Birth), byBorn(a, b))
		}),
	}
}

// faultyStates look at more than the two claims.
func faultyStates() []faulty {
	return []faulty{
		fault("random", "deterministic", 1, func(_, _ resolve.Claim) int { return rand.IntN(2)*2 - 1 }),
		fault("map order", "deterministic", 2, func(a, b resolve.Claim) int {
			for c := range map[crdt.Dot]bool{a.Born: true, b.Born: true} {
				if a.Born == b.Born {
					break
				}
				if c == a.Born {
					return 1
				}
				return -1
			}
			return 0
		}),
		fault("wall clock", "deterministic", 1, func(_, _ resolve.Claim) int {
			return int(time.Now().UnixNano()&1)*2 - 1
		}),
		{"counts its calls", "deterministic", 1, func() resolve.Policy {
			calls := 0
			return order(func(_, _ resolve.Claim) int { calls++; return calls%2*2 - 1 })
		}},
		{"first in the order of calls", "no-memory", 2, newFirstMet},
		{"last in the order of calls", "no-memory", 2, func() resolve.Policy {
			p := newFirstMet().(order)
			return order(func(a, b resolve.Claim) int { return -p(a, b) })
		}},
		{"nearest to the median", "deterministic", 4, newMedian},
		{"zone of the majority", "deterministic", 4, newMajorityZone},
		{"new name", "name-and-loss", 0, func() resolve.Policy { return &restless{Policy: resolve.LastWriter()} }},
		{"no name", "name-and-loss", 0, func() resolve.Policy { return resolve.Func("") }},
		{"no loss", "name-and-loss", 0, func() resolve.Policy { return resolve.WithLoss(nil, 7) }},
		{"name that panics", "answers", 1, func() resolve.Policy { return struct{ resolve.Policy }{} }},
	}
}

// newFirstMet returns a policy that lets the claim win that it met first. It
// always gives the same answer about the same claims, so that only claims that it
// has not met show the fault.
func newFirstMet() resolve.Policy {
	met := map[crdt.Dot]int{}
	when := func(c resolve.Claim) int {
		if _, ok := met[c.Born]; !ok {
			met[c.Born] = len(met)
		}
		return met[c.Born]
	}
	return order(func(a, b resolve.Claim) int {
		x, y := when(a), when(b)
		return cmp.Compare(y, x)
	})
}

// newMedian returns a policy that lets the claim win whose birth is nearest to
// the mean of all that it was asked about.
func newMedian() resolve.Policy {
	sum, n := 0.0, 0.0
	return order(func(a, b resolve.Claim) int {
		sum, n = sum+float64(a.Birth)+float64(b.Birth), n+2
		distance := func(c resolve.Claim) float64 { return max(float64(c.Birth)-sum/n, sum/n-float64(c.Birth)) }
		return cmp.Or(cmp.Compare(distance(b), distance(a)), byBorn(a, b))
	})
}

// newMajorityZone returns a policy that lets the claim win with whose label it
// has seen the most claims.
func newMajorityZone() resolve.Policy {
	zones := map[string]int{}
	return order(func(a, b resolve.Claim) int {
		zones[a.Label]++
		zones[b.Label]++
		return cmp.Or(cmp.Compare(zones[a.Label], zones[b.Label]), byBorn(a, b))
	})
}

// restless is a policy with another name each time.
type restless struct {
	resolve.Policy
	mu    sync.Mutex
	calls int
}

func (r *restless) Name() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	return string(rune('a' + r.calls%26))
}

// newSeeded returns a policy that orders by a hash with a seed of its own.
func newSeeded() resolve.Policy {
	seed := maphash.MakeSeed()
	return order(func(a, b resolve.Claim) int {
		x, y := maphash.Comparable(seed, a.Born), maphash.Comparable(seed, b.Born)
		return cmp.Or(cmp.Compare(x, y), byBorn(a, b))
	})
}
