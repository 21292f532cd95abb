package report

import (
	"cmp"
	"slices"
)

// carried is what flowed: a sum over some links and kinds.
type carried struct {
	frames, bytes, dropped int64
}

func (c *carried) add(t *LinkTraffic) {
	c.frames += t.Frames
	c.bytes += t.Bytes
	c.dropped += t.Dropped
}

// link is the traffic of one direction of a link, of one kind or of all.
type link struct {
	from, to, kind int // indexes; the kind is -1 for all kinds
	carried
}

// traffic is the matrix of who sent what to whom.
type traffic struct {
	nodes   []string
	kinds   []string
	byKind  []carried
	total   carried
	links   []link
	merged  bool // kinds were added up for want of space
	dropped int  // links left out for want of space
}

// matrix sums the traffic by link and kind, by link alone when that makes more
// than limit sums, and keeps the heaviest links when that is still too much.
func matrix(m *model, limit int) traffic {
	t := traffic{}
	node, kind := map[string]int{}, map[string]int{}
	t.nodes, t.kinds = ends(m), kindsOf(m.run.Traffic)
	for i, n := range t.nodes {
		node[n] = i
	}
	for i, k := range t.kinds {
		kind[k] = i
	}
	t.byKind = make([]carried, len(t.kinds))
	type key struct{ from, to, kind int }
	sums := map[key]*carried{}
	for _, merged := range []bool{false, true} {
		clear(sums)
		for i := range m.run.Traffic {
			l := &m.run.Traffic[i]
			k := key{node[l.From], node[l.To], kind[l.Kind]}
			if merged {
				k.kind = -1
			} else {
				t.byKind[k.kind].add(l)
				t.total.add(l)
			}
			if sums[k] == nil {
				sums[k] = &carried{}
			}
			sums[k].add(l)
		}
		if t.merged = merged; len(sums) <= limit {
			break
		}
	}
	for k, c := range sums {
		t.links = append(t.links, link{k.from, k.to, k.kind, *c})
	}
	place := func(a, b link) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.kind, b.kind))
	}
	slices.SortFunc(t.links, place)
	if len(t.links) > limit {
		slices.SortStableFunc(t.links, func(a, b link) int { return cmp.Compare(b.bytes, a.bytes) })
		t.dropped = len(t.links) - limit
		t.links = t.links[:limit]
		slices.SortFunc(t.links, place)
	}
	return t
}

// ends returns the nodes of the matrix: the run's in their order, those that only
// links name after them.
func ends(m *model) []string {
	nodes := slices.Clone(m.nodes)
	known := map[string]bool{}
	for _, n := range nodes {
		known[n] = true
	}
	first := len(nodes)
	for i := range m.run.Traffic {
		for _, n := range []string{m.run.Traffic[i].From, m.run.Traffic[i].To} {
			if !known[n] {
				known[n] = true
				nodes = append(nodes, n)
			}
		}
	}
	slices.SortFunc(nodes[first:], natural)
	return nodes
}

func kindsOf(all []LinkTraffic) []string {
	var kinds []string
	for i := range all {
		kinds = append(kinds, all[i].Kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}
