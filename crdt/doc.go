// Package crdt holds the replicated data types that rollcall stands on: dots,
// causal contexts, a tombstone-free observed-remove set in a general and in an
// owned form, a last-writer-wins register, a positive-negative counter and a
// hybrid logical clock.
//
// # Usage
//
// Every type is a plain value without goroutines, clocks or I/O. A mutator
// changes the local state and returns the delta that carries the change; Merge
// joins a delta or a whole state and returns what changed. A program that
// replicates one of these types sends the deltas, in any order and any number
// of times, and from time to time a state.
//
// # Guarantees
//
// Merge is commutative, associative and idempotent. Replicas that have merged
// the same deltas hold equal states, whatever the order, however often. An add
// wins over a concurrent removal: a removal covers only the dots that the
// remover had seen. Nothing is promised about when a delta arrives.
//
// # Concurrency
//
// No type here may be used from two goroutines at once without a lock.
//
// # Testing
//
// The laws above are property tests beside the code. The package
// property_test checks the same laws for types of your own.
package crdt
