package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/resolve"
)

// world is a registry that keeps every promise: what a node does is known in its
// whole component before the next thing happens. Its histories are those that the
// checks must not find fault with.
type world struct {
	rng    *rand.Rand
	rec    *history.Recorder
	policy resolve.Policy
	now    int64
	nodes  []*place
	closed map[history.Link]bool
	fence  uint64
	procs  int
	bytes  int64
}

// place is a node of the world.
type place struct {
	name   string
	run    int
	up     bool
	frozen bool
	own    []entry            // what its processes have
	known  map[string][]entry // by node and run: what it has heard of others
	shown  map[string]history.Shown
	procs  []string
	seq    uint64
}

// entry is a claim or a membership.
type entry struct {
	group bool
	key   string
	proc  string
	value string
	birth uint64
	seq   uint64
	node  string
	run   int
	told  []uint64
}

func (e entry) id() string {
	if e.group {
		return "g:" + e.key + ":" + e.proc
	}
	return "n:" + e.key
}

func newWorld(seed uint64, policy string, nodes int) *world {
	p, err := resolve.Parse(policy)
	if err != nil {
		panic(err)
	}
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), policy: p, closed: map[history.Link]bool{}}
	header := history.Header{Name: "world", Policy: policy, Seed: seed, Bound: second, Detect: second, Claim: second, Budget: 1 << 40}
	for i := range nodes {
		header.Nodes = append(header.Nodes, fmt.Sprint("n", i+1))
	}
	w.rec = history.NewRecorder(header)
	for _, name := range header.Nodes {
		n := &place{name: name}
		w.nodes = append(w.nodes, n)
		w.start(n)
	}
	return w
}

func (w *world) fact(n *place, f history.Func, r history.Record) {
	r.Type, r.F, r.At = history.Info, f, w.now
	if n != nil {
		r.Node, r.Run = n.name, n.run
	}
	w.rec.Add(r)
}

func (w *world) start(n *place) {
	*n = place{name: n.name, run: n.run + 1, up: true, known: map[string][]entry{}, shown: map[string]history.Shown{}, seq: 1}
	w.fact(n, history.NodeUp, history.Record{})
	w.fact(n, history.Snapshot, history.Record{Watch: w.watch(n), Seq: 1})
}

func (w *world) watch(n *place) int {
	return slices.Index(w.nodes, n) + 1 + 100*n.run
}

func (w *world) open(a, b *place) bool {
	return a.up && b.up && !a.frozen && !b.frozen &&
		!w.closed[history.Link{From: a.name, To: b.name}] && !w.closed[history.Link{From: b.name, To: a.name}]
}

// reach returns the nodes that a node reaches, itself first.
func (w *world) reach(a *place) []*place {
	c := []*place{a}
	for i := 0; i < len(c); i++ {
		for _, b := range w.nodes {
			if !slices.Contains(c, b) && w.open(c[i], b) {
				c = append(c, b)
			}
		}
	}
	return c
}

// spread brings every component to rest: all know all, losers withdraw, and all
// show the outcome.
func (w *world) spread(why string) {
	for again := true; again; {
		again = false
		for _, n := range w.nodes {
			if n.up && !n.frozen {
				for _, m := range w.reach(n) {
					n.known[fmt.Sprint(m.name, m.run)] = slices.Clone(m.own)
				}
			}
		}
		for _, n := range w.nodes {
			if n.up && !n.frozen && w.settle(n) {
				again = true
				break
			}
		}
	}
	for _, n := range w.nodes {
		if n.up && !n.frozen {
			w.show(n, why)
		}
	}
}

// visible returns what a node knows of the nodes that it reaches.
func (w *world) visible(n *place) []entry {
	var all []entry
	for _, m := range w.reach(n) {
		all = append(all, n.known[fmt.Sprint(m.name, m.run)]...)
	}
	slices.SortFunc(all, func(a, b entry) int {
		return strings.Compare(a.id()+a.proc, b.id()+b.proc)
	})
	return all
}

func (w *world) claims(entries []entry) (claims []history.Claim, judged []resolve.Claim) {
	for _, e := range entries {
		claims = append(claims, history.Claim{Process: e.proc, Birth: e.birth, Node: e.node, Epoch: uint64(e.run), Seq: e.seq})
		id := crdt.Dot{Replica: crdt.Replica{Node: e.node, Epoch: uint64(e.run)}, Seq: e.seq}
		judged = append(judged, resolve.Claim{
			Name: e.key, Dot: id, Born: id, Birth: crdt.Stamp(e.birth), Holder: resolve.PID{Node: e.node, Epoch: uint64(e.run), Serial: 1},
		})
	}
	return claims, judged
}

// rivals returns the claims that a node sees, by name.
func (w *world) rivals(n *place) map[string][]entry {
	by := map[string][]entry{}
	for _, e := range w.visible(n) {
		if !e.group {
			by[e.key] = append(by[e.key], e)
		}
	}
	return by
}

// settle withdraws one losing claim of a node, and reports whether there was one.
func (w *world) settle(n *place) bool {
	by := w.rivals(n)
	for i := range n.own {
		e := &n.own[i]
		rivals := by[e.key]
		if e.group || len(rivals) < 2 {
			continue
		}
		claims, judged := w.claims(rivals)
		v := resolve.Judge(w.policy, judged)
		if v.Outcome == resolve.Contested {
			w.contest(n, e, rivals, claims)
			continue
		}
		if rivals[v.Winner].proc == e.proc {
			continue
		}
		gone := *e
		n.own = slices.Delete(n.own, i, i+1)
		w.fact(n, history.Conflict, history.Record{Name: gone.key, Winner: rivals[v.Winner].proc, Claims: claims, Rule: w.policy.Name()})
		w.fact(n, history.Lost, history.Record{
			Process: gone.proc, Name: gone.key, Winner: rivals[v.Winner].proc, Reason: "conflict lost", Claims: claims, Rule: w.policy.Name(),
		})
		if w.policy.Loss() == resolve.Exit {
			w.exit(n, gone.proc)
		}
		return true
	}
	return false
}

// contest tells a claimant of the rivals that it has not been told of.
func (w *world) contest(n *place, e *entry, rivals []entry, claims []history.Claim) {
	news := false
	for _, r := range rivals {
		if r.proc != e.proc && !slices.Contains(e.told, r.birth) {
			e.told = append(e.told, r.birth)
			news = true
		}
	}
	if news {
		w.fact(n, history.Lost, history.Record{Process: e.proc, Name: e.key, Reason: "contested", Claims: claims})
	}
}

// view returns what a node shows, by the ids of entries.
func (w *world) view(n *place) map[string]history.Shown {
	shown := map[string]history.Shown{}
	for _, e := range w.visible(n) {
		if e.group {
			shown[e.id()] = history.Shown{Process: e.proc, Value: e.value, Fence: e.birth}
		}
	}
	for _, rivals := range w.rivals(n) { // into a map: in any order
		if _, judged := w.claims(rivals); len(rivals) > 0 {
			if v := resolve.Judge(w.policy, judged); v.Outcome == resolve.Held {
				e := rivals[v.Winner]
				shown[e.id()] = history.Shown{Process: e.proc, Value: e.value, Fence: e.birth}
			}
		}
	}
	return shown
}

// show tells the watch of a node what has changed.
func (w *world) show(n *place, why string) {
	next := w.view(n)
	var ids []string
	for id := range next { // sorted below, so in any order
		ids = append(ids, id)
	}
	for id := range n.shown { // sorted below, so in any order
		if _, ok := next[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		old, had := n.shown[id]
		now, has := next[id]
		if had == has && old == now {
			continue
		}
		n.seq++
		parts := strings.Split(id, ":")
		r := history.Record{Watch: w.watch(n), Seq: n.seq, Kind: "name", Key: parts[1], Reason: why}
		if parts[0] == "g" {
			r.Kind = "group"
		}
		if had {
			r.Old = &old
		}
		if has {
			r.New = &now
		}
		w.fact(n, history.Event, r)
	}
	n.shown = next
}

func (w *world) exit(n *place, proc string) {
	w.fact(n, history.Exit, history.Record{Process: proc})
	n.own = slices.DeleteFunc(n.own, func(e entry) bool { return e.proc == proc })
	n.procs = slices.DeleteFunc(n.procs, func(p string) bool { return p == proc })
}

// operation records an operation that is done at once, unless do says that it
// fails.
func (w *world) operation(n *place, r history.Record, do func(r *history.Record) bool) {
	r.Op, r.At, r.Node, r.Run = w.rec.NextOp(), w.now, n.name, n.run
	r.Type = history.Invoke
	w.rec.Add(r)
	r.Type = history.Fail
	if do(&r) {
		r.Type = history.Ok
	}
	w.rec.Add(r)
	w.bytes += 100
}
