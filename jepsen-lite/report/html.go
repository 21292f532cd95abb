package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
)

// attempts is how often HTML halves what it draws before it gives up.
const attempts = 9

// HTML writes the report of a run as one HTML file that is smaller than MaxHTML
// and needs nothing but itself. The address of a page may end in a finding's
// anchor, "#finding-0-0", which opens it at that moment, and in "#theme=dark" or
// "#theme=light".
//
// Errors: ErrNoHistory, ErrTooLarge, and what w returns.
func HTML(w io.Writer, r *Run) error {
	m, err := newModel(r)
	if err != nil {
		return err
	}
	t, err := template.New("report").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for n := range attempts {
		v, err := m.view(limitsAt(n))
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		page := &bytes.Buffer{}
		if err := t.Execute(page, v); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if page.Len() < MaxHTML {
			_, err := w.Write(page.Bytes())
			return err
		}
	}
	return ErrTooLarge
}

// view is what the page's template reads.
type view struct {
	Title, Verdict, Mark, Summary string
	Facts, Options                [][2]string
	MoreOptions                   string
	Replay, Scenario              string
	ScenarioCut                   string
	Results                       []resultView
	Failed, Unsure, Passed        int
	PassedNames                   []string
	Findings                      int
	Notes                         notes
	Faults                        []faultView
	Heals                         []healView
	MoreHeals                     string
	HasStates, HasOps             bool
	Names                         []nameView
	HasMessages, HasTraffic       bool
	Kinds                         []flowView
	Ends                          []flowView
	Distributions                 []spread
	Stats                         []check.Stat
	Stripes                       string // for readers without script
	Style                         template.CSS
	Script, Data                  template.JS
}

// resultView is a line of the table of checks.
type resultView struct {
	Check, Text, Verdict, Mark, Note string
	Failing, Open                    bool
	Count, Judged                    string
	Findings                         []findingView
	More                             string
}

// findingView is a finding with its anchor.
type findingView struct {
	ID, Clock, Explain, Record string
	Micros                     int64
	Index                      int
}

// faultView is a line of the table of faults.
type faultView struct {
	From, To, Class, Text string
	Micros                int64
	Verified              bool
}

// healView is a line of the table of heals.
type healView struct {
	At, Text, Nodes string
	Agreed          bool
	Took, Bytes     string // empty when nobody knows
	Micros          int64
}

// nameView says in words what the lanes of a contested name show.
type nameView struct {
	Name     string
	Violated bool
	Overlap  string
	Beliefs  []string
	Told     []string
	More     string
}

// flowView is a line of the tables of traffic.
type flowView struct {
	Name, Frames, Bytes, Dropped, Share string
}

func (m *model) view(l limits) (*view, error) {
	r := m.run
	v := &view{
		Title: clip(r.History.Header.Name, 200), Verdict: verdictWord(m.verdict()), Mark: mark(m.verdict()),
		Replay: clip(r.Replay, 4_000), HasStates: m.changes > 0, HasMessages: len(r.Messages) > 0,
		HasTraffic: len(r.Traffic) > 0, Style: pageStyle, Stripes: strings.Join(m.stripes(), "\n"),
		Script: scriptBase + scriptAxis + scriptStripes + scriptLanes + scriptMessages + scriptTraffic + scriptStart,
	}
	if v.Title == "" {
		v.Title = "A run without a name"
	}
	v.Facts = m.facts()
	v.setOptions(r, l)
	v.Scenario = clip(r.Scenario, l.scenario)
	if len(v.Scenario) < len(r.Scenario) {
		v.ScenarioCut = "The end of the scenario is left out: it has " + size(int64(len(r.Scenario))) + "."
	}
	v.Results = m.resultViews(l)
	for i := range v.Results {
		v.Findings += len(v.Results[i].Findings)
	}
	v.Failed, v.Unsure, v.Passed = m.tally()
	v.PassedNames = m.passed()
	v.Summary = m.summary()
	data := m.payload(l, &v.Notes, v.Results)
	v.HasOps = len(data.Ops) > 0
	v.Faults = m.faultViews(l)
	v.Heals, v.MoreHeals = m.healViews(l.heals)
	v.Names = m.nameViews(l)
	v.setTraffic(m)
	v.Distributions = m.distributions()
	if r.Check != nil {
		v.Stats = r.Check.Stats
	}
	text, err := json.Marshal(data)
	v.Data = template.JS(text)
	return v, err
}

func (v *view) setOptions(r *Run, l limits) {
	for _, o := range r.Options[:min(len(r.Options), l.options)] {
		v.Options = append(v.Options, [2]string{clip(o[0], 100), clip(o[1], 500)})
	}
	if more := len(r.Options) - len(v.Options); more > 0 {
		v.MoreOptions = count(more, "option more", "options more")
	}
}

// facts are the run's data that are not options.
func (m *model) facts() [][2]string {
	h := &m.run.History.Header
	facts := [][2]string{{"seed", strconv.FormatUint(h.Seed, 10)}}
	if h.Policy != "" {
		facts = append(facts, [2]string{"policy", clip(h.Policy, 100)})
	}
	facts = append(facts, [2]string{"nodes", numeral(len(m.nodes) + m.hidden)},
		[2]string{"length", clock(m.end - m.begin)}, [2]string{"records", numeral(len(m.run.History.Records))})
	if m.run.TraceHash != "" {
		facts = append(facts, [2]string{"trace", clip(m.run.TraceHash, 100)})
	}
	return facts
}

func verdictWord(v check.Verdict) string {
	switch v {
	case check.Pass:
		return "pass"
	case check.Fail:
		return "fail"
	}
	return "unknown"
}

// mark is a verdict as a sign, so that it does not hang on colour.
func mark(v check.Verdict) string {
	switch v {
	case check.Pass:
		return "✓"
	case check.Fail:
		return "✗"
	}
	return "?"
}

func (m *model) tally() (failed, unsure, passed int) {
	for _, r := range m.results {
		switch rank(r.Verdict) {
		case 0:
			failed++
		case 1:
			unsure++
		default:
			passed++
		}
	}
	return failed, unsure, passed
}

// passed returns the names of the checks that passed.
func (m *model) passed() []string {
	var names []string
	for _, r := range m.results {
		if rank(r.Verdict) == 2 {
			names = append(names, clip(r.Check, 100))
		}
	}
	return names
}

// summary is the run's outcome in one line.
func (m *model) summary() string {
	failed, unsure, passed := m.tally()
	if len(m.results) == 0 {
		return "Nobody checked this run."
	}
	s := numeral(failed) + " failed, " + numeral(unsure) + " unknown, " + numeral(passed) + " passed."
	if m.focused {
		s += " First violation at " + clock(m.focus) + "."
	}
	return s
}

func (m *model) resultViews(l limits) []resultView {
	all := make([]resultView, 0, len(m.results))
	room := l.explain * l.findings
	for i, r := range m.results {
		v := resultView{
			Check: clip(r.Check, 100), Text: clip(r.Text, l.explain), Verdict: verdictWord(r.Verdict), Mark: mark(r.Verdict),
			Note: clip(r.Note, l.explain), Failing: rank(r.Verdict) == 0, Open: rank(r.Verdict) == 1,
			Count: numeral(r.Count),
		}
		for j, f := range r.Findings {
			explain := clip(f.Explain, l.explain)
			if room -= len(explain); j == l.findings || room < 0 {
				v.More = count(max(r.Count, len(r.Findings))-j, "finding more", "findings more")
				break
			}
			v.Findings = append(v.Findings, findingView{
				ID: "finding-" + strconv.Itoa(i) + "-" + strconv.Itoa(j), Clock: clock(f.At), Explain: explain,
				Record: m.recordText(f.Index), Micros: m.micros(f.At), Index: f.Index,
			})
		}
		if v.More == "" && r.Count > len(r.Findings) && len(r.Findings) > 0 {
			v.More = count(r.Count-len(r.Findings), "finding more", "findings more")
		}
		if r.Judged > 0 {
			v.Judged = numeral(r.Judged)
		}
		all = append(all, v)
	}
	return all
}

// recordText is the record that a finding names, in one line.
func (m *model) recordText(i int) string {
	r, ok := m.record(i)
	if !ok {
		return ""
	}
	words := []string{"record", strconv.Itoa(i) + ":", string(r.Type), string(r.F)}
	for _, word := range []string{r.Name, r.Group, r.Key, r.Process, r.Text} {
		if word != "" {
			words = append(words, clip(word, 60))
		}
	}
	if r.Node != "" {
		words = append(words, "on", clip(r.Node, 60))
	}
	return strings.Join(words, " ")
}

func (m *model) faultViews(l limits) []faultView {
	var all []faultView
	for _, f := range m.faults[:min(len(m.faults), l.faults)] {
		v := faultView{From: clock(f.From), To: clock(f.To), Class: faultClass(f.Kind), Text: clip(brief(f.Text), 200),
			Micros: m.micros(f.From), Verified: f.Verified}
		switch {
		case f.To < f.From:
			v.To = "never mended"
		case f.To == f.From:
			v.To = ""
		}
		if v.Text == "" {
			v.Text = clip(f.Kind, 40)
		}
		all = append(all, v)
	}
	return all
}

// healViews says what came of the heals. The last ones are what a reader looks for,
// so the first are left out when there are too many.
func (m *model) healViews(most int) (shown []healView, more string) {
	if m.run.Check == nil {
		return nil, ""
	}
	all := m.run.Check.Heals
	if left := len(all) - most; left > 0 {
		all, more = all[left:], "The first "+count(left, "heal is", "heals are")+" left out."
	}
	for _, h := range all {
		v := healView{At: clock(h.At), Text: clip(h.Text, 200), Nodes: numeral(h.Nodes), Agreed: h.Agreed, Micros: m.micros(h.At)}
		if v.Text == "" {
			v.Text = "heal"
		}
		if h.Agreed {
			v.Took = round(time.Duration(h.Took)).String()
		}
		if h.Bytes > 0 {
			v.Bytes = size(h.Bytes)
		}
		shown = append(shown, v)
	}
	return shown, more
}

// words is the number of lines that say in words what happened to a name.
const words = 20

func (m *model) nameViews(l limits) []nameView {
	var all []nameView
	shown, _ := contests(m, l.names)
	for _, c := range shown {
		v := nameView{Name: clip(c.name, 255), Violated: c.violated, Overlap: clock(c.overlap)}
		for _, b := range c.beliefs[:min(words, len(c.beliefs))] {
			v.Beliefs = append(v.Beliefs, clip(b.sentence(m.end), 300))
		}
		for _, t := range c.told[:min(words, len(c.told))] {
			v.Told = append(v.Told, clip(t.sentence(), 300))
		}
		if more := len(c.beliefs) + len(c.told) - len(v.Beliefs) - len(v.Told); more > 0 {
			v.More = count(more, "line more", "lines more")
		}
		all = append(all, v)
	}
	return all
}

// maxEnds is the number of nodes up to which each gets a line of traffic.
const maxEnds = 400

func (v *view) setTraffic(m *model) {
	t := matrix(m, 0)
	share := func(c carried) string {
		if t.total.bytes == 0 {
			return "0"
		}
		return strconv.FormatFloat(float64(c.bytes)/float64(t.total.bytes)*100, 'f', 1, 64)
	}
	flow := func(name string, c carried) flowView {
		return flowView{clip(name, maxName), number(c.frames), size(c.bytes), number(c.dropped), share(c)}
	}
	for i, k := range t.kinds {
		v.Kinds = append(v.Kinds, flow(k, t.byKind[i]))
	}
	v.Kinds = append(v.Kinds, flow("all", t.total))
	sums := make([]carried, len(t.nodes))
	at := map[string]int{}
	for i, n := range t.nodes {
		at[n] = i
	}
	for i := range m.run.Traffic {
		sums[at[m.run.Traffic[i].From]].add(&m.run.Traffic[i])
	}
	for i, n := range t.nodes[:min(len(t.nodes), maxEnds)] {
		v.Ends = append(v.Ends, flow(n, sums[i]))
	}
}
