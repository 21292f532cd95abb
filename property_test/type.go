package propertytest

import (
	"fmt"

	"pgregory.net/rapid"
)

// Type describes a replicated data type of a user's to Laws. S is the state of a
// replica, Op an operation on it, and D the delta that tells other replicas of an
// operation. A type without deltas leaves MergeDelta nil and takes struct{} for D.
//
// New, Gen, Apply, Merge and Equal are required. None of the functions may modify
// what it is given: a type that changes in place clones first.
type Type[S, Op, D any] struct {
	// New returns the state of a replica that has seen nothing. No two replicas of
	// a history get the same name.
	New func(replica string) S
	// Gen draws an operation that makes sense in a state. Histories find more when
	// removals are of what is there.
	Gen func(t *rapid.T, s S) Op
	// Apply does an operation and returns the new state and the delta that tells of
	// it. It must take every operation in every state, because shrinking leaves
	// out what came before: one that makes no sense any more does nothing.
	Apply func(s S, op Op) (S, D)
	// Merge joins b into a. The result goes on as the replica of a.
	Merge func(a, b S) S
	// MergeDelta joins a delta into a state. It may refuse one, with an error, when
	// deltas are missing that come before it: what is refused comes again later.
	MergeDelta func(s S, d D) (S, error)
	// Equal reports whether two states are the same but for the replica that they
	// belong to. It compares all that a merge may ever look at, not only the value:
	// causal contexts too.
	Equal func(a, b S) bool
	// Value returns what users of a state see, to be compared with the model's and
	// to be printed. Its parts print in an order that is always the same.
	Value func(s S) any
	// Model returns the Value of a replica that has seen some operations, in any
	// way that is plainly right; see Event.
	Model func(seen []Event[Op]) any
	// Encode and Decode are the codec. Decode returns an error for what Encode
	// never made, or a state that is good to use, and does not panic.
	Encode func(s S) []byte
	// Decode is the inverse of Encode.
	Decode func(b []byte) (S, error)
}

// Event is an operation that a replica has seen, as a Model looks at it: what an
// operation means depends on which others its replica had seen when it was made.
type Event[Op any] struct {
	// Replica is where the operation was made.
	Replica string
	// Op is the operation.
	Op Op
	// ID tells the operations of a history apart.
	ID int

	past []Event[Op]
	saw  map[int]bool
}

// Past returns the operations that the replica of e had seen when e was made.
func (e Event[Op]) Past() []Event[Op] { return e.past }

// Saw reports whether the replica of e had seen o when e was made.
func (e Event[Op]) Saw(o Event[Op]) bool { return e.saw[o.ID] }

// show returns a state as failures print it.
func (ty *Type[S, Op, D]) show(s S) string {
	if ty.Value == nil {
		return fmt.Sprintf("%+v", s)
	}
	return fmt.Sprintf("%+v", ty.Value(s))
}

// missing returns the name of a required field that is nil; "" when none is.
func (ty *Type[S, Op, D]) missing() string {
	for _, f := range []struct {
		name  string
		isNil bool
	}{
		{"New", ty.New == nil}, {"Gen", ty.Gen == nil}, {"Apply", ty.Apply == nil}, {"Merge", ty.Merge == nil},
		{"Equal", ty.Equal == nil},
	} {
		if f.isNil {
			return f.name
		}
	}
	return ""
}
