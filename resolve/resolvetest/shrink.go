package resolvetest

import "slices"

// maxTries bounds the work of one shrinking.
const maxTries = 3000

// shrinker makes a set of claims smaller as long as it breaks a law.
//
// Invariant: best breaks the law, in the way that seen says.
type shrinker struct {
	breaks func(sketch) string
	best   sketch
	seen   string
	tries  int
}

// shrink returns the smallest set that can be reached from s by dropping claims
// and lowering fields while breaks says how it breaks the law, and what it says.
// It never asks again about the set that it returns, so that it also works with
// a policy that answers differently each time.
func shrink(s sketch, seen string, breaks func(sketch) string) (sketch, string) {
	h := &shrinker{breaks: breaks, best: s, seen: seen}
	for h.drop() || h.lowerAll() || h.lowerEach() {
	}
	return h.best, h.seen
}

// try takes a set as the best so far if it breaks the law.
func (h *shrinker) try(s sketch) bool {
	if h.tries >= maxTries || !s.valid() {
		return false
	}
	h.tries++
	seen := h.breaks(s)
	if seen == "" {
		return false
	}
	h.best, h.seen = s, seen
	return true
}

// drop leaves out one claim.
func (h *shrinker) drop() bool {
	if len(h.best.drafts) == 1 {
		return false
	}
	for i := range h.best.drafts {
		s := h.best.clone()
		s.drafts = slices.Delete(s.drafts, i, i+1)
		if h.try(s) {
			return true
		}
	}
	return false
}

// lowerAll gives all claims the same lower value in one field, or a simpler name.
func (h *shrinker) lowerAll() bool {
	for n := range h.best.name {
		s := h.best.clone()
		s.name = n
		if h.try(s) {
			return true
		}
	}
	for f := range fields {
		highest := 0
		for _, d := range h.best.drafts {
			highest = max(highest, d[f])
		}
		for v := range highest {
			s := h.best.clone()
			for i := range s.drafts {
				s.drafts[i][f] = min(s.drafts[i][f], v)
			}
			if h.try(s) {
				return true
			}
		}
	}
	return false
}

// lowerEach gives one claim a lower value in one field.
func (h *shrinker) lowerEach() bool {
	for i, d := range h.best.drafts {
		for f := range fields {
			for v := range d[f] {
				s := h.best.clone()
				s.drafts[i][f] = v
				if h.try(s) {
					return true
				}
			}
		}
	}
	return false
}
