package crdt

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// naiveSet is the deliberately naive OR-set: all additions ever seen, and a
// tombstone for each one that was removed. It is right by inspection, and it is
// its own delta: merging is the union of both parts.
type naiveSet struct {
	added map[Dot]string
	tombs map[Dot]bool
}

func newNaiveSet() naiveSet { return naiveSet{added: map[Dot]string{}, tombs: map[Dot]bool{}} }

func (s naiveSet) clone() naiveSet {
	return naiveSet{added: maps.Clone(s.added), tombs: maps.Clone(s.tombs)}
}

func (s naiveSet) merge(o naiveSet) {
	maps.Copy(s.added, o.added)
	maps.Copy(s.tombs, o.tombs)
}

// live returns the dots of an element that are not removed.
func (s naiveSet) live(element string) []Dot {
	var dots []Dot
	for d, e := range s.added {
		if e == element && !s.tombs[d] {
			dots = append(dots, d)
		}
	}
	return dots
}

func (s naiveSet) elements() map[string]bool {
	all := map[string]bool{}
	for d, e := range s.added {
		if !s.tombs[d] {
			all[e] = true
		}
	}
	return all
}

// remove returns the delta of removing what is seen of an element.
func (s naiveSet) remove(element string) naiveSet {
	delta := newNaiveSet()
	for _, d := range s.live(element) {
		delta.tombs[d] = true
	}
	s.merge(delta)
	return delta
}

// add returns the delta of adding an element at a dot.
func (s naiveSet) add(dot Dot, element string) naiveSet {
	delta := s.remove(element)
	delta.added[dot] = element
	s.merge(delta)
	return delta
}

// variant is an OR-set that may be wrong on purpose: what it sends of a delta,
// and how it merges one.
type variant struct {
	name  string
	send  func(*ORSet[string], Delta[string]) Delta[string]
	merge func(*ORSet[string], Delta[string]) Change[string]
}

func sendAsIs(_ *ORSet[string], d Delta[string]) Delta[string] { return d }

func mergeAsIs(s *ORSet[string], d Delta[string]) Change[string] { return s.Merge(d) }

func rightVariant() variant { return variant{"right", sendAsIs, mergeAsIs} }

// wideVariant sends each delta with the sender's whole context.
func wideVariant() variant {
	return variant{"delta with the sender's whole context",
		func(s *ORSet[string], d Delta[string]) Delta[string] {
			return Delta[string]{live: d.live, seen: s.seen.Clone()}
		}, mergeAsIs}
}

// maxVariant folds the gaps of its context with max().
func maxVariant() variant {
	return variant{"gaps folded with max()", sendAsIs,
		func(s *ORSet[string], d Delta[string]) Change[string] {
			c := s.Merge(d)
			for _, st := range s.seen.Clone().streams {
				s.seen.AddRange(st.replica, 1, st.last())
			}
			return c
		}}
}

// unionVariant takes every addition that comes, seen before or not.
func unionVariant() variant {
	return variant{"additions taken without asking the context", sendAsIs,
		func(s *ORSet[string], d Delta[string]) Change[string] {
			c := s.Merge(d)
			for dot, element := range d.All() {
				if _, ok := s.elements[dot]; !ok {
					s.insert(dot, element)
				}
			}
			return c
		}}
}

// message is a delta on its way, and what the naive set says in its place.
type message struct {
	to    int
	delta Delta[string]
	naive naiveSet
}

// verdict is what the oracle finds when all is over.
type verdict struct {
	lost        int // additions that nobody removed and that are not live
	resurrected int // additions that were removed and are live
	diverged    int // replicas that do not equal the first
}

// world is a cluster of sets, the network between them, and an oracle that
// watches every operation: it knows each addition, and which of them somebody
// who saw it removed or replaced.
type world struct {
	variant variant
	draw    func(n int) int // a number below n
	sets    []*ORSet[string]
	naive   []naiveSet
	net     []message
	deltas  []Delta[string] // all that were ever sent
	added   map[Dot]string
	removed map[Dot]bool
	// merged is called after each merge, when it is set.
	merged func(i int, before map[string]bool, c Change[string])
}

func newWorld(v variant, draw func(n int) int) *world {
	w := &world{variant: v, draw: draw, added: map[Dot]string{}, removed: map[Dot]bool{}}
	for i := range 2 + draw(3) {
		w.sets = append(w.sets, NewORSet[string](Replica{Node: string(rune('a' + i)), Epoch: 1}))
		w.naive = append(w.naive, newNaiveSet())
	}
	return w
}

// run makes steps of the history: additions, removals, deltas that are lost,
// doubled, overtaken and joined, and merges of whole states.
func (w *world) run(steps int) {
	for range steps {
		i := w.draw(len(w.sets))
		switch k := w.draw(20); {
		case k < 6:
			w.add(i, w.element())
		case k < 9:
			w.remove(i, w.element())
		case k < 10 && w.draw(4) == 0:
			w.clear(i)
		case k < 12:
			w.mergeState(i, w.draw(len(w.sets)))
		case k < 13:
			w.joinInFlight()
		default:
			w.deliver()
		}
	}
}

func (w *world) element() string { return string(rune('p' + w.draw(5))) }

func (w *world) add(i int, element string) {
	s := w.sets[i]
	w.note(s.dots[element])
	d := s.Add(element)
	dot := d.live[0].Dot
	w.added[dot] = element
	w.broadcast(i, d, w.naive[i].add(dot, element))
}

func (w *world) remove(i int, element string) {
	w.note(w.sets[i].dots[element])
	w.broadcast(i, w.sets[i].Remove(element), w.naive[i].remove(element))
}

func (w *world) clear(i int) {
	naive := newNaiveSet()
	for element, dots := range w.sets[i].dots {
		w.note(dots)
		naive.merge(w.naive[i].remove(element))
	}
	w.broadcast(i, w.sets[i].Clear(), naive)
}

// note tells the oracle that dots were removed by somebody who saw them.
func (w *world) note(dots []Dot) {
	for _, d := range dots {
		w.removed[d] = true
	}
}

// broadcast sends a delta to the others: a third is lost, a fifth comes twice.
func (w *world) broadcast(from int, d Delta[string], naive naiveSet) {
	d = w.variant.send(w.sets[from], d)
	w.deltas = append(w.deltas, d)
	for to := range w.sets {
		if to == from || w.draw(3) == 0 {
			continue
		}
		w.net = append(w.net, message{to, d, naive})
		if w.draw(5) == 0 {
			w.net = append(w.net, message{to, d, naive})
		}
	}
}

// take removes a message from anywhere in the network.
func (w *world) take() (message, bool) {
	if len(w.net) == 0 {
		return message{}, false
	}
	k := w.draw(len(w.net))
	m := w.net[k]
	w.net = slices.Delete(w.net, k, k+1)
	return m, true
}

func (w *world) deliver() {
	if m, ok := w.take(); ok {
		w.merge(m.to, m.delta, m.naive)
	}
}

// joinInFlight makes one message of two, as a sender that batches does.
func (w *world) joinInFlight() {
	a, ok := w.take()
	if !ok {
		return
	}
	b, ok := w.take()
	if !ok {
		w.net = append(w.net, a)
		return
	}
	naive := a.naive.clone()
	naive.merge(b.naive)
	w.net = append(w.net, message{a.to, a.delta.Join(b.delta), naive})
}

func (w *world) mergeState(to, from int) {
	w.merge(to, w.sets[from].State(), w.naive[from])
}

func (w *world) merge(to int, d Delta[string], naive naiveSet) {
	before := elementsOf(w.sets[to])
	c := w.variant.merge(w.sets[to], d)
	w.naive[to].merge(naive)
	if w.merged != nil {
		w.merged(to, before, c)
	}
}

// settle merges all states into all, until nothing can be unknown to anybody.
func (w *world) settle() {
	for range 2 {
		for to := range w.sets {
			for from := range w.sets {
				w.mergeState(to, from)
			}
		}
	}
}

// judge is the oracle: it holds the sets against what was done.
func (w *world) judge() verdict {
	var v verdict
	for i, s := range w.sets {
		if !s.Equal(w.sets[0]) {
			v.diverged++
		}
		if i > 0 {
			continue
		}
		for dot := range w.added {
			_, live := s.elements[dot]
			switch {
			case w.removed[dot] && live:
				v.resurrected++
			case !w.removed[dot] && !live:
				v.lost++
			}
		}
	}
	return v
}

func elementsOf(s *ORSet[string]) map[string]bool {
	all := map[string]bool{}
	for e := range s.All() {
		all[e] = true
	}
	return all
}

// rapidDraw lets rapid make the decisions, so that failing histories shrink.
func rapidDraw(t *rapid.T) func(int) int {
	return func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }
}

// seededDraw makes the decisions from a seed.
func seededDraw(seed uint64) func(int) int {
	return rand.New(rand.NewPCG(seed, 1)).IntN
}

// requireIntact checks the invariant of a set.
func requireIntact(t require.TestingT, s *ORSet[string]) {
	n := 0
	for element, dots := range s.dots {
		require.NotEmpty(t, dots)
		require.True(t, slices.IsSortedFunc(dots, Dot.Compare))
		for _, d := range dots {
			require.Equal(t, element, s.elements[d])
			require.True(t, s.seen.Has(d), "live and unseen: %s", d)
			n++
		}
	}
	require.Len(t, s.elements, n)
	requireCompact(t, &s.seen)
}

// After every step of any history the set equals the naive one, and each merge
// returns exactly what changed.
func TestORSetMatchesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rightVariant(), rapidDraw(t))
		w.merged = func(i int, before map[string]bool, c Change[string]) {
			want := maps.Clone(before)
			for _, e := range c.Added {
				require.False(t, want[e], "%q was there, or is reported twice", e)
				want[e] = true
			}
			for _, e := range c.Removed {
				require.True(t, before[e], "%q was not there", e)
				require.True(t, want[e], "%q is reported twice", e)
				delete(want, e)
			}
			require.Equal(t, want, elementsOf(w.sets[i]))
		}
		for range rapid.IntRange(40, 120).Draw(t, "steps") {
			w.run(1)
			for i, s := range w.sets {
				requireIntact(t, s)
				require.Equal(t, w.naive[i].elements(), elementsOf(s))
			}
		}
	})
}

// Whatever was lost, doubled or overtaken: when states were merged, all replicas
// are equal, all additions that nobody removed live, and no other does.
func TestORSetLosesAndResurrectsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rightVariant(), rapidDraw(t))
		w.run(rapid.IntRange(40, 200).Draw(t, "steps"))
		w.settle()
		require.Equal(t, verdict{}, w.judge())
		// Nothing is left of history: one prefix for each replica that added.
		require.LessOrEqual(t, w.sets[0].seen.Size(), len(w.sets))
	})
}

// The oracle is worth something only if it catches wrong sets. Each of these
// converges in every run, so a test of convergence alone finds nothing.
func TestOracleCatchesWrongVariants(t *testing.T) {
	const runs = 300
	for _, c := range []struct {
		variant           variant
		lost, resurrected bool
	}{
		{rightVariant(), false, false},
		{wideVariant(), true, false},
		{maxVariant(), true, false},
		{unionVariant(), false, true},
	} {
		t.Run(c.variant.name, func(t *testing.T) {
			var sum verdict
			bad := 0
			for seed := range uint64(runs) {
				w := newWorld(c.variant, seededDraw(seed))
				w.run(150)
				w.settle()
				v := w.judge()
				sum.lost += v.lost
				sum.resurrected += v.resurrected
				sum.diverged += v.diverged
				if v.lost+v.resurrected > 0 {
					bad++
				}
			}
			t.Logf("%d of %d runs bad: %d lost, %d resurrected, %d diverged",
				bad, runs, sum.lost, sum.resurrected, sum.diverged)
			require.Equal(t, c.lost, sum.lost > 0, "entries lost: %d", sum.lost)
			require.Equal(t, c.resurrected, sum.resurrected > 0, "entries resurrected: %d", sum.resurrected)
			require.Zero(t, sum.diverged)
		})
	}
}
