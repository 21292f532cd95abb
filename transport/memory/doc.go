// Package memory is a transport for several nodes in one program, with faults at
// will: cuts, partitions, crashes and pauses. It is for tests and demonstrations.
//
// # Usage
//
//	network := memory.NewNetwork(memory.Config{})
//	a := network.Transport() // one for each node; the registry starts and closes it
//	b := network.Transport()
//	...
//	network.Cut("a", "b")
//	network.Heal()
//
// Nodes that Start on one network find each other; there are no seeds. Faults name
// nodes, not runs, and may name nodes that have not started yet: a node that
// restarts behind a partition is still behind it.
//
// # Guarantees
//
// Those of package transport, and these beyond them:
//
//   - A link is up on both ends or on none. A cut takes effect before the method
//     that makes it returns: no Send that begins later is delivered over the link.
//   - A cut always shows: however soon it is healed, both ends hear LinkDown, and
//     PeerDown where Config.Detect has passed meanwhile.
//   - Frames are lost by cuts and ends of nodes alone, never by chance. They are
//     copied when delivered, so a handler owns what it is given although the sender
//     may have given the same slice to several peers.
//   - Frames that wait when their sender calls Leave are delivered before its
//     peers hear that it left.
//   - A handler that is held up holds up no other node, and makes no queue grow
//     beyond its limit. While it is held up, what happens to a peer is condensed to
//     the calls that still matter; the grammar holds.
//
// One network has at most one live node of a name, also across a partition.
//
// # Concurrency
//
// Every method may be called from any goroutine, the faults also from a handler.
// Close and Leave wait for calls to handlers, and so must not be called from one.
//
// The transport uses channels, timers and the clock of package time alone, and
// holds no lock while it waits: it runs inside a testing/synctest bubble, where
// Config.Latency and Config.Detect cost no real time.
//
// # Failure
//
// Kill, and Close without Leave, look like the crash of a program: the peers hear
// LinkDown at once and PeerDown with Failed after Config.Detect. Pause looks like a
// program that is stopped: its links stay up and its queues fill. Nobody detects a
// pause; where a test wants it detected, it isolates the node as well.
package memory
