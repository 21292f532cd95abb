package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
)

const (
	textFindings = 8  // of a check
	textNames    = 8  // contested
	textLines    = 12 // of a contested name
	textWidth    = 400
)

// Text writes the report of a run for terminals and CI logs. Checks that passed
// are named only. The last line is the one that replays the run.
//
// Errors: ErrNoHistory and what w returns.
func Text(w io.Writer, r *Run) error {
	m, err := newModel(r)
	if err != nil {
		return err
	}
	t := &textReport{m: m}
	t.head()
	t.checks()
	t.states()
	t.heals()
	t.names()
	t.spreads()
	if r.Replay != "" {
		t.line("")
		t.line("Replay with:")
		t.line("%s", r.Replay)
	}
	_, err = io.WriteString(w, t.b.String())
	return err
}

// textReport collects lines.
type textReport struct {
	m *model
	b strings.Builder
}

// line adds one line; what would move a terminal's cursor is replaced.
func (t *textReport) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " "))
	t.b.WriteByte('\n')
}

func (t *textReport) section(title string) {
	t.line("")
	t.line("%s", title)
}

func (t *textReport) head() {
	m := t.m
	t.line("%s  %s", strings.ToUpper(verdictWord(m.verdict())), m.run.History.Header.Name)
	var facts []string
	for _, f := range m.facts() {
		facts = append(facts, f[0]+" "+f[1])
	}
	t.line("%s", strings.Join(facts, ", "))
	for _, o := range m.run.Options {
		t.line("  %s %s", o[0], o[1])
	}
	t.line("%s", m.summary())
}

func (t *textReport) checks() {
	if len(t.m.results) == 0 {
		return
	}
	t.section("Checks")
	var passed []string
	for _, r := range t.m.results {
		if rank(r.Verdict) == 2 {
			passed = append(passed, r.Check)
			continue
		}
		t.line("  %-7s  %s: %s", strings.ToUpper(verdictWord(r.Verdict)), r.Check, clip(r.Text, textWidth))
		if r.Note != "" {
			t.line("           %s", clip(r.Note, textWidth))
		}
		t.findings(r)
	}
	if len(passed) > 0 {
		t.line("  PASS     %s", strings.Join(passed, ", "))
	}
}

func (t *textReport) findings(r check.Result) {
	shown := r.Findings[:min(len(r.Findings), textFindings)]
	for _, f := range shown {
		t.line("           %s  %s", clock(f.At), clip(f.Explain, textWidth))
		if rec := t.m.recordText(f.Index); rec != "" {
			t.line("             %s", rec)
		}
	}
	if more := max(r.Count, len(r.Findings)) - len(shown); more > 0 {
		t.line("           and %s", count(more, "finding more", "findings more"))
	}
}

func (t *textReport) states() {
	lines := t.m.stripes()
	if len(lines) == 0 {
		return
	}
	t.section("States (equal letters of a column are equal states; . is down, ~ is paused)")
	for _, l := range lines {
		t.line("  %s", l)
	}
	if t.m.hidden > 0 {
		t.line("  %s", count(t.m.hidden, "node more is not drawn", "nodes more are not drawn"))
	}
	for _, f := range t.m.faults[:min(len(t.m.faults), textLines)] {
		until := "to " + clock(f.To)
		switch {
		case f.To < f.From:
			until = "and never mended"
		case f.To == f.From:
			until = ""
		}
		doubt := ""
		if !f.Verified {
			doubt = " (nobody saw it take effect)"
		}
		t.line("  %s%s, from %s %s", clip(brief(f.Text), textWidth), doubt, clock(f.From), until)
	}
	if more := len(t.m.faults) - textLines; more > 0 {
		t.line("  and %s", count(more, "fault more", "faults more"))
	}
}

func (t *textReport) heals() {
	shown, more := t.m.healViews(textLines)
	if len(shown) == 0 {
		return
	}
	t.section("Heals")
	for _, h := range shown {
		outcome := "did not agree before the next change"
		if h.Agreed {
			outcome = "agreed after " + h.Took
		}
		if h.Bytes != "" {
			outcome += ", " + h.Bytes
		}
		t.line("  %s  %s: %s nodes %s", h.At, h.Text, h.Nodes, outcome)
	}
	if more != "" {
		t.line("  %s", more)
	}
}

func (t *textReport) names() {
	shown, dropped := contests(t.m, textNames)
	if len(shown) == 0 {
		return
	}
	t.section("Contested names")
	for _, c := range shown {
		t.line("  %s, for %s", clip(c.name, 255), clock(c.overlap))
		for _, b := range c.beliefs[:min(len(c.beliefs), textLines)] {
			t.line("    %s", clip(b.sentence(t.m.end), textWidth))
		}
		for _, n := range c.told[:min(len(c.told), textLines)] {
			t.line("    %s", clip(n.sentence(), textWidth))
		}
		if more := max(0, len(c.beliefs)-textLines) + max(0, len(c.told)-textLines); more > 0 {
			t.line("    and %s", count(more, "line more", "lines more"))
		}
		t.line("    at the end %s", c.outcome(t.m.nodes))
	}
	if dropped > 0 {
		t.line("  and %s", count(dropped, "contested name more", "contested names more"))
	}
}

// outcome says whom the nodes name at the end of the run.
func (c *contested) outcome(nodes []string) string {
	by := make([][]string, len(c.processes)+1)
	for lane, l := range c.lanes {
		if len(l) > 0 {
			p := l[len(l)-1].process
			by[p+1] = append(by[p+1], nodes[lane])
		}
	}
	var said []string
	for i, who := range by {
		if len(who) == 0 {
			continue
		}
		whom := "nobody"
		if i > 0 {
			whom = c.processes[i-1]
		}
		names := strings.Join(who[:min(4, len(who))], " ")
		if more := len(who) - 4; more > 0 {
			names += " and " + count(more, "node more", "nodes more")
		}
		verb := " name "
		if len(who) == 1 {
			verb = " names "
		}
		said = append(said, names+verb+whom)
	}
	if len(said) == 0 {
		return "no node was asked"
	}
	return strings.Join(said, "; ")
}

func (t *textReport) spreads() {
	all := t.m.distributions()
	if len(all) == 0 {
		return
	}
	t.section("Distributions")
	width := 4
	for _, d := range all {
		width = max(width, len([]rune(clip(d.Name, 40))))
	}
	row := func(name string, cells ...string) {
		s := "  " + pad(name, width)
		for _, c := range cells {
			s += fmt.Sprintf("  %10s", c)
		}
		t.line("%s", s)
	}
	row("", "count", "min", "p50", "p95", "p99", "max")
	for _, d := range all {
		row(clip(d.Name, 40), d.Count, d.Min, d.P50, d.P95, d.P99, d.Max)
	}
}
