package replica

import (
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
)

// group is a process group.
//
// Invariant: shown is the number of members that are shown: those whose node is
// reachable, but for those that a walk has yet to come to.
type group struct {
	members map[membership]*Entry
	shown   int
}

// membership identifies a process in a group: a process is in it once.
type membership struct {
	origin *origin
	serial uint64
}

func (e *Entry) membership() membership { return membership{e.origin, e.serial} }

func (m *Machine) indexMember(e, old *Entry, why Reason) {
	g, ok := m.groups[e.key]
	if !ok {
		g = &group{members: map[membership]*Entry{}}
		m.groups[e.key] = g
	}
	if earlier, ok := g.members[e.membership()]; ok {
		if earlier.seq > e.seq {
			m.obsolete(e)
			return
		}
		m.obsolete(earlier)
		old, why = earlier, whyAgain(earlier, e, why)
	}
	if old != nil {
		delete(g.members, old.membership())
	}
	g.members[e.membership()] = e
	e.shown = e.origin.up
	change := Change{Kind: Group, Key: e.key, Reason: why}
	if old != nil && old.shown {
		old.shown, change.Old = false, old
		g.shown--
	}
	if e.shown {
		change.New = e
		g.shown++
	}
	m.change(change)
}

func (m *Machine) unindexMember(e *Entry, why Reason) {
	g, ok := m.groups[e.key]
	if !ok || g.members[e.membership()] != e {
		return
	}
	delete(g.members, e.membership())
	if e.shown {
		e.shown = false
		g.shown--
		m.change(Change{Kind: Group, Key: e.key, Reason: why, Old: e})
	}
	if len(g.members) == 0 {
		delete(m.groups, e.key)
	}
}

// reshow reports a member whose node has just become reachable or unreachable.
func (m *Machine) reshow(e *Entry, why Reason) {
	g, ok := m.groups[e.key]
	if !ok || g.members[e.membership()] != e || e.shown == e.origin.up {
		return
	}
	e.shown = e.origin.up
	if e.shown {
		g.shown++
		m.change(Change{Kind: Group, Key: e.key, Reason: why, New: e})
		return
	}
	g.shown--
	m.change(Change{Kind: Group, Key: e.key, Reason: why, Old: e})
}

// Join puts a process of this node in a group. One that is in it gets the value.
func (m *Machine) Join(now crdt.Reading, serial uint64, name string, value []byte) (*Entry, error) {
	m.begin(now)
	defer m.end()
	if err := m.check(serial, name, value); err != nil {
		return nil, err
	}
	if old := m.ownMember(serial, name); old != nil {
		if string(old.value) == string(value) {
			return old, nil
		}
		return m.replace(old, value), nil
	}
	e := &Entry{kind: Group, key: name, value: value, serial: serial, birth: m.stamp()}
	m.add(e, nil, Registered)
	return e, nil
}

// LeaveGroup takes a process of this node out of a group.
func (m *Machine) LeaveGroup(now crdt.Reading, serial uint64, name string) error {
	m.begin(now)
	defer m.end()
	if err := m.check(serial, name, nil); err != nil {
		return err
	}
	e := m.ownMember(serial, name)
	if e == nil {
		return ErrNotHolder
	}
	m.remove([]*Entry{e}, Unregistered)
	return nil
}

func (m *Machine) ownMember(serial uint64, name string) *Entry {
	if g, ok := m.groups[name]; ok {
		return g.members[membership{m.self, serial}]
	}
	return nil
}

// Members appends the members of a group that are shown to dst, in the order of
// their PIDs.
func (m *Machine) Members(dst []*Entry, name string) []*Entry {
	g, ok := m.groups[name]
	if !ok {
		return dst
	}
	from := len(dst)
	for _, e := range g.members { // sorted below, so in any order
		if e.shown {
			dst = append(dst, e)
		}
	}
	slices.SortFunc(dst[from:], func(a, b *Entry) int { return a.PID().Compare(b.PID()) })
	return dst
}

// Groups returns the groups that show a member, and how many each shows, in
// order of their names.
func (m *Machine) Groups() []GroupSize {
	sizes := make([]GroupSize, 0, len(m.groups))
	for name, g := range m.groups { // sorted below, so in any order
		if g.shown > 0 {
			sizes = append(sizes, GroupSize{name, g.shown})
		}
	}
	slices.SortFunc(sizes, func(a, b GroupSize) int { return strings.Compare(a.Name, b.Name) })
	return sizes
}

// GroupSize is a group and the number of members it shows.
type GroupSize struct {
	Name    string
	Members int
}
