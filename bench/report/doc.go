// Package report tells what came of a run: a table for people, one JSON object for
// programs, plots, and the generated parts of docs/benchmarks.md.
package report
