package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/rollcall-dev/rollcall/bench/plan"
)

// Report is what came of a run.
type Report struct {
	// Rows are the figures beside those of peers, in the order of the table.
	Rows []plan.Row `json:"rows"`
	// Curves are how costs grow.
	Curves []plan.Curve `json:"curves"`
	// Missing are peers that could not be measured because they are not installed.
	Missing []string `json:"missing"`
	// Failures are what could not be measured although it should have been.
	Failures []string `json:"failures"`
	// Machine says on what it was measured, Began and Took when and for how long.
	Machine string    `json:"machine"`
	Began   time.Time `json:"began"`
	Took    float64   `json:"took_seconds"`
	// Quick says that sizes were small: the figures mean nothing.
	Quick bool `json:"quick"`
}

// Machine describes this machine in a few words.
func Machine() string {
	return fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// JSON writes the report as one object. Lists are never null.
func (r Report) JSON(out io.Writer) error {
	for _, list := range []*[]string{&r.Missing, &r.Failures} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Rows == nil {
		r.Rows = []plan.Row{}
	}
	if r.Curves == nil {
		r.Curves = []plan.Curve{}
	}
	return json.NewEncoder(out).Encode(r)
}

// Table writes the rows as a table for people.
func (r Report) Table(out io.Writer) {
	for _, group := range r.groups() {
		t := r.table(group, false)
		t.SetStyle(table.StyleLight)
		t.SetTitle("%s", group)
		t.SetColumnConfigs([]table.ColumnConfig{
			{Number: 1, WidthMax: 62, WidthMaxEnforcer: text.WrapSoft},
			{Number: 3, Align: text.AlignRight}, {Number: 4, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight},
			{Number: 7, WidthMax: 30, WidthMaxEnforcer: text.WrapSoft},
		})
		fmt.Fprintln(out, t.Render())
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, r.Verdict())
}

// Verdict sums the run up in a few lines; what was not measured comes first.
func (r Report) Verdict() string {
	var b strings.Builder
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "NOT MEASURED, because not installed: %s\n", strings.Join(r.Missing, ", "))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "FAILED: %s\n", f)
	}
	met, missed := 0, 0
	for _, row := range r.Rows {
		switch {
		case row.Met == nil:
		case *row.Met:
			met++
		default:
			missed++
		}
	}
	fmt.Fprintf(&b, "%d rows; aims met: %d, not met: %d. %s; %.0f s.", len(r.Rows), met, missed, r.Machine, r.Took)
	if r.Quick {
		b.WriteString("\nA quick run: sizes were small, and the figures mean nothing.")
	}
	return b.String()
}

// groups returns the headings in the order of the rows.
func (r Report) groups() []string {
	var groups []string
	for _, row := range r.Rows {
		if !slices.Contains(groups, row.Group) {
			groups = append(groups, row.Group)
		}
	}
	return groups
}

// table makes the table of one heading.
func (r Report) table(group string, plain bool) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"work", "peer", "ours", "theirs", "times better (range)", "aim", "met"})
	for _, row := range r.Rows {
		if row.Group != group {
			continue
		}
		t.AppendRow(table.Row{
			row.Work, dash(row.Peer), figure(row.Ours, row.OursRange, row.Unit), theirs(row), ratio(row), dash(row.Aim), verdict(row.Met),
		})
		if !plain && row.Note != "" {
			t.AppendRow(table.Row{"  " + row.Note, "", "", "", "", "", ""})
		}
	}
	return t
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// figure writes a figure with its range.
func figure(x *float64, span []float64, unit string) string {
	if x == nil {
		return "not measured"
	}
	s := number(*x) + " " + unit
	if len(span) == 2 && span[0] != span[1] {
		s += fmt.Sprintf(" (%s-%s)", number(span[0]), number(span[1]))
	}
	return s
}

func theirs(r plan.Row) string {
	if r.Peer == "" {
		return "-"
	}
	return figure(r.Theirs, r.TheirsRange, r.Unit)
}

func ratio(r plan.Row) string {
	if r.Ratio == nil || r.Min == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s-%s)", number(*r.Ratio), number(*r.Min), number(*r.Max))
}

func verdict(met *bool) string {
	switch {
	case met == nil:
		return "-"
	case *met:
		return "yes"
	}
	return "NO"
}

// number writes a number with three digits that count.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits <= 0 {
		return grouped(int64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'f', min(digits, 6), 64)
}

// grouped writes a whole number with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
