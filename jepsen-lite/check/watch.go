package check

import "github.com/rollcall-dev/rollcall/jepsen-lite/history"

// watcher is what a watch has delivered.
type watcher struct {
	seq   uint64
	at    int // its last record
	begun bool
	shown map[int]map[int]history.Shown // by key and process
}

func watchComplete(x *index, f *finder) {
	f.idle = "no watch delivered an event after a snapshot"
	watchers := map[[2]int]*watcher{} // by run and watch
	reads := map[int]*read{}
	for i := range x.reads {
		if x.reads[i].f == history.Snapshot {
			reads[x.reads[i].done] = &x.reads[i]
		}
	}
	for i := range x.recs {
		r := &x.recs[i]
		if r.F != history.Event && r.F != history.Snapshot {
			continue
		}
		id := [2]int{int(x.runAt[i]), r.Watch}
		w, ok := watchers[id]
		if !ok {
			w = &watcher{shown: map[int]map[int]history.Shown{}}
			watchers[id] = w
		}
		if w.begun && r.Seq != w.seq+1 {
			f.found(i, "watch %d of %s: after number %d (%s) came number %d (%s)",
				r.Watch, x.runName(int(x.runAt[i])), w.seq, x.at(w.at), r.Seq, x.at(i))
		}
		if r.F == history.Snapshot {
			x.resnap(f, w, i, reads[i])
		} else if w.begun {
			f.judge()
			x.follow(f, w, i, r)
		} else {
			f.found(i, "watch %d of %s delivered an event (%s) before its first snapshot", r.Watch, x.runName(int(x.runAt[i])), x.at(i))
			w.begun = true
		}
		w.seq, w.at = r.Seq, i
	}
}

// resnap holds a snapshot against what the watch had delivered, unless it says
// that changes were missed, and starts from it.
func (x *index) resnap(f *finder, w *watcher, i int, rd *read) {
	next := map[int]map[int]history.Shown{}
	if rd != nil {
		for _, s := range rd.rows {
			if next[int(s.key)] == nil {
				next[int(s.key)] = map[int]history.Shown{}
			}
			next[int(s.key)][int(s.proc)] = history.Shown{Process: x.procName(int(s.proc)), Value: s.value, Fence: s.fence}
		}
	}
	if w.begun && x.recs[i].Missed == 0 {
		f.judge()
		for k := range x.keys {
			if !equalShown(w.shown[k], next[k]) {
				f.found(i, "watch %d of %s: %s: the events so far gave %s, but the snapshot shows %s (%s) and says that nothing was missed",
					x.recs[i].Watch, x.runName(int(x.runAt[i])), x.keys[k], x.listed(w.shown[k]), x.listed(next[k]), x.at(i))
				break
			}
		}
	}
	w.shown, w.begun = next, true
}

func equalShown(a, b map[int]history.Shown) bool {
	if len(a) != len(b) {
		return false
	}
	for p, s := range a { // all must be equal, so in any order
		if o, ok := b[p]; !ok || o != s {
			return false
		}
	}
	return true
}

// listed returns what a watch shows of one key, in words.
func (x *index) listed(shown map[int]history.Shown) string {
	var rows []seen
	for p, s := range shown { // shows sorts, so in any order
		rows = append(rows, seen{proc: int32(p), value: s.Value})
	}
	return x.shows(rows)
}

// follow holds the old value of an event against what the watch has delivered, and
// applies it.
func (x *index) follow(f *finder, w *watcher, i int, r *history.Record) {
	k := x.keyIDs[key{r.Kind == "group", r.Key}]
	subject := r.New
	if r.Old != nil {
		subject = r.Old
	}
	if w.shown[k] == nil {
		w.shown[k] = map[int]history.Shown{}
	}
	have := w.shown[k]
	if x.keys[k].group && subject != nil {
		have = map[int]history.Shown{}
		if s, ok := w.shown[k][x.procIDOf(subject.Process)]; ok {
			have[x.procIDOf(subject.Process)] = s
		}
	}
	old := map[int]history.Shown{}
	if r.Old != nil {
		old[x.procIDOf(r.Old.Process)] = *r.Old
	}
	if !equalShown(have, old) {
		f.found(i, "watch %d of %s: %s: the event (%s) says that it showed %s before, but the watch had delivered %s",
			r.Watch, x.runName(int(x.runAt[i])), x.keys[k], x.at(i), x.listed(old), x.listed(have))
	}
	if !x.keys[k].group {
		clear(w.shown[k])
	}
	if r.Old != nil {
		delete(w.shown[k], x.procIDOf(r.Old.Process))
	}
	if r.New != nil {
		w.shown[k][x.procIDOf(r.New.Process)] = *r.New
	}
}
