package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// oracle answers questions about a small history by reading all of it again for
// each: slowly, and with nothing in common with the index of the checks but the
// definitions. It takes operations that are over at once.
type oracle struct {
	h *history.History
}

// net is what can be said of the network at a record.
type net struct {
	up       map[string]int // the run of each node that runs
	closed   map[history.Link]bool
	doubt    map[history.Link]bool
	degraded map[history.Link]bool
}

// at reads the history up to a record.
func (o *oracle) at(record int) net {
	n := net{map[string]int{}, map[history.Link]bool{}, map[history.Link]bool{}, map[history.Link]bool{}}
	for _, r := range o.h.Records[:record+1] {
		switch r.F {
		case history.NodeUp, history.Resume:
			n.up[r.Node] = r.Run
		case history.NodeDown, history.Pause:
			delete(n.up, r.Node)
		case history.Cut, history.Heal, history.OneWay, history.Degrade:
			n.fault(r)
		}
	}
	return n
}

func (n *net) fault(r history.Record) {
	if r.Type == history.Invoke {
		return // over at once
	}
	next := map[history.Link]bool{}
	for _, l := range r.Closed {
		next[l] = true
	}
	if r.Verified {
		n.degraded = map[history.Link]bool{}
		for _, l := range r.Degraded {
			n.degraded[l] = true
		}
	}
	switch {
	case r.F == history.Degrade:
	case r.Verified:
		n.closed, n.doubt = next, map[history.Link]bool{}
	default:
		for l := range next { // into a map: in any order
			if !n.closed[l] {
				n.doubt[l] = true
			}
		}
		for l := range n.closed { // into a map: in any order
			if !next[l] {
				n.doubt[l] = true
			}
		}
	}
}

// maybe and surely report whether two nodes have a link, of either direction
// and of both.
func (n *net) maybe(a, b string) bool {
	ab, ba := history.Link{From: a, To: b}, history.Link{From: b, To: a}
	return !n.closed[ab] || n.doubt[ab] || !n.closed[ba] || n.doubt[ba]
}

func (n *net) surely(a, b string) bool {
	ab, ba := history.Link{From: a, To: b}, history.Link{From: b, To: a}
	return !n.closed[ab] && !n.doubt[ab] && !n.closed[ba] && !n.doubt[ba]
}

// component returns the nodes that a node is connected with by links of a kind.
func (n *net) component(a string, linked func(a, b string) bool) []string {
	if _, ok := n.up[a]; !ok {
		return nil
	}
	c := []string{a}
	for i := 0; i < len(c); i++ {
		for b := range n.up { // sorted below, so in any order
			if !slices.Contains(c, b) && linked(c[i], b) {
				c = append(c, b)
			}
		}
	}
	slices.Sort(c)
	return c
}

// sign describes the component of a node at a record, or is empty when it is not
// clean.
func (o *oracle) sign(node string, record int) string {
	n := o.at(record)
	c := n.component(node, n.surely)
	var words []string
	for _, a := range c {
		words = append(words, fmt.Sprint(a, "/", n.up[a]))
		for b := range n.up { // words are sorted, so in any order
			ab, ba := history.Link{From: a, To: b}, history.Link{From: b, To: a}
			switch {
			case a == b:
			case !slices.Contains(c, b) && n.maybe(a, b):
				return ""
			case slices.Contains(c, b) && (n.doubt[ab] || n.doubt[ba] || n.degraded[ab] || n.degraded[ba]):
				return ""
			case slices.Contains(c, b):
				kind := "shut"
				if n.surely(a, b) {
					kind = "joint"
				} else if n.maybe(a, b) {
					kind = "half"
				}
				words = append(words, a+kind+b)
			}
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// stretch is a window as the oracle finds it.
type stretch struct {
	from, to int // records, to is the first after it
	due      int64
	nodes    []string
	net      net
}

// window returns the window of a node at a record.
func (o *oracle) window(node string, record int) (stretch, bool) {
	s := o.sign(node, record)
	if s == "" {
		return stretch{}, false
	}
	w := stretch{from: record, to: record, net: o.at(record)}
	for w.from > 0 && o.sign(node, w.from-1) == s {
		w.from--
	}
	for w.to < len(o.h.Records) && o.sign(node, w.to) == s {
		w.to++
	}
	w.nodes = w.net.component(node, w.net.surely)
	bound, detect := o.h.Header.Bound, o.h.Header.Detect
	w.due = o.h.Records[w.from].At + bound
	for _, a := range w.nodes {
		for i := range w.from {
			if r := o.h.Records[i]; r.F == history.NodeDown && r.Node == a {
				w.due = max(w.due, r.At+detect+bound)
			}
		}
		for _, b := range o.h.Header.Nodes {
			lost, ok := int64(0), false
			if !slices.Contains(w.nodes, b) {
				lost, ok = o.lostAt(w.from, func(n *net) bool { return slices.Contains(n.component(a, n.maybe), b) })
			} else if a != b && !w.net.surely(a, b) {
				lost, ok = o.lostAt(w.from, func(n *net) bool {
					_, upA := n.up[a]
					_, upB := n.up[b]
					return upA && upB && n.surely(a, b)
				})
			}
			if ok {
				w.due = max(w.due, lost+detect+bound)
			}
		}
	}
	return w, true
}

// lostAt returns when something was the case for the last time before a record, if
// it ever was.
func (o *oracle) lostAt(before int, had func(*net) bool) (int64, bool) {
	for i := before - 1; i >= 0; i-- {
		if n := o.at(i); had(&n) {
			return o.h.Records[i+1].At, true
		}
	}
	return 0, false
}

// holding is what can be said of a process and a key at a record.
type holding struct {
	sure, may bool
	since     int64 // when it became sure
	over      int64 // when it ended for certain
	claimed   bool
}

// holds reads the history of a process and a key up to a record.
func (o *oracle) holds(proc, k string, record int) holding {
	var h holding
	for _, r := range o.h.Records[:record+1] {
		mine := r.Process == proc && r.Name+r.Group == k
		switch {
		case r.F == history.Exit && r.Process == proc && h.may, r.F == history.Lost && mine && h.may:
			h.sure, h.may, h.over = false, false, r.At
		case !mine || r.Type == history.Invoke:
		case r.F == history.Register || r.F == history.Join:
			h.claimed = true
			h.may = true
			if r.Type == history.Ok && !h.sure {
				h.sure, h.since = true, r.At
			}
		case r.F == history.Unregister || r.F == history.Leave:
			h.sure = false
			if r.Type == history.Ok && h.may {
				h.may, h.over = false, r.At
			}
		}
	}
	return h
}

// home returns the node and run of a process.
func (o *oracle) home(proc string) (string, int) {
	for _, r := range o.h.Records {
		if r.F == history.Spawn && r.Process == proc {
			return r.Node, r.Run
		}
	}
	return "", 0
}

func (o *oracle) procs() []string {
	var all []string
	for _, r := range o.h.Records {
		if r.F == history.Spawn {
			all = append(all, r.Process)
		}
	}
	return all
}

// end returns the time of a record, or later than all when there is none.
func (o *oracle) end(record int) int64 {
	if record >= len(o.h.Records) {
		return 1 << 60
	}
	return o.h.Records[record].At
}

// lostMembers counts the members that views should show and do not.
func (o *oracle) lostMembers() int {
	count := 0
	o.views(func(i int, r history.Record, w stretch) {
		for _, p := range o.procs() {
			h := o.holds(p, "g", i-1)
			node, run := o.home(p)
			due := h.sure && h.since+o.h.Header.Bound <= r.At && w.due <= r.At
			in := slices.Contains(w.nodes, node) && w.net.up[node] == run
			if due && in && !slices.ContainsFunc(r.Groups["g"], func(s history.Shown) bool { return s.Process == p }) {
				count++
			}
		}
	})
	return count
}

// views walks through the views that were made in a window.
func (o *oracle) views(each func(i int, r history.Record, w stretch)) {
	for i, r := range o.h.Records {
		if r.F != history.View || r.Type != history.Ok {
			continue
		}
		if w, ok := o.window(r.Node, i); ok {
			each(i, r, w)
		}
	}
}

// zombies counts what views show though its end must be known there.
func (o *oracle) zombies() int {
	count := 0
	for i, r := range o.h.Records {
		if r.F != history.View || r.Type != history.Ok {
			continue
		}
		for _, s := range r.Groups["g"] {
			h := o.holds(s.Process, "g", i-1)
			if h.claimed && !h.may && o.known(i, r, s.Process, h.over) {
				count++
			}
		}
	}
	return count
}

// known reports whether the node of a view must know the end of something.
func (o *oracle) known(i int, r history.Record, proc string, over int64) bool {
	node, run := o.home(proc)
	bound := o.h.Header.Bound
	for _, d := range o.h.Records[:i-1] {
		if w, ok := o.window(r.Node, i); d.F == history.NodeDown && d.Node == node && d.Run == run && ok {
			if w.due <= r.At && over+bound <= r.At {
				return true
			}
		}
	}
	for j := range o.h.Records {
		w, ok := o.window(r.Node, j)
		if !ok || w.net.up[r.Node] != r.Run || !slices.Contains(w.nodes, node) || w.net.up[node] != run {
			continue
		}
		if t := max(w.due, over+bound); t < o.end(w.to) && t <= r.At {
			return true
		}
	}
	return false
}

// unreachable counts what views show of nodes that run outside the component.
func (o *oracle) unreachable() int {
	count := 0
	o.views(func(i int, r history.Record, w stretch) {
		for _, s := range r.Groups["g"] {
			node, run := o.home(s.Process)
			alive := false
			for _, d := range o.h.Records[:i] {
				alive = alive || d.F == history.NodeUp && d.Node == node && d.Run == run
				alive = alive && !(d.F == history.NodeDown && d.Node == node && d.Run == run)
			}
			if alive && w.due <= r.At && !(slices.Contains(w.nodes, node) && w.net.up[node] == run) {
				count++
			}
		}
	})
	return count
}

// twoBelieve reports whether two processes of one component believe too long.
func (o *oracle) twoBelieve() bool {
	procs := o.procs()
	for i := range o.h.Records {
		for _, p := range procs {
			for _, q := range procs {
				a, b := o.holds(p, "k", i), o.holds(q, "k", i)
				if p >= q || !a.sure || !b.sure {
					continue
				}
				if o.together(i, p, q, max(a.since, b.since)) {
					return true
				}
			}
		}
	}
	return false
}

func (o *oracle) together(i int, p, q string, since int64) bool {
	nodeP, runP := o.home(p)
	nodeQ, runQ := o.home(q)
	w, ok := o.window(nodeP, i)
	if !ok || !slices.Contains(w.nodes, nodeQ) || w.net.up[nodeP] != runP || w.net.up[nodeQ] != runQ {
		return false
	}
	quit := i
	for quit < len(o.h.Records) && o.holds(p, "k", quit).sure && o.holds(q, "k", quit).sure {
		quit++
	}
	t := max(w.due, since+o.h.Header.Bound)
	return t < min(o.end(quit), o.end(w.to)) && t <= o.h.Records[len(o.h.Records)-1].At
}

// drawHistory draws a small history, mostly of nonsense.
func drawHistory(t *rapid.T) *history.History {
	s := tell("n1", "n2", "n3")
	procs := []string{"p1", "p2", "p3", "p4"}
	alive := map[string]bool{}
	up := map[string]bool{"n1": true, "n2": true, "n3": true}
	paused := map[string]bool{}
	steps := rapid.IntRange(5, 25).Draw(t, "steps")
	for range steps {
		s.now += int64(rapid.IntRange(0, 6).Draw(t, "quarters")) * second / 4
		node := rapid.SampledFrom([]string{"n1", "n2", "n3"}).Draw(t, "node")
		proc := rapid.SampledFrom(procs).Draw(t, "proc")
		how := rapid.SampledFrom([]history.Type{history.Ok, history.Ok, history.Ok, history.Info}).Draw(t, "how")
		can := up[node] && !paused[node]
		switch k := rapid.IntRange(0, 11).Draw(t, "what"); {
		case k < 2 && can && (s.homes[proc] == "" || alive[proc] && s.homes[proc] == node):
			alive[proc] = true
			f := []history.Record{
				{F: history.Register, Node: node, Process: proc, Name: "k", Mode: history.Arbitrated},
				{F: history.Join, Node: node, Process: proc, Group: "g"},
			}[k]
			s.end(s.begin(f), how)
		case k == 2 && can && alive[proc] && s.homes[proc] == node:
			f := rapid.SampledFrom([]history.Record{
				{F: history.Unregister, Node: node, Process: proc, Name: "k"}, {F: history.Leave, Node: node, Process: proc, Group: "g"},
			}).Draw(t, "removal")
			s.end(s.begin(f), how)
		case k == 3 && alive[proc] && up[s.homes[proc]]:
			alive[proc] = false
			s.exit(proc)
		case k == 4:
			drawFault(t, s)
		case k == 5 && can:
			for p := range alive { // each exits, so in any order
				if s.homes[p] == node {
					delete(alive, p)
				}
			}
			for _, p := range procs {
				if s.homes[p] == node {
					s.exit(p)
				}
			}
			up[node] = false
			s.down(node)
		case k == 5 && !up[node]:
			up[node] = true
			s.up(node)
		case k == 6 && can:
			paused[node] = true
			s.pause(node)
		case k == 6 && paused[node]:
			paused[node] = false
			s.resume(node)
		case k > 6 && can:
			var words []string
			for _, p := range procs {
				if rapid.Bool().Draw(t, p) {
					words = append(words, "g+"+p)
				}
			}
			s.view(node, words...)
		}
	}
	return &s.h
}

func drawFault(t *rapid.T, s *story) {
	closed := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"n1-n2", "n1-n3", "n2-n3", "n1>n2", "n3>n2"}), 0, 4, rapid.ID[string]).Draw(t, "closed")
	switch rapid.IntRange(0, 5).Draw(t, "fault") {
	case 0:
		s.heal()
	case 1:
		s.degrade(closed...)
	case 2:
		r := s.faultBegins(history.Cut)
		r.Type, r.Closed = history.Info, links(append(closed, "n1-n2"))
		s.add(r)
	default:
		s.cut(closed...)
	}
}

func TestChecksAgreeWithTheOracle(t *testing.T) {
	found := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		o := &oracle{h}
		r := check.Run(h, "no-lost-member", "no-zombie", "out-of-reach", "one-believer")
		count := func(name string) int {
			res, _ := r.Result(name)
			found[name] += res.Count
			return res.Count
		}
		require.Equal(t, o.lostMembers(), count("no-lost-member"), "no-lost-member %s", listing(h))
		require.Equal(t, o.zombies(), count("no-zombie"), "no-zombie %s", listing(h))
		require.Equal(t, o.unreachable(), count("out-of-reach"), "out-of-reach %s", listing(h))
		require.Equal(t, o.twoBelieve(), count("one-believer") > 0, "one-believer %s", listing(h))
	})
	t.Log("findings compared: ", found)
}

func listing(h *history.History) string {
	var b strings.Builder
	for _, e := range h.Records {
		fmt.Fprintf(&b, "\n%d %.2f %s %s %s/%d %s %v closed=%v degraded=%v", e.Index, float64(e.At)/1e9, e.Type, e.F, e.Node, e.Run, e.Process,
			e.Groups["g"], e.Closed, e.Degraded)
	}
	return b.String()
}
