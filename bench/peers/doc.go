// Package peers is what programs do that are measured beside rollcall and are
// written in Go: hashicorp/serf and hashicorp/memberlist. Each is a node, told
// what to do over package wire with the verbs of package node, as far as it can do
// them.
//
// A name that appears stands for what each of them spreads: in serf a tag of the
// node or a user event, in memberlist a message of its broadcast queue that every
// node passes on.
package peers
