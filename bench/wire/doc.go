// Package wire is the protocol between the benchmark and the programs that it
// measures: lines of words, so that a program in any language can speak it.
//
// # Usage
//
// A request is a number, a verb and its arguments; the reply is the same number,
// "ok" and integers, or "error" and a text:
//
//	7 count
//	7 ok 1000
//	8 fill arbitrated session 0 1000 1
//	8 error registry: the registry is closed
//
// Requests may overlap; replies come in any order. A program ends when its
// standard input does.
//
// # Units
//
// Durations and moments are nanoseconds; moments count from 1970 by the wall
// clock, which all programs of one machine share.
package wire
