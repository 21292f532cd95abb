// Package report makes a picture of a run: one HTML file that needs nothing but
// itself, and a text twin for terminals and CI logs.
//
// # Usage
//
// Fill a Run with what the simulator or a live run recorded and what the checkers
// found, and hand it to HTML and to Text. Only History is required. Without States
// the digests that the history itself contains are drawn; without Faults, the
// history's own.
//
// The picture that the rest hangs on is the state stripes: one lane for each node,
// coloured by the digest of the node's state, so that equal colours are equal
// states and convergence is the moment from which all lanes look the same. All
// other lanes share its time axis.
//
// # Guarantees
//
// The HTML file stays below MaxHTML, whatever the size of the run: what is drawn is
// capped, and each section says what it left out and how much. What is drawn
// around the first violation is cut last. The file loads nothing from anywhere, and
// its own content security policy forbids it to. Names, values and explanations may
// contain anything; they are never read as markup or script. Equal runs make equal
// files, byte for byte.
//
// # Concurrency
//
// Both functions only read the run; they keep nothing.
//
// # Failure
//
// ErrNoHistory when there is nothing to draw, ErrTooLarge when the file cannot be
// made small enough, and whatever the writer returns. Nothing is written before the
// whole report is made.
package report
