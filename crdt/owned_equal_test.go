package crdt

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// possession is an element that says whose it is, as the owned form allows only
// histories in which each replica adds and removes its own.
type possession struct {
	owner Replica
	name  string
}

// parcel is one message in both forms: a delta, or what its sender knew.
type parcel struct {
	from, to int
	general  Delta[possession]
	owned    OwnedDelta[possession]
	states   []OwnedState[possession]
}

// couple is one replica that keeps the same history in both forms.
type couple struct {
	general *ORSet[possession]
	owned   *Owned[possession]
	seqs    map[string]uint64 // where the replica's own live elements are
}

// pairing is a cluster of couples and the network between them. With repair set,
// a gap is closed at once by the state of the sender, as the registry does;
// otherwise the owned form goes without what lies beyond it.
type pairing struct {
	draw    func(n int) int
	repair  bool
	couples []couple
	net     []parcel
}

func newPairing(draw func(n int) int, repair bool) *pairing {
	p := &pairing{draw: draw, repair: repair}
	for i := range 2 + draw(3) {
		r := Replica{Node: string(rune('a' + i)), Epoch: 1}
		p.couples = append(p.couples, couple{
			general: NewORSet[possession](r),
			owned:   NewOwned[possession](r, Key{1}),
			seqs:    map[string]uint64{},
		})
	}
	return p
}

// step makes one step of the history and returns the replica it concerned.
func (p *pairing) step() int {
	i := p.draw(len(p.couples))
	switch k := p.draw(20); {
	case k < 6:
		p.add(i, p.name())
	case k < 9:
		p.remove(i, p.name())
	case k < 10:
		p.remove(i, p.name(), p.name(), p.name())
	case k < 11:
		p.sendState(i, p.draw(len(p.couples)))
	case k < 12:
		p.batch()
	default:
		return p.deliver(i)
	}
	return i
}

func (p *pairing) name() string { return string(rune('p' + p.draw(5))) }

// add adds an element, or puts it at a new dot if it is there.
func (p *pairing) add(i int, name string) {
	c := p.couples[i]
	element := possession{c.general.Replica(), name}
	general := c.general.Add(element)
	seq, there := c.seqs[name]
	var dot Dot
	var owned OwnedDelta[possession]
	if there {
		dot, owned = c.owned.Update(seq, element)
	} else {
		dot, owned = c.owned.Add(element)
	}
	c.seqs[name] = dot.Seq
	p.broadcast(i, general, owned)
}

// remove removes elements in one delta. Those that are not there, or are named
// twice, are left out by both forms.
func (p *pairing) remove(i int, names ...string) {
	c := p.couples[i]
	var general Delta[possession]
	var seqs []uint64
	for _, name := range names {
		general = general.Join(c.general.Remove(possession{c.general.Replica(), name}))
		if seq, there := c.seqs[name]; there {
			seqs = append(seqs, seq)
		}
	}
	owned := c.owned.Remove(seqs...)
	for _, name := range names {
		delete(c.seqs, name)
	}
	p.broadcast(i, general, owned)
}

// broadcast sends a delta to the others: a third is lost, a fifth comes twice.
func (p *pairing) broadcast(from int, general Delta[possession], owned OwnedDelta[possession]) {
	for to := range p.couples {
		if to == from || p.draw(3) == 0 {
			continue
		}
		m := parcel{from: from, to: to, general: general, owned: owned}
		p.net = append(p.net, m)
		if p.draw(5) == 0 {
			p.net = append(p.net, m)
		}
	}
}

// sendState puts what a replica knows on its way, to arrive when it is old.
func (p *pairing) sendState(from, to int) {
	c := p.couples[from]
	m := parcel{from: from, to: to, general: c.general.State()}
	for _, r := range c.owned.Replicas() {
		m.states = append(m.states, c.owned.State(r))
	}
	p.net = append(p.net, m)
}

// batch makes one delta of two of the same owner to the same receiver.
func (p *pairing) batch() {
	if len(p.net) < 2 {
		return
	}
	k := p.draw(len(p.net) - 1)
	a, b := p.net[k], p.net[k+1]
	if a.from != b.from || a.to != b.to || a.states != nil || b.states != nil {
		return
	}
	a.general = a.general.Join(b.general)
	a.owned.Records = slices.Concat(a.owned.Records, b.owned.Records)
	p.net[k] = a
	p.net = slices.Delete(p.net, k+1, k+2)
}

// deliver lets a message arrive that is anywhere in the network. It returns the
// replica that got it, or none if there is no message.
func (p *pairing) deliver(none int) int {
	if len(p.net) == 0 {
		return none
	}
	k := p.draw(len(p.net))
	m := p.net[k]
	p.net = slices.Delete(p.net, k, k+1)
	p.receive(m)
	return m.to
}

func (p *pairing) receive(m parcel) {
	c := p.couples[m.to]
	c.general.Merge(m.general)
	for _, s := range m.states {
		c.owned.MergeState(s)
	}
	if _, ok := c.owned.Merge(m.owned); !ok && p.repair {
		p.exchange(m.to, m.from)
	}
}

// exchange merges what one replica knows into another, at once.
func (p *pairing) exchange(to, from int) {
	p.sendState(from, to)
	last := len(p.net) - 1
	m := p.net[last]
	p.net = p.net[:last]
	p.receive(m)
}

// settle merges all states into all.
func (p *pairing) settle() {
	for range 2 {
		for to := range p.couples {
			for from := range p.couples {
				p.exchange(to, from)
			}
		}
	}
}

// requireEqualForms checks that both forms of a replica hold the same elements.
func requireEqualForms(t require.TestingT, c couple) {
	general := map[possession]int{}
	for dot, element := range c.general.State().All() {
		require.Equal(t, element.owner, dot.Replica)
		general[element]++
	}
	owned := map[possession]int{}
	for dot, element := range c.owned.All() {
		require.Equal(t, element.owner, dot.Replica)
		owned[element]++
	}
	require.Equal(t, general, owned)
	require.Equal(t, c.general.Len(), c.owned.Len())
}

// On every history that the owned form allows, the two forms hold the same
// elements after every step on every replica, if gaps are repaired as they are
// found.
func TestOwnedEqualsORSetAtEveryStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPairing(rapidDraw(t), true)
		for range rapid.IntRange(40, 150).Draw(t, "steps") {
			requireEqualForms(t, p.couples[p.step()])
		}
	})
}

// If gaps are left, the owned form goes without what came after them until it
// merges a state. From there on both forms hold the same on all replicas, and
// what is still on its way changes nothing.
func TestOwnedEqualsORSetOnceStatesWereMerged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPairing(rapidDraw(t), rapid.Bool().Draw(t, "repair"))
		for range rapid.IntRange(40, 200).Draw(t, "steps") {
			p.step()
		}
		p.settle()
		for len(p.net) > 0 {
			p.deliver(0)
		}
		first := p.couples[0]
		for _, c := range p.couples {
			requireEqualForms(t, c)
			require.True(t, c.general.Equal(first.general))
			require.Equal(t, first.owned.Replicas(), c.owned.Replicas())
			for _, r := range c.owned.Replicas() {
				require.Equal(t, first.owned.Version(r), c.owned.Version(r))
				require.Equal(t, first.owned.logs[r].Digest(), c.owned.logs[r].Digest())
			}
			for name, seq := range c.seqs {
				element, ok := c.owned.logs[c.general.Replica()].Get(seq)
				require.True(t, ok)
				require.Equal(t, possession{c.general.Replica(), name}, element)
			}
		}
	})
}
