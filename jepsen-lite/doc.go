// Command jepsen-lite puts rollcall through netsplits: it plays scenarios in a
// deterministic simulator, sweeps through seeds, walks all short schedules, checks
// what came of them, makes failing scenarios small and replays them.
//
// # Usage
//
// Run it with help for the commands and their flags. The commonest are
//
//	go run ./jepsen-lite run FILE
//	go run ./jepsen-lite sweep --seeds 1-2000
//	go run ./jepsen-lite replay FILE
//	go run ./jepsen-lite explain CHECK
//
// # Failure
//
// The exit status says what came of it: 0 all held, 1 something broke that must
// hold, 2 nobody can tell, 3 two runs of one scenario differ, 4 views did not agree
// in time, 64 bad usage or a bad scenario, 70 an error of the command itself. A
// failure ends with one line that replays it.
package main
