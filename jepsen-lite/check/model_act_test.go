package check_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// act does one random thing on a node.
func (w *world) act(n *place) {
	if !n.up || n.frozen {
		return
	}
	if len(n.procs) == 0 || w.rng.IntN(6) == 0 {
		w.procs++
		n.procs = append(n.procs, fmt.Sprint("p", w.procs))
		w.fact(n, history.Spawn, history.Record{Process: n.procs[len(n.procs)-1]})
	}
	proc := n.procs[w.rng.IntN(len(n.procs))]
	key := fmt.Sprint("k", w.rng.IntN(6))
	switch k := w.rng.IntN(20); {
	case k < 8:
		w.register(n, proc, key)
		w.spread("registered")
	case k < 12:
		w.set(n, history.Record{F: history.Join, Process: proc, Group: "g" + key, Value: fmt.Sprint("v", w.rng.IntN(1000))})
		w.spread("registered")
	case k < 17 && len(n.own) > 0:
		w.change(n, n.own[w.rng.IntN(len(n.own))], k)
	case k < 18:
		w.exit(n, proc)
		w.spread("exited")
	default:
		w.read(n, key)
	}
}

func (w *world) register(n *place, proc, key string) {
	mode := history.Arbitrated
	if w.rng.IntN(2) == 0 {
		mode = history.Optimistic
	}
	w.operation(n, history.Record{F: history.Register, Process: proc, Name: key, Mode: mode}, func(r *history.Record) bool {
		for _, e := range w.visible(n) {
			if !e.group && e.key == key && e.proc != proc {
				r.Holder = e.proc
				return false
			}
		}
		r.Fence = w.put(n, entry{key: key, proc: proc})
		return true
	})
}

// put adds an entry, or replaces the value of one that is there.
func (w *world) put(n *place, e entry) uint64 {
	for i := range n.own {
		if o := &n.own[i]; o.group == e.group && o.key == e.key && o.proc == e.proc {
			o.value = e.value
			return o.birth
		}
	}
	w.fence++
	e.birth, e.seq, e.node, e.run = w.fence, w.fence, n.name, n.run
	n.own = append(n.own, e)
	return e.birth
}

func (w *world) set(n *place, r history.Record) {
	w.operation(n, r, func(*history.Record) bool {
		w.put(n, entry{group: r.F == history.Join, key: r.Name + r.Group, proc: r.Process, value: r.Value})
		return true
	})
}

// change updates or removes an entry.
func (w *world) change(n *place, e entry, k int) {
	r := history.Record{F: history.Unregister, Process: e.proc, Name: e.key}
	switch {
	case e.group && k < 15:
		r = history.Record{F: history.Leave, Process: e.proc, Group: e.key}
	case e.group || k >= 15:
		r = history.Record{F: history.Update, Process: e.proc, Name: e.key, Value: fmt.Sprint("v", w.rng.IntN(1000))}
		if e.group {
			r = history.Record{F: history.Join, Process: e.proc, Group: e.key, Value: r.Value}
		}
		w.set(n, r)
		w.spread("updated")
		return
	}
	w.operation(n, r, func(*history.Record) bool {
		n.own = slices.DeleteFunc(n.own, func(o entry) bool { return o.id() == e.id() && o.proc == e.proc })
		return true
	})
	w.spread("unregistered")
}

func (w *world) read(n *place, key string) {
	shown := w.view(n)
	w.operation(n, history.Record{F: history.Lookup, Name: key}, func(r *history.Record) bool {
		s := shown["n:"+key]
		r.Holder, r.Value, r.Fence = s.Process, s.Value, s.Fence
		return true
	})
	w.operation(n, history.Record{F: history.Members, Group: "g" + key}, func(r *history.Record) bool {
		for _, e := range w.visible(n) {
			if e.group && e.key == "g"+key {
				r.Members = append(r.Members, e.proc)
			}
		}
		return true
	})
}

// look records a view of every node that runs, and what it keeps.
func (w *world) look() {
	for _, n := range w.nodes {
		if !n.up || n.frozen {
			continue
		}
		digest := ""
		w.operation(n, history.Record{F: history.View}, func(r *history.Record) bool {
			r.Names, r.Groups = map[string]history.Shown{}, map[string][]history.Shown{}
			sum := fnv.New64a()
			for _, e := range w.visible(n) {
				fmt.Fprintln(sum, e.id(), e.proc, e.value, e.birth)
				if e.group {
					r.Groups[e.key] = append(r.Groups[e.key], history.Shown{Process: e.proc, Value: e.value, Fence: e.birth})
				} else if s, ok := w.view(n)[e.id()]; ok {
					r.Names[e.key] = s
				}
			}
			digest = fmt.Sprintf("%016x", sum.Sum64())
			r.Digest = digest
			return true
		})
		w.fact(n, history.State, history.Record{Digest: digest, Entries: len(w.visible(n))})
		w.fact(n, history.Snapshot, history.Record{Watch: w.watch(n), Seq: n.seq + 1, Names: w.names(n), Groups: w.groups(n)})
		n.seq++
	}
}

func (w *world) names(n *place) map[string]history.Shown {
	names := map[string]history.Shown{}
	for id, s := range w.view(n) { // into a map: in any order
		if id[0] == 'n' {
			names[id[2:]] = s
		}
	}
	return names
}

func (w *world) groups(n *place) map[string][]history.Shown {
	groups := map[string][]history.Shown{}
	for _, e := range w.visible(n) {
		if e.group {
			groups[e.key] = append(groups[e.key], history.Shown{Process: e.proc, Value: e.value, Fence: e.birth})
		}
	}
	return groups
}

// topology changes what is cut: sides is how many there are, 1 for a heal, 0 for a
// line.
func (w *world) topology(sides int) {
	f := history.Cut
	if sides == 1 {
		f = history.Heal
	}
	op := w.rec.NextOp()
	w.rec.Add(history.Record{At: w.now, Type: history.Invoke, F: f, Op: op})
	w.now += second / 100
	clear(w.closed)
	var closed []history.Link
	side := w.rng.Perm(len(w.nodes))
	for i, a := range w.nodes {
		for j, b := range w.nodes {
			if i != j && (sides > 1 && side[i]%sides != side[j]%sides || sides == 0 && i-j != 1 && j-i != 1) {
				l := history.Link{From: a.name, To: b.name}
				w.closed[l] = true
				closed = append(closed, l)
			}
		}
	}
	w.rec.Add(history.Record{At: w.now, Type: history.Ok, F: f, Op: op, Closed: closed, Verified: true})
	why := "node down"
	if sides == 1 {
		why = "node up"
		w.fact(nil, history.Traffic, history.Record{Bytes: w.bytes})
	}
	w.spread(why)
}

// fault does something to a node.
func (w *world) fault() {
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	switch k := w.rng.IntN(3); {
	case n.frozen:
		n.frozen = false
		w.fact(n, history.Resume, history.Record{})
		w.spread("node up")
	case !n.up:
		w.start(n)
		w.spread("node up")
	case k == 0:
		n.frozen = true
		w.fact(n, history.Pause, history.Record{})
		w.spread("node down")
	case k == 1:
		for _, p := range slices.Clone(n.procs) {
			w.exit(n, p)
		}
		n.up = false
		w.fact(n, history.NodeDown, history.Record{Reason: "killed"})
		w.spread("node down")
	}
}

// live lets some rounds of the world pass, and then calm.
func (w *world) live(rounds int) *history.History {
	for round := range rounds {
		for range 8 {
			w.now += w.rng.Int64N(second / 5)
			w.act(w.nodes[w.rng.IntN(len(w.nodes))])
		}
		switch w.rng.IntN(8) {
		case 0:
			w.topology(2 + w.rng.IntN(2))
		case 1:
			w.topology(0)
		case 2, 3:
			w.topology(1)
		case 4:
			w.fault()
		}
		if round%4 == 0 {
			w.now += 2 * second
		}
		w.look()
	}
	for i, n := range w.nodes {
		if n.frozen {
			n.frozen = false
			w.fact(n, history.Resume, history.Record{})
		}
		if !n.up && i < 2 { // others stay dead for ever
			w.start(n)
		}
	}
	w.topology(1)
	w.fact(nil, history.Settled, history.Record{})
	w.now += 3 * second
	w.look()
	w.fact(nil, history.Traffic, history.Record{Bytes: w.bytes})
	w.now += 3 * second
	w.look()
	return w.rec.History()
}

func worldOf(seed uint64, policy string, rounds int) *history.History {
	return newWorld(seed, policy, 3+int(seed%3)).live(rounds)
}

func TestNoFaultIsFoundWithAPerfectRegistry(t *testing.T) {
	judged := map[string]int{}
	seeds := uint64(60)
	if testing.Short() {
		seeds = 15
	}
	for seed := range seeds {
		policy := []string{"last-writer", "first-writer", "random-notify", "notify(last-writer)", "notify-all"}[seed%5]
		h := worldOf(seed, policy, 30)
		r := check.Run(h)
		for _, o := range r.Results {
			require.NotEqual(t, check.Fail, o.Verdict, "seed %d, policy %s, %s: %v", seed, policy, o.Check, o.Findings)
			judged[o.Check] += o.Judged
		}
		require.Equal(t, check.Pass, r.Verdict, "seed %d", seed)
	}
	for _, c := range check.All() {
		require.NotZero(t, judged[c.Name], "%s judged nothing in all these histories", c.Name)
	}
}

func TestOneHistoryOneReport(t *testing.T) {
	h := worldOf(3, "last-writer", 30)
	h.Records[len(h.Records)/2].Names = nil
	first := check.Run(h)
	for range 5 {
		require.Equal(t, first, check.Run(h))
	}
}
