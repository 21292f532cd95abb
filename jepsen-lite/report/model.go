package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// maxLanes is the number of nodes that get a lane.
const maxLanes = 400

// down is the digest number of a node that is not up.
const down = -1

// span is the state of a node from a moment to the next span's moment.
type span struct {
	from   int64
	digest int // index in model.digests, or down
}

// point is a value of a step function.
type point struct {
	at    int64
	value int
}

// model is a run in the form that both reports are drawn from.
type model struct {
	run        *Run
	begin, end int64
	nodes      []string
	hidden     int // nodes beyond maxLanes
	lane       map[string]int
	digests    []string
	spans      [][]span // by lane, in order of time, no two equal ones in a row
	changes    int      // spans in all lanes
	distinct   []point  // number of distinct states among nodes that are up
	faults     []Fault
	results    []check.Result // failing first, then unknown, then the others
	focus      int64          // the first violation
	focused    bool
}

func newModel(r *Run) (*model, error) {
	if r.History == nil {
		return nil, ErrNoHistory
	}
	m := &model{run: r, faults: r.Faults}
	samples := r.States
	if len(samples) == 0 {
		samples = samplesOf(r.History)
	}
	if len(m.faults) == 0 {
		m.faults = faultsOf(r.History)
	}
	m.faults = slices.Clone(m.faults)
	slices.SortStableFunc(m.faults, func(a, b Fault) int { return cmp.Compare(a.From, b.From) })
	m.setNodes(samples)
	m.setTimes(samples)
	m.setSpans(samples)
	m.setDistinct()
	m.setResults()
	return m, nil
}

// setNodes orders the nodes: those of the header as they stand there, then all
// others in natural order.
func (m *model) setNodes(samples []Sample) {
	m.lane = map[string]int{}
	add := func(node string) {
		if _, known := m.lane[node]; node != "" && !known {
			m.lane[node] = len(m.nodes)
			m.nodes = append(m.nodes, node)
		}
	}
	for _, node := range m.run.History.Header.Nodes {
		add(node)
	}
	first := len(m.nodes)
	for i := range samples {
		add(samples[i].Node)
	}
	for i := range m.run.History.Records {
		add(m.run.History.Records[i].Node)
	}
	slices.SortFunc(m.nodes[first:], natural)
	if len(m.nodes) > maxLanes {
		m.hidden = len(m.nodes) - maxLanes
		for _, node := range m.nodes[maxLanes:] {
			delete(m.lane, node)
		}
		m.nodes = m.nodes[:maxLanes]
	}
	for i, node := range m.nodes {
		m.lane[node] = i
	}
}

func (m *model) setTimes(samples []Sample) {
	first := true
	see := func(at int64) {
		if first {
			m.begin, m.end, first = at, at, false
		}
		m.begin, m.end = min(m.begin, at), max(m.end, at)
	}
	for i := range m.run.History.Records {
		see(m.run.History.Records[i].At)
	}
	for i := range samples {
		see(samples[i].At)
	}
	for _, f := range m.faults {
		see(f.From)
		see(max(f.From, f.To))
	}
	if m.end == m.begin {
		m.end = m.begin + 1
	}
}

func (m *model) setSpans(samples []Sample) {
	m.spans = make([][]span, len(m.nodes))
	samples = slices.Clone(samples)
	slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	number := map[string]int{}
	for _, s := range samples {
		lane, shown := m.lane[s.Node]
		if !shown {
			continue
		}
		digest := down
		if s.Up {
			known := false
			if digest, known = number[s.Digest]; !known {
				digest = len(m.digests)
				number[s.Digest] = digest
				m.digests = append(m.digests, s.Digest)
			}
		}
		m.spans[lane] = appendSpan(m.spans[lane], span{s.At, digest})
	}
	for _, l := range m.spans {
		m.changes += len(l)
	}
}

// appendSpan keeps a lane free of changes that change nothing; of several changes
// at one moment the last one counts.
func appendSpan(l []span, s span) []span {
	if n := len(l); n > 0 && l[n-1].from == s.from {
		l = l[:n-1]
	}
	if n := len(l); n > 0 && l[n-1].digest == s.digest {
		return l
	}
	return append(l, s)
}

// setDistinct counts the distinct states among the nodes that are up.
func (m *model) setDistinct() {
	type change struct {
		span
		lane int
	}
	var all []change
	for lane, l := range m.spans {
		for _, s := range l {
			all = append(all, change{s, lane})
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return cmp.Compare(a.from, b.from) })
	holders := make([]int, len(m.digests))
	current := make([]int, len(m.nodes))
	for i := range current {
		current[i] = down
	}
	distinct := 0
	for i, c := range all {
		if old := current[c.lane]; old != down {
			if holders[old]--; holders[old] == 0 {
				distinct--
			}
		}
		if c.digest != down {
			if holders[c.digest]++; holders[c.digest] == 1 {
				distinct++
			}
		}
		current[c.lane] = c.digest
		last := len(m.distinct) - 1
		if (i+1 == len(all) || all[i+1].from != c.from) && (last < 0 || m.distinct[last].value != distinct) {
			m.distinct = append(m.distinct, point{c.from, distinct})
		}
	}
}

// rank orders verdicts by how much a reader wants to see them.
func rank(v check.Verdict) int {
	switch v {
	case check.Fail:
		return 0
	case check.Unknown:
		return 1
	}
	return 2
}

func (m *model) setResults() {
	if m.run.Check == nil {
		return
	}
	m.results = slices.Clone(m.run.Check.Results)
	slices.SortStableFunc(m.results, func(a, b check.Result) int {
		return cmp.Compare(rank(a.Verdict), rank(b.Verdict))
	})
	for _, r := range m.results {
		if r.Verdict != check.Fail {
			continue
		}
		for _, f := range r.Findings {
			if !m.focused || f.At < m.focus {
				m.focus, m.focused = f.At, true
			}
		}
	}
}

// verdict is the run's verdict; a run that nobody judged is unknown.
func (m *model) verdict() check.Verdict {
	if m.run.Check == nil {
		return check.Unknown
	}
	return m.run.Check.Verdict
}

// record returns a record by its place.
func (m *model) record(i int) (*history.Record, bool) {
	if i < 0 || i >= len(m.run.History.Records) {
		return nil, false
	}
	return &m.run.History.Records[i], true
}

// centre is the moment around which a section keeps what it draws when it cannot
// draw all: the first violation, else the first time that a process lost a name or
// a node settled a conflict, else the beginning.
func (m *model) centre() int64 {
	if m.focused {
		return m.focus
	}
	for i := range m.run.History.Records {
		if f := m.run.History.Records[i].F; f == history.Lost || f == history.Conflict {
			return m.run.History.Records[i].At
		}
	}
	return m.begin
}

// natural compares names so that n2 comes before n10.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da == "" || db == "" {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		na, nb := strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
		if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb), cmp.Compare(len(da), len(db))); c != 0 {
			return c
		}
		a, b = a[len(da):], b[len(db):]
	}
	return cmp.Compare(len(a), len(b))
}

// digits returns the digits that a string begins with.
func digits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}
