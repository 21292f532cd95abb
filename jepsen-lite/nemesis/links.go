package nemesis

import (
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Link is one direction between two nodes, and whether the step closes or opens
// it. Links that a step does not speak of stay as they are.
type Link struct {
	From, To string
	Closed   bool
}

// Links returns what a step does to the links among nodes. Shapes of the whole
// network, such as a cut into sides or a ring, say of every link what it is.
func Links(s *scenario.Step, nodes []string) []Link {
	switch s.Verb {
	case scenario.Heal:
		if s.A != "" {
			return both(s.A, s.B, false)
		}
		return shape(nodes, func(a, b string) bool { return true })
	case scenario.OneWay:
		return []Link{{s.A, s.B, true}}
	case scenario.Cut:
		if len(s.Sides) == 0 {
			return both(s.A, s.B, true)
		}
		return shape(nodes, func(a, b string) bool { return together(s.Sides, a, b) })
	case scenario.Isolate:
		var links []Link
		for _, n := range nodes {
			if n != s.A {
				links = append(links, both(s.A, n, true)...)
			}
		}
		return links
	}
	return shape(nodes, topology(s, nodes))
}

func both(a, b string, closed bool) []Link { return []Link{{a, b, closed}, {b, a, closed}} }

// shape says of every link whether it is open.
func shape(nodes []string, open func(a, b string) bool) []Link {
	var links []Link
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b {
				links = append(links, Link{a, b, !open(a, b)})
			}
		}
	}
	return links
}

// together reports whether some side holds both; nodes on no side are alone.
func together(sides [][]string, a, b string) bool {
	return slices.ContainsFunc(sides, func(side []string) bool {
		return slices.Contains(side, a) && slices.Contains(side, b)
	})
}

// topology returns which links a named shape leaves open.
func topology(s *scenario.Step, nodes []string) func(a, b string) bool {
	n := len(nodes)
	place := func(x string) int { return slices.Index(nodes, x) }
	apart := func(a, b string) int {
		d := place(a) - place(b)
		return max(d, -d)
	}
	switch s.Verb {
	case scenario.Bridge:
		rest := slices.DeleteFunc(slices.Clone(nodes), func(x string) bool { return x == s.A })
		half := func(x string) bool { return slices.Index(rest, x) < len(rest)/2 }
		return func(a, b string) bool { return a == s.A || b == s.A || half(a) == half(b) }
	case scenario.Star:
		return func(a, b string) bool { return a == s.A || b == s.A }
	case scenario.Line:
		return func(a, b string) bool { return apart(a, b) == 1 }
	case scenario.Ring:
		return func(a, b string) bool { return apart(a, b) == 1 || apart(a, b) == n-1 }
	default: // each node sees a majority of its own: itself and the nearest on both sides
		reach := (n/2 + 1) / 2
		return func(a, b string) bool { return min(apart(a, b), n-apart(a, b)) <= reach }
	}
}
