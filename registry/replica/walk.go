package replica

import "github.com/rollcall-dev/rollcall/crdt"

// walk brings what is shown in line with an incarnation that came up, went down
// or is forgotten: entry by entry, some at a time, so that a node with a million
// names that dies does not hold up those who call the others.
//
// Invariant: the entries up to at are in line. Whoever looks at a name meanwhile
// brings it in line first, with align; members say for themselves whether they
// are shown.
type walk struct {
	origin *origin
	log    *crdt.Log[*Entry]
	at     uint64
	forget bool // entries are taken out, not hidden
	why    Reason
}

// walkStep is how many entries are brought in line at a time: half a millisecond,
// about.
const walkStep = 1024

// startWalk begins a walk, in the place of one that is under way. A small one is
// done at once.
func (m *Machine) startWalk(o *origin, forget bool, why Reason) {
	if o.walk == nil {
		o.walk = &walk{}
		m.walks = append(m.walks, o.walk)
	}
	*o.walk = walk{o, o.log, 0, forget, why}
	m.walkOn(o.walk)
}

// walkOn brings the next entries in line, and ends the walk after the last.
func (m *Machine) walkOn(w *walk) {
	n := 0
	for it := range w.log.Range(w.at, w.log.Version()) {
		if n == m.walkStep {
			return
		}
		n++
		w.at = it.Seq
		m.inLine(it.Elem, w)
	}
	w.origin.walk = nil
	for i, x := range m.walks {
		if x == w {
			m.walks = append(m.walks[:i], m.walks[i+1:]...)
			return
		}
	}
}

func (m *Machine) inLine(e *Entry, w *walk) {
	switch {
	case w.forget:
		m.unindex(e, w.why)
	case e.kind == Group:
		m.reshow(e, w.why)
	case m.reshowAlone(e, w.why):
	default:
		m.settle(e.key, m.claimsOf(e.key), w.why)
	}
}

// align brings the claims to a name in line that a walk has not come to yet.
func (m *Machine) align(name string) {
	if len(m.walks) == 0 {
		return
	}
	for _, e := range m.claimsOf(name) {
		if w := e.origin.walk; w != nil && e.seq > w.at {
			m.inLine(e, w)
		}
	}
}

// Busy reports whether Work has something to do.
func (m *Machine) Busy() bool { return len(m.walks) > 0 }

// Work goes on with what is too long to be done in one input.
func (m *Machine) Work(now crdt.Reading) {
	m.begin(now)
	if len(m.walks) > 0 {
		m.walkOn(m.walks[0])
	}
	m.end()
}
