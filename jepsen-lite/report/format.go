package report

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// clock is a moment in nanoseconds as seconds to the millisecond.
func clock(at int64) string {
	return strconv.FormatFloat(float64(at)/1e9, 'f', 3, 64) + "s"
}

// size is a number of bytes as people say it.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<20:
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	case bytes >= 10<<10:
		return strconv.FormatInt(bytes>>10, 10) + " KiB"
	}
	return number(bytes) + " B"
}

// number is a number with commas between thousands.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var groups []string
	for len(s) > 3 {
		groups = append([]string{s[len(s)-3:]}, groups...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, groups...), ",")
}

// numeral is a count with commas between thousands.
func numeral(n int) string { return number(int64(n)) }

// count is a number and a noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(int64(n)) + " " + many
}

// quantity is a value of a distribution in its unit.
func quantity(v float64, unit string) string {
	switch unit {
	case "ns":
		return round(time.Duration(v)).String()
	case "B", "bytes":
		return size(int64(v))
	case "":
		return plain(v)
	}
	return plain(v) + " " + unit
}

// round keeps three digits of a duration.
func round(d time.Duration) time.Duration {
	for unit := time.Duration(1); unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Minute)
}

// plain is a number with at most three digits behind the point.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return number(int64(v))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// clip cuts a text to at most limit characters and makes it valid UTF-8. The last
// character of a text that was cut is an ellipsis.
func clip(s string, limit int) string {
	if limit < 1 {
		return ""
	}
	if len(s) > 4*limit {
		s = s[:4*limit]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	return string(runes[:limit-1]) + "…"
}

// Limits of brief.
const (
	briefFrom  = 80 // characters from which a fault is told in brief
	briefNames = 3  // names that are left of a side
)

// brief shortens a fault that names many nodes: of each side it leaves the first
// names and says how many more there are.
func brief(text string) string {
	if len(text) <= briefFrom {
		return text
	}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		inside, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			return b.String() + text
		}
		names := strings.Fields(inside)
		if more := len(names) - briefNames; more > 1 {
			inside = strings.Join(names[:briefNames], " ") + " and " + strconv.Itoa(more) + " more"
		}
		b.WriteString(before + "{" + inside + "}")
		text = after
	}
}

// short cuts a digest or a hash to what tells it from others at a glance.
func short(digest string) string { return clip(digest, 12) }

// printable replaces what would move the cursor of a terminal, line breaks
// included.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// pad fills a text with spaces to a width, and cuts it when it is longer.
func pad(s string, width int) string {
	s = clip(s, width)
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}
