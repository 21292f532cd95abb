package check

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// census counts what may live on each node while a sweep moves through the
// history.
type census struct {
	live []int // by run
	ever []int // by run: how many there were
	most []int // by node: the most that any of its runs ever made
	from []int32
	over []int32
	i, j int
	x    *index
}

func (x *index) newCensus() *census {
	c := &census{x: x, live: make([]int, len(x.runs)), ever: make([]int, len(x.runs)), most: make([]int, len(x.nodes))}
	for i := range x.stints {
		if x.stints[i].run != none {
			c.from = append(c.from, int32(i))
		}
	}
	c.over = slices.Clone(c.from)
	slices.SortStableFunc(c.from, func(a, b int32) int { return x.stints[a].invoke - x.stints[b].invoke })
	slices.SortStableFunc(c.over, func(a, b int32) int { return x.stints[a].over - x.stints[b].over })
	return c
}

// advance moves the census to a record.
func (c *census) advance(to int) {
	for c.i < len(c.from) && c.x.stints[c.from[c.i]].invoke <= to {
		s := &c.x.stints[c.from[c.i]]
		for c.j < len(c.over) && c.x.stints[c.over[c.j]].over < s.invoke {
			c.live[c.x.stints[c.over[c.j]].run]--
			c.j++
		}
		c.live[s.run]++
		c.ever[s.run]++
		n := c.x.runs[s.run].node
		c.most[n] = max(c.most[n], c.ever[s.run])
		c.i++
	}
	for c.j < len(c.over) && c.x.stints[c.over[c.j]].over <= to {
		c.live[c.x.stints[c.over[c.j]].run]--
		c.j++
	}
}

// mayKeep returns how many entries a node of a window may keep: what lives in the
// window, and of each node outside it all that it ever made, because what it
// removes may not be heard any more.
func (c *census) mayKeep(w *window) int {
	sum := 0
	inside := make([]bool, len(c.x.nodes))
	for _, r := range w.runs {
		sum += c.live[r]
		inside[c.x.runs[r].node] = true
	}
	for n, most := range c.most {
		if !inside[n] {
			sum += most
		}
	}
	return sum
}

func boundedMetadata(x *index, f *finder) {
	f.idle = "what a node keeps was not recorded when its component was due and nobody had touched anything for the bound"
	c := x.newCensus()
	for i := range x.recs {
		r := &x.recs[i]
		if r.F != history.State || x.runAt[i] == none {
			continue
		}
		id := x.windowAt(int(x.runAt[i]), i, i)
		if id == none || x.windows[id].due > r.At || x.touched.meets(r.At-x.bound, r.At) {
			continue
		}
		f.judge()
		c.advance(i)
		if may := c.mayKeep(&x.windows[id]); r.Entries+r.Extra > may {
			f.found(i, "%s keeps %d entries and %d beyond (%s), but no more than %d can live",
				x.runName(int(x.runAt[i])), r.Entries, r.Extra, x.at(i), may)
		}
	}
}

func trafficBudget(x *index, f *finder) {
	f.idle = "the run had no budget, or no heal"
	budget := x.h.Header.Budget
	heal := none
	for i := range x.recs {
		if r := &x.recs[i]; r.F == history.Heal && r.Type == history.Ok {
			heal = i
		}
	}
	if budget == 0 || heal == none {
		return
	}
	agreed, before := x.agreedAfter(heal)
	if agreed == none {
		f.idle = "the nodes were not seen to agree after the last heal"
		return
	}
	f.idle = "the records of traffic are too far from the last heal and from agreement to tell"
	from, fromOk := x.bytesAfter(heal)
	to, toOk := x.bytesAfter(agreed)
	if least := x.bytesBefore(before) - from; fromOk && least > budget {
		f.found(agreed, "at least %d bytes flowed between the last heal (%s) and agreement (by %s); the budget is %d",
			least, x.at(heal), x.at(agreed), budget)
		return
	}
	if toOk && to-x.bytesBefore(heal) <= budget {
		f.judge()
	}
}

// bytesBefore returns a number of bytes that had certainly flowed by a record: the
// latest sums that were recorded by its time.
func (x *index) bytesBefore(record int) int64 {
	return x.bytes(func(i int) bool { return x.recs[i].At <= x.recs[record].At }, false)
}

// bytesAfter returns a number of bytes that no more can have flowed by a record:
// the first sums that were recorded at its time or later, if there are such.
func (x *index) bytesAfter(record int) (sum int64, ok bool) {
	after := func(i int) bool { return i > record || x.recs[i].At >= x.recs[record].At }
	ok = len(x.flows) > 0 && x.flows[len(x.flows)-1] >= record
	return x.bytes(after, true), ok
}

// bytes adds up, over the nodes, the first or the last of the sums that want
// takes.
func (x *index) bytes(want func(i int) bool, first bool) int64 {
	sums := map[string]int64{}
	for _, i := range x.flows {
		r := &x.recs[i]
		if !want(i) {
			continue
		}
		if _, ok := sums[r.Node]; !ok || !first {
			sums[r.Node] = r.Bytes
		}
	}
	total := int64(0)
	for _, b := range sums { // a sum, so in any order
		total += b
	}
	return total
}

// agreements finds when nodes are seen to agree: for a window, the first record at
// which the latest digests of all its nodes, seen in it and after a record, are
// equal, and the last record before at which they are not.
func (x *index) agreements(after int) map[int][2]int {
	found := map[int][2]int{}
	type progress struct {
		latest map[int]string
		last   int
	}
	under := map[int]*progress{}
	for i := after; i < len(x.recs); i++ {
		r := &x.recs[i]
		if r.Digest == "" || x.runAt[i] == none || r.F != history.State && r.F != history.View {
			continue
		}
		run := int(x.runAt[i])
		id := x.windowAt(run, i, i)
		if id == none || len(x.windows[id].runs) < 2 {
			continue
		}
		if _, ok := found[id]; ok {
			continue
		}
		p := under[id]
		if p == nil {
			p = &progress{latest: map[int]string{}, last: max(after, x.windows[id].from)}
			under[id] = p
		}
		p.latest[run] = r.Digest
		equal := len(p.latest) == len(x.windows[id].runs)
		for _, d := range p.latest { // all must be equal, so in any order
			equal = equal && d == r.Digest
		}
		if equal {
			found[id] = [2]int{i, p.last}
			continue
		}
		p.last = i
	}
	return found
}

// agreedAfter returns the record by which the nodes of all components of more than
// one that last to the end agreed after another record, and one by which they did
// not yet.
func (x *index) agreedAfter(after int) (agreed, before int) {
	found := x.agreements(after)
	agreed, before = none, after
	for id := range x.windows {
		if w := &x.windows[id]; len(w.runs) < 2 || !x.last(w) {
			continue
		}
		at, ok := found[id]
		if !ok {
			return none, none
		}
		if at[0] > agreed {
			agreed, before = at[0], at[1]
		}
	}
	return agreed, before
}
