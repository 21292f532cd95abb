// Package sim runs a cluster of the registry's machines under one queue of events
// in virtual time, with a network and a membership that do what they are told.
//
// # Usage
//
// Run plays a scenario and returns its history, what broke, and what it cost. A
// run is a function of the scenario alone, its seed among it: the same scenario
// gives the same trace, byte for byte, in any process.
//
// # Guarantees
//
// Every random decision is drawn from a hash of the seed, of what is decided, of
// the nodes it is about and of how often it was decided before. So leaving an
// event out leaves the decisions about others as they were, and a failing run can
// be shrunk. Frames are encoded and decoded as on a real network.
//
// Membership follows a model of SWIM as transport/gossip tunes it: a link that
// nothing is heard on breaks after about 3 s; a node that no path leads to goes
// down 4 to 8 s after the path broke; a killed program is noticed at once, since
// its closed port is proof; a false suspicion is refuted within 2 s wherever a path
// leads; and what was lost is looked for by the code of transport/rejoin, the same
// that runs in transport/gossip.
//
// # Concurrency
//
// A run uses one goroutine. Runs share nothing.
package sim
