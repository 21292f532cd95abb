// Package plan says what is measured and carries it out: cases with sides, whose
// rounds are interleaved, and the rows that come of them.
//
// # Usage
//
//	report := plan.Run(ctx, bench, cases)
//
// # Method
//
// Each case measures rollcall and its peers. All sides are prepared first; then
// each round measures rollcall, then each peer, so that whatever slows the machine
// down for a while slows all of them. A figure is the median over the rounds. A
// ratio says how many times better rollcall is; its range is that of the rounds,
// each with the figures that were taken next to each other.
//
// A case that mostly waits, for a failure to be noticed for instance, has all its
// rounds at the same time, beside those of the other cases that wait.
package plan
