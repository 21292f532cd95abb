package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/resolve"
)

// ErrScenario is wrapped by every error of Parse.
var ErrScenario = errors.New("scenario")

// Defaults of a scenario.
const (
	DefaultSeed  = 1
	DefaultLimit = 120 * time.Second
)

// Parse reads a scenario. Its error names the line and what was expected there.
func Parse(r io.Reader) (*Scenario, error) {
	s := &Scenario{
		Seed: DefaultSeed, Limit: DefaultLimit, Policy: "last-writer",
		Net: Net{Low: time.Millisecond, High: time.Millisecond},
	}
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		p := newParser(text, n)
		if p.done() {
			continue
		}
		if s.Name == "" {
			p.word("scenario")
			s.Name = p.take("the scenario's name")
		} else {
			p.line(s)
		}
		p.end()
		if p.err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrScenario, n, p.err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	return s, s.validate()
}

func (s *Scenario) validate() error {
	switch {
	case s.Name == "":
		return fmt.Errorf("%w: empty file: want \"scenario NAME\" first", ErrScenario)
	case len(s.Nodes) == 0:
		return fmt.Errorf("%w: no nodes: want a line such as \"nodes n1 n2 n3\"", ErrScenario)
	}
	if _, err := resolve.Parse(s.Policy); err != nil {
		return fmt.Errorf("%w: %w", ErrScenario, err)
	}
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return int(a.At - b.At) })
	return nil
}

// parser reads one line; the first fault sticks.
type parser struct {
	words []string
	lineN int
	err   error
}

// newParser splits a line into words; braces and bars stand alone.
func newParser(text string, line int) *parser {
	for _, sign := range []string{"{", "}", "|", ";", "=>", "->"} {
		if sign == "|" && strings.Contains(text, "holder") {
			continue // p1|p2 is one word there
		}
		text = strings.ReplaceAll(text, sign, " "+sign+" ")
	}
	return &parser{words: strings.Fields(text), lineN: line}
}

func (p *parser) done() bool { return len(p.words) == 0 || p.err != nil }

func (p *parser) peek() string {
	if p.done() {
		return ""
	}
	return p.words[0]
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// take returns the next word, which is what.
func (p *parser) take(what string) string {
	if p.err != nil {
		return ""
	}
	if len(p.words) == 0 {
		p.fail("the line ends where %s was expected", what)
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// word takes a word that must be this one.
func (p *parser) word(want string) {
	if got := p.take(strconv.Quote(want)); p.err == nil && got != want {
		p.fail("%q where %q was expected", got, want)
	}
}

// accept takes the word if it is next.
func (p *parser) accept(want string) bool {
	if p.peek() != want {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) end() {
	if p.err == nil && len(p.words) > 0 {
		p.fail("%q where the line should end", strings.Join(p.words, " "))
	}
}

func (p *parser) duration(what string) time.Duration {
	w := p.take(what)
	d, err := time.ParseDuration(w)
	if p.err == nil && err != nil {
		p.fail("%q where %s was expected, such as 300ms, 1.5s or 2m", w, what)
	}
	return d
}

func (p *parser) number(what string) int {
	w := p.take(what)
	n, err := strconv.Atoi(w)
	if p.err == nil && err != nil {
		p.fail("%q where %s was expected", w, what)
	}
	return n
}

func (p *parser) percent(what string) float64 {
	return p.percentOf(p.take(what), what)
}

func (p *parser) percentOf(w, what string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSuffix(w, "%"), 64)
	if p.err == nil && (err != nil || !strings.HasSuffix(w, "%")) {
		p.fail("%q where %s was expected, such as 1%%", w, what)
	}
	return f / 100
}

// span parses LOW..HIGH or one duration for both.
func (p *parser) span(w string) (low, high time.Duration) {
	a, b, both := strings.Cut(w, "..")
	if !both {
		b = a
	}
	low, err1 := time.ParseDuration(a)
	high, err2 := time.ParseDuration(b)
	if p.err == nil && (err1 != nil || err2 != nil || high < low || low < 0) {
		p.fail("%q where a latency was expected, such as 5ms or 1ms..20ms", w)
	}
	return low, high
}

// set parses { A B C }.
func (p *parser) set() []string {
	p.word("{")
	var set []string
	for p.err == nil && p.peek() != "}" {
		set = append(set, p.take("a name or }"))
	}
	p.word("}")
	return set
}

// line reads a line after the first.
func (p *parser) line(s *Scenario) {
	switch w := p.take("a keyword"); w {
	case "source":
		s.Source = strings.Join(p.words, " ")
		p.words = nil
	case "nodes":
		s.Nodes = p.words
		p.words = nil
	case "seed":
		s.Seed = uint64(p.number("a seed"))
	case "limit":
		s.Limit = p.duration("a limit")
	case "forget":
		s.Forget = p.duration("a time")
	case "policy":
		s.Policy = p.take("a policy")
	case "claims":
		switch mode := p.take("arbitrated or optimistic"); mode {
		case "optimistic", "arbitrated":
			s.Optimistic = mode == "optimistic"
		default:
			p.fail("%q where arbitrated or optimistic was expected", mode)
		}
	case "net":
		p.net(s)
	case "at":
		step := Step{At: p.duration("a time"), Line: p.lineN}
		p.step(&step)
		s.Steps = append(s.Steps, step)
	case "expect":
		s.Expects = append(s.Expects, p.expect())
	default:
		p.fail("%q where one of source, nodes, seed, limit, forget, policy, claims, net, at, expect was expected", w)
	}
}

func (p *parser) net(s *Scenario) {
	for !p.done() {
		w := p.take("an option")
		key, value, ok := strings.Cut(w, "=")
		switch {
		case ok && key == "latency":
			s.Net.Low, s.Net.High = p.span(value)
		case ok && key == "loss":
			s.Net.Loss = p.percentOf(value, "a loss")
		case ok && key == "dup":
			s.Net.Dup = p.percentOf(value, "a rate of duplication")
		case ok && key == "reorder":
			s.Net.Reorder = p.percentOf(value, "a rate of reordering")
		default:
			p.fail("%q where latency=, loss=, dup= or reorder= was expected", w)
		}
	}
}
