// Command bench measures rollcall beside its peers, in one run on one machine:
// Erlang's global and pg, hashicorp/serf, hashicorp/memberlist alone, and
// grafana/dskit's memberlist KV.
//
// # Usage
//
//	make bench                      # a table, and plots in bench/out
//	make bench JSON=1               # one JSON object: {"rows": [...], "curves": [...]}
//	make bench DOCS=1               # also writes docs/benchmarks.md and its plots
//	go run . -only 'lookup|bulk' -rounds 7
//	go run . -quick                 # one small round of everything, in a minute
//
// docs/benchmarks.md says how each figure is taken. Progress goes to the standard
// error. The program exits with 0 when all was measured, whatever came of it, with
// 1 when something that could be measured was not, and with 2 when it could not
// begin.
//
// # How it is made
//
//   - cases has what is measured, curves what is measured as it grows;
//   - plan carries it out, with interleaved rounds, and makes the rows;
//   - cluster starts nodes and conductor the programs that they are;
//   - wire is how they are told what to do;
//   - node, peers, erlang and dskit are the nodes;
//   - report makes tables, JSON, plots and the generated parts of the docs.
//
// A reader who wants to know what a row means reads its case, and then the verbs
// in package node that it names.
package main
