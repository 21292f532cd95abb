// Package wire is the small protocol between the conductor of the demo and its
// nodes: one JSON object on each line, requests on the node's standard input and
// replies on its standard output.
//
// # Usage
//
// The conductor makes a Client of the two pipes and calls Ask; the node calls
// Serve with its commands. The arguments and results of each command are the
// types in commands.go.
//
// # Guarantees
//
// Each request that was read is replied to once, in any order: a command that
// waits does not hold up those behind it.
//
// # Failure
//
// The end of the node's standard input is the order to end, so that a conductor
// which dies in any way leaves no node behind. The end of the node's standard
// output fails every open Ask with ErrGone.
package wire
