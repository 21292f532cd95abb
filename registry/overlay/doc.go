// Package overlay chooses along which links of a large cluster changes travel. It
// is one node's part of a broadcast tree: Plumtree (Leitão, Pereira, Rodrigues,
// "Epidemic broadcast trees", SRDS 2007) over a partial view as HyParView keeps
// it (the same, "HyParView: a membership protocol for reliable gossip-based
// broadcast", DSN 2007).
//
// Each node has a few neighbors, and neighborship is mutual. For every source the
// link to a neighbor is eager or lazy: what is new is sent on over eager links at
// once, and only spoken of on lazy ones. All links begin as eager. A node that
// gets the same thing twice makes the second link lazy (prune), one that hears of
// a thing and does not get it makes that link eager (graft); so the eager links of
// a source become a tree that spans the cluster, and mend when nodes die. Who may
// be a neighbor is not learnt by shuffling, as in HyParView: the membership layer
// knows all nodes.
//
// The package is pure: calls go in, messages come out, and the caller sends
// them, those of pruning and grafting too. It has no clock, no goroutines and no randomness of its own.
package overlay
