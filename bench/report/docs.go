package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rollcall-dev/rollcall/bench/plan"
)

// Marks around a generated part of a page. The text after "generated: " names the
// part.
const (
	beginMark = "<!-- generated: %s, by make bench DOCS=1 -->"
	endMark   = "<!-- end of what is generated -->"
)

// page is the file of the docs with generated parts.
const page = "benchmarks.md"

// ErrQuick is returned by Docs for a quick run, whose figures mean nothing.
var ErrQuick = errors.New("report: a quick run is nothing for the docs")

// Docs writes the generated parts of benchmarks.md and the plots that it shows.
func (r Report) Docs(dir string) error {
	if r.Quick {
		return ErrQuick
	}
	plots, err := r.Plots(filepath.Join(dir, "img"))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, page)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	content := string(text)
	for name, part := range map[string]string{
		"summary": r.summary(), "rows": r.rows(), "missed": r.missed(), "curves": r.curves(plots),
	} {
		if content, err = replaced(content, name, part); err != nil {
			return fmt.Errorf("report: %s: %w", file, err)
		}
	}
	return os.WriteFile(file, []byte(content), 0o644)
}

// replaced puts a text between the marks of a part.
func replaced(content, name, text string) (string, error) {
	begin := fmt.Sprintf(beginMark, name)
	head, rest, ok := strings.Cut(content, begin)
	if !ok {
		return "", fmt.Errorf("it lacks the line %q", begin)
	}
	_, tail, ok := strings.Cut(rest, endMark)
	if !ok {
		return "", fmt.Errorf("it lacks the line %q after %q", endMark, begin)
	}
	return head + begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + endMark + tail, nil
}

// summary says when and on what it was measured.
func (r Report) summary() string {
	return fmt.Sprintf("Measured %s on %s, in %.0f minutes. %s",
		r.Began.UTC().Format("2006-01-02"), r.Machine, r.Took/60, strings.ReplaceAll(r.Verdict(), "\n", " "))
}

// rows are the tables of all headings.
func (r Report) rows() string {
	var b strings.Builder
	for _, group := range r.groups() {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", group, markdown(r.table(group, true)))
	}
	return b.String()
}

func markdown(t table.Writer) string { return t.RenderMarkdown() }

// missed are the rows whose aim is not reached.
func (r Report) missed() string {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"work", "peer", "ours", "times better (range)", "aim"})
	for _, row := range r.Rows {
		if row.Met != nil && !*row.Met {
			t.AppendRow(table.Row{row.Work, dash(row.Peer), figure(row.Ours, row.OursRange, row.Unit), ratio(row), row.Aim})
		}
	}
	if t.Length() == 0 {
		return "None."
	}
	return markdown(t)
}

// curves are the plots, and the figures below each.
func (r Report) curves(plots []string) string {
	var b strings.Builder
	for _, c := range r.Curves {
		name := "bench-" + c.ID + ".svg"
		if !slices.Contains(plots, name) {
			continue
		}
		fmt.Fprintf(&b, "### %s\n\n![%s, against %s](img/%s)\n\n%s\n\n", c.Title, c.Title, c.Against, name, markdown(curveTable(c)))
	}
	return b.String()
}

func curveTable(c plan.Curve) table.Writer {
	var at []float64
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if !slices.Contains(at, p.X) {
				at = append(at, p.X)
			}
		}
	}
	slices.Sort(at)
	t := table.NewWriter()
	header := table.Row{c.Unit}
	for _, x := range at {
		header = append(header, fmt.Sprintf("%s %s", grouped(int64(x)), c.Against))
	}
	t.AppendHeader(header)
	for _, l := range c.Lines {
		row := table.Row{l.Name}
		for _, x := range at {
			cell := "-"
			for _, p := range l.Points {
				if p.X == x {
					cell = number(p.Y)
				}
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	return t
}
