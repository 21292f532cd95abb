// Package story is what the demo tells: three nodes, six MCP servers, and what
// becomes of their names when servers die, nodes die and the network is cut.
//
// Each act is in a file of its own, named after what happens in it. The steps of
// an act are methods of tale, which remembers what later acts build on.
package story
