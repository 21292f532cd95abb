// Package hosts makes hosts out of network namespaces, runs processes on them and
// breaks the links between them, on Linux and as root.
//
// # Usage
//
//	all, err := hosts.Open(ctx, hosts.Config{Kind: hosts.Tap, Nodes: []string{"n1", "n2", "n3"}})
//	if err != nil { ... }
//	defer all.Close()
//	p, err := all.Host("n1").Start(exec.Command("node"))
//	cut := hosts.Cut(hosts.Split([]string{"n1"}, []string{"n2", "n3"})...)
//	err = all.Apply(ctx, cut) // cuts, and verifies
//	err = all.Lift(ctx, cut)  // heals, and verifies
//
// A context of signal.NotifyContext makes an interrupt clean up.
//
// # Kinds
//
// With Bridge the kernel joins the hosts, and a transaction of nftables where the
// bridge forwards cuts or heals any set of directed links at one moment. With Tap
// a switch in this program does, which delays, loses, copies, reorders, holds and
// limits too; see package link. Proxy is to join processes without root, and is
// only a name yet: Available says so.
//
// # Guarantees
//
// A fault that had no effect is an error: Apply and Lift probe every link, over
// UDP in each direction alone and over TCP, those that the fault does not name
// too.
//
// Hosts know the hardware addresses of each other from the start and forward no
// IPv6, so nothing but what a program sends is on the links.
//
// Everything that is made has a name that begins with Config.Prefix, is noted in a
// record under /run/rollcall-live, and lies within network namespaces of its own:
// no link, address, route or table outside of them changes. Close removes it all,
// after an interrupt too. What a run leaves that is killed goes at the next Open,
// or by Clean, which leaves runs alone that live. Processes end with this program,
// however it ends.
//
// # Concurrency
//
// Every method may be called from any goroutine. Set and Verify wait for each
// other; Close interrupts Verify.
//
// # Failure
//
// Errors that wrap ErrUnavailable say what this system lacks, those that wrap
// ErrNoEffect which link is not as it was set.
//
// # Testing
//
// The tests need root and are skipped otherwise.
package hosts
