// Command mutants plants faults in crdt, resolve and registry/replica, one at a
// time, and reports which tests notice.
//
// # Usage
//
//	go run ./property_test/mutants [-only NAME,NAME] [-layer unit|laws|sim] [-j N]
//
// Each fault is a small change of the source that a programmer could make and
// that breaks a promise of the registry. It is applied through go test -overlay:
// the working tree is not touched. The layers of tests run against it in turn,
// each with a time limit, and a table of who noticed goes to standard output. The
// program fails if a fault goes unnoticed, if a layer fails without any fault, or
// if the table no longer fits the source: every old text must occur exactly once.
package main
