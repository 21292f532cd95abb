// Package node is what each program of the demo does with its registry: it opens
// one, and carries out the commands of the conductor.
//
// It is also an example of how a program embeds rollcall. The file names say
// where to look: processes.go for what has a lifetime and registers names,
// views.go for look-ups, clients.go for calls, bench.go for measuring.
//
// # Failure
//
// The node ends when its standard input does, and at the latest a moment later:
// a node never outlives its conductor.
package node
