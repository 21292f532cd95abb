package overlay

import "slices"

// Tree is one source's broadcast tree as a node sees it: which of its neighbors
// are behind lazy links. The zero value is a tree of eager links alone.
//
// Each source has a tree of its own. One tree for all, as in the paper, is torn
// where many speak at once: what two sources say meets at two links of a ring,
// and both are pruned.
type Tree struct {
	lazy []uint32 // neighborships, by their ids
}

// Eager appends the neighbors behind a tree's eager links to dst, and Lazy the
// others.
func (o *Overlay[P]) Eager(dst []P, t *Tree) []P { return o.behind(dst, t, false) }

// Lazy appends the neighbors behind a tree's lazy links to dst.
func (o *Overlay[P]) Lazy(dst []P, t *Tree) []P { return o.behind(dst, t, true) }

func (o *Overlay[P]) behind(dst []P, t *Tree, lazy bool) []P {
	for _, n := range o.neighbors {
		if slices.Contains(t.lazy, n.id) == lazy {
			dst = append(dst, n.peer)
		}
	}
	return dst
}

// IsLazy reports whether a neighbor is behind a lazy link of a tree.
func (o *Overlay[P]) IsLazy(t *Tree, p P) bool {
	i := o.find(p)
	return i >= 0 && slices.Contains(t.lazy, o.neighbors[i].id)
}

// Prune makes the link to a neighbor lazy: it sent what another one had sent
// before, or says that this node did. It reports whether that is a change, of
// which the neighbor is to be told.
func (o *Overlay[P]) Prune(t *Tree, p P) bool {
	i := o.find(p)
	if i < 0 || slices.Contains(t.lazy, o.neighbors[i].id) {
		return false
	}
	// Neighborships that are over are forgotten here, so that lazy stays short.
	t.lazy = slices.DeleteFunc(t.lazy, func(id uint32) bool {
		return !slices.ContainsFunc(o.neighbors, func(n neighbor[P]) bool { return n.id == id })
	})
	t.lazy = append(t.lazy, o.neighbors[i].id)
	return true
}

// Graft makes the link to a neighbor eager: it sent news, spoke of news that never
// came otherwise, or says that this node did. It reports whether that is a
// change.
func (o *Overlay[P]) Graft(t *Tree, p P) bool {
	i := o.find(p)
	if i < 0 || !slices.Contains(t.lazy, o.neighbors[i].id) {
		return false
	}
	t.lazy = slices.DeleteFunc(t.lazy, func(id uint32) bool { return id == o.neighbors[i].id })
	return true
}

// Rouse makes all links eager when none is, so that what the source says goes out
// at once.
func (o *Overlay[P]) Rouse(t *Tree) {
	for _, n := range o.neighbors {
		if !slices.Contains(t.lazy, n.id) {
			return
		}
	}
	t.lazy = nil
}
