package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String writes the scenario as a file.
func (s *Scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "scenario %s\n", s.Name)
	if s.Source != "" {
		fmt.Fprintf(&b, "source %s\n", s.Source)
	}
	fmt.Fprintf(&b, "nodes %s\n", strings.Join(s.Nodes, " "))
	if s.Seed != DefaultSeed {
		fmt.Fprintf(&b, "seed %d\n", s.Seed)
	}
	if s.Limit != DefaultLimit {
		fmt.Fprintf(&b, "limit %v\n", s.Limit)
	}
	if s.Forget != 0 {
		fmt.Fprintf(&b, "forget %v\n", s.Forget)
	}
	if s.Policy != "last-writer" {
		fmt.Fprintf(&b, "policy %s\n", s.Policy)
	}
	if s.Optimistic {
		b.WriteString("claims optimistic\n")
	}
	if line := s.Net.String(); line != "" {
		b.WriteString(line + "\n")
	}
	for _, step := range s.Steps {
		fmt.Fprintf(&b, "at %v %s\n", step.At, step)
	}
	for _, e := range s.Expects {
		fmt.Fprintf(&b, "expect %s\n", e)
	}
	return b.String()
}

// String writes the line that says how links behave; empty when it says nothing.
func (n Net) String() string {
	line := "net"
	if n.Low != time.Millisecond || n.High != time.Millisecond {
		line += " latency=" + span(n.Low, n.High)
	}
	for _, o := range []struct {
		name string
		rate float64
	}{{"loss", n.Loss}, {"dup", n.Dup}, {"reorder", n.Reorder}} {
		if o.rate != 0 {
			line += " " + o.name + "=" + percent(o.rate)
		}
	}
	if line == "net" {
		return ""
	}
	return line
}

func span(low, high time.Duration) string {
	if low == high {
		return low.String()
	}
	return low.String() + ".." + high.String()
}

// percent writes a rate with as many digits as Parse gives back unchanged.
func percent(rate float64) string { return strconv.FormatFloat(rate*100, 'g', 10, 64) + "%" }

// String writes what the step does, without its time.
func (s Step) String() string {
	switch s.Verb {
	case Cut:
		if len(s.Sides) == 0 {
			return fmt.Sprintf("cut %s - %s", s.A, s.B)
		}
		sides := make([]string, len(s.Sides))
		for i, side := range s.Sides {
			sides[i] = "{" + strings.Join(side, " ") + "}"
		}
		return "cut " + strings.Join(sides, " | ")
	case OneWay:
		return fmt.Sprintf("oneway %s -> %s", s.A, s.B)
	case Replay:
		return fmt.Sprintf("replay %s -> %s %v", s.A, s.B, s.For)
	case Heal, Hold, Release:
		if s.A == "" {
			return string(s.Verb)
		}
		return fmt.Sprintf("%s %s - %s", s.Verb, s.A, s.B)
	case Loss, Dup, Reorder:
		return fmt.Sprintf("%s %s - %s %s", s.Verb, s.A, s.B, percent(s.Rate))
	case Latency:
		return fmt.Sprintf("latency %s - %s %s", s.A, s.B, span(s.Low, s.High))
	case Blackhole:
		return fmt.Sprintf("blackhole %s - %s %d", s.A, s.B, s.Size)
	case Ring, Line, Majorities, RestartAll, Look, Calm:
		return string(s.Verb)
	case Isolate, Bridge, Star, Kill, Start, Stop:
		return fmt.Sprintf("%s %s", s.Verb, s.A)
	case Pause:
		return fmt.Sprintf("pause %s for %v", s.A, s.For)
	case Skew:
		return fmt.Sprintf("skew %s %v", s.A, s.For)
	case Drift:
		return fmt.Sprintf("drift %s %s", s.A, percent(s.Rate))
	case Suspect:
		return fmt.Sprintf("suspect %s of %s", s.A, s.B)
	case Check:
		return "expect " + s.Expect.String()
	case Repeat:
		inner := make([]string, len(s.Inner))
		for i, x := range s.Inner {
			inner[i] = x.String()
		}
		return fmt.Sprintf("repeat %d every %v: %s", s.Count, s.Every, strings.Join(inner, " ; "))
	}
	return s.client()
}

// client writes a client's step.
func (s Step) client() string {
	var b strings.Builder
	switch s.Verb {
	case Bulk:
		fmt.Fprintf(&b, "bulk %s register %s{%d..%d} as %s", s.Node, s.Key, s.Lo, s.Hi, s.Process)
	case Exit:
		fmt.Fprintf(&b, "%s exit %s", s.Node, s.Process)
	default:
		fmt.Fprintf(&b, "%s %s %s", s.Node, s.Verb, s.Key)
		if s.Process != "" {
			fmt.Fprintf(&b, " as %s", s.Process)
		}
	}
	if s.Mode != "" {
		b.WriteString(" " + s.Mode)
	}
	if s.HasVal {
		b.WriteString(" value=" + s.Value)
	}
	if s.Priority != 0 {
		fmt.Fprintf(&b, " priority=%d", s.Priority)
	}
	if s.Want != "" {
		b.WriteString(" => " + s.Want)
	}
	return b.String()
}

// String writes the expectation without its keyword.
func (e Expect) String() string {
	text := string(e.Subject)
	switch e.Subject {
	case Converged:
		text += fmt.Sprintf(" within %v", e.Within)
	case HolderOf:
		op := "=="
		if strings.Contains(e.Want, "|") {
			op = "in"
		}
		text += fmt.Sprintf(" %s %s %s", e.Key, op, e.Want)
	case ValueOf:
		text += fmt.Sprintf(" %s == %s", e.Key, e.Want)
	case MembersOf:
		text += fmt.Sprintf(" %s == {%s}", e.Key, strings.Join(e.Set, " "))
	case GroupsAre:
		text += fmt.Sprintf(" == {%s}", strings.Join(e.Set, " "))
	case CountOf:
		text += fmt.Sprintf(" %s == %s", e.Key, numbers(e.Lo, e.Hi))
	case LostOf:
		text += fmt.Sprintf(" %s exactly %s", e.Key, numbers(e.Lo, e.Hi))
	case AliveIs, DeadIs:
		text += " " + e.Key
	case TrafficIs:
		text += fmt.Sprintf(" after heal < %dB", e.Lo)
	case StateIs:
		text += fmt.Sprintf(" entries == %s", numbers(e.Lo, e.Hi))
	}
	if len(e.On) > 0 {
		text += " on " + strings.Join(e.On, " ")
	}
	return text
}

func numbers(lo, hi int) string {
	if lo == hi {
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d..%d", lo, hi)
}
