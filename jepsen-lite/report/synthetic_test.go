package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

const (
	ms  = int64(1_000_000)
	sec = 1000 * ms
)

// synthetic makes a run of a cluster that looks like a real one: nodes that take
// over each other's writes after some milliseconds, a split into two sides from a
// third to two thirds of the run, a killed and a paused node, a name that both
// sides register, and a loser that is told twice.
type synthetic struct {
	rng    *rand.Rand
	nodes  []string
	length int64
	recs   []history.Record
	run    *Run
	state  []uint64
	queue  []arrival
	client int
}

// arrival is a write that reaches a node.
type arrival struct {
	at    int64
	node  int
	write uint64
}

func newSynthetic(nodes, writes, lookups int) *Run {
	s := &synthetic{rng: rand.New(rand.NewPCG(7, uint64(nodes))), length: 60 * sec, run: &Run{}}
	for i := range nodes {
		s.nodes = append(s.nodes, fmt.Sprintf("n%d", i+1))
	}
	s.state = make([]uint64, nodes)
	for i := range nodes {
		s.add(history.Record{Type: history.Info, F: history.NodeUp, Node: s.nodes[i], Run: 1})
		s.run.States = append(s.run.States, Sample{0, s.nodes[i], digest(0), true})
	}
	s.faults()
	s.writes(writes)
	s.lookups(lookups)
	s.contest()
	s.arrivals()
	s.traffic()
	s.messages()
	s.finish()
	return s.run
}

func (s *synthetic) add(r history.Record) { s.recs = append(s.recs, r) }

func digest(state uint64) string { return fmt.Sprintf("%016x", state*0x9e3779b97f4a7c15) }

func (s *synthetic) side(node int) int {
	if node*5 < len(s.nodes)*2 {
		return 0
	}
	return 1
}

// heard says when a write of one node reaches another.
func (s *synthetic) heard(from, to int, at int64) int64 {
	delay := ms + s.rng.Int64N(40*ms)
	if s.side(from) != s.side(to) && at > s.length/3 && at < s.length*2/3 {
		return s.length*2/3 + 100*ms + s.rng.Int64N(1500*ms)
	}
	return at + delay
}

func (s *synthetic) write(from int, at int64) {
	w := s.rng.Uint64()
	for to := range s.nodes {
		if to == from {
			s.queue = append(s.queue, arrival{at, to, w})
			continue
		}
		s.queue = append(s.queue, arrival{s.heard(from, to, at), to, w})
	}
}

// operation adds the two records of an operation.
func (s *synthetic) operation(at, took int64, r history.Record, end history.Type, holder, fault string) {
	s.client++
	r.Op, r.Client = s.client, s.client%(2*len(s.nodes))
	r.At, r.Type = at, history.Invoke
	s.add(r)
	r.At, r.Type, r.Holder, r.Error = at+took, end, holder, fault
	s.add(r)
}

func (s *synthetic) writes(n int) {
	for i := range n {
		at := s.length / 20 * (1 + 14*int64(i)/int64(n))
		at += s.rng.Int64N(s.length / 20)
		from := s.rng.IntN(len(s.nodes))
		s.write(from, at)
		p := fmt.Sprintf("w%d", i)
		s.operation(at-2*ms, 2*ms, history.Record{F: history.Register, Node: s.nodes[from], Name: fmt.Sprintf("user/%d", 100+i), Process: p,
			Mode: history.Arbitrated}, history.Ok, "", "")
	}
}

func (s *synthetic) lookups(n int) {
	for i := range n {
		at := sec/2 + (s.length-2*sec)*int64(i)/int64(max(1, n))
		end, fault := history.Ok, ""
		switch s.rng.IntN(40) {
		case 0:
			end, fault = history.Fail, "taken"
		case 1:
			end, fault = history.Info, "deadline exceeded"
		}
		s.operation(at, ms/10+s.rng.Int64N(120*ms), history.Record{F: history.Lookup, Node: s.nodes[s.rng.IntN(len(s.nodes))],
			Name: fmt.Sprintf("user/%d", s.rng.IntN(40))}, end, "w1", fault)
	}
}

// contest registers names on both sides of the split.
func (s *synthetic) contest() {
	last := len(s.nodes) - 1
	for i := range 3 {
		name, first, second := fmt.Sprintf("user/%d", 42+i), fmt.Sprintf("p%d", 2*i+1), fmt.Sprintf("p%d", 2*i+2)
		at := 2*sec + int64(i)*3*sec
		s.believe(name, first, 0, at)
		split := s.length/3 + 2*sec + int64(i)*sec
		s.believe(name, second, last, split)
		heal := s.length*2/3 + 300*ms + int64(i)*200*ms
		for n := range s.nodes {
			if s.side(n) == 0 {
				s.event(name, second, n, heal+s.rng.Int64N(900*ms))
			} else if s.side(n) != s.side(0) {
				s.event(name, "", n, s.length/3+sec+s.rng.Int64N(900*ms))
				s.event(name, second, n, split+s.rng.Int64N(60*ms))
			}
		}
		s.add(history.Record{At: heal, Type: history.Info, F: history.Lost, Node: s.nodes[0], Name: name, Process: first, Winner: second, Reason: "last-writer"})
		if i == 0 {
			s.add(history.Record{At: heal + 800*ms, Type: history.Info, F: history.Lost, Node: s.nodes[0], Name: name, Process: first, Winner: second, Reason: "last-writer"})
		}
	}
}

func (s *synthetic) believe(name, process string, node int, at int64) {
	s.add(history.Record{At: at - 3*ms, Type: history.Info, F: history.Spawn, Node: s.nodes[node], Run: 1, Process: process})
	s.operation(at-2*ms, 2*ms, history.Record{F: history.Register, Node: s.nodes[node], Name: name, Process: process, Mode: history.Arbitrated}, history.Ok, "", "")
	s.write(node, at)
	for n := range s.nodes {
		if t := s.heard(node, n, at); t < at+sec {
			s.event(name, process, n, t)
		}
	}
}

func (s *synthetic) event(name, process string, node int, at int64) {
	r := history.Record{At: at, Type: history.Info, F: history.Event, Node: s.nodes[node], Watch: node + 1, Kind: "name", Key: name}
	if process != "" {
		r.New = &history.Shown{Process: process}
	}
	s.add(r)
}

func (s *synthetic) faults() {
	var left, right []string
	for i, n := range s.nodes {
		if s.side(i) == 0 {
			left = append(left, n)
		} else {
			right = append(right, n)
		}
	}
	third := s.length / 3
	f := []Fault{
		{third, 2 * third, "cut", "cut {" + strings.Join(left, " ") + "} | {" + strings.Join(right, " ") + "}", true},
		{s.length * 3 / 4, s.length*3/4 + 4*sec, "loss", "loss all 30%", false},
	}
	if len(s.nodes) > 2 {
		last := s.nodes[len(s.nodes)-1]
		f = append(f, Fault{8 * sec, 13 * sec, "kill", "kill " + s.nodes[1], true},
			Fault{30 * sec, 34 * sec, "pause", "pause " + last + " for 4s", true},
			Fault{14 * sec, 17 * sec, "oneway", "oneway " + s.nodes[0] + " -> " + last, true},
			Fault{26 * sec, 26 * sec, "skew", "skew " + s.nodes[2] + " +90s", true})
		s.add(history.Record{At: 8 * sec, Type: history.Info, F: history.NodeDown, Node: s.nodes[1], Run: 1, Reason: "killed"})
		s.add(history.Record{At: 13 * sec, Type: history.Info, F: history.NodeUp, Node: s.nodes[1], Run: 2})
		s.run.States = append(s.run.States, Sample{8 * sec, s.nodes[1], "", false}, Sample{13 * sec, s.nodes[1], digest(0), true})
	}
	s.run.Faults = f
}

// arrivals applies writes in the order in which they arrive.
func (s *synthetic) arrivals() {
	slices.SortStableFunc(s.queue, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	for _, a := range s.queue {
		s.state[a.node] ^= a.write
		if a.node == 1 && a.at > 8*sec && a.at < 13*sec {
			continue
		}
		if a.at > s.length {
			continue
		}
		s.run.States = append(s.run.States, Sample{a.at, s.nodes[a.node], digest(s.state[a.node]), true})
	}
}

func (s *synthetic) traffic() {
	for i, from := range s.nodes {
		for j, to := range s.nodes {
			if i == j {
				continue
			}
			for k, kind := range []string{"delta", "digest", "ping", "sync-request", "sync-reply"} {
				frames := int64(20+s.rng.IntN(400)) / int64(k+1)
				s.run.Traffic = append(s.run.Traffic, LinkTraffic{from, to, kind, frames, frames * int64(40+s.rng.IntN(200)), int64(s.rng.IntN(9)) * int64(s.side(i)^s.side(j))})
			}
		}
	}
}

func (s *synthetic) messages() {
	if len(s.nodes) < 2 {
		return
	}
	from := s.length*2/3 + sec - 200*ms
	for i := range 220 {
		at := from + int64(i)*2*ms
		a := s.rng.IntN(len(s.nodes))
		b := (a + 1 + s.rng.IntN(len(s.nodes)-1)) % len(s.nodes)
		s.run.Messages = append(s.run.Messages, Message{at, at + ms + s.rng.Int64N(30*ms), s.nodes[a], s.nodes[b],
			[]string{"delta", "digest", "sync-reply"}[s.rng.IntN(3)], s.rng.IntN(12) == 0, fmt.Sprintf("version %d, 3 entries", 40+i)})
	}
}

// finish orders the records and judges the run.
func (s *synthetic) finish() {
	slices.SortStableFunc(s.recs, func(a, b history.Record) int { return cmp.Compare(a.At, b.At) })
	var told []int
	for i := range s.recs {
		s.recs[i].Index = i
		if s.recs[i].F == history.Lost && s.recs[i].Name == "user/42" {
			told = append(told, i)
		}
	}
	at := s.recs[told[1]].At
	s.run.History = &history.History{Header: history.Header{Format: 1, Name: fmt.Sprintf("halves-%d", len(s.nodes)), Policy: "last-writer", Seed: 7,
		Nodes: s.nodes, Bound: 5 * sec}, Records: s.recs}
	s.run.Replay = "jepsen-lite replay runs/halves/scenario.txt --seed 7"
	s.run.TraceHash = "9f2c41d07be3a655"
	s.run.Options = [][2]string{{"latency", "1ms..40ms exp"}, {"loss", "1%"}, {"duplicates", "1%"}, {"profile", "halves"}}
	s.run.Scenario = "scenario halves\nnodes " + strings.Join(s.nodes, " ") + "\nseed 7\nat 20s  cut {left} | {right}   # </script>\nat 40s  heal\nexpect converged within 5s\n"
	s.run.Check = verdicts(told, at)
}

func verdicts(told []int, at int64) *check.Report {
	r := &check.Report{Verdict: check.Fail, Results: []check.Result{
		{Check: "agreement", Text: "Nodes that reach each other show the same.", Verdict: check.Pass, Judged: 84},
		{Check: "told-once", Text: "Each loser is told exactly once, and nobody else.", Verdict: check.Fail, Judged: 4, Count: 1, Findings: []check.Finding{
			{Index: told[1], At: at, Explain: fmt.Sprintf("p1 on n1 was told twice that it lost user/42 to p2 [%d %d]", told[0], told[1])}}},
		{Check: "no-zombie", Text: "What was removed is not shown again.", Verdict: check.Pass, Judged: 31},
		{Check: "fences", Text: "Fences of one name only grow.", Verdict: check.Unknown, Note: "no name was registered twice in one component"},
		{Check: "nothing-invented", Text: "Nothing is shown that nobody registered.", Verdict: check.Pass, Judged: 2040},
	}}
	for _, f := range []history.Func{history.Register, history.Lookup} {
		r.Stats = append(r.Stats, check.Stat{F: f, Invoked: 40, Ok: 35, Failed: 3, Info: 2})
	}
	r.Distributions = []check.Distribution{
		{Name: "time to agree after a write", Unit: "ns", Values: check.Values{Count: 400, Min: 2 * ms, P50: 22 * ms, P95: 39 * ms, P99: 41 * ms, Max: 1600 * ms}},
		{Name: "register", Unit: "ns", Values: check.Values{Count: 46, Min: ms, P50: 2 * ms, P95: 4 * ms, P99: 9 * ms, Max: 11 * ms}},
		{Name: "bytes to agree after a heal", Unit: "bytes", Values: check.Values{Count: 1, Min: 48211, P50: 48211, P95: 48211, P99: 48211, Max: 48211}},
	}
	return r
}
