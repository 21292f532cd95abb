// Package nemesis knows the shapes of network faults: which links a step of a
// scenario closes and opens. The simulator and the live runs share it.
package nemesis
