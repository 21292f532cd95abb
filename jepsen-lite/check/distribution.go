package check

import (
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// distributions measures what took how long; found are the agreements of the whole
// history.
func (x *index) distributions(found map[int][2]int) []Distribution {
	total, reach := x.doubleBeliefs()
	heals := x.healTimes(found)
	var last []int64
	if at, ok := x.lastAgreement(); ok {
		last = []int64{at}
	}
	return []Distribution{
		{"two-believers", "ns", summed(total)},
		{"two-believers-in-reach", "ns", summed(reach)},
		{"last-fault-to-agreement", "ns", summed(last)},
		{"heal-to-agreement", "ns", summed(heals)},
		{"register-arbitrated", "ns", summed(x.latencies(history.Arbitrated))},
		{"register-optimistic", "ns", summed(x.latencies(history.Optimistic))},
		{"detection", "ns", summed(x.detections())},
	}
}

// summed sums up measurements: a percentile is the smallest value that at least
// that part of all is not above.
func summed(values []int64) Values {
	n := len(values)
	if n == 0 {
		return Values{}
	}
	slices.Sort(values)
	at := func(percent int) int64 { return values[max(0, (n*percent+99)/100-1)] }
	return Values{Count: n, Min: values[0], P50: at(50), P95: at(95), P99: at(99), Max: values[n-1]}
}

// doubleBeliefs returns how long two processes believed that they held one name:
// in all, and while their nodes were in one component.
func (x *index) doubleBeliefs() (total, reach []int64) {
	for k := range x.keys {
		if x.keys[k].group {
			continue
		}
		x.overlaps(k, func(a, b *stint) {
			from, to := b.sureAt, min(a.quitAt, b.quitAt, x.lastAt)
			total = append(total, to-from)
			met := int64(0)
			for _, id := range x.windowsOf[a.run] {
				if w := &x.windows[id]; w.has(b.run) {
					met += max(0, min(to, w.toAt)-max(from, w.fromAt))
				}
			}
			reach = append(reach, met)
		})
	}
	return total, reach
}

// healTimes returns, for each component of more than one node, how long it took
// from its beginning until its nodes were seen to agree.
func (x *index) healTimes(found map[int][2]int) []int64 {
	var times []int64
	healed := map[int]bool{}
	for i := range x.recs {
		if r := &x.recs[i]; r.F == history.Heal && r.Type == history.Ok {
			healed[i] = true
		}
	}
	for id := range x.windows {
		if at, ok := found[id]; ok && healed[x.windows[id].from] {
			times = append(times, x.recs[at[0]].At-x.windows[id].fromAt)
		}
	}
	return times
}

// lastAgreement returns how long it took from the last change of the topology
// until all components at the end were seen to agree.
func (x *index) lastAgreement() (took int64, ok bool) {
	last := 0
	for id := range x.windows {
		last = max(last, x.windows[id].from)
	}
	agreed, _ := x.agreedAfter(last)
	if agreed == none || last == 0 {
		return 0, false
	}
	return x.recs[agreed].At - x.recs[last].At, true
}

// latencies returns how long registrations of a mode took that succeeded.
func (x *index) latencies(mode string) []int64 {
	var times []int64
	for i := range x.ops {
		o := &x.ops[i]
		if o.f == history.Register && o.sure() && (o.mode == mode || o.mode == "" && mode == history.Arbitrated) {
			times = append(times, o.doneAt-o.at)
		}
	}
	return times
}

// detections returns how long nodes took to hide what a lost node holds: from the
// record that parted the two to the first event that says so.
func (x *index) detections() []int64 {
	var times []int64
	told := map[[3]int]bool{} // by the two runs and when they were parted
	for i := range x.recs {
		r := &x.recs[i]
		if r.F != history.Event || r.Old == nil || !strings.EqualFold(r.Reason, nodeDown) || x.runAt[i] == none {
			continue
		}
		p := x.procIDOf(r.Old.Process)
		if p == none || x.procs[p].run == none {
			continue
		}
		run, lost := int(x.runAt[i]), x.procs[p].run
		if at := x.parted(run, lost, i); at != none && !told[[3]int{run, lost, at}] {
			told[[3]int{run, lost, at}] = true
			times = append(times, r.At-x.recs[at].At)
		}
	}
	return times
}

// parted returns the record that ended the latest window of two runs before
// another record, or none.
func (x *index) parted(a, b, before int) int {
	at := none
	for _, id := range x.windowsOf[a] {
		if w := &x.windows[id]; w.to <= before && w.has(b) {
			at = w.to
		}
	}
	return at
}
