// Package registry is a registry of processes that a Go program embeds: unique
// names, process groups and messages between processes, on one node or on many,
// through netsplits.
//
// # Usage
//
// Open makes a node. Without a transport it is a complete registry inside one
// program; with one, the same program is a node of a cluster.
//
//	reg, err := registry.Open(registry.Config{})
//	p, err := reg.Spawn(ctx, run)           // a process: a function with an identity
//	_, err = reg.Register(ctx, "user/42", p)
//	holder, ok := reg.Whereis("user/42")
//
// A process is something with an identity (a PID) and a lifetime (a context).
// However it ends, all that it registered disappears, on all nodes.
//
// # Guarantees
//
// During a partition every side goes on with what it reaches: look-ups,
// registrations, groups and messages work; what is on nodes that cannot be
// reached is hidden, and its names are free. After the partition heals, every
// node shows the same winner of each name that both sides had registered; the
// process that lost is told once, by its own node, and no other is; every live
// member is in its groups again.
//
// In a component whose membership is stable two calls of Register for one name
// never both succeed. While membership changes they may, and then the policy
// settles it as after a partition. A registry never promises that a name has at
// most one holder in the whole world at every moment: no registry that goes on
// working during a partition can.
//
// # Concurrency
//
// Every method may be called from any goroutine. Look-ups take no lock and
// allocate nothing. Handlers of one process run one at a time; no user code runs
// while a lock of this package is held, but for a policy of the user's own, which
// gets a limited time.
//
// # Failure
//
// Every error says whether state changed. Errors work with errors.Is and
// errors.As. A conflict is not an error of a call; it comes to the process as the
// cause of its end, or through NextLoss.
//
// # Testing
//
// Open several registries on one memory.Network to test a program of several
// nodes, with netsplits at will, in one process and, inside testing/synctest, in
// virtual time.
package registry
