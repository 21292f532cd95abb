// Package resolve decides which of several claims to one name stands.
//
// # Usage
//
// A Policy is a strict total order over claims. Judge applies it to a set of
// claims and returns a Verdict: the winner, or that the name is in conflict, or
// that the policy failed. The built-in policies are LastWriter (the default of
// the registry), FirstWriter, RandomExit, RandomNotify, NotifyAll, Priority,
// Majority and Prefer; Func makes one of functions, WithLoss changes what happens
// to the losers, and Parse reads a policy from its name. A Guard judges by a
// policy that may never answer.
//
// # Guarantees
//
// Every node that has the same claims names the same winner, in whatever order
// they came, because a verdict is a function of the set of claims alone. A claim
// that loses among some of the claims loses among all of them, so a loser may be
// told before every claim is known. When a policy panics, answers too late or
// contradicts itself, nobody wins, and the verdict says why.
//
// # Concurrency
//
// Policies are immutable values; they may be used from many goroutines.
//
// # Testing
//
// The package resolvetest checks a policy of your own against its laws.
package resolve
