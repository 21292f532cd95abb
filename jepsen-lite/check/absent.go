package check

import (
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// ended returns the latest stint of a pair when the pair certainly was not during
// a read, or none when it may have been.
func (x *index) ended(p int32, from, to int) int32 {
	if p == none || x.lives(p, from, to) {
		return none
	}
	latest := int32(none)
	for _, id := range x.pairs[p].stints {
		s := &x.stints[id]
		if s.invoke > to {
			continue
		}
		if latest == none || s.over > x.stints[latest].over {
			latest = id
		}
	}
	return latest
}

func noZombie(x *index, f *finder) {
	f.idle = "nothing ended in time for a later read to show it"
	over := x.firstOver()
	for i := range x.reads {
		r := &x.reads[i]
		if over < r.invoke {
			f.judge()
		}
		for j := range r.rows {
			id := x.ended(r.rows[j].pair, r.invoke, r.done)
			if id == none || x.forgotten(r.run, x.stints[id].run, x.stints[id].over, r.done) {
				continue
			}
			if s := &x.stints[id]; x.mustKnow(r, s) {
				f.found(r.done, "%s: %s shows %s (%s), which %s at %s",
					x.keys[s.key], x.runName(r.run), x.procName(s.proc), x.at(r.done), s.end(), x.at(s.over))
			}
		}
	}
}

// end says how a stint ended.
func (s *stint) end() string {
	switch s.how {
	case given:
		return "gave it up"
	case told:
		return "was told that it lost it"
	}
	return "ended"
}

// firstOver returns the first record from which some stint is over.
func (x *index) firstOver() int {
	first := len(x.recs)
	for i := range x.stints {
		first = min(first, x.stints[i].over)
	}
	return first
}

// mustKnow reports whether the node of a read must have known by then that a stint
// is over: it has been with the stint's node in a window for the bound since, or
// that node's run is over and the read's window is due.
func (x *index) mustKnow(r *read, s *stint) bool {
	if s.run == none {
		return false
	}
	if x.runs[s.run].to < r.invoke && x.due(r) && s.overAt+x.bound <= r.at {
		return true
	}
	return x.shares(r.run, s.run, s.overAt) <= r.at
}

// forgotten reports whether a run may have forgotten another one's node between two
// records: what it learns of it afterwards, from a third node, may be older than
// what it knew.
func (x *index) forgotten(run, about, from, to int) bool {
	if run == none || about == none {
		return false
	}
	for _, i := range x.forgets[[2]int{run, x.runs[about].node}] {
		if i > from && i < to {
			return true
		}
	}
	forget := x.h.Header.Forget
	told := len(x.forgets) > 0 // each case, so that nothing is left to guess
	if forget == 0 || told || run == about || from >= len(x.recs) || to >= len(x.recs) {
		return false
	}
	apart := x.runs[run].fromAt // since when they have not certainly been together
	for _, id := range x.windowsOf[run] {
		w := &x.windows[id]
		if !w.has(about) {
			continue
		}
		if w.fromAt-apart >= forget && apart < x.recs[to].At && w.fromAt > x.recs[from].At {
			return true
		}
		apart = w.toAt
	}
	return x.recs[to].At-apart >= forget
}

func noResurrection(x *index, f *finder) {
	f.idle = "nothing that ended was read or watched afterwards"
	over := x.firstOver()
	removed := x.removedEvents(f)
	type sign struct {
		run, stint int32
		fence      uint64
	}
	gone := map[sign]int{}
	for i := range x.reads {
		r := &x.reads[i]
		if r.f == history.Snapshot {
			continue
		}
		if over < r.invoke {
			f.judge()
		}
		for j := range r.rows {
			row := &r.rows[j]
			id := x.ended(row.pair, r.invoke, r.done)
			if id == none {
				continue
			}
			s := &x.stints[id]
			what := sign{int32(r.run), id, row.fence}
			at, ok := gone[what]
			if !ok || at > r.invoke {
				at = x.goneSince(r, s, row, removed[[2]int32{int32(r.run), row.pair}])
				gone[what] = at
			}
			if at < r.invoke && !x.forgotten(r.run, s.run, at, r.done) {
				f.found(r.done, "%s: %s shows %s again (%s); it %s at %s and was gone here by %s",
					x.keys[s.key], x.runName(r.run), x.procName(s.proc), x.at(r.done), s.end(), x.at(s.over), x.at(at))
			}
		}
	}
}

// goneSince returns the first record, before a read, by which its node had shown
// that it knew that a stint was over: an event, or a read without it, while the
// stint's node was in the same window and that was due or its run had ended. Both
// count only when the node must have heard of the stint before.
func (x *index) goneSince(r *read, s *stint, row *seen, events []int) int {
	first := len(x.recs)
	heard := x.recs[s.invoke].At + x.bound
	for _, e := range events {
		if old := x.recs[e].Old; e > s.over && e < first && (x.mustHaveHeard(r.run, s, e) || notLater(row.fence, old.Fence)) {
			first = e
		}
	}
	list := x.readsO[r.run]
	n, _ := slices.BinarySearchFunc(list, s.over, func(o int32, over int) int { return x.reads[o].done - over })
	for _, o := range list[n:] {
		e := &x.reads[o]
		if e.done >= r.invoke || e.done >= first {
			break
		}
		if e.invoke <= s.over || e.at < heard || !e.covers(s.key) || !x.due(e) || s.run == none {
			continue
		}
		if !x.windows[e.window].has(s.run) && x.runs[s.run].to > e.invoke {
			continue
		}
		if x.absent(e, s) {
			return e.done
		}
	}
	return first
}

// absent reports whether a read shows that its node knows of no such stint any
// more. A name that another process holds does not, before its end must be known:
// the claim may be there still, out of sight.
func (x *index) absent(r *read, s *stint) bool {
	rows := r.of(s.key)
	if !x.keys[s.key].group {
		shown := slices.ContainsFunc(rows, func(row seen) bool { return int(row.proc) == s.proc })
		return !shown && (len(rows) == 0 && !x.keep || x.mustKnow(r, s))
	}
	return !slices.ContainsFunc(rows, func(row seen) bool { return int(row.proc) == s.proc })
}

// notLater reports whether a fence that is shown is known to be no later one than
// a fence that was removed.
func notLater(shown, removed uint64) bool { return shown != 0 && removed != 0 && shown <= removed }

// removedEvents finds the events, by run and pair, that told of the removal of
// what had ended, and looks for events of the same watch that bring it back.
func (x *index) removedEvents(f *finder) map[[2]int32][]int {
	removed := map[[2]int32][]int{}
	last := map[observer]int{}
	for i := range x.recs {
		r := &x.recs[i]
		k, ok := x.keyIDs[key{r.Kind == "group", r.Key}]
		if r.F != history.Event || x.runAt[i] == none || !ok {
			continue
		}
		run := int(x.runAt[i])
		if r.New != nil {
			p := x.pairOf(k, x.procIDOf(r.New.Process))
			if at, was := last[observer{run, r.Watch, p}]; was && x.resurrects(p, run, at, i) {
				f.found(i, "%s: the watch %d of %s shows %s again (%s), which had ended when it was removed at %s",
					x.keys[k], r.Watch, x.runName(run), r.New.Process, x.at(i), x.at(at))
			}
		}
		if r.Old == nil || r.New != nil && r.New.Process == r.Old.Process || !removes(r.Reason) {
			continue
		}
		p := x.pairOf(k, x.procIDOf(r.Old.Process))
		if p == none || x.lives(p, i, i) {
			continue
		}
		f.judge()
		last[observer{run, r.Watch, p}] = i
		removed[[2]int32{int32(run), p}] = append(removed[[2]int32{int32(run), p}], i)
	}
	return removed
}

// resurrects reports whether an event shows what an earlier one, at a record,
// removed when it had ended: not a later claim whose news were still under way.
func (x *index) resurrects(p int32, run, at, now int) bool {
	if p == none || x.lives(p, at, now) || x.forgotten(run, x.procs[x.pairs[p].proc].run, at, now) {
		return false
	}
	if notLater(x.recs[now].New.Fence, x.recs[at].Old.Fence) {
		return true
	}
	for _, id := range x.pairs[p].stints {
		if s := &x.stints[id]; s.invoke < at && !x.mustHaveHeard(run, s, at) {
			return false
		}
	}
	return true
}

// mustHaveHeard reports whether a run must have heard by a record that a stint
// began: it has been with the stint's node in a window for the bound since, or that
// node's run is over and the window is due.
func (x *index) mustHaveHeard(run int, s *stint, by int) bool {
	if s.run == none {
		return false
	}
	at := x.recs[by].At
	if x.shares(run, s.run, x.recs[s.invoke].At) <= at {
		return true
	}
	id := x.windowAt(run, by, by)
	return x.runs[s.run].to < by && x.runs[s.run].toAt+x.bound <= at && id != none && x.windows[id].due <= at
}

// procIDOf returns the number of a process, or none when nobody ever named it.
func (x *index) procIDOf(name string) int {
	if id, ok := x.procIDs[name]; ok {
		return id
	}
	return none
}

// removes reports whether a reason tells that an entry was removed by its owner,
// and not only hidden, or out of sight behind another one.
func removes(reason string) bool {
	switch strings.ToLower(reason) {
	case "unregistered", "exited", "gone":
		return true
	}
	return false
}

func outOfReach(x *index, f *finder) {
	f.idle = "no node was read after the bound while another one was up outside its component"
	for i := range x.reads {
		r := &x.reads[i]
		if r.f == history.Snapshot || !x.due(r) {
			continue
		}
		w := &x.windows[r.window]
		if len(w.runs) < x.upAt(r.invoke) {
			f.judge()
		}
		for j := range r.rows {
			p := int(r.rows[j].proc)
			run := x.procs[p].run
			if run == none || w.has(run) || x.runs[run].to < r.done || x.runs[run].from > r.invoke {
				continue
			}
			f.found(r.done, "%s: %s shows %s (%s), but %s, where it runs, has been out of reach since before %s",
				x.keys[r.rows[j].key], x.runName(r.run), x.procName(p), x.at(r.done), x.runName(run), when(w.fromAt))
		}
	}
}

// upAt returns how many runs were up at a record.
func (x *index) upAt(record int) int {
	n := 0
	for i := range x.runs {
		if x.runs[i].from <= record && x.runs[i].to > record {
			n++
		}
	}
	return n
}
