// Package nemesis makes trouble: it knows the shapes of network faults, draws
// schedules of operations and faults from a seed, and lists all short ones. The
// simulator and the live runs share it.
//
// # Usage
//
// Links says which links a step of a scenario closes and opens. Generate makes a
// scenario from a seed: it first draws what kinds of trouble there are at all, then
// a schedule with them. Enumerate walks every short schedule on a few nodes.
//
// # Guarantees
//
// The same seed and options give the same scenario, in any process and with any
// release of Go. Every decision is drawn from a hash of the seed, of what is
// decided and of how often it was decided before.
package nemesis
