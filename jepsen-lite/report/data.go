package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// limits is how much of each thing an HTML report draws.
type limits struct {
	states, curve, faults, operations, names, seen, messages, links int
	findings, explain, scenario, options, heals                     int
}

// limitsAt returns the limits of the n-th attempt to make a file that is small
// enough: each attempt draws half of what the one before drew.
func limitsAt(n int) limits {
	part := func(full, least int) int { return max(least, full>>n) }
	return limits{
		states: part(40_000, 400), curve: part(4_000, 50), faults: part(600, 20),
		operations: part(3_000, 50), names: part(12, 1), seen: part(3_000, 50),
		messages: part(1_500, 50), links: part(12_000, 100),
		findings: part(100, 3), explain: part(2_000, 200), scenario: part(100_000, 2_000), options: part(300, 20),
		heals: part(200, 10),
	}
}

// payload is what the page's script draws from. Times are in microseconds from
// Begin; lists that pair times and values hold the difference to the time before.
type payload struct {
	Begin    int64      `json:"begin"`
	End      int64      `json:"end"`
	Nodes    []string   `json:"nodes"`
	Digests  []string   `json:"digests"`
	Slots    []int      `json:"slots"`
	Lanes    [][]int64  `json:"lanes"`    // time, digest or -1, ...
	Curve    []int64    `json:"curve"`    // time, distinct states, ...
	Faults   [][]any    `json:"faults"`   // from, to, class, text, verified, lane or -1
	Rows     []int      `json:"rows"`     // of operations, by lane; the last lane is that of no node
	Ops      [][]any    `json:"ops"`      // from, to, lane, row, outcome, text, invoke, done
	OpsPart  []int64    `json:"opsPart"`  // from, to of the part that is drawn; empty when all is
	Names    []nameData `json:"names"`    // contested names
	Kinds    []string   `json:"kinds"`    // of messages
	Messages [][]any    `json:"messages"` // sent, arrived, from, to, kind, lost, detail
	Ends     []string   `json:"ends"`     // nodes of messages
	Links    [][]int64  `json:"links"`    // from, to, kind, frames, bytes, dropped
	LinkEnds []string   `json:"linkEnds"`
	LinkKind []string   `json:"linkKinds"`
	Findings [][]any    `json:"findings"` // at, id, check, record
}

// nameData is a contested name in a payload.
type nameData struct {
	Name      string    `json:"name"`
	Processes []string  `json:"processes"`
	Beliefs   [][]any   `json:"beliefs"` // process, node, from, to, end, sure
	Told      [][]any   `json:"told"`    // at, process, winner, reason
	Lanes     [][]int64 `json:"lanes"`   // time, process or -1, ...
}

// notes says for each section of the page what it left out; empty when nothing.
type notes struct {
	Nodes, States, Colours, Faults, Operations, Views, Names, Seen, Messages, Traffic, Findings string
}

// micros turns a moment into the payload's time.
func (m *model) micros(at int64) int64 { return (at - m.begin) / 1000 }

// payload collects what the script draws, at most as much as the limits allow.
func (m *model) payload(l limits, n *notes, shown []resultView) *payload {
	p := &payload{Begin: m.begin / 1000, End: max(1, m.micros(m.end)), Nodes: clipAll(m.nodes)}
	if m.hidden > 0 {
		n.Nodes = count(m.hidden, "node more has", "nodes more have") + " no lane."
	}
	m.putStates(p, l, n)
	m.putFaults(p, l, n)
	m.putOperations(p, l, n, shown)
	m.putNames(p, l, n)
	m.putMessages(p, l, n)
	m.putTraffic(p, l, n)
	for i := range shown {
		for _, f := range shown[i].Findings {
			if shown[i].Failing {
				p.Findings = append(p.Findings, []any{f.Micros, f.ID, shown[i].Check, f.Index})
			}
		}
	}
	slices.SortStableFunc(p.Findings, func(a, b []any) int { return cmp.Compare(a[0].(int64), b[0].(int64)) })
	return p
}

const maxName = 80

func clipAll(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = clip(n, maxName)
	}
	return all
}

// colours is the number of colours that the page has for states.
const colours = 16

func (m *model) putStates(p *payload, l limits, n *notes) {
	spans, width := thin(m.spans, m.begin, m.end, m.centre(), l.states)
	number := map[int]int{} // of the digests that are drawn
	kept := make([][]span, len(spans))
	for i, lane := range spans {
		kept[i] = make([]span, len(lane))
		for j, s := range lane {
			kept[i][j] = s
			if s.digest == down {
				continue
			}
			d, known := number[s.digest]
			if !known {
				d = len(p.Digests)
				number[s.digest] = d
				p.Digests = append(p.Digests, short(m.digests[s.digest]))
			}
			kept[i][j].digest = d
		}
	}
	drawn, clashes := 0, 0
	p.Slots, clashes = slots(kept, len(p.Digests), m.end, colours)
	for _, lane := range kept {
		pairs, last := []int64{}, int64(0)
		for _, s := range lane {
			at := m.micros(s.from)
			pairs = append(pairs, at-last, int64(s.digest))
			last = at
		}
		drawn += len(lane)
		p.Lanes = append(p.Lanes, pairs)
	}
	if width > 0 {
		n.States = numeral(drawn) + " of " + numeral(m.changes) + " changes of state are drawn: of changes within " +
			round(time.Duration(width)).String() + " in one lane the last, around the centre of interest within " +
			round(time.Duration(max(1, width/16))).String() + "."
	}
	n.Colours = colourNote(len(p.Digests), clashes)
	last := int64(0)
	for _, q := range thinPoints(m.distinct, m.begin, m.end, l.curve) {
		at := m.micros(q.at)
		p.Curve = append(p.Curve, at-last, int64(q.value))
		last = at
	}
}

// colourNote says how far equal colours are equal states.
func colourNote(states, clashes int) string {
	if states <= colours {
		return ""
	}
	s := "There are " + numeral(states) + " states and " + strconv.Itoa(colours) + " colours: a colour comes back for a later state."
	if clashes > 0 {
		s += " " + count(clashes, "state shares its colour", "states share their colours") + " with another one of the same time."
	}
	return s + " Point at a lane to outline all that is in the same state."
}

func (m *model) putFaults(p *payload, l limits, n *notes) {
	faults := m.faults
	if len(faults) > l.faults {
		n.Faults = "The first " + numeral(l.faults) + " of " + numeral(len(faults)) + " faults are shown."
		faults = faults[:l.faults]
	}
	for _, f := range faults {
		p.Faults = append(p.Faults, []any{m.micros(f.From), m.micros(m.until(f)), faultClass(f.Kind), clip(brief(f.Text), 200), f.Verified, m.laneOf(f)})
	}
}

// until is the end of a fault; one that was never mended ends with the run.
func (m *model) until(f Fault) int64 {
	if f.To < f.From {
		return m.end
	}
	return f.To
}

// faultClass sorts the kinds of faults into those that the reports tell apart.
func faultClass(kind string) string {
	switch strings.ToLower(kind) {
	case "cut", "isolate", "partition", "split", "bridge", "ring", "line", "star", "majorities":
		return "cut"
	case "oneway":
		return "oneway"
	case "kill", "stop", "crash":
		return "kill"
	case "pause":
		return "pause"
	case "skew", "drift":
		return "skew"
	case "loss", "dup", "reorder", "latency", "blackhole", "hold", "degrade", "corrupt":
		return "degrade"
	}
	return "other"
}

// laneOf returns the lane of the one node that a fault strikes, -1 for faults of
// the network.
func (m *model) laneOf(f Fault) int {
	switch faultClass(f.Kind) {
	case "kill", "pause", "skew":
	default:
		return -1
	}
	for _, word := range strings.Fields(f.Text) {
		if lane, known := m.lane[word]; known {
			return lane
		}
	}
	return -1
}

func (m *model) putOperations(p *payload, l limits, n *notes, shown []resultView) {
	named := map[int]bool{}
	for i := range shown {
		for _, f := range shown[i].Findings {
			named[f.Index] = true
		}
	}
	delete(named, -1)
	all, views := withoutViews(operations(m.run.History, m.end), named)
	e := around(all, m.centre(), l.operations, named)
	if views > 0 {
		n.Views = count(views, "view is", "views are") + " left out: the lanes above show what nodes showed."
	}
	lane := func(node string) int {
		if i, known := m.lane[node]; known {
			return i
		}
		return len(m.nodes)
	}
	p.Rows = arrange(e.all, len(m.nodes)+1, lane)
	for i := range e.all {
		o := &e.all[i]
		p.Ops = append(p.Ops, []any{m.micros(o.from), m.micros(o.to), lane(o.node), o.row, int(o.outcome),
			describe(m.run.History, o), o.invoke, o.done})
	}
	if e.before+e.after > 0 {
		p.OpsPart = []int64{m.micros(e.from), m.micros(e.to)}
		n.Operations = "Drawn are the operations from " + clock(e.from) + " to " + clock(e.to) + ", around " + m.centreName() +
			", and those that findings name. Left out: " + numeral(e.before) + " before and " + numeral(e.after) + " after."
	}
}

// centreName says what centre is.
func (m *model) centreName() string {
	switch {
	case m.focused:
		return "the first violation"
	case m.centre() != m.begin:
		return "the first conflict"
	}
	return "the beginning"
}

func (m *model) putNames(p *payload, l limits, n *notes) {
	shown, dropped := contests(m, l.names)
	if dropped > 0 {
		n.Names = count(dropped, "contested name more is", "contested names more are") +
			" not shown; those of findings come first, then those that were contested longest."
	}
	for _, c := range shown {
		d := nameData{Name: clip(c.name, 255)}
		room := l.seen
		for _, id := range c.processes[:min(room, len(c.processes))] {
			d.Processes = append(d.Processes, clip(id, maxName))
		}
		for _, b := range c.beliefs[:min(room/8, len(c.beliefs))] {
			d.Beliefs = append(d.Beliefs, []any{c.process(b.process), clip(b.node, maxName), m.micros(b.from), m.micros(b.to), b.end, b.sure})
		}
		for _, t := range c.told[:min(room/8, len(c.told))] {
			d.Told = append(d.Told, []any{m.micros(t.at), c.process(t.process), c.process(t.winner), clip(t.reason, 100)})
		}
		each := max(4, room/max(1, len(c.lanes)))
		for _, lane := range c.lanes {
			if len(lane) > each {
				lane = lane[:each]
				n.Seen = "Of nodes that changed their mind often, only the first " + numeral(each) + " changes are drawn."
			}
			pairs, last := []int64{}, int64(0)
			for _, s := range lane {
				pairs = append(pairs, m.micros(s.at)-last, int64(s.process))
				last = m.micros(s.at)
			}
			d.Lanes = append(d.Lanes, pairs)
		}
		if len(c.beliefs) > room/8 || len(c.told) > room/8 {
			n.Seen = "Of names with many believers, the first " + numeral(room/8) + " are drawn."
		}
		p.Names = append(p.Names, d)
	}
}

func (m *model) putMessages(p *payload, l limits, n *notes) {
	all := slices.Clone(m.run.Messages)
	slices.SortStableFunc(all, func(a, b Message) int { return cmp.Compare(a.Sent, b.Sent) })
	if len(all) > l.messages {
		at, _ := slices.BinarySearchFunc(all, m.centre(), func(a Message, t int64) int { return cmp.Compare(a.Sent, t) })
		first := min(max(0, at-l.messages*2/3), len(all)-l.messages)
		n.Messages = "Drawn are " + numeral(l.messages) + " of " + numeral(len(all)) + " messages. Left out: " + numeral(first) +
			" before and " + numeral(len(all)-first-l.messages) + " after."
		all = all[first : first+l.messages]
	}
	end, kind := map[string]int{}, map[string]int{}
	for _, node := range m.messageEnds(all) {
		end[node] = len(p.Ends)
		p.Ends = append(p.Ends, clip(node, maxName))
	}
	for i := range all {
		k, known := kind[all[i].Kind]
		if !known {
			k = len(p.Kinds)
			kind[all[i].Kind] = k
			p.Kinds = append(p.Kinds, clip(all[i].Kind, maxName))
		}
		arrived := m.micros(all[i].Arrived)
		if all[i].Lost {
			arrived = m.micros(all[i].Sent)
		}
		p.Messages = append(p.Messages, []any{m.micros(all[i].Sent), arrived, end[all[i].From], end[all[i].To], k, all[i].Lost, clip(all[i].Detail, 160)})
	}
}

// messageEnds returns the nodes that messages name, in the order of the lanes.
func (m *model) messageEnds(all []Message) []string {
	var nodes []string
	for i := range all {
		nodes = append(nodes, all[i].From, all[i].To)
	}
	place := func(node string) int {
		if lane, known := m.lane[node]; known {
			return lane
		}
		return len(m.nodes)
	}
	slices.SortFunc(nodes, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), natural(a, b)) })
	return slices.Compact(nodes)
}

func (m *model) putTraffic(p *payload, l limits, n *notes) {
	t := matrix(m, l.links)
	p.LinkEnds, p.LinkKind = clipAll(t.nodes), clipAll(t.kinds)
	for _, k := range t.links {
		p.Links = append(p.Links, []int64{int64(k.from), int64(k.to), int64(k.kind), k.frames, k.bytes, k.dropped})
	}
	if t.merged {
		n.Traffic = "The matrix adds up all kinds: a matrix for each kind would be too large."
	}
	if t.dropped > 0 {
		n.Traffic += " " + count(t.dropped, "link is", "links are") + " left out, those that carried least."
	}
}
