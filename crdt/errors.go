package crdt

import "errors"

var (
	// ErrStamp is returned by Clock.Observe for a stamp above MaxStamp. The clock
	// has not changed.
	ErrStamp = errors.New("crdt: stamp is beyond MaxStamp")
	// ErrDelta is returned by NewDelta when the additions and the context do not
	// make a delta. Nothing has changed; no part of the input may be merged.
	ErrDelta = errors.New("crdt: not a delta")
	// ErrOverflow is returned by PNCounter.Add when the replica's total in that
	// direction would exceed 2^64 - 1. The counter has not changed.
	ErrOverflow = errors.New("crdt: counter overflow")
)
