// Package conductor starts the programs that are measured, asks them over their
// standard streams, and sees that none of them outlives the benchmark.
//
// # Usage
//
//	crew := conductor.NewCrew()
//	defer crew.Close()
//	p, err := crew.Start("n1", exec.Command(self))
//	numbers, err := p.Ask(ctx, "count")
//
// # Guarantees
//
// After Close of a crew no program runs that it started. Programs also end by
// themselves when the benchmark dies, since their standard input ends then; on
// Linux the kernel kills those that would not.
package conductor
