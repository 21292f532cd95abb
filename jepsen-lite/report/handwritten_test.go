package report

import (
	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// handwritten is a run of three nodes: n3 is cut off from 2s to 6s, both sides
// register user/42, and the loser is told twice.
func handwritten() *Run {
	h := &history.History{Header: history.Header{Format: 1, Name: "told-twice", Policy: "last-writer", Seed: 7, Nodes: []string{"n1", "n2", "n3"}}}
	add := func(at int64, typ history.Type, f history.Func, node string, r history.Record) {
		r.Index, r.At, r.Type, r.F, r.Node = len(h.Records), at, typ, f, node
		h.Records = append(h.Records, r)
	}
	claim := func(at int64, op int, node, process string) {
		add(at-ms, history.Info, history.Spawn, node, history.Record{Process: process, Run: 1})
		r := history.Record{Op: op, Client: op, Process: process, Name: "user/42", Mode: history.Arbitrated}
		add(at, history.Invoke, history.Register, node, r)
		add(at+2*ms, history.Ok, history.Register, node, r)
	}
	sees := func(at int64, node, process string) {
		add(at, history.Info, history.Event, node, history.Record{Watch: 1, Kind: "name", Key: "user/42", New: &history.Shown{Process: process}})
	}
	for _, n := range h.Header.Nodes {
		add(0, history.Info, history.NodeUp, n, history.Record{Run: 1})
	}
	claim(sec, 1, "n1", "p1")
	sees(sec+10*ms, "n2", "p1")
	sees(sec+12*ms, "n3", "p1")
	claim(3*sec, 2, "n3", "p2")
	add(3500*ms, history.Invoke, history.Register, "n2", history.Record{Op: 3, Client: 3, Process: "p3", Name: "user/42", Mode: history.Arbitrated})
	add(3503*ms, history.Fail, history.Register, "n2", history.Record{Op: 3, Client: 3, Process: "p3", Name: "user/42", Holder: "p1", Error: "taken"})
	sees(6100*ms, "n1", "p2")
	lost := history.Record{Process: "p1", Name: "user/42", Winner: "p2", Reason: "last-writer"}
	add(6100*ms, history.Info, history.Lost, "n1", lost)
	sees(6200*ms, "n2", "p2")
	add(7*sec, history.Info, history.Lost, "n1", lost)
	add(8*sec, history.Invoke, history.Lookup, "n2", history.Record{Op: 4, Client: 1, Name: "user/42"})
	add(8001*ms, history.Ok, history.Lookup, "n2", history.Record{Op: 4, Client: 1, Name: "user/42", Holder: "p2"})
	add(10*sec, history.Info, history.Settled, "", history.Record{})
	return &Run{
		History: h, Replay: "jepsen-lite replay told-twice.scenario", TraceHash: "c0ffee", Options: [][2]string{{"latency", "1ms..20ms"}},
		Scenario: "scenario told-twice\nnodes n1 n2 n3\nat 2s cut {n1 n2} | {n3}\nat 6s heal\n",
		States: []Sample{{0, "n1", "empty", true}, {0, "n2", "empty", true}, {0, "n3", "empty", true},
			{sec, "n1", "one", true}, {sec + 10*ms, "n2", "one", true}, {sec + 12*ms, "n3", "one", true},
			{3 * sec, "n3", "two", true}, {4 * sec, "n2", "", false}, {5 * sec, "n2", "empty", true}, {5100 * ms, "n2", "one", true},
			{6100 * ms, "n1", "two", true}, {6200 * ms, "n2", "two", true}},
		Traffic:  []LinkTraffic{{"n1", "n2", "delta", 3, 120, 0}, {"n1", "n3", "delta", 3, 120, 1}, {"n2", "n1", "ping", 9, 90, 0}},
		Messages: []Message{{6050 * ms, 6100 * ms, "n3", "n1", "delta", false, "p2"}, {6060 * ms, 0, "n3", "n2", "delta", true, "p2"}},
		Faults: []Fault{{2 * sec, 6 * sec, "cut", "cut {n1 n2} | {n3}", true}, {4 * sec, 5 * sec, "kill", "kill n2", true},
			{8 * sec, 9 * sec, "pause", "pause n3 for 1s", false}},
		Check: &check.Report{Verdict: check.Fail, Results: []check.Result{
			{Check: "agreement", Text: "Nodes that reach each other show the same.", Verdict: check.Pass, Judged: 3},
			{Check: "told-once", Text: "Each loser is told exactly once.", Verdict: check.Fail, Judged: 2, Count: 1, Findings: []check.Finding{
				{Index: 16, At: 7 * sec, Explain: "p1 was told twice that it lost user/42 to p2 [14 16]"}}},
			{Check: "fences", Text: "Fences of one name only grow.", Verdict: check.Unknown, Note: "no name changed hands"},
			{Check: "bounded", Text: "What nodes keep stays small.", Verdict: check.Unknown},
			{Check: "no-zombie", Text: "What was removed is not shown again.", Verdict: check.Pass, Judged: 1},
		}, Distributions: []check.Distribution{
			{Name: "register", Unit: "ns", Values: check.Values{Count: 2, Min: 2 * ms, P50: 2 * ms, P95: 2 * ms, P99: 2 * ms, Max: 2 * ms}}},
			Heals: []check.Healing{{At: 5 * sec, Text: "heal n1 - n3", Nodes: 2},
				{At: 6 * sec, Text: "heal", Nodes: 3, Agreed: true, Took: 200 * ms, Bytes: 330}}},
	}
}
