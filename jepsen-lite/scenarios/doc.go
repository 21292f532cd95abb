// Package scenarios carries the netsplit stories of this folder: schedules that
// broke registries elsewhere, and the classics of partitions. Each is a file in
// the language of package scenario, with its source, the damage it did there, and
// expectations that would show that damage here.
//
// # Usage
//
// All returns the files. scenario.Parse reads one, sim.Run plays it:
//
//	go run ./jepsen-lite run jepsen-lite/scenarios/split-brain-last-writer.netsplit
//
// README.md says which reported faults are not files here, and why.
//
// # Testing
//
// The tests of this package play every file in the simulator.
package scenarios
