// Package conductor starts the nodes of the demo as operating-system processes,
// sends them commands and sees that none of them outlives the demo.
//
// # Usage
//
//	cluster, err := conductor.New(command)
//	defer cluster.Close()
//	n1, err := cluster.Start(ctx, "n1")
//	n2, err := cluster.Start(ctx, "n2", n1.Addr)
//	found, err := n2.Whereis(ctx, "calculator")
//
// # Guarantees
//
// After Close no node runs. A node also ends by itself when the conductor's
// program dies in any way, because its standard input ends then.
//
// # Failure
//
// What the nodes log is kept in a directory until Discard; Logs returns the last
// lines of each.
package conductor
