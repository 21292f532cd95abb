package scenario

import (
	"strconv"
	"strings"
)

// step reads what happens: a fault's verb, or a node and its client's verb.
func (p *parser) step(s *Step) {
	switch verb := Verb(p.peek()); verb {
	case Cut, Heal, Isolate, Bridge, Ring, Line, Star, Majorities, OneWay, Replay, Hold, Release, Calm:
		p.take("a verb")
		s.Verb = verb
		p.topology(s)
	case Loss, Dup, Reorder, Latency, Blackhole:
		p.take("a verb")
		s.Verb = verb
		p.link(s)
		p.quality(s)
	case Pause, Skew, Drift, Kill, Start, Stop, Suspect, RestartAll:
		p.take("a verb")
		s.Verb = verb
		p.nodeFault(s)
	case Repeat:
		p.take("a verb")
		s.Verb = verb
		p.repeat(s)
	case Bulk:
		p.take("a verb")
		s.Verb = verb
		s.Node = p.take("a node")
		p.word(string(Register))
		p.bulk(s)
	case Look:
		p.take("a verb")
		s.Verb = verb
	case Check:
		p.take("a verb")
		s.Verb = verb
		e := p.expect()
		s.Expect = &e
	default:
		p.client(s)
	}
}

// link reads A - B.
func (p *parser) link(s *Step) {
	s.A = p.take("a node")
	p.word("-")
	s.B = p.take("a node")
}

func (p *parser) topology(s *Step) {
	switch s.Verb {
	case Cut:
		if p.peek() != "{" {
			p.link(s)
			return
		}
		s.Sides = append(s.Sides, p.set())
		for p.accept("|") {
			s.Sides = append(s.Sides, p.set())
		}
	case Heal, Hold, Release:
		if !p.done() || s.Verb != Heal {
			p.link(s)
		}
	case OneWay, Replay:
		s.A = p.take("a node")
		p.word("->")
		s.B = p.take("a node")
		if s.Verb == Replay {
			s.For = p.duration("a time")
		}
	case Isolate, Bridge, Star:
		s.A = p.take("a node")
	}
}

func (p *parser) quality(s *Step) {
	switch s.Verb {
	case Latency:
		s.Low, s.High = p.span(p.take("a latency"))
	case Blackhole:
		s.Size = p.number("a size in bytes")
	default:
		s.Rate = p.percent("a rate")
	}
}

func (p *parser) nodeFault(s *Step) {
	if s.Verb == RestartAll {
		return
	}
	s.A = p.take("a node")
	switch s.Verb {
	case Pause:
		p.word("for")
		s.For = p.duration("a time")
	case Skew:
		s.For = p.duration("a time, such as +90s")
	case Drift:
		s.Rate = p.percent("a rate, such as 2%")
	case Suspect:
		p.word("of")
		s.B = p.take("a node")
	}
}

// repeat reads "20 every 500ms: STEP ; STEP".
func (p *parser) repeat(s *Step) {
	s.Count = p.number("a count")
	p.word("every")
	every := p.take("a time and a colon")
	sub := newParser(strings.TrimSuffix(every, ":"), p.lineN)
	s.Every = sub.duration("a time")
	if p.err == nil && (sub.err != nil || !strings.HasSuffix(every, ":")) {
		p.fail("%q where a time and a colon was expected, such as 500ms:", every)
	}
	for {
		inner := Step{Line: p.lineN}
		p.step(&inner)
		s.Inner = append(s.Inner, inner)
		if !p.accept(";") {
			return
		}
	}
}

// bulk reads "user/ { 1..10000 } as w optimistic".
func (p *parser) bulk(s *Step) {
	s.Key = p.take("a prefix")
	p.word("{")
	lo, hi, ok := strings.Cut(p.take("a range"), "..")
	var err1, err2 error
	s.Lo, err1 = strconv.Atoi(lo)
	s.Hi, err2 = strconv.Atoi(hi)
	if p.err == nil && (!ok || err1 != nil || err2 != nil || s.Hi < s.Lo) {
		p.fail("a range such as {1..10000} was expected")
	}
	p.word("}")
	p.word("as")
	s.Process = p.take("a process")
	p.options(s)
}

func (p *parser) client(s *Step) {
	s.Node = p.take("a verb or a node")
	verb := p.take("a verb of a client")
	s.Verb = Verb(verb)
	switch s.Verb {
	case Register, Reregister:
		s.Key = p.take("a name")
		p.word("as")
		s.Process = p.take("a process")
	case Join, Leave:
		s.Key = p.take("a group")
		p.word("as")
		s.Process = p.take("a process")
	case Update, Unregister:
		s.Key = p.take("a name")
		if p.accept("as") {
			s.Process = p.take("a process")
		}
	case Exit:
		s.Process = p.take("a process")
	default:
		p.fail("%q where a node's register, reregister, update, unregister, join, leave or exit was expected, "+
			"or a fault such as cut, heal, kill or pause at the start", s.Node+" "+verb)
	}
	p.options(s)
}

func (p *parser) options(s *Step) {
	for !p.done() && p.peek() != ";" {
		w := p.take("an option")
		key, value, has := strings.Cut(w, "=")
		switch {
		case w == "=>":
			s.Want = p.take("an outcome")
			if s.Want == "taken" && !p.done() {
				s.Want += " " + p.take("a process")
			}
			p.checkWant(s.Want)
		case w == "optimistic" || w == "arbitrated":
			s.Mode = w
		case has && key == "value":
			s.Value, s.HasVal = value, true
		case has && key == "priority":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				p.fail("%q where priority=N was expected", w)
			}
			s.Priority = n
		default:
			p.fail("%q where optimistic, arbitrated, value=, priority= or => was expected", w)
		}
	}
}

func (p *parser) checkWant(want string) {
	word, _, _ := strings.Cut(want, " ")
	if p.err == nil && word != "ok" && word != "taken" && word != "refused" {
		p.fail("%q where ok, taken, taken PROCESS or refused was expected", want)
	}
}
