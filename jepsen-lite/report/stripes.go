package report

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
)

const (
	columns = 100 // of a lane of the text report
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// manyLanes is the number of nodes from which lanes that look the same are
	// written once.
	manyLanes = 16
	labelled  = 16 // the longest label of a lane
)

// unknownState is the digest of a lane before its first sample.
const unknownState = -2

// stripes draws the state of each node as a line of letters: equal letters of one
// column are equal states.
func (m *model) stripes() []string {
	if m.changes == 0 {
		return nil
	}
	lanes := m.columnSpans()
	slot, _ := slots(lanes, len(m.digests), columns, len(letters))
	var labels, lines []string
	add := func(label, line string) {
		labels, lines = append(labels, label), append(lines, strings.TrimRight(line, " "))
	}
	for _, class := range []string{"cut", "oneway", "kill", "pause", "skew", "degrade", "other"} {
		if line, any := m.faultLine(class); any {
			add(class, line)
		}
	}
	for _, g := range m.sameLanes(lanes, slot) {
		add(g.label, g.line)
	}
	add("states", m.distinctLine())
	if m.focused {
		add("violation", m.findingLine())
	}
	width := 0
	for _, l := range labels {
		width = max(width, utf8.RuneCountInString(clip(l, labelled)))
	}
	all := []string{strings.Repeat(" ", width+2) + axis(m.begin, m.end)}
	for i, line := range lines {
		all = append(all, strings.TrimRight(pad(labels[i], width)+"  "+line, " "))
	}
	return all
}

// column returns the column of a moment.
func (m *model) column(at int64) int {
	length := m.end - m.begin
	return min(columns-1, int(float64(at-m.begin)/float64(length)*columns))
}

// columnSpans turns the lanes into spans of columns: a column shows the last state
// that the node had in it.
func (m *model) columnSpans() [][]span {
	lanes := make([][]span, len(m.spans))
	for i, l := range m.spans {
		for _, s := range l {
			lanes[i] = appendSpan(lanes[i], span{int64(m.column(s.from)), s.digest})
		}
	}
	return lanes
}

// group is one or several lanes that look the same.
type group struct {
	label, line string
	first       string
	others      int
}

func (m *model) sameLanes(lanes [][]span, slot []int) []*group {
	var groups []*group
	byLine := map[string]*group{}
	for i, l := range lanes {
		line := m.laneLine(i, l, slot)
		if g := byLine[line]; g != nil && len(m.nodes) > manyLanes {
			g.others++
			continue
		}
		byLine[line] = &group{line: line, first: printable(m.nodes[i])}
		groups = append(groups, byLine[line])
	}
	for _, g := range groups {
		g.label = g.first
		if g.others > 0 {
			more := " +" + strconv.Itoa(g.others)
			g.label = clip(g.first, labelled-len(more)) + more
		}
	}
	return groups
}

func (m *model) laneLine(lane int, l []span, slot []int) string {
	line := make([]byte, columns)
	state, next := unknownState, 0
	for c := range line {
		for next < len(l) && l[next].from <= int64(c) {
			state = l[next].digest
			next++
		}
		switch state {
		case unknownState:
			line[c] = ' '
		case down:
			line[c] = '.'
		default:
			line[c] = letters[slot[state]]
		}
	}
	for _, f := range m.faults {
		if faultClass(f.Kind) == "pause" && m.laneOf(f) == lane {
			for c := m.column(f.From); c <= m.column(max(f.From, m.until(f)-1)); c++ {
				line[c] = '~'
			}
		}
	}
	return string(line)
}

func (m *model) faultLine(class string) (string, bool) {
	line, any := slices.Repeat([]byte{' '}, columns), false
	for _, f := range m.faults {
		if faultClass(f.Kind) != class {
			continue
		}
		any = true
		sign := byte('=')
		if !f.Verified {
			sign = '?'
		}
		for c := m.column(f.From); c <= m.column(max(f.From, m.until(f)-1)); c++ {
			line[c] = sign
		}
	}
	return string(line), any
}

// distinctLine writes the highest number of distinct states in each column, '+'
// from ten on.
func (m *model) distinctLine() string {
	most := make([]int, columns)
	for i, p := range m.distinct {
		until := columns - 1
		if i+1 < len(m.distinct) {
			until = m.column(max(p.at, m.distinct[i+1].at-1))
		}
		for c := m.column(p.at); c <= until; c++ {
			most[c] = max(most[c], p.value)
		}
	}
	line := make([]byte, columns)
	for c, n := range most {
		line[c] = " 123456789+"[min(n, 10)]
	}
	return string(line)
}

func (m *model) findingLine() string {
	line := slices.Repeat([]byte{' '}, columns)
	for _, r := range m.results {
		if r.Verdict != check.Fail {
			continue
		}
		for _, f := range r.Findings {
			if f.At >= m.begin && f.At <= m.end {
				line[m.column(f.At)] = '!'
			}
		}
	}
	return string(line)
}

// axis writes five moments above the columns that they stand for.
func axis(begin, end int64) string {
	line := ""
	for i := range int64(5) {
		at := begin + (end-begin)/5*i
		line = pad(line, columns/5*int(i)) + "|" + clock(at)
	}
	last := clock(end) + "|"
	return pad(line, columns-len(last)) + last
}
