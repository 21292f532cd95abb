package resolvetest

import "math/rand/v2"

const (
	// randomSketches is the number of sets of claims that are drawn at random.
	randomSketches = 400
	// widest bounds the values of one field of which all triples are tried, and
	// the samples of which all triples are: 220 triples each.
	widest = 12
)

// sketches returns the sets of claims that every law is tried on, the simplest
// first. Ties are the rule and not the exception in all of them, because that is
// where policies go wrong.
func (p pools) sketches(samples []draft, seed uint64) []sketch {
	all := p.lines()
	all = append(all, p.corners()...)
	all = append(all, triples(samples)...)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range randomSketches {
		all = append(all, p.random(rng))
	}
	return all
}

// lines returns the sets of three claims that differ in one field.
func (p pools) lines() []sketch {
	var all []sketch
	for f := range fields {
		var drafts []draft
		for v := range min(p.size(f), widest) {
			drafts = append(drafts, only(f, v))
		}
		all = append(all, triples(drafts)...)
	}
	return all
}

// corners returns the pairs of claims that have the first or the second value in
// each of the fields that policies look at most.
func (p pools) corners() []sketch {
	looked := []field{birth, priority, seen, label}
	var drafts []draft
	for bits := range 1 << len(looked) {
		var d draft
		for i, f := range looked {
			d[f] = bits >> i & 1
		}
		drafts = append(drafts, d)
	}
	var all []sketch
	for i, a := range drafts {
		for k, b := range drafts[:i] {
			all = append(all, distinct(i+k, a, b))
		}
	}
	return all
}

// triples returns all sets of three of the drafts, and all of two if there are
// no more.
func triples(drafts []draft) []sketch {
	drafts = drafts[:min(len(drafts), widest)]
	if len(drafts) == 2 {
		return []sketch{distinct(0, drafts...), distinct(1, drafts...)}
	}
	var all []sketch
	for i, a := range drafts {
		for k, b := range drafts[:i] {
			for l, c := range drafts[:k] {
				all = append(all, distinct(i+k+l, a, b, c))
			}
		}
	}
	return all
}

// distinct returns the set of the drafts with different seqs: in rising order if
// turn is even, and otherwise in falling order, so that the order of the dots is
// not that of another field throughout.
func distinct(turn int, drafts ...draft) sketch {
	s := sketch{drafts: drafts}.clone()
	if s.valid() {
		return s
	}
	for i := range s.drafts {
		s.drafts[i][seq] = i
		if turn%2 == 1 {
			s.drafts[i][seq] = len(s.drafts) - 1 - i
		}
	}
	return s
}

// random returns a set of two to four claims. The first is drawn freely; the
// others are drawn as freely, or like it but for a field or two.
func (p pools) random(rng *rand.Rand) sketch {
	s := sketch{}
	if rng.IntN(8) == 0 {
		s.name = rng.IntN(len(p.names))
	}
	first := p.randomDraft(rng)
	alike := rng.IntN(2) == 0
	for size := 2 + rng.IntN(3); len(s.drafts) < size; {
		d := p.randomDraft(rng)
		if alike {
			changed := d
			d = first
			for range rng.IntN(3) {
				f := field(rng.IntN(int(fields)))
				d[f] = changed[f]
			}
			d[seq] = changed[seq]
		}
		s.drafts = append(s.drafts, d)
		if !s.valid() {
			s.drafts = s.drafts[:len(s.drafts)-1]
		}
	}
	return s
}

// randomDraft draws every field, three times out of four from the common values.
func (p pools) randomDraft(rng *rand.Rand) draft {
	var d draft
	for f := range fields {
		n := p.size(f)
		if rng.IntN(4) > 0 {
			n = p.common[f]
		}
		d[f] = rng.IntN(n)
	}
	return d
}
