// Package propertytest is a harness that holds a user's own replicated data type,
// conflict policy or workload against the laws of this library, and the home of
// the library's own laws.
//
// # Usage
//
// In tests of your own:
//
//	func TestType(t *testing.T)     { propertytest.Laws(t, myType) }
//	func TestPolicy(t *testing.T)   { propertytest.Policy(t, myPolicy) }
//	func TestWorkload(t *testing.T) { propertytest.Workload(t, propertytest.Load{Draw: mySteps}) }
//
// Laws takes the functions of a data type as a Type and replays random histories
// of it. Policy and Workload play random netsplits in the simulator of
// jepsen-lite/sim. CheckLaws, CheckPolicy and CheckWorkload do the same without a
// test; LawsProperty, PolicyProperty and WorkloadProperty are for rapid.Check and,
// through rapid.MakeFuzz, for fuzz targets.
//
// # Failure
//
// A failure prints what is broken in one sentence, the shortest story that was
// found to break it, and what came of it: for a type a history of a few
// operations and merges, otherwise a scenario file that the simulator plays again.
//
// # Concurrency
//
// Calls share nothing; they may run in parallel if what they test may.
//
// # Testing
//
// The same cases are tried in every run. The flags of rapid apply: -rapid.checks=N
// makes N percent of the usual number of cases and -rapid.seed makes others; -short
// makes a fifth. The harness itself is tested with types and policies that are
// wrong on purpose, and the command in mutants plants faults in the library, one at
// a time, and wants each noticed.
//
// The tidy test reads the source and holds the style that can be checked: which
// package may import which, what the pure packages may not touch, sizes, and
// comments.
package propertytest
