package report_test

import (
	"bytes"
	"fmt"
	"os"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/report"
)

func twoNodes() *report.Run {
	const second = 1_000_000_000
	rec := history.NewRecorder(history.Header{Name: "two-nodes", Policy: "last-writer", Seed: 3, Nodes: []string{"n1", "n2"}})
	rec.Add(history.Record{At: 0, Type: history.Info, F: history.NodeUp, Node: "n1", Run: 1})
	rec.Add(history.Record{At: 0, Type: history.Info, F: history.NodeUp, Node: "n2", Run: 1})
	rec.Add(history.Record{At: 10 * second, Type: history.Info, F: history.Settled})
	return &report.Run{
		History: rec.History(),
		Check:   &check.Report{Verdict: check.Pass, Results: []check.Result{{Check: "agreement", Verdict: check.Pass, Judged: 1}}},
		Replay:  "jepsen-lite replay two-nodes.scenario",
		States: []report.Sample{
			{At: 0, Node: "n1", Digest: "6b86", Up: true}, {At: 0, Node: "n2", Digest: "6b86", Up: true},
			{At: 2 * second, Node: "n1", Digest: "d473", Up: true}, {At: 5 * second, Node: "n2", Digest: "d473", Up: true},
		},
		Faults: []report.Fault{{From: 1 * second, To: 5 * second, Kind: "cut", Text: "cut n1 - n2", Verified: true}},
	}
}

func ExampleText() {
	if err := report.Text(os.Stdout, twoNodes()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// PASS  two-nodes
	// seed 3, policy last-writer, nodes 2, length 10.000s, records 3
	// 0 failed, 0 unknown, 1 passed.
	//
	// Checks
	//   PASS     agreement
	//
	// States (equal letters of a column are equal states; . is down, ~ is paused)
	//           |0.000s             |2.000s             |4.000s             |6.000s             |8.000s     10.000s|
	//   cut               ========================================
	//   n1      AAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB
	//   n2      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB
	//   states  1111111111111111111122222222222222222222222222222211111111111111111111111111111111111111111111111111
	//   cut n1 - n2, from 1.000s to 5.000s
	//
	// Replay with:
	// jepsen-lite replay two-nodes.scenario
}

func ExampleHTML() {
	page := &bytes.Buffer{}
	if err := report.HTML(page, twoNodes()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(page.Len() < report.MaxHTML, bytes.HasPrefix(page.Bytes(), []byte("<!DOCTYPE html>")))
	// Output: true true
}
