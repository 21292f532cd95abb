// Package live is where the netsplits of jepsen-lite become real: real processes
// on real hosts, whose links are broken under them.
//
// It is a module of its own, so that programs that embed the registry inherit none
// of what it needs. It needs Linux and root.
//
//   - link: the law of one link, pure;
//   - wire: a switch in this program that applies it to frames;
//   - hosts: network namespaces as hosts, their processes, and faults that are
//     verified.
//
// Up to now this package has only tests: three processes that embed the registry
// are split and healed, over a bridge of the kernel and over a switch that delays
// and loses. To play the scenario files of jepsen-lite on such hosts, with its
// histories and checkers, comes next.
package live
