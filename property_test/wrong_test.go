package propertytest

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
)

// forgetfulSet is what most people write first: removing deletes, merging unites.
func forgetfulSet() Type[map[string]bool, setOp, struct{}] {
	type set = map[string]bool
	return Type[set, setOp, struct{}]{
		New: func(string) set { return set{} },
		Gen: func(t *rapid.T, _ set) setOp { return genSetOp(t, "add", "add", "remove") },
		Apply: func(s set, op setOp) (set, struct{}) {
			s = maps.Clone(s)
			if op.verb == "add" {
				s[op.element] = true
			} else {
				delete(s, op.element)
			}
			return s, struct{}{}
		},
		Merge: func(a, b set) set {
			a = maps.Clone(a)
			maps.Copy(a, b)
			return a
		},
		Equal: func(a, b set) bool { return maps.Equal(a, b) },
		Value: func(s set) any { return slices.Sorted(maps.Keys(s)) },
		Model: orsetType().Model,
	}
}

// sharingSet changes the state that it is given.
func sharingSet() Type[map[string]bool, setOp, struct{}] {
	ty := forgetfulSet()
	ty.Model = nil
	ty.Apply = func(s map[string]bool, op setOp) (map[string]bool, struct{}) {
		s[op.element] = true
		return s, struct{}{}
	}
	return ty
}

// tiedRegister keeps what it has when the stamps are equal.
func tiedRegister() Type[cell, assignment, crdt.LWWRegister[string]] {
	ty := registerType()
	ty.Model, ty.MergeDelta, ty.Encode = nil, nil, nil
	ty.Merge = func(a, b cell) cell {
		if b.reg.Stamp > a.reg.Stamp {
			a.reg = b.reg
		}
		return a
	}
	return ty
}

// addingCounter merges by adding up.
func addingCounter() Type[int64, int64, int64] {
	return Type[int64, int64, int64]{
		New:        func(string) int64 { return 0 },
		Gen:        func(t *rapid.T, _ int64) int64 { return rapid.Int64Range(1, 3).Draw(t, "n") },
		Apply:      func(s, n int64) (int64, int64) { return s + n, n },
		Merge:      func(a, b int64) int64 { return a + b },
		MergeDelta: func(s, d int64) (int64, error) { return s + d, nil },
		Equal:      func(a, b int64) bool { return a == b },
	}
}

// foldingSet takes a dot as word of all dots before it.
func foldingSet() Type[*crdt.ORSet[string], setOp, crdt.Delta[string]] {
	ty := orsetType()
	merge := ty.MergeDelta
	ty.Encode = nil
	ty.MergeDelta = func(s *crdt.ORSet[string], d crdt.Delta[string]) (*crdt.ORSet[string], error) {
		s, err := merge(s, d)
		for r := range d.Context().All() {
			s.Context().AddRange(r, 1, s.Context().Next(r).Seq-1)
		}
		return s, err
	}
	return ty
}

// wideSet sends its whole context with each delta.
func wideSet() Type[*crdt.ORSet[string], setOp, crdt.Delta[string]] {
	ty := orsetType()
	apply := ty.Apply
	ty.Encode = nil
	ty.Apply = func(s *crdt.ORSet[string], op setOp) (*crdt.ORSet[string], crdt.Delta[string]) {
		s, d := apply(s, op)
		var live []crdt.Addition[string]
		for dot, e := range d.All() {
			live = append(live, crdt.Addition[string]{Dot: dot, Element: e})
		}
		wide, err := crdt.NewDelta(live, s.Context().Clone())
		if err != nil {
			panic(err)
		}
		return s, wide
	}
	return ty
}

// lossyCodec encodes the elements and not the context, and trusts a length.
func lossyCodec() Type[*crdt.ORSet[string], setOp, crdt.Delta[string]] {
	ty := orsetType()
	ty.Encode = func(s *crdt.ORSet[string]) []byte {
		b := []byte{byte(s.Len())}
		for e := range s.All() {
			b = append(b, e[0])
		}
		return b
	}
	ty.Decode = func(b []byte) (*crdt.ORSet[string], error) {
		s := crdt.NewORSet[string](replicaOf("decoded"))
		for i := range int(b[0]) {
			s.Add(string(b[1+i]))
		}
		return s, nil
	}
	return ty
}
