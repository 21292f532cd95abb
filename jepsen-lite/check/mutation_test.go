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

// mutable is a copy of a history whose records can be changed.
type mutable struct {
	t *testing.T
	h history.History
}

func mutate(t *testing.T, h *history.History) *mutable {
	m := &mutable{t: t, h: history.History{Header: h.Header}}
	for _, r := range h.Records {
		r.Names = cloneNames(r.Names)
		r.Groups = cloneGroups(r.Groups)
		r.Members = slices.Clone(r.Members)
		r.Claims = slices.Clone(r.Claims)
		m.h.Records = append(m.h.Records, r)
	}
	return m
}

func cloneNames(names map[string]history.Shown) map[string]history.Shown {
	c := map[string]history.Shown{}
	for k, s := range names { // into a map: in any order
		c[k] = s
	}
	return c
}

func cloneGroups(groups map[string][]history.Shown) map[string][]history.Shown {
	c := map[string][]history.Shown{}
	for k, s := range groups { // into a map: in any order
		c[k] = slices.Clone(s)
	}
	return c
}

// last returns the last record that want takes.
func (m *mutable) last(want func(i int, r *history.Record) bool) int {
	for i := len(m.h.Records) - 1; i >= 0; i-- {
		if want(i, &m.h.Records[i]) {
			return i
		}
	}
	require.Fail(m.t, "no record to plant the violation in")
	return -1
}

func (m *mutable) rec(i int) *history.Record { return &m.h.Records[i] }

func (m *mutable) drop(i int) { m.h.Records = slices.Delete(m.h.Records, i, i+1) }

// insert puts records after another one, at its time.
func (m *mutable) insert(after int, records ...history.Record) {
	for i := range records {
		records[i].At = m.rec(after).At
	}
	m.h.Records = slices.Insert(m.h.Records, after+1, records...)
}

// endView is a last view of a node that shows a name and a group.
func (m *mutable) endView() int {
	return m.last(func(_ int, r *history.Record) bool {
		return r.F == history.View && r.Type == history.Ok && len(r.Names) > 0 && len(r.Groups) > 0
	})
}

// operation plants an operation after a record.
func (m *mutable) operation(after int, r history.Record, how history.Type) {
	r.Op = 1_000_000 + after
	invoke := r
	invoke.Type, invoke.Holder, invoke.Fence = history.Invoke, "", 0
	r.Type = how
	m.insert(after, invoke, r)
}

func someName(names map[string]history.Shown) string {
	var keys []string
	for k := range names { // sorted below, so in any order
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys[0]
}

func someGroup(groups map[string][]history.Shown) string {
	var keys []string
	for k := range groups { // sorted below, so in any order
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys[0]
}

// calm is a record near the end, after which nothing but views follows.
func (m *mutable) calm() int {
	return m.last(func(_ int, r *history.Record) bool { return r.F == history.Traffic })
}

// home returns the node and run of a live process.
func (m *mutable) home(proc string) (string, int) {
	i := m.last(func(_ int, r *history.Record) bool { return r.F == history.Spawn && r.Process == proc })
	return m.rec(i).Node, m.rec(i).Run
}

// other returns a node and run that are up at the end, and not the one named.
func (m *mutable) other(node string) (string, int) {
	i := m.last(func(_ int, r *history.Record) bool { return r.F == history.State && r.Node != node })
	return m.rec(i).Node, m.rec(i).Run
}

// plant is a violation with the checks that must find it, and no others.
type plant struct {
	name string
	want []string // with a question mark: in some of the histories
	do   func(m *mutable)
}

func viewPlants() []plant {
	return []plant{
		{"a member hidden in a view", []string{"digest-honest", "final-agreement", "no-lost-member", "split-agreement", "?add-wins"}, func(m *mutable) {
			r := m.rec(m.endView())
			g := someGroup(r.Groups)
			p := r.Groups[g][len(r.Groups[g])-1].Process
			if node, _ := m.home(p); node == r.Node {
				*r = *m.rec(m.last(func(_ int, o *history.Record) bool {
					return o.F == history.View && o.Type == history.Ok && o.Node != r.Node && len(o.Groups[g]) > 0
				}))
			}
			r.Groups[g] = r.Groups[g][:len(r.Groups[g])-1]
		}},
		{"a name hidden in a look-up", []string{"final-agreement", "no-flip-flop", "no-lost-name", "split-agreement", "?add-wins"}, func(m *mutable) {
			i := m.endView()
			k := someName(m.rec(i).Names)
			node, _ := m.home(m.rec(i).Names[k].Process)
			n, run := m.other(node)
			m.operation(len(m.h.Records)-1, history.Record{F: history.Lookup, Node: n, Run: run, Name: k}, history.Ok)
		}},
		{"a member twice", []string{"digest-honest", "final-agreement", "no-duplicates", "split-agreement"}, func(m *mutable) {
			r := m.rec(m.endView())
			g := someGroup(r.Groups)
			r.Groups[g] = append(r.Groups[g], r.Groups[g][0])
		}},
		{"another value in a look-up", []string{"final-agreement", "nothing-invented", "split-agreement"}, func(m *mutable) {
			i := m.endView()
			k := someName(m.rec(i).Names)
			s := m.rec(i).Names[k]
			node, _ := m.home(s.Process)
			n, run := m.other(node)
			m.operation(len(m.h.Records)-1, history.Record{
				F: history.Lookup, Node: n, Run: run, Name: k, Holder: s.Process, Fence: s.Fence, Value: "planted"}, history.Ok)
		}},
		{"another digest", []string{"digest-honest"}, func(m *mutable) { m.rec(m.endView()).Digest = "planted" }},
		{"another fence in a look-up", []string{"fence-grows", "final-agreement", "monotonic-reads", "split-agreement"}, func(m *mutable) {
			i := m.endView()
			k := someName(m.rec(i).Names)
			s := m.rec(i).Names[k]
			node, _ := m.home(s.Process)
			n, run := m.other(node)
			m.operation(len(m.h.Records)-1, history.Record{
				F: history.Lookup, Node: n, Run: run, Name: k, Holder: s.Process, Fence: s.Fence - 1, Value: s.Value}, history.Ok)
		}},
		{"a holder of its own hidden in a look-up", []string{"final-agreement", "no-flip-flop", "no-lost-name", "read-your-writes", "split-agreement", "?add-wins"}, func(m *mutable) {
			i := m.endView()
			k := someName(m.rec(i).Names)
			n, run := m.home(m.rec(i).Names[k].Process)
			m.operation(len(m.h.Records)-1, history.Record{F: history.Lookup, Node: n, Run: run, Name: k}, history.Ok)
		}},
	}
}

func endPlants() []plant {
	join := func(m *mutable, again bool) (n string, run int, p, g string) {
		r := m.rec(m.endView())
		g = someGroup(r.Groups)
		p = r.Groups[g][0].Process
		home, homeRun := m.home(p)
		n, run = m.other(home)
		at := m.calm()
		m.operation(at, history.Record{F: history.Leave, Node: home, Run: homeRun, Process: p, Group: g}, history.Ok)
		if again {
			m.operation(at+2, history.Record{F: history.Join, Node: home, Run: homeRun, Process: p, Group: g, Value: r.Groups[g][0].Value}, history.Ok)
		}
		return n, run, p, g
	}
	hide := func(m *mutable, p, g string, want func(r *history.Record) bool) {
		for i := range m.h.Records {
			if r := m.rec(i); r.At > m.rec(m.calm()).At && want(r) {
				r.Groups[g] = slices.DeleteFunc(r.Groups[g], func(s history.Shown) bool { return s.Process == p })
				r.Digest = ""
			}
		}
	}
	return []plant{
		{"a member that left is shown to the end", []string{"bounded-metadata", "no-zombie", "read-your-writes"}, func(m *mutable) { join(m, false) }},
		{"a member that joined again is lost everywhere else", []string{"add-wins", "final-agreement", "no-lost-member", "split-agreement", "watch-complete"},
			func(m *mutable) {
				_, _, p, g := join(m, true)
				home, _ := m.home(p)
				hide(m, p, g, func(r *history.Record) bool { return r.Node != home })
			}},
		{"a claim of a dead process comes back", []string{
			"final-agreement", "no-resurrection", "no-zombie", "split-agreement", "?no-lost-name", "?no-flip-flop", "?add-wins", "?read-your-writes"}, func(m *mutable) {
			last := len(m.h.Records) - 1
			dead := m.last(func(i int, r *history.Record) bool {
				if r.F != history.Register || r.Type != history.Ok || r.At > m.rec(last).At-10*second {
					return false
				}
				ended := slices.ContainsFunc(m.h.Records[i:], func(o history.Record) bool { return o.F == history.Exit && o.Process == r.Process })
				return ended
			})
			d := *m.rec(dead)
			home, _ := m.home(d.Process)
			n, run := m.other(home)
			m.operation(last, history.Record{F: history.Lookup, Node: n, Run: run, Name: d.Name, Holder: d.Process, Fence: d.Fence}, history.Ok)
		}},
		{"a second registration of a name is granted", []string{"linearizable-register", "losers-told-once", "one-believer", "read-your-writes"}, func(m *mutable) {
			r := m.rec(m.endView())
			k := someName(r.Names)
			home, _ := m.home(r.Names[k].Process)
			n, run := m.other(home)
			m.operation(m.calm(), history.Record{
				F: history.Register, Node: n, Run: run, Process: "intruder", Name: k, Mode: history.Arbitrated, Fence: 1 << 40}, history.Ok)
		}},
		{"a fence that falls", []string{"fence-grows"}, func(m *mutable) {
			r := *m.rec(m.endView())
			n, run := r.Node, r.Run
			at := m.calm()
			for j, fence := range []uint64{1 << 41, 1 << 40} {
				p := fmt.Sprint("climber", j)
				m.operation(at, history.Record{F: history.Register, Node: n, Run: run, Process: p, Name: "ladder", Mode: history.Arbitrated, Fence: fence}, history.Ok)
				m.rec(at + 1).At += int64(j+1) * second * 5 / 4
				m.rec(at + 2).At = m.rec(at + 1).At
				m.operation(at+2, history.Record{F: history.Unregister, Node: n, Run: run, Process: p, Name: "ladder"}, history.Ok)
				m.rec(at + 3).At += second * 5 / 4 * int64(1-j)
				m.rec(at + 4).At = m.rec(at + 3).At
				at += 4
			}
		}},
	}
}

func tellPlants() []plant {
	lost := func(m *mutable) int {
		return m.last(func(i int, r *history.Record) bool { return r.F == history.Lost && len(r.Claims) == 2 })
	}
	event := func(m *mutable) int {
		return m.last(func(i int, r *history.Record) bool {
			return r.F == history.Event && r.Kind == "name" && r.Old == nil && r.New != nil
		})
	}
	return []plant{
		{"a loss is told twice", []string{"losers-told-once"}, func(m *mutable) {
			i := lost(m)
			m.insert(i, *m.rec(i))
		}},
		{"a loss is told by another node", []string{"losers-told-once"}, func(m *mutable) {
			r := m.rec(lost(m))
			r.Node, r.Run = m.other(r.Node)
		}},
		{"a winner is swapped", []string{"losers-told-once", "right-winner", "same-winner"}, func(m *mutable) {
			r := m.rec(lost(m))
			r.Winner = r.Process
		}},
		{"one node names another winner", []string{"right-winner", "same-winner"}, func(m *mutable) {
			i := m.last(func(i int, r *history.Record) bool { return r.F == history.Conflict && len(r.Claims) == 2 })
			c := *m.rec(i)
			for _, o := range c.Claims {
				if o.Process != c.Winner {
					c.Winner = o.Process
					break
				}
			}
			m.insert(i, c)
		}},
		{"an event is dropped", []string{"watch-complete"}, func(m *mutable) { m.drop(event(m)) }},
		{"an event is delivered twice", []string{"watch-complete"}, func(m *mutable) {
			i := event(m)
			m.insert(i, *m.rec(i))
		}},
		{"an event without a cause", []string{"quiet"}, func(m *mutable) {
			r := *m.rec(m.endView())
			k := someName(r.Names)
			s := r.Names[k]
			i := m.last(func(_ int, o *history.Record) bool { return o.F == history.Snapshot && o.Node == r.Node })
			e := history.Record{Type: history.Info, F: history.Event, Node: r.Node, Run: r.Run, Watch: m.rec(i).Watch, Kind: "name", Key: k, Reason: "node down", Old: &s}
			e.Seq = m.rec(i).Seq + 1
			m.insert(i, e)
		}},
		{"a removal that nobody asked for", []string{"quiet", "removes-only-observed"}, func(m *mutable) {
			r := *m.rec(m.endView())
			k := someName(r.Names)
			s := r.Names[k]
			i := m.last(func(_ int, o *history.Record) bool { return o.F == history.Snapshot && o.Node == r.Node })
			e := history.Record{Type: history.Info, F: history.Event, Node: r.Node, Run: r.Run, Watch: m.rec(i).Watch, Kind: "name", Key: k, Reason: "unregistered", Old: &s}
			e.Seq = m.rec(i).Seq + 1
			m.insert(i, e)
		}},
	}
}

func costPlants() []plant {
	op := func(m *mutable, how history.Type) {
		r := m.rec(m.endView())
		m.operation(m.calm(), history.Record{F: history.Leave, Node: r.Node, Run: r.Run, Process: "ghost", Group: "nowhere"}, how)
	}
	return []plant{
		{"an operation without a certain end", []string{"available"}, func(m *mutable) { op(m, history.Info) }},
		{"a node keeps too much", []string{"bounded-metadata"}, func(m *mutable) {
			m.rec(m.last(func(_ int, r *history.Record) bool { return r.F == history.State })).Entries += 1000
		}},
		{"a node keeps something out of order", []string{"bounded-metadata"}, func(m *mutable) {
			m.rec(m.last(func(_ int, r *history.Record) bool { return r.F == history.State })).Extra = 1000
		}},
		{"traffic beyond the budget", []string{"traffic-budget"}, func(m *mutable) {
			m.h.Header.Budget = 10
			settled := m.last(func(_ int, r *history.Record) bool { return r.F == history.Settled })
			first := settled + 1
			for m.rec(first).F != history.View || m.rec(first).Type != history.Ok {
				first++
			}
			m.insert(first, history.Record{Type: history.Info, F: history.Traffic, Bytes: 1 << 30})
		}},
		{"a holder that was never asked for", []string{"final-agreement", "nothing-invented", "split-agreement"}, func(m *mutable) {
			r := m.rec(m.endView())
			m.operation(m.calm(), history.Record{
				F: history.Lookup, Node: r.Node, Run: r.Run, Name: "nothing", Holder: "ghost"}, history.Ok)
		}},
	}
}

// TestPlantedViolations plants one violation in each of several histories that
// keep every promise, and wants exactly the checks that it breaks.
func TestPlantedViolations(t *testing.T) {
	caught := map[string]bool{}
	worlds := map[uint64]*history.History{}
	for seed := uint64(0); seed < 15; seed += 3 { // three nodes
		worlds[seed] = worldOf(seed, "notify(last-writer)", 40)
	}
	for _, list := range [][]plant{viewPlants(), endPlants(), tellPlants(), costPlants()} {
		for _, p := range list {
			for seed := uint64(0); seed < 15; seed += 3 {
				t.Run(fmt.Sprint(p.name, "/", seed), func(t *testing.T) {
					m := mutate(t, worlds[seed])
					p.do(m)
					r := check.Run(&m.h)
					p.require(t, r)
				})
			}
			for _, name := range p.want {
				caught[name] = true
			}
		}
	}
	for _, c := range check.All() {
		if !slices.Contains([]string{"relay", "core-agreement", "out-of-reach"}, c.Name) { // those need another end: see below
			require.True(t, caught[c.Name], "nothing is planted for %s", c.Name)
		}
	}
}

// require wants that a report breaks what the plant says.
func (p *plant) require(t *testing.T, r *check.Report) {
	t.Helper()
	broken := r.Failed()
	for _, name := range p.want {
		if !strings.HasPrefix(name, "?") {
			require.Contains(t, broken, name, "%+v", findings(r))
		}
	}
	for _, name := range broken {
		require.True(t, slices.Contains(p.want, name) || slices.Contains(p.want, "?"+name), "%s: %+v", name, findings(r))
	}
}

func findings(r *check.Report) []string {
	var all []string
	for _, o := range r.Results {
		for _, f := range o.Findings[:min(1, len(o.Findings))] {
			all = append(all, o.Check+": "+f.Explain)
		}
	}
	return all
}

// TestPlantedAtAnotherEnd plants violations in histories that end with a line, with
// a dead node, and with a node cut off.
func TestPlantedAtAnotherEnd(t *testing.T) {
	base := func() *story {
		return tell("n1", "n2", "n3").at(2).register("n1", "p1", "k").register("n3", "p3", "j").at(4)
	}
	require.Empty(t, failed(&base().cut("n1-n3").at(8).views("n1 n2 n3", "k=p1", "j=p3").h))
	require.Equal(t, []string{"final-agreement", "no-lost-name", "relay"},
		failed(&base().cut("n1-n3").at(8).views("n1 n2", "k=p1", "j=p3").view("n3", "j=p3").h))
	require.Empty(t, failed(&base().down("n3").at(8).views("n1 n2", "k=p1").h))
	require.Equal(t, []string{"core-agreement", "final-agreement", "no-zombie", "split-agreement"},
		failed(&base().down("n3").at(8).view("n1", "k=p1").view("n2", "k=p1", "j=p3").h))
	require.Empty(t, failed(&base().cut("n1-n3", "n2-n3").at(8).views("n1 n2", "k=p1").view("n3", "j=p3").h))
	require.Equal(t, []string{"out-of-reach"},
		failed(&base().cut("n1-n3", "n2-n3").at(8).views("n1 n2", "k=p1", "j=p3").view("n3", "j=p3").h))
}
