package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

const second = int64(1e9)

// story builds a history by hand. Bound, Detect and Claim are one second.
type story struct {
	h      history.History
	now    int64
	op     int
	fences map[string]uint64 // the latest of a name and a process
	fence  uint64
	homes  map[string]string // node by process
	runs   map[string]int
	seqs   map[int]uint64
	closed []history.Link
}

// tell begins a story in which some nodes are up from the start.
func tell(nodes ...string) *story {
	s := &story{fences: map[string]uint64{}, homes: map[string]string{}, runs: map[string]int{}, seqs: map[int]uint64{}}
	s.h.Header = history.Header{
		Format: history.FormatVersion, Name: "story", Policy: "last-writer", Nodes: nodes, Bound: second, Detect: second, Claim: second,
	}
	for _, n := range nodes {
		s.up(n)
	}
	return s
}

func (s *story) policy(name string) *story {
	s.h.Header.Policy = name
	return s
}

// at moves the clock to a second.
func (s *story) at(seconds float64) *story {
	s.now = int64(seconds * 1e9)
	return s
}

func (s *story) add(r history.Record) *story {
	r.Index, r.At = len(s.h.Records), s.now
	if r.Node != "" && r.Run == 0 {
		r.Run = s.runs[r.Node]
	}
	s.h.Records = append(s.h.Records, r)
	return s
}

func (s *story) fact(f history.Func, r history.Record) *story {
	r.Type, r.F = history.Info, f
	return s.add(r)
}

func (s *story) up(node string) *story {
	s.runs[node]++
	return s.fact(history.NodeUp, history.Record{Node: node})
}

func (s *story) down(node string) *story {
	return s.fact(history.NodeDown, history.Record{Node: node, Reason: "killed"})
}

func (s *story) pause(node string) *story {
	return s.fact(history.Pause, history.Record{Node: node})
}

func (s *story) resume(node string) *story {
	return s.fact(history.Resume, history.Record{Node: node})
}

func (s *story) exit(proc string) *story {
	return s.fact(history.Exit, history.Record{Node: s.homes[proc], Process: proc})
}

// begin invokes an operation and returns its record, to be ended.
func (s *story) begin(r history.Record) history.Record {
	s.op++
	r.Op, r.Type = s.op, history.Invoke
	if r.Process != "" && s.homes[r.Process] == "" {
		s.homes[r.Process] = r.Node
		s.fact(history.Spawn, history.Record{Node: r.Node, Process: r.Process})
	}
	s.add(r)
	return r
}

// end ends an operation: as ok, fail or info.
func (s *story) end(r history.Record, how history.Type) *story {
	r.Type = how
	if how == history.Ok && (r.F == history.Register || r.F == history.Reregister) {
		s.fence++
		s.fences[r.Name+"="+r.Process] = s.fence
		r.Fence = s.fence
	}
	return s.add(r)
}

func (s *story) do(r history.Record) *story { return s.end(s.begin(r), history.Ok) }

func registering(node, proc, name string) history.Record {
	return history.Record{F: history.Register, Node: node, Process: proc, Name: name, Mode: history.Arbitrated}
}

// register registers at once. A value may follow the name: k=v.
func (s *story) register(node, proc, name string) *story {
	r := registering(node, proc, name)
	r.Name, r.Value, _ = strings.Cut(name, "=")
	return s.do(r)
}

func (s *story) optimistic(node, proc, name string) *story {
	r := registering(node, proc, name)
	r.Mode = history.Optimistic
	return s.do(r)
}

func (s *story) reregister(node, proc, name string) *story {
	return s.do(history.Record{F: history.Reregister, Node: node, Process: proc, Name: name})
}

func (s *story) unregister(proc, name string) *story {
	return s.do(history.Record{F: history.Unregister, Node: s.homes[proc], Process: proc, Name: name})
}

func (s *story) update(proc, name, value string) *story {
	return s.do(history.Record{F: history.Update, Node: s.homes[proc], Process: proc, Name: name, Value: value})
}

func (s *story) join(node, proc, group string) *story {
	return s.do(history.Record{F: history.Join, Node: node, Process: proc, Group: group})
}

func (s *story) leave(proc, group string) *story {
	return s.do(history.Record{F: history.Leave, Node: s.homes[proc], Process: proc, Group: group})
}

// lookup looks a name up and finds holder, "" for nobody.
func (s *story) lookup(node, name, holder string) *story {
	r := s.begin(history.Record{F: history.Lookup, Node: node, Name: name})
	if holder != "" {
		p, v, _ := strings.Cut(holder, ":")
		r.Holder, r.Value, r.Fence = p, v, s.fences[name+"="+p]
	}
	return s.end(r, history.Ok)
}

// view records what a node shows, as words: k=p or k=p:v for a name, g+p for a
// member of a group, #d for the digest.
func (s *story) view(node string, words ...string) *story {
	r := s.begin(history.Record{F: history.View, Node: node})
	r.Names, r.Groups, r.Digest = s.shown(words)
	return s.end(r, history.Ok)
}

// views records the same view of several nodes.
func (s *story) views(nodes string, words ...string) *story {
	for _, n := range strings.Fields(nodes) {
		s.view(n, words...)
	}
	return s
}

func (s *story) shown(words []string) (names map[string]history.Shown, groups map[string][]history.Shown, digest string) {
	names, groups = map[string]history.Shown{}, map[string][]history.Shown{}
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "#"):
			digest = w[1:]
		case strings.Contains(w, "+"):
			g, p, _ := strings.Cut(w, "+")
			groups[g] = append(groups[g], history.Shown{Process: p})
		default:
			k, _, _ := strings.Cut(w, "=")
			names[k] = *s.one(w)
		}
	}
	return names, groups, digest
}

// one returns the holder in k=p or k=p:v.
func (s *story) one(word string) *history.Shown {
	if word == "" {
		return nil
	}
	k, rest, _ := strings.Cut(word, "=")
	p, v, _ := strings.Cut(rest, ":")
	return &history.Shown{Process: p, Value: v, Fence: s.fences[k+"="+p]}
}

func (s *story) snapshot(node string, watch int, words ...string) *story {
	s.seqs[watch]++
	r := history.Record{Node: node, Watch: watch, Seq: s.seqs[watch]}
	r.Names, r.Groups, _ = s.shown(words)
	return s.fact(history.Snapshot, r)
}

// event records that the holder of a name went from k=p to k=p; "" for nobody.
func (s *story) event(node string, watch int, reason, from, to string) *story {
	s.seqs[watch]++
	k, _, _ := strings.Cut(from+to, "=")
	return s.fact(history.Event, history.Record{
		Node: node, Watch: watch, Seq: s.seqs[watch], Kind: "name", Key: k, Reason: reason, Old: s.one(from), New: s.one(to),
	})
}

// lost tells a process that it lost a name. Claims are words like p:7, the process
// with its birth.
func (s *story) lost(proc, name, winner, reason string, claims ...string) *story {
	return s.fact(history.Lost, history.Record{
		Node: s.homes[proc], Process: proc, Name: name, Winner: winner, Reason: reason, Claims: s.claims(name, claims),
	})
}

func (s *story) conflict(node, name, winner string, claims ...string) *story {
	return s.fact(history.Conflict, history.Record{Node: node, Name: name, Winner: winner, Claims: s.claims(name, claims)})
}

// claims returns the claims of processes as they were registered last; p:7 gives
// one another birth.
func (s *story) claims(name string, procs []string) []history.Claim {
	var claims []history.Claim
	for _, w := range procs {
		p, other, changed := strings.Cut(w, ":")
		birth := s.fences[name+"="+p]
		c := history.Claim{Process: p, Birth: birth, Node: s.homes[p], Epoch: 1, Seq: birth}
		if changed {
			_, err := fmt.Sscan(other, &c.Birth)
			if err != nil {
				panic(err)
			}
		}
		claims = append(claims, c)
	}
	return claims
}

// fault records a fault that took effect at once; links are a-b or a>b.
func (s *story) fault(f history.Func, closed ...string) *story {
	return s.faultEnds(s.faultBegins(f), closed...)
}

func (s *story) faultBegins(f history.Func) history.Record {
	s.op++
	r := history.Record{F: f, Op: s.op, Type: history.Invoke}
	s.add(r)
	return r
}

func (s *story) faultEnds(r history.Record, closed ...string) *story {
	r.Type, r.Verified, r.Closed = history.Ok, true, links(closed)
	s.closed = r.Closed
	return s.add(r)
}

func links(words []string) []history.Link {
	var list []history.Link
	for _, w := range words {
		if a, b, ok := strings.Cut(w, ">"); ok {
			list = append(list, history.Link{From: a, To: b})
			continue
		}
		a, b, _ := strings.Cut(w, "-")
		list = append(list, history.Link{From: a, To: b}, history.Link{From: b, To: a})
	}
	return list
}

func (s *story) cut(closed ...string) *story { return s.fault(history.Cut, closed...) }
func (s *story) heal() *story                { return s.fault(history.Heal) }

func (s *story) degrade(degraded ...string) *story {
	r := s.faultBegins(history.Degrade)
	r.Type, r.Verified, r.Closed, r.Degraded = history.Ok, true, s.closed, links(degraded)
	return s.add(r)
}

func (s *story) state(node string, entries, extra int) *story {
	return s.fact(history.State, history.Record{Node: node, Entries: entries, Extra: extra})
}

func (s *story) traffic(bytes int64) *story {
	return s.fact(history.Traffic, history.Record{Bytes: bytes})
}

// judge runs one check.
func (s *story) judge(name string) check.Result {
	r, _ := check.Run(&s.h, name).Result(name)
	return r
}

// expect wants a verdict of one check.
func (s *story) expect(t *testing.T, name string, want check.Verdict) check.Result {
	t.Helper()
	r := s.judge(name)
	require.Equal(t, want, r.Verdict, "%s: %s %v", name, r.Note, r.Findings)
	if want == check.Unknown {
		require.NotEmpty(t, r.Note)
	}
	for _, f := range r.Findings {
		require.NotEmpty(t, f.Explain)
	}
	return r
}

// failed returns the checks that a history breaks.
func failed(h *history.History) []string {
	names := check.Run(h).Failed()
	slices.Sort(names)
	return names
}
