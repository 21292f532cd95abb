package propertytest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/crdt/wire"
)

// Operations of the sets: add, remove or, in the owned form, update an element.
type setOp struct {
	verb    string
	element string
	value   string // of update
}

func (o setOp) String() string { return strings.TrimSpace(o.verb + " " + o.element + " " + o.value) }

func genSetOp(t *rapid.T, verbs ...string) setOp {
	names := []string{"p", "q", "r"}
	op := setOp{verb: rapid.SampledFrom(verbs).Draw(t, "verb"), element: rapid.SampledFrom(names).Draw(t, "element")}
	if op.verb == "update" {
		op.value = rapid.SampledFrom(names).Draw(t, "value")
	}
	return op
}

func replicaOf(name string) crdt.Replica { return crdt.Replica{Node: name, Epoch: 1} }

// naive is the deliberately naive OR-set: all additions that were seen, and a
// tombstone for each that an operation removed or replaced, which it does to those
// that were in the set where it was made.
type naive struct{ tombs map[int]map[int]bool } // by operation: the additions it buried

// live returns the additions that a replica which has seen some operations shows.
func (n naive) live(seen []Event[setOp]) map[int]string {
	live := map[int]string{}
	for _, e := range seen {
		if e.Op.verb == "add" {
			live[e.ID] = e.Op.element
		}
	}
	for _, e := range seen {
		for id := range n.buried(e) { // a set, so in any order
			delete(live, id)
		}
	}
	return live
}

// buried returns the tombstones that an operation makes.
func (n naive) buried(e Event[setOp]) map[int]bool {
	if tombs, ok := n.tombs[e.ID]; ok {
		return tombs
	}
	tombs := map[int]bool{}
	for id, element := range n.live(e.Past()) { // a set, so in any order
		if element == e.Op.element {
			tombs[id] = true
		}
	}
	n.tombs[e.ID] = tombs
	return tombs
}

func orsetType() Type[*crdt.ORSet[string], setOp, crdt.Delta[string]] {
	type set = *crdt.ORSet[string]
	return Type[set, setOp, crdt.Delta[string]]{
		New: func(r string) set { return crdt.NewORSet[string](replicaOf(r)) },
		Gen: func(t *rapid.T, s set) setOp {
			op := genSetOp(t, "add", "add", "remove")
			if there := slices.Collect(s.All()); op.verb == "remove" && len(there) > 0 {
				op.element = rapid.SampledFrom(there).Draw(t, "there")
			}
			return op
		},
		Apply: func(s set, op setOp) (set, crdt.Delta[string]) {
			s = s.Clone()
			if op.verb == "add" {
				return s, s.Add(op.element)
			}
			return s, s.Remove(op.element)
		},
		Merge: func(a, b set) set {
			a = a.Clone()
			a.Merge(b.State())
			return a
		},
		MergeDelta: func(s set, d crdt.Delta[string]) (set, error) {
			s = s.Clone()
			s.Merge(d)
			return s, nil
		},
		Equal: func(a, b set) bool { return a.Equal(b) },
		Value: func(s set) any { return slices.Sorted(s.All()) },
		Model: func(seen []Event[setOp]) any {
			var elements []string
			for _, e := range (naive{map[int]map[int]bool{}}).live(seen) { // sorted below, so in any order
				elements = append(elements, e)
			}
			slices.Sort(elements)
			return slices.Compact(elements)
		},
		Encode: func(s set) []byte {
			b, err := wire.Marshal(func(e *msgpack.Encoder) error { return wire.EncodeDelta(e, s.State(), wire.EncodeString) })
			if err != nil {
				panic(err)
			}
			return b
		},
		Decode: func(b []byte) (set, error) {
			s := crdt.NewORSet[string](replicaOf("decoded"))
			err := wire.Unmarshal(b, func(d *msgpack.Decoder) error {
				delta, err := wire.DecodeDelta(d, wire.DecodeString)
				if err == nil {
					s.Merge(delta)
				}
				return err
			})
			return s, err
		},
	}
}

// ownedSet is the owned form with its owner, which the copy needs.
type ownedSet struct {
	self crdt.Replica
	set  *crdt.Owned[string]
}

func (o ownedSet) clone() ownedSet {
	c := ownedSet{o.self, crdt.NewOwned[string](o.self, crdt.Key{1})}
	for _, r := range o.set.Replicas() {
		c.set.MergeState(o.set.State(r))
	}
	return c
}

// mine returns the numbers of the owner's elements with a name.
func (o ownedSet) mine(element string) []uint64 {
	var seqs []uint64
	for _, it := range o.set.State(o.self).Items {
		if it.Elem == element {
			seqs = append(seqs, it.Seq)
		}
	}
	return seqs
}

func (o ownedSet) apply(op setOp) (ownedSet, crdt.OwnedDelta[string]) {
	o = o.clone()
	seqs := o.mine(op.element)
	switch {
	case op.verb == "add":
		_, d := o.set.Add(op.element)
		return o, d
	case op.verb == "update" && len(seqs) > 0:
		_, d := o.set.Update(seqs[0], op.value)
		return o, d
	}
	return o, o.set.Remove(seqs...)
}

func (o ownedSet) equal(p ownedSet) bool {
	for _, x := range []ownedSet{o, p} {
		for _, r := range x.set.Replicas() {
			a, b := o.set.State(r), p.set.State(r)
			if a.Version != b.Version || !slices.Equal(a.Items, b.Items) {
				return false
			}
		}
	}
	return true
}

func ownedType() Type[ownedSet, setOp, crdt.OwnedDelta[string]] {
	return Type[ownedSet, setOp, crdt.OwnedDelta[string]]{
		New: func(r string) ownedSet {
			return ownedSet{replicaOf(r), crdt.NewOwned[string](replicaOf(r), crdt.Key{1})}
		},
		Gen:   func(t *rapid.T, s ownedSet) setOp { return genSetOp(t, "add", "add", "remove", "update") },
		Apply: func(s ownedSet, op setOp) (ownedSet, crdt.OwnedDelta[string]) { return s.apply(op) },
		Merge: func(a, b ownedSet) ownedSet {
			a = a.clone()
			for _, r := range b.set.Replicas() {
				a.set.MergeState(b.set.State(r))
			}
			return a
		},
		MergeDelta: func(s ownedSet, d crdt.OwnedDelta[string]) (ownedSet, error) {
			s = s.clone()
			if _, ok := s.set.Merge(d); !ok {
				return s, fmt.Errorf("a gap before number %d of %s", d.Records[0].Seq, d.Replica)
			}
			return s, nil
		},
		Equal: ownedSet.equal,
		Value: func(s ownedSet) any {
			var all []string
			for dot, e := range s.set.All() {
				all = append(all, dot.Replica.Node+" "+e)
			}
			slices.Sort(all)
			return all
		},
		Model: naiveOwned,
	}
}

// naiveOwned replays what each owner did, in order: deltas beyond a gap are
// refused, so what is seen of an owner has no holes.
func naiveOwned(seen []Event[setOp]) any {
	entries := map[string][]string{}
	for _, e := range seen {
		mine := entries[e.Replica]
		at := slices.Index(mine, e.Op.element)
		switch {
		case e.Op.verb == "add":
			mine = append(mine, e.Op.element)
		case e.Op.verb == "update" && at >= 0:
			mine = append(slices.Delete(mine, at, at+1), e.Op.value)
		default:
			mine = slices.DeleteFunc(mine, func(x string) bool { return x == e.Op.element })
		}
		entries[e.Replica] = mine
	}
	var all []string
	for owner, mine := range entries { // sorted below, so in any order
		for _, e := range mine {
			all = append(all, owner+" "+e)
		}
	}
	slices.Sort(all)
	return all
}

// cell is an LWW register with what its replica needs to assign.
type cell struct {
	self crdt.Replica
	seq  uint64
	reg  crdt.LWWRegister[string]
}

type assignment struct {
	value string
	stamp crdt.Stamp
}

func registerType() Type[cell, assignment, crdt.LWWRegister[string]] {
	type register = crdt.LWWRegister[string]
	return Type[cell, assignment, register]{
		New: func(r string) cell { return cell{self: replicaOf(r)} },
		Gen: func(t *rapid.T, _ cell) assignment {
			return assignment{
				rapid.SampledFrom([]string{"v", "w", "x"}).Draw(t, "value"),
				crdt.Stamp(rapid.IntRange(1, 3).Draw(t, "stamp")), // few, so that there are ties
			}
		},
		Apply: func(c cell, op assignment) (cell, register) {
			c.seq++
			set := register{Value: op.value, Stamp: op.stamp, Dot: crdt.Dot{Replica: c.self, Seq: c.seq}}
			c.reg.Set(set.Value, set.Stamp, set.Dot)
			return c, set
		},
		Merge: func(a, b cell) cell {
			a.reg.Merge(b.reg)
			return a
		},
		MergeDelta: func(c cell, d register) (cell, error) {
			c.reg.Merge(d)
			return c, nil
		},
		Equal: func(a, b cell) bool { return a.reg == b.reg },
		Value: func(c cell) any { return c.reg.Value },
		Model: func(seen []Event[assignment]) any {
			var last *Event[assignment]
			for i, e := range seen {
				later := last == nil || e.Op.stamp > last.Op.stamp ||
					e.Op.stamp == last.Op.stamp && (e.Replica > last.Replica || e.Replica == last.Replica)
				if later {
					last = &seen[i]
				}
			}
			if last == nil {
				return ""
			}
			return last.Op.value
		},
		Encode: func(c cell) []byte {
			b, err := wire.Marshal(func(e *msgpack.Encoder) error { return wire.EncodeRegister(e, c.reg, wire.EncodeString) })
			if err != nil {
				panic(err)
			}
			return b
		},
		Decode: func(b []byte) (c cell, err error) {
			err = wire.Unmarshal(b, func(d *msgpack.Decoder) error {
				c.reg, err = wire.DecodeRegister(d, wire.DecodeString)
				return err
			})
			return c, err
		},
	}
}

func counterType() Type[*crdt.PNCounter, int64, crdt.Tally] {
	type counter = *crdt.PNCounter
	return Type[counter, int64, crdt.Tally]{
		New: func(r string) counter { return crdt.NewPNCounter(replicaOf(r)) },
		Gen: func(t *rapid.T, _ counter) int64 { return rapid.Int64Range(-3, 3).Draw(t, "n") },
		Apply: func(c counter, n int64) (counter, crdt.Tally) {
			c = c.Clone()
			tally, err := c.Add(n)
			if err != nil {
				panic(err)
			}
			return c, tally
		},
		Merge: func(a, b counter) counter {
			a = a.Clone()
			a.Merge(b.State()...)
			return a
		},
		MergeDelta: func(c counter, d crdt.Tally) (counter, error) {
			c = c.Clone()
			c.Merge(d)
			return c, nil
		},
		Equal: func(a, b counter) bool { return a.Equal(b) },
		Value: func(c counter) any { return c.Value() },
		Encode: func(c counter) []byte {
			b, err := wire.Marshal(func(e *msgpack.Encoder) error { return wire.EncodeTallies(e, c.State()...) })
			if err != nil {
				panic(err)
			}
			return b
		},
		Decode: func(b []byte) (counter, error) {
			c := crdt.NewPNCounter(replicaOf("decoded"))
			err := wire.Unmarshal(b, func(d *msgpack.Decoder) error {
				tallies, err := wire.DecodeTallies(d)
				if err == nil {
					c.Merge(tallies...)
				}
				return err
			})
			return c, err
		},
	}
}
