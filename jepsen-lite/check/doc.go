// Package check judges a history: it holds what a run recorded against what the
// registry promises. The simulator, the property tests and the live runs use the
// same checkers.
//
// # Usage
//
// Run judges a history by all checks, or by those that are named, and returns a
// Report: a Result for each check, counts of operations, and distributions of
// what took how long. All lists the checks, each with one sentence that says what
// it holds.
//
// # Words
//
// A believer is a process that was told that it holds a name, from the ok of its
// register until it invokes unregister, is told that it lost, or ends. A window is
// a stretch of time in which a component stays as it is: the same runs of nodes,
// all connected both ways, directly or through each other, no link to any other
// node that is up, none degraded, none of which nobody knows whether it is open.
// A window is due when its component must agree: Header.Bound after it began, and
// Header.Detect plus Header.Bound after a node or a link was lost that is not back.
//
// # Guarantees
//
// A check is false only if no run of a correct registry can have left this history:
// an operation that may or may not have happened, a fault that nobody verified, a
// read that overlaps a write never count against it. It is unknown when the
// history has nothing for it to judge, and its Note says what is missing. The
// same history gives the same report, byte for byte.
//
// The checks take from the runner that records are in the order in which things
// happened; that facts (a node or a process ends, a node is paused) are recorded
// no later than what follows from them; and that Watch numbers are unique in the
// history.
//
// # Concurrency
//
// Run keeps no state between calls and does not modify the history, so many may
// run at once.
package check
