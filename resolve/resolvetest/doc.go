// Package resolvetest checks that a conflict policy keeps the laws that the
// registry relies on.
//
// # Usage
//
// In a test of your own:
//
//	func TestPolicy(t *testing.T) {
//		resolvetest.Run(t, myPolicy)
//	}
//
// There is one subtest per law. A law that is broken fails with what the law is,
// what happens in a netsplit when it is broken, and the smallest set of claims
// that was found to break it. Check does the same without a test, for a program
// that takes policies from elsewhere and wants to refuse a bad one at start.
//
// The claims are made up from small ranges, from extremes and at random from a
// fixed seed. If your policy knows certain labels, nodes, names or priorities,
// give claims that have them as the Samples of a Suite, or the check will not
// get to the places where your policy decides. If your policy is made anew on
// every node, give the Suite the function that makes it.
//
// # Guarantees
//
// A policy for which Check returns a violation has broken the law on the claims
// that are shown. A policy for which it returns none has kept the laws on some
// thousands of sets of claims, which is no proof. In one process two things stay
// unseen: an order that differs from process to process, as with a seed of
// hash/maphash in a package-level variable, and one that depends on the machine.
// A seed that is made with the policy is seen if Suite.New makes it.
//
// # Concurrency
//
// Checks share nothing; they may run in parallel if the policy may.
//
// # Failure
//
// A policy that never returns is reported, and its goroutine is left behind. A
// fault that Go cannot recover from, such as a stack overflow or two goroutines
// in one map, ends the test program with its own message.
package resolvetest
