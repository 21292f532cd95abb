package replica

import (
	"slices"
	"time"
)

// compares paces the comparisons with peers. When a large split heals a node gets
// hundreds of links within a second. Comparing over all of them at once would
// send as many vectors, each as long as the cluster is large, about differences
// that the first few of them settle.
//
// Invariant: asked is the number of peers whose answer is awaited, and done of those
// that are compared.
type compares struct {
	due    []Peer // linked a moment ago, and not compared with yet
	gone   bool   // some of them may not be peers any more
	asked  int    // under way
	done   int    // peers that are compared with
	freeAt int64  // when the next vector may go out
}

const (
	// maxCompares is how many comparisons with new peers are under way at once.
	maxCompares = 4
	// compareWait is how long an answer is waited for.
	compareWait = time.Second
	// vectorPace is the time that each byte of a vector takes of the time in which
	// another may go out: 500 KB/s. A small cluster never notices.
	vectorPace = 2 * time.Microsecond
)

// compareSoon compares with a peer as soon as few enough comparisons are under
// way; at once, as a rule.
func (m *Machine) compareSoon(p *peer) {
	m.compare.due = append(m.compare.due, p.id)
	m.compareNext()
}

func (m *Machine) compareNext() {
	for m.compare.asked < maxCompares && len(m.compare.due) > 0 {
		p := m.peer(m.compare.due[0])
		m.compare.due = m.compare.due[1:]
		if p != nil && p.ready() && !p.compared {
			m.compareWith(p)
		}
	}
}

// compareWith asks a peer whether it shows the same.
func (m *Machine) compareWith(p *peer) {
	m.count.Digests++
	if p.asked == 0 {
		m.compare.asked++
	}
	p.asked = m.now.Mono
	m.lookAt(p.asked + int64(compareWait))
	m.send(p, Urgent, m.enc.digest(m.Digest()))
}

// comparedWith notes that a peer has answered.
func (m *Machine) comparedWith(p *peer) {
	m.setCompared(p, true)
	m.answeredBy(p)
	m.synced()
}

func (m *Machine) setCompared(p *peer, is bool) {
	switch {
	case p.compared == is:
	case is:
		m.compare.done++
	default:
		m.compare.done--
	}
	p.compared = is
}

func (m *Machine) answeredBy(p *peer) {
	if p.asked != 0 {
		p.asked = 0
		m.compare.asked--
	}
	m.compareNext()
}

// onDigest answers a comparison: at once when all is equal, and with this node's
// vector, as fast as vectors may go out, when it is not.
func (m *Machine) onDigest(p *peer, digest uint64) {
	p.digest, p.owed, p.owedAt = digest, true, m.now.Mono
	m.lookAt(m.now.Mono)
	m.payVector(p)
}

// payVector answers a digest, if it is time.
func (m *Machine) payVector(p *peer) {
	switch {
	case p.digest == m.Digest():
		m.send(p, Urgent, m.enc.same())
		m.comparedWith(p)
	case m.now.Mono < m.compare.freeAt:
		return
	default:
		frame := m.enc.vector(false, m.vector())
		m.compare.freeAt = m.now.Mono + int64(len(frame))*int64(vectorPace)
		m.send(p, Bulk, frame)
	}
	p.owed = false
}

func (m *Machine) onSame(p *peer) {
	m.count.DigestsEqual++
	m.comparedWith(p)
}

// paceCompares gives up on answers that do not come, and pays what is owed. What
// is owed for so long that the peer has given up is not paid: by now the two are
// equal, as a rule, and the next digest says so.
func (m *Machine) paceCompares() {
	for _, p := range m.peers {
		if p.owed && m.now.Mono-p.owedAt > int64(compareWait) {
			p.owed = false
		}
		if p.owed && p.ready() {
			m.payVector(p)
		}
		if p.asked != 0 && m.now.Mono-p.asked > int64(compareWait) {
			if !p.compared && p.ready() {
				m.compare.due = append(m.compare.due, p.id)
			}
			m.answeredBy(p)
		}
		if p.asked != 0 {
			m.lookAt(p.asked + int64(compareWait))
		}
		if p.owed {
			m.lookAt(m.now.Mono)
		}
	}
	if m.compare.gone {
		m.compare.gone = false
		m.compare.due = slices.DeleteFunc(m.compare.due, func(id Peer) bool { return m.peer(id) == nil })
	}
}
