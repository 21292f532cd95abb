// Package history holds what happened in a run: operations, faults, the life of
// nodes and processes, what watches delivered and what processes were told. The
// simulator, the property tests and the live runs write the same format, and the
// same checkers read it.
//
// # Usage
//
// A Recorder collects records; Write and Read move them to and from JSON lines,
// one record a line, so that a run that was cut off can still be read.
//
// # Guarantees
//
// Records are in the order in which they happened, by one monotonic clock that is
// the runner's and no node's. Of an operation that was invoked, ok means that it
// happened, fail that it certainly did not, and info that nobody knows.
//
// # Concurrency
//
// A Recorder may be used from many goroutines.
package history
