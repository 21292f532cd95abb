package check

import (
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

func available(x *index, f *finder) {
	f.idle = "no operation was invoked on a node that ran throughout"
	for i := range x.ops {
		o := &x.ops[i]
		limit := int64(atOnce)
		if o.f == history.Register && o.mode != history.Optimistic {
			limit += x.claim
		}
		end := min(o.doneAt, x.lastAt)
		if o.run == none || x.runs[o.run].toAt <= end || x.pausedDuring(o.run, o.at, end) {
			continue
		}
		took := end - o.at
		switch {
		case o.outcome == "" && took <= limit:
			continue
		case o.outcome == "":
			f.found(o.invoke, "%s on %s (%s) had no answer after %s", x.opName(o), x.runName(o.run), x.at(o.invoke), when(took))
		case took > limit:
			f.found(o.done, "%s on %s (%s) took %s", x.opName(o), x.runName(o.run), x.at(o.invoke), when(took))
		case o.outcome == history.Info && limit == atOnce:
			f.found(o.done, "%s on %s (%s) ended without a certain answer (%s): %s",
				x.opName(o), x.runName(o.run), x.at(o.invoke), x.at(o.done), x.recs[o.done].Error)
		case o.outcome == history.Fail && limit == atOnce && timedOut(x.recs[o.done].Error):
			f.found(o.done, "%s on %s (%s) failed (%s): %s",
				x.opName(o), x.runName(o.run), x.at(o.invoke), x.at(o.done), x.recs[o.done].Error)
		default:
			f.judge()
		}
	}
}

// timedOut reports whether an error says that an answer did not come. All other
// errors are answers: the name is taken, the process has ended.
func timedOut(text string) bool {
	for _, word := range []string{"in time", "timeout", "timed out", "deadline"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func (x *index) opName(o *op) string {
	name := string(o.f)
	if o.key != none {
		name += " of " + x.keys[o.key].String()
	}
	if o.proc != none {
		name += " as " + x.procName(o.proc)
	}
	return name
}

// pausedDuring reports whether a run was paused at some time between two times.
func (x *index) pausedDuring(run int, from, to int64) bool {
	for _, p := range x.runs[run].pauses {
		if p[0] <= to && p[1] >= from {
			return true
		}
	}
	return false
}

func quiet(x *index, f *finder) {
	f.idle = "no node was watched while its component was due and nobody touched anything for the bound"
	watched := map[int32]bool{}
	for i := range x.recs {
		r := &x.recs[i]
		if r.F == history.Snapshot {
			watched[x.runAt[i]] = true
		}
		if r.F != history.Event || x.runAt[i] == none {
			continue
		}
		watched[x.runAt[i]] = true
		id := x.windowAt(int(x.runAt[i]), i, i)
		if id == none || x.windows[id].due > r.At {
			continue
		}
		if k := x.keyIDs[key{r.Kind == "group", r.Key}]; !x.isTouched(k, r.At-x.bound, r.At) {
			f.found(i, "%s: %s reports a change (%s, %s), though its component was due at %s and nobody touched it since %s",
				x.keys[k], x.runName(int(x.runAt[i])), r.Reason, x.at(i), when(x.windows[id].due), when(r.At-x.bound))
		}
	}
	for run := range x.runs {
		for _, id := range x.windowsOf[run] {
			w := &x.windows[id]
			if watched[int32(run)] && x.stillWithin(max(w.due, w.fromAt), min(w.toAt, x.lastAt)) {
				f.judge()
			}
		}
	}
}

// stillWithin reports whether there was a time in a stretch when nobody had
// touched anything for the bound.
func (x *index) stillWithin(from, to int64) bool {
	if from > to {
		return false
	}
	if !x.touched.meets(from-x.bound, from) || !x.touched.meets(to-x.bound, to) {
		return true
	}
	for i, s := range x.touched.list { // a gap after some stretch
		if x.touched.reach[i] > s.to || s.to < from-x.bound {
			continue
		}
		at := x.touched.reach[i] + x.bound + 1
		if at >= from && at <= to && !x.touched.meets(at-x.bound, at) {
			return true
		}
	}
	return false
}
