package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

func splitAgreement(x *index, f *finder) {
	f.idle = "no two nodes of a component were read after the bound in one unchanged stretch"
	for id := range x.windows {
		if w := &x.windows[id]; w.clique && len(w.runs) > 1 {
			x.agree(id, f)
		}
	}
}

func relay(x *index, f *finder) {
	f.idle = "no component was connected only through others, unchanged and read on two nodes after the bound"
	for id := range x.windows {
		if w := &x.windows[id]; !w.clique {
			x.agree(id, f)
		}
	}
}

func finalAgreement(x *index, f *finder) {
	f.idle = "no two nodes reach each other at the end"
	x.agreeAtEnd(f, func(*window) bool { return true })
}

func coreAgreement(x *index, f *finder) {
	f.idle = "at the end no node is dead or cut off from two that reach each other"
	x.agreeAtEnd(f, func(w *window) bool { return len(w.runs) < len(x.nodesEver()) })
}

// nodesEver returns the nodes that ever ran.
func (x *index) nodesEver() []int {
	var ever []int
	for n, runs := range x.runsOf {
		if len(runs) > 0 {
			ever = append(ever, n)
		}
	}
	return ever
}

// agreeAtEnd holds the views of the components that last to the end against each
// other. A node of one that nobody viewed is a hole.
func (x *index) agreeAtEnd(f *finder, want func(*window) bool) {
	inside := make([]bool, len(x.runs))
	for id := range x.windows {
		w := &x.windows[id]
		if !x.last(w) {
			continue
		}
		for _, r := range w.runs {
			inside[r] = true
		}
		if len(w.runs) < 2 || !want(w) {
			continue
		}
		if w.soft {
			x.agreeAnyway(id, f)
			continue
		}
		x.agree(id, f)
		for _, r := range w.runs {
			viewed := slices.ContainsFunc(x.viewsW[id], func(v int32) bool { return x.reads[v].run == r && x.reads[v].all() })
			if !viewed {
				f.lacks("%s was not viewed at or after %s, when its component was due", x.runName(r), when(w.due))
			}
		}
	}
	if !want(&window{}) {
		return
	}
	for r := range x.runs {
		if p := x.runs[r].pauses; !inside[r] && x.runs[r].to == len(x.recs) && (len(p) == 0 || p[len(p)-1][1] != forever) {
			f.lacks("at the end it is not clear whom %s reaches", x.runName(r))
		}
	}
}

// agreeAnyway looks at the last views in a window in which a link is degraded to
// the end: no deadline runs in it, so that it fails nobody who differs.
func (x *index) agreeAnyway(id int, f *finder) {
	w := &x.windows[id]
	var first *read
	for _, run := range w.runs {
		list := x.readsO[run]
		i := len(list) - 1
		for i >= 0 && !x.reads[list[i]].all() {
			i--
		}
		switch {
		case i < 0 || x.reads[list[i]].window != id:
			f.lacks("%s was not viewed at the end", x.runName(run))
		case first == nil:
			first = &x.reads[list[i]]
		case !identical(first.rows, x.reads[list[i]].rows):
			f.lacks("at the end %s and %s show different things, but a link in their component is degraded", x.runName(first.run), x.runName(run))
		default:
			f.judge()
		}
	}
}

// agree holds the reads of a window that were made when it was due against each
// other: each view against the latest of another node, each look-up against the
// latest answer of another node. What may have been changing is left out.
func (x *index) agree(id int, f *finder) {
	var views []int32 // the latest of each node, the latest node last
	points := map[int][]int32{}
	for _, v := range x.viewsW[id] {
		r := &x.reads[v]
		if r.all() {
			if o := otherRun(x, views, r.run); o != none {
				f.judge()
				x.compareViews(f, &x.reads[o], r)
			}
			views = keepLatest(x, views, v)
			continue
		}
		if o := otherRun(x, points[r.key], r.run); o != none {
			f.judge()
			x.compareKey(f, &x.reads[o], r, r.key)
		}
		if o := otherRun(x, views, r.run); o != none {
			f.judge()
			x.compareKey(f, &x.reads[o], r, r.key)
		}
		points[r.key] = keepLatest(x, points[r.key], v)
	}
}

// otherRun returns the latest of some reads that another run made, or none.
func otherRun(x *index, list []int32, run int) int32 {
	for i := len(list) - 1; i >= 0; i-- {
		if x.reads[list[i]].run != run {
			return list[i]
		}
	}
	return none
}

// keepLatest appends a read and leaves one read of each of at most two runs.
func keepLatest(x *index, list []int32, v int32) []int32 {
	run := x.reads[v].run
	list = slices.DeleteFunc(list, func(o int32) bool { return x.reads[o].run == run })
	list = append(list, v)
	return list[max(0, len(list)-2):]
}

// compareViews holds two views against each other.
func (x *index) compareViews(f *finder, a, b *read) {
	for i, j := 0, 0; i < len(a.rows) || j < len(b.rows); {
		k := int32(0)
		switch {
		case i == len(a.rows):
			k = b.rows[j].key
		case j == len(b.rows):
			k = a.rows[i].key
		default:
			k = min(a.rows[i].key, b.rows[j].key)
		}
		ii, jj := i, j
		for ii < len(a.rows) && a.rows[ii].key == k {
			ii++
		}
		for jj < len(b.rows) && b.rows[jj].key == k {
			jj++
		}
		if !sameRows(a.rows[i:ii], b.rows[j:jj], true) && !x.changing(a, b, int(k)) {
			x.disagree(f, a, b, int(k), a.rows[i:ii], b.rows[j:jj])
		}
		i, j = ii, jj
	}
}

// compareKey holds what two reads say of one key against each other.
func (x *index) compareKey(f *finder, a, b *read, k int) {
	ra, rb := a.of(k), b.of(k)
	valued := a.f != history.Members && b.f != history.Members
	if !sameRows(ra, rb, valued) && !x.changing(a, b, k) {
		x.disagree(f, a, b, k, ra, rb)
	}
}

// sameRows reports whether two reads show the same of one key, with the values
// when both tell them.
func sameRows(a, b []seen, valued bool) bool {
	return slices.EqualFunc(a, b, func(p, q seen) bool {
		return p.proc == q.proc && (!valued || p.value == q.value && (p.fence == q.fence || p.fence == 0 || q.fence == 0))
	})
}

// changing reports whether a key may have been changed between two reads, or so
// shortly before that the news need not have come.
func (x *index) changing(a, b *read, k int) bool {
	return x.isTouched(k, min(a.at, b.at)-x.bound, max(a.doneAt, b.doneAt))
}

func (x *index) disagree(f *finder, a, b *read, k int, ra, rb []seen) {
	f.found(b.done, "%s: %s shows %s (%s), but %s shows %s (%s), though their component was due at %s and nobody touched it since %s",
		x.keys[k], x.runName(a.run), x.shows(ra), x.at(a.done), x.runName(b.run), x.shows(rb), x.at(b.done),
		when(x.windows[b.window].due), when(min(a.at, b.at)-x.bound))
}

// shows returns what a read shows of one key, in words.
func (x *index) shows(rows []seen) string {
	if len(rows) == 0 {
		return "nobody"
	}
	var parts []string
	for _, s := range rows {
		p := x.procName(int(s.proc))
		if s.value != "" {
			p += fmt.Sprintf("=%q", s.value)
		}
		parts = append(parts, p)
	}
	slices.Sort(parts)
	if len(parts) > 8 {
		parts = append(parts[:8], fmt.Sprintf("and %d more", len(parts)-8))
	}
	return strings.Join(parts, " ")
}

func digestHonest(x *index, f *finder) {
	f.idle = "no two views with digests could be compared"
	first := map[string]int32{}
	for i := range x.reads {
		r := &x.reads[i]
		if !r.all() || r.digest == "" {
			continue
		}
		o, ok := first[r.digest]
		if !ok {
			first[r.digest] = int32(i)
			continue
		}
		f.judge()
		a := &x.reads[o]
		if !identical(a.rows, r.rows) {
			f.found(r.done, "%s (%s) and %s (%s) have the digest %s, but show different things: %s",
				x.runName(a.run), x.at(a.done), x.runName(r.run), x.at(r.done), r.digest, x.difference(a, r))
		}
	}
	for id := range x.windows {
		x.equalDigests(id, f)
	}
}

// identical reports whether two views show the same.
func identical(a, b []seen) bool {
	return slices.EqualFunc(a, b, func(p, q seen) bool {
		return p.key == q.key && p.proc == q.proc && p.value == q.value && p.fence == q.fence
	})
}

// difference names the first key of which two views show different things.
func (x *index) difference(a, b *read) string {
	for i := 0; ; i++ {
		if i >= len(a.rows) || i >= len(b.rows) || a.rows[i] != b.rows[i] {
			k := int32(none)
			for _, rows := range [][]seen{a.rows, b.rows} {
				if i < len(rows) && (k == none || cmp.Compare(rows[i].key, k) < 0) {
					k = rows[i].key
				}
			}
			return fmt.Sprintf("%s: %s, %s", x.keys[k], x.shows(a.of(int(k))), x.shows(b.of(int(k))))
		}
	}
}

// equalDigests wants equal digests of equal views in a window when nobody has
// touched anything for the bound.
func (x *index) equalDigests(id int, f *finder) {
	var views []int32
	for _, v := range x.viewsW[id] {
		r := &x.reads[v]
		if !r.all() || r.digest == "" {
			continue
		}
		if o := otherRun(x, views, r.run); o != none {
			a := &x.reads[o]
			still := !x.touched.meets(min(a.at, r.at)-x.bound, max(a.doneAt, r.doneAt))
			if still && identical(a.rows, r.rows) {
				f.judge()
				if a.digest != r.digest {
					f.found(r.done, "%s (%s) and %s (%s) show the same, but have the digests %s and %s, though nobody touched anything for the bound",
						x.runName(a.run), x.at(a.done), x.runName(r.run), x.at(r.done), a.digest, r.digest)
				}
			}
		}
		views = keepLatest(x, views, v)
	}
}
