package scenario

import (
	"slices"
	"strconv"
	"strings"
)

// expect reads an expectation after its keyword.
func (p *parser) expect() Expect {
	e := Expect{Line: p.lineN, Subject: Subject(p.take("what is expected"))}
	switch e.Subject {
	case Converged:
		p.word("within")
		e.Within = p.duration("a time")
	case HolderOf:
		e.Key = p.take("a name")
		p.holder(&e)
	case ValueOf:
		e.Key = p.take("a name")
		p.word("==")
		e.Want = p.take("a value")
	case MembersOf:
		e.Key = p.take("a group")
		p.word("==")
		e.Set = p.sorted()
	case GroupsAre:
		p.word("==")
		e.Set = p.sorted()
	case CountOf:
		e.Key = p.take("names or groups")
		if p.err == nil && e.Key != "names" && e.Key != "groups" {
			p.fail("%q where names or groups was expected", e.Key)
		}
		p.word("==")
		e.Lo, e.Hi = p.numbers()
	case LostOf:
		e.Key = p.take("a process")
		p.word("exactly")
		e.Lo, e.Hi = p.numbers()
	case AliveIs, DeadIs:
		e.Key = p.take("a process")
	case TrafficIs:
		p.word("after")
		p.word("heal")
		p.word("<")
		e.Lo = p.bytes()
	case StateIs:
		p.word("entries")
		p.word("==")
		e.Lo, e.Hi = p.numbers()
	default:
		p.fail("%q where one of converged, holder, members, groups, count, lost, alive, dead, value, traffic, state was expected", e.Subject)
	}
	if p.accept("on") {
		e.On = p.words
		p.words = nil
	}
	return e
}

// holder reads "== P", "== none", "in P|Q".
func (p *parser) holder(e *Expect) {
	switch op := p.take("== or in"); op {
	case "==", "in":
		e.Want = p.take("a process, none, or processes such as p1|p2")
	default:
		p.fail("%q where == or in was expected", op)
	}
}

func (p *parser) sorted() []string {
	set := p.set()
	slices.Sort(set)
	return set
}

// numbers reads N or LO..HI.
func (p *parser) numbers() (lo, hi int) {
	w := p.take("a number or a range such as 0..1")
	a, b, both := strings.Cut(w, "..")
	if !both {
		b = a
	}
	lo, err1 := strconv.Atoi(a)
	hi, err2 := strconv.Atoi(b)
	if p.err == nil && (err1 != nil || err2 != nil || hi < lo) {
		p.fail("%q where a number or a range such as 0..1 was expected", w)
	}
	return lo, hi
}

// bytes reads a size such as 64KiB.
func (p *parser) bytes() int {
	w := p.take("a size such as 64KiB")
	unit := 1
	digits := w
	for _, u := range []struct {
		suffix string
		size   int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}} {
		if strings.HasSuffix(w, u.suffix) {
			digits, unit = strings.TrimSuffix(w, u.suffix), u.size
			break
		}
	}
	n, err := strconv.Atoi(digits)
	if p.err == nil && err != nil {
		p.fail("%q where a size such as 64KiB was expected", w)
	}
	return n * unit
}
