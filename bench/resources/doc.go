// Package resources says what the running program uses, for the verbs of the
// programs that are written in Go.
package resources
