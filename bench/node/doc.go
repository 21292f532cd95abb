// Package node is what a program that is measured does with package registry: a
// node of rollcall, told what to do over package wire.
//
// # Usage
//
// Main serves requests until its input ends. The verbs are those of the Erlang
// node in package erlang as far as both can do them, so that one plan measures
// both; the table in verbs.go says what each does.
//
// # Concurrency
//
// Requests overlap. A verb that needs the registry fails before open.
package node
