package replica

import (
	"slices"

	"github.com/rollcall-dev/rollcall/crdt"
)

// delta is a run of consecutive records of one origin.
type delta struct {
	identity
	records []crdt.Record[*Entry]
}

func (d *delta) first() uint64 { return d.records[0].Seq }

// Limits of what is kept while a gap is being fetched. Beyond them frames are
// dropped: the fetch brings their contents anyway.
const (
	maxWaiting = 256 // frames for each origin
	// maxDelta is the size in bytes at which a frame of records is sent off: small
	// enough that applying one does not hold up a local call for long.
	maxDelta = 32 << 10
)

// Flush puts the records made since the last call into frames, in order. A record
// that no peer is there to take is fetched later.
func (m *Machine) Flush() {
	if len(m.out) == 0 {
		return
	}
	for i := 0; i < len(m.out) && m.anyReady(); {
		frame, n := m.enc.delta(m.self, m.out[i:])
		m.sendOwn(frame)
		i += n
		m.count.RecordsOut += uint64(n)
	}
	m.out = emptied(m.out)
}

// Unsent reports whether Flush has something to do.
func (m *Machine) Unsent() bool { return len(m.out) > 0 }

func (m *Machine) anyReady() bool { return slices.ContainsFunc(m.peers, (*peer).ready) }

// onDelta applies the next records of an origin. A gap is never applied; it is
// fetched, and the frame waits for what comes before it.
func (m *Machine) onDelta(p *peer, d delta) {
	o := m.accept(d.identity)
	if o == nil || len(d.records) == 0 {
		return
	}
	if d.first() > o.log.Version()+1 {
		m.count.Gaps++
		m.wait(o, d)
		if o.pull == nil {
			m.fetch(p, o)
		}
		return
	}
	before := o.log.Version()
	m.applyRecords(o, d.records)
	m.passOn(p, o, o.log.Version() > before)
	m.drain(o)
}

// wait keeps a frame that lies beyond a gap, in order.
func (m *Machine) wait(o *origin, d delta) {
	if len(o.waiting) >= maxWaiting {
		return
	}
	i, found := slices.BinarySearchFunc(o.waiting, d.first(), func(w delta, seq uint64) int {
		switch {
		case w.first() < seq:
			return -1
		case w.first() > seq:
			return 1
		}
		return 0
	})
	if !found {
		o.waiting = slices.Insert(o.waiting, i, d)
	}
}

// drain applies the frames that wait for nothing any more.
func (m *Machine) drain(o *origin) {
	for len(o.waiting) > 0 && o.waiting[0].first() <= o.log.Version()+1 {
		d := o.waiting[0]
		o.waiting = slices.Delete(o.waiting, 0, 1)
		m.applyRecords(o, d.records)
	}
}

// applyRecords applies records up to the first gap. Coverage and payload go
// together: a record that is counted as seen is stored, or it was refused whole
// when its frame was decoded.
func (m *Machine) applyRecords(o *origin, records []crdt.Record[*Entry]) {
	m.touch(o)
	for _, r := range records {
		if r.Adds {
			r.Elem.origin = o
		}
		removed, ok := o.log.Apply(r)
		if !ok {
			continue
		}
		m.count.RecordsIn++
		m.applyRecord(r, removed)
	}
	m.dropDue(o)
}

// applyRecord brings what is shown in line with a record that the log took.
func (m *Machine) applyRecord(r crdt.Record[*Entry], removed []crdt.Item[*Entry]) {
	why := Reason(r.Note)
	if r.Adds {
		m.observe(r.Elem)
		m.index(r.Elem, nil, why)
	}
	for _, it := range removed {
		m.unindex(it.Elem, why)
	}
}

// observe moves this node's clock past a stamp that it has seen, so that what it
// makes from now on is later.
func (m *Machine) observe(e *Entry) {
	// The decoder has refused every stamp that is no valid one.
	_ = m.clock.Observe(m.now, e.birth)
}
