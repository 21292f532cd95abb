// Package scenario is the language of netsplit stories: a text file that says
// which nodes there are, what happens to them and their network, what their
// clients do, and what must hold. A bug report carries one, the simulator and the
// live runs play it, and shrinking ends in one.
//
// # Usage
//
// Parse reads a file and names the line and what was expected there when it
// cannot. String writes a scenario that Parse reads back the same.
//
// docs/testing.md describes the language.
package scenario
