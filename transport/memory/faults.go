package memory

import "slices"

// pair names a link: two nodes, in order.
type pair struct{ a, b string }

func pairOf(a, b string) pair {
	if b < a {
		a, b = b, a
	}
	return pair{a, b}
}

// faults says which links are broken.
//
// Invariant: a link is in at most one of cut and mended.
type faults struct {
	cut      map[pair]struct{}
	mended   map[pair]struct{} // links that the partition and isolated do not break
	isolated map[string]struct{}
	sides    map[string][]int // the sides of each node that a partition names
	parted   bool             // a partition holds
}

func newFaults() faults {
	return faults{
		cut:      make(map[pair]struct{}),
		mended:   make(map[pair]struct{}),
		isolated: make(map[string]struct{}),
		sides:    make(map[string][]int),
	}
}

// none says that no link can be broken.
func (f *faults) none() bool {
	return len(f.cut) == 0 && len(f.isolated) == 0 && !f.parted
}

// linked says whether the link between two nodes is whole.
func (f *faults) linked(a, b string) bool {
	if f.none() {
		return true
	}
	link := pairOf(a, b)
	if _, ok := f.cut[link]; ok {
		return false
	}
	if _, ok := f.mended[link]; ok {
		return true
	}
	_, aloneA := f.isolated[a]
	_, aloneB := f.isolated[b]
	return !aloneA && !aloneB && (!f.parted || f.shareSide(a, b))
}

// shareSide says whether a partition has a side with both nodes; the nodes that
// it does not name are one side.
func (f *faults) shareSide(a, b string) bool {
	sidesA, sidesB := f.sides[a], f.sides[b]
	if len(sidesA) == 0 && len(sidesB) == 0 {
		return true
	}
	return slices.ContainsFunc(sidesA, func(side int) bool { return slices.Contains(sidesB, side) })
}

func (f *faults) cutLink(a, b string) {
	delete(f.mended, pairOf(a, b))
	f.cut[pairOf(a, b)] = struct{}{}
}

func (f *faults) mend(a, b string) {
	delete(f.cut, pairOf(a, b))
	f.mended[pairOf(a, b)] = struct{}{}
}

func (f *faults) isolate(node string) {
	f.isolated[node] = struct{}{}
	for link := range f.mended {
		if link.a == node || link.b == node {
			delete(f.mended, link)
		}
	}
}

func (f *faults) partition(sides [][]string) {
	clear(f.sides)
	clear(f.mended)
	f.parted = true
	for number, side := range sides {
		for _, node := range side {
			f.sides[node] = append(f.sides[node], number)
		}
	}
}
