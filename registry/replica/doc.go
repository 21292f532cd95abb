// Package replica is the machine at the heart of a rollcall node: the replicated
// state of names and groups, their spreading, the repair of what was lost, the
// arbitration of claims and the settling of conflicts.
//
// # Usage
//
// The machine is driven from outside. Calls, frames from peers, news of peers
// and ticks go in, each with a reading of the clock; frames to send, changes of
// the view and notices come out of Take, as values. The package registry drives
// one machine with a real transport; the simulator drives a cluster of them with
// virtual time.
//
// # Guarantees
//
// During a partition each side goes on: the entries of nodes that are down are
// hidden, their names are free. After it heals, every node that has the same
// claims shows the same winner; only the node of a losing claim withdraws it and
// tells its process, once. An entry whose node lives is never lost: hiding and
// forgetting are local and are never spread. In a component whose membership is
// stable, two arbitrated registrations of one name never both succeed. Nothing
// is promised about names that are registered on both sides of a partition but
// that one of them stays.
//
// # Concurrency
//
// A Machine belongs to one caller at a time. It starts no goroutine, reads no
// clock, touches no global randomness, and lets no map order reach its output:
// the same inputs give the same bytes.
//
// # Failure
//
// A frame that is malformed, too large, from the future or from another cluster
// changes nothing and is counted. A gap in the stream of an origin is never
// applied; it is fetched.
package replica
