// Package transport defines what a registry asks of the network: who is there,
// frames in order to each of them, and streams for what is bulky.
//
// # Usage
//
// A transport is made by its own package and given to the registry, which starts
// and stops it:
//
//   - transport/gossip: real networks, on hashicorp/memberlist;
//   - transport/memory: several nodes in one program, with cuts at will.
//
// # Guarantees
//
// Frames of one lane from one peer arrive in the order in which they were sent,
// each at most once, whole; a frame may be lost, and then LinkDown or a counter
// says so. Nothing is promised across lanes. During a partition the peers of the
// other side go down within the transport's detection time; after it heals they
// come up again without anybody's help.
//
// # Concurrency
//
// Every method may be called from any goroutine. Send never blocks.
//
// # Testing
//
// The package transporttest holds one suite that every transport passes.
package transport
