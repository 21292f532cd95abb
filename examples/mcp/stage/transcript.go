package stage

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// width is where the transcript breaks its lines.
const width = 96

// style is how a piece of text looks: a parameter of the terminal's SGR sequence.
type style string

const (
	bold  style = "1"
	faint style = "2"
	red   style = "31"
	green style = "32"
	cyan  style = "36"
)

// Transcript prints a story as it is played.
type Transcript struct {
	out    io.Writer
	colour bool
}

// NewTranscript returns a transcript which prints to out, in colour or plain.
func NewTranscript(out io.Writer, colour bool) *Transcript {
	return &Transcript{out: out, colour: colour}
}

// Colour reports whether text for this file may be coloured: it is a terminal,
// and the environment does not say otherwise (NO_COLOR, TERM=dumb).
func Colour(file *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Heading prints the title of the whole and a word to the reader.
func (t *Transcript) Heading(title, intro string) {
	t.line("")
	t.line("%s", t.paint(bold, title))
	t.paragraph(intro, "")
}

// Table prints what held, one line for each step.
func (t *Transcript) Table(report Report) {
	t.line("")
	t.line("%s", t.paint(bold, "What held"))
	longest, held, total := 0, 0, 0.0
	for _, outcome := range report.Steps {
		longest = max(longest, utf8.RuneCountInString(outcome.Name))
	}
	for _, outcome := range report.Steps {
		if outcome.Held {
			held++
		}
		total += outcome.Millis
		padding := strings.Repeat(" ", longest-utf8.RuneCountInString(outcome.Name))
		first, _, _ := strings.Cut(outcome.Detail, "\n")
		took := span(outcome.Millis)
		if outcome.Detail == notPlayed {
			took = ""
		}
		t.line("  %s %s%s %10s  %s", t.mark(outcome), outcome.Name, padding, took, t.paint(faint, first))
	}
	t.line("")
	verdict, colour := "Everything held", green
	if !report.Held {
		verdict, colour = "NOT everything held", red
	}
	t.line("%s", t.paint(colour, fmt.Sprintf("%s: %d of %d steps, in %s.", verdict, held, len(report.Steps), span(total))))
}

// act prints the head of an act.
func (t *Transcript) act(number int, act Act) {
	t.line("")
	t.line("%s", t.paint(bold, fmt.Sprintf("Act %d. %s", number, act.Title)))
	t.paragraph(act.Intro, "")
}

// begin prints the head of a step.
func (t *Transcript) begin(step Step) {
	t.line("")
	t.line("  %s", t.paint(cyan, step.Name))
}

// say prints a line of a step.
func (t *Transcript) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		t.line("    %s", strings.TrimRight(line, "\n"))
	}
}

// end prints the outcome of a step.
func (t *Transcript) end(outcome Outcome) {
	t.line("    %s %s %s", t.mark(outcome), outcome.Detail, t.paint(faint, "("+span(outcome.Millis)+")"))
}

// mark returns the sign of an outcome.
func (t *Transcript) mark(outcome Outcome) string {
	switch {
	case outcome.Held:
		return t.paint(green, "✓")
	case outcome.Detail == notPlayed:
		return t.paint(faint, "-")
	}
	return t.paint(red, "✗")
}

// paragraph prints text broken into lines between words.
func (t *Transcript) paragraph(text, indent string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+utf8.RuneCountInString(word) >= width && line != indent {
			t.line("%s", t.paint(faint, strings.TrimRight(line, " ")))
			line = indent
		}
		line += word + " "
	}
	if strings.TrimSpace(line) != "" {
		t.line("%s", t.paint(faint, strings.TrimRight(line, " ")))
	}
}

// line prints one line.
func (t *Transcript) line(format string, args ...any) {
	fmt.Fprintf(t.out, format+"\n", args...)
}

// paint returns text in a style, or as it is when the transcript is plain.
func (t *Transcript) paint(s style, text string) string {
	if !t.colour {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Span returns a time for people to read, with about three digits.
func Span(d time.Duration) string {
	millis := float64(d) / float64(time.Millisecond)
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", millis)
	default:
		return fmt.Sprintf("%.2f ms", millis)
	}
}

// span returns a time in milliseconds for people to read.
func span(millis float64) string { return Span(time.Duration(millis * float64(time.Millisecond))) }
