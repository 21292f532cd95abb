package replica

import (
	"unicode/utf8"

	"github.com/rollcall-dev/rollcall/crdt"
)

// process is a process of this node with the entries that it owns.
//
// Invariant: entries[i].slot == i.
type process struct {
	serial  uint64
	epoch   uint64 // of the node when the process began: part of its PID for ever
	ended   bool   // what is left of its entries is being removed
	entries []*Entry
}

func (p *process) add(e *Entry) {
	e.slot = uint32(len(p.entries))
	p.entries = append(p.entries, e)
}

func (p *process) drop(e *Entry) {
	last := len(p.entries) - 1
	p.entries[e.slot] = p.entries[last]
	p.entries[e.slot].slot = e.slot
	p.entries[last] = nil
	p.entries = p.entries[:last]
}

// Spawn makes a process known. Serials are never reused within a run.
func (m *Machine) Spawn(serial uint64) {
	m.procs[serial] = &process{serial: serial, epoch: m.self.id.Epoch}
}

// Exit ends a process: what it registered is removed, maxRemoved entries at a time
// in one record each. It reports whether there are more, so that the caller may
// let others have their turn before it calls Exit again.
func (m *Machine) Exit(now crdt.Reading, serial uint64) (more bool) {
	m.begin(now)
	defer m.end()
	p, ok := m.procs[serial]
	if !ok {
		return false
	}
	if !p.ended {
		p.ended = true
		m.dropPending(serial)
	}
	m.remove(p.entries[max(0, len(p.entries)-maxRemoved):], Exited)
	if len(p.entries) > 0 {
		return true
	}
	delete(m.procs, serial)
	return false
}

// lives reports whether a process of this node may register.
func (m *Machine) lives(serial uint64) bool {
	p, ok := m.procs[serial]
	return ok && !p.ended
}

// Entries returns what a process of this node holds, in no certain order.
func (m *Machine) Entries(serial uint64) []*Entry {
	if p, ok := m.procs[serial]; ok {
		return p.entries
	}
	return nil
}

// maxRemoved is the number of removals that one record may carry, so that a
// record always fits in a frame.
const maxRemoved = 8192

// remove removes entries of this node and says so to the others.
func (m *Machine) remove(entries []*Entry, why Reason) {
	for len(entries) > 0 {
		n := min(len(entries), maxRemoved)
		batch := append([]*Entry(nil), entries[len(entries)-n:]...)
		entries = entries[:len(entries)-n]
		seqs := make([]uint64, n)
		for i, e := range batch {
			seqs[i] = e.seq
		}
		m.touch(m.self)
		m.out = append(m.out, m.self.log.Append(seqs, false, nil, uint8(why)))
		for _, e := range batch {
			m.disown(e)
			m.unindex(e, why)
		}
	}
}

// disown takes an entry from its process, if that lives.
func (m *Machine) disown(e *Entry) {
	if p, ok := m.procs[e.serial]; ok && int(e.slot) < len(p.entries) && p.entries[e.slot] == e {
		p.drop(e)
	}
}

// add makes an entry of this node, in the place of others where replaced names
// some, and says so to the others.
func (m *Machine) add(e *Entry, replaced []*Entry, why Reason) {
	var seqs []uint64
	for _, r := range replaced {
		seqs = append(seqs, r.seq)
		m.disown(r)
	}
	e.origin, e.seq = m.self, m.self.log.Version()+1
	if e.bornSeq == 0 {
		e.bornSeq = e.seq
	}
	p := m.procs[e.serial]
	if p.epoch != m.self.id.Epoch && (e.extra == nil || e.extra.pidEpoch == 0) {
		x := extra{}
		if e.extra != nil {
			x = *e.extra
		}
		x.pidEpoch = p.epoch
		e.extra = &x
	}
	m.touch(m.self)
	m.out = append(m.out, m.self.log.Append(seqs, true, e, uint8(why)))
	p.add(e)
	m.index(e, nil, why)
}

// index shows an entry that is new here. It takes the place of old, and of any
// earlier entry of the same owner for the same thing: an owner has one claim to a
// name and one membership of a process at a time, so an earlier one that is still
// here was removed, and that has not been heard yet.
func (m *Machine) index(e, old *Entry, why Reason) {
	if e.kind == Group {
		m.indexMember(e, old, why)
		return
	}
	m.indexClaim(e, old, why)
}

// unindex takes an entry that was removed out of what is shown.
func (m *Machine) unindex(e *Entry, why Reason) {
	if e.kind == Group {
		m.unindexMember(e, why)
		return
	}
	m.unindexClaim(e, why)
}

// reindex puts an entry in the place of its copy of an earlier epoch.
func (m *Machine) reindex(old, next *Entry) {
	if p, ok := m.procs[next.serial]; ok && int(next.slot) < len(p.entries) && p.entries[next.slot] == old {
		p.entries[next.slot] = next
	}
	m.index(next, old, Updated)
}

// checkKey returns ErrKey unless key may name a name or a group.
func checkKey(key string) error {
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) {
		return ErrKey
	}
	return nil
}

// check returns the reason why a call for a process may not go on, or nil.
func (m *Machine) check(serial uint64, key string, value []byte) error {
	switch {
	case m.left:
		return ErrClosed
	case checkKey(key) != nil:
		return ErrKey
	case len(value) > MaxValue:
		return ErrValue
	case !m.lives(serial):
		return ErrNoProcess
	}
	return nil
}
