// Command dskit is a node of grafana/dskit's memberlist KV, which is measured
// beside rollcall. It is told what to do over package wire, with the verbs of the
// other programs as far as it can do them: a name is an entry of one key, and one
// more name is a CAS.
//
// It is a module of its own because dskit replaces memberlist by a fork.
package main
