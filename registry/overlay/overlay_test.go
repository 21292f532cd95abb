package overlay_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry/overlay"
)

// mesh is a cluster of overlays under virtual time that broadcasts as the machine
// of registry/replica does: news goes over eager links at once, is spoken of on
// lazy ones every 100 ms, and is fetched when it did not come 150 ms later.
type mesh struct {
	rng   *rand.Rand
	now   int64
	nodes []*member
	queue events
	seq   int
	load  int // payloads that arrived
	spoke int // times that news was spoken of
}

type member struct {
	id    int
	o     *overlay.Overlay[int]
	dead  bool
	trees map[int]*overlay.Tree // by source
	via   map[int]int           // by item: who delivered it
	hops  map[int]int
	news  []int
	heard []heard
}

type heard struct {
	item, from, hops int
	at               int64
}

type event struct {
	at  int64
	seq int
	run func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

const ms = int64(time.Millisecond)

func newMesh(n int, seed uint64) *mesh {
	m := &mesh{rng: rand.New(rand.NewPCG(seed, 7))}
	for i := range n {
		m.nodes = append(m.nodes, &member{
			id: i, o: overlay.New[int](rand.New(rand.NewPCG(seed, uint64(i)))), via: map[int]int{}, hops: map[int]int{},
			trees: map[int]*overlay.Tree{},
		})
	}
	for _, x := range m.nodes {
		for _, y := range m.nodes {
			if x != y {
				x.o.Up(y.id)
			}
		}
		x.o.Switch(true)
		m.after(m.rng.Int64N(100*ms), func() { m.tick(x) })
	}
	return m
}

func (m *mesh) after(d int64, f func()) {
	m.seq++
	heap.Push(&m.queue, event{m.now + d, m.seq, f})
}

func (m *mesh) run(d time.Duration) {
	for end := m.now + int64(d); len(m.queue) > 0 && m.queue[0].at <= end; {
		e := heap.Pop(&m.queue).(event)
		m.now = e.at
		e.run()
	}
}

func (n *member) tree(item int) *overlay.Tree {
	source := item % sources
	if n.trees[source] == nil {
		n.trees[source] = &overlay.Tree{}
	}
	return n.trees[source]
}

// sources is the number of nodes that speak; item i is said by source i % sources.
const sources = 50

// carry delivers something after 1 to 3 ms, in order on each link, unless an end
// is dead.
func (m *mesh) carry(from *member, to int, f func(to *member)) {
	n := m.nodes[to]
	m.after(ms+int64((from.id*7919+to*104729)%1000)*2*ms/1000, func() {
		if !from.dead && !n.dead {
			f(n)
		}
	})
}

func (m *mesh) flush(n *member) {
	for _, msg := range n.o.Take() {
		m.carry(n, msg.To, func(to *member) {
			to.o.Receive(n.id, msg.Op)
			m.flush(to)
		})
	}
}

func (m *mesh) tick(n *member) {
	if n.dead {
		return
	}
	m.after(100*ms, func() { m.tick(n) })
	n.o.Tick(m.now)
	for _, item := range n.news {
		for _, p := range n.o.Lazy(nil, n.tree(item)) {
			m.spoke++
			hops := n.hops[item]
			m.carry(n, p, func(to *member) { to.heard = append(to.heard, heard{item, n.id, hops, m.now}) })
		}
	}
	n.news = nil
	kept, asked := n.heard[:0], map[int]bool{}
	for _, h := range n.heard {
		if _, here := n.hops[h.item]; here {
			continue
		}
		if m.now-h.at < 150*ms {
			kept = append(kept, h)
			continue
		}
		if asked[h.item] {
			continue
		}
		asked[h.item] = true
		if n.o.Graft(n.tree(h.item), h.from) {
			m.carry(n, h.from, func(to *member) { to.o.Graft(to.tree(h.item), n.id) })
		}
		m.carry(n, h.from, func(to *member) {
			m.carry(to, n.id, func(back *member) { m.receive(back, to.id, h.item, h.hops+1, true) })
		})
	}
	n.heard = kept
	m.flush(n)
}

func (m *mesh) receive(n *member, from, item, hops int, fetched bool) {
	m.load++
	if _, here := n.hops[item]; here {
		if via := n.via[item]; via != from && !fetched && n.o.Has(via) && n.o.Prune(n.tree(item), from) {
			m.carry(n, from, func(to *member) { to.o.Prune(to.tree(item), n.id) })
		}
		return
	}
	n.hops[item], n.via[item] = hops, from
	n.news = append(n.news, item)
	if from != n.id {
		n.o.Graft(n.tree(item), from)
	} else {
		n.o.Rouse(n.tree(item))
	}
	for _, p := range n.o.Eager(nil, n.tree(item)) {
		if p != from {
			m.carry(n, p, func(to *member) { m.receive(to, n.id, item, hops+1, false) })
		}
	}
}

// broadcast lets a source say something and returns what came of it.
func (m *mesh) broadcast(item int, wait time.Duration) (payloads float64, last, missed int) {
	from := m.nodes[item%sources]
	m.load = -1 // its own
	m.receive(from, from.id, item, 0, false)
	m.run(wait)
	live := 0
	for _, n := range m.nodes {
		if n.dead {
			continue
		}
		live++
		if hops, here := n.hops[item]; here {
			last = max(last, hops)
		} else {
			missed++
		}
	}
	return float64(m.load) / float64(live-1), last, missed
}

// kill ends a share of the nodes; the others hear of it only after detect.
func (m *mesh) kill(share float64, detect time.Duration) {
	for _, i := range m.rng.Perm(len(m.nodes) - 1)[:int(share*float64(len(m.nodes)))] {
		i++ // source 0 lives
		m.nodes[i].dead = true
		for _, n := range m.nodes {
			m.after(int64(detect)/2+m.rng.Int64N(int64(detect)), func() { n.o.Down(i) })
		}
	}
}

func TestTreeReachesAllAtOnePayload(t *testing.T) {
	for _, n := range []int{100, 300, 1000} {
		m := newMesh(n, 1)
		m.run(3 * time.Second)
		item := 0
		measure := func(times int) (payloads float64, last int) {
			for range times {
				item += sources
				p, l, missed := m.broadcast(item, 2*time.Second)
				require.Zero(t, missed)
				payloads += p / float64(times)
				last = max(last, l)
			}
			return payloads, last
		}
		first, _ := measure(1)
		measure(10)
		m.spoke = 0
		settled, last := measure(20)
		spoke := float64(m.spoke) / float64(20*n)
		m.kill(0.1, 10*time.Second)
		wounded, lastWounded := measure(5)
		mended, lastMended := measure(20)
		t.Logf("%4d nodes: first %.2f payloads a node, settled %.3f (%.1f times spoken of), last of %d hops; "+
			"10 %% dead %.3f, last of %d hops; mended %.3f, last of %d hops",
			n, first, settled, spoke, last, wounded, lastWounded, mended, lastMended)
		require.LessOrEqual(t, settled, 1.05)
		require.LessOrEqual(t, wounded, 1.2)
		require.LessOrEqual(t, mended, 1.2)
		for _, x := range m.nodes {
			require.LessOrEqual(t, x.o.Neighbors(), overlay.Most)
			for _, p := range x.o.Eager(nil, &overlay.Tree{}) {
				require.True(t, x.dead || m.nodes[p].o.Has(x.id), "neighborship is mutual")
			}
		}
	}
}

// TestManySourcesAtOnce has fifty nodes speak at the same moment, again and
// again: each prunes for itself, and together they must not cut the tree.
func TestManySourcesAtOnce(t *testing.T) {
	m := newMesh(300, 2)
	m.run(3 * time.Second)
	item, payloads := 0, 0.0
	const rounds = 20
	for round := range rounds {
		m.load = -sources
		var items []int
		for range sources {
			items = append(items, item)
			n := m.nodes[item%sources]
			m.receive(n, n.id, item, 0, false)
			item++
		}
		m.run(time.Second)
		for _, n := range m.nodes {
			for _, it := range items {
				if _, here := n.hops[it]; !here {
					require.Fail(t, "missed", "node %d, item %d", n.id, it)
				}
			}
		}
		t.Logf("round %d: %.3f payloads a node", round, float64(m.load)/float64(299*sources))
		if round >= rounds/2 {
			payloads += float64(m.load) / float64(299*sources) / (rounds / 2)
		}
	}
	t.Logf("%.3f payloads a node", payloads)
	require.LessOrEqual(t, payloads, 1.2)
}

// TestAgainstPushGossip prints what full mesh and plain push gossip cost on the
// same number of nodes.
func TestAgainstPushGossip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{100, 1000} {
		for _, fanout := range []int{3, 5, 9} {
			payloads, missed, last := 0.0, 0.0, 0
			const times = 20
			for range times {
				p, m, l := push(rng, n, fanout)
				payloads, missed, last = payloads+p/times, missed+m/times, max(last, l)
			}
			t.Logf("%4d nodes: push to %d: %.2f payloads a node, %.2f %% missed, last of %d hops", n, fanout, payloads, 100*missed, last)
			require.Greater(t, payloads, 2.0)
		}
		t.Logf("%4d nodes: full mesh: 1.00 payloads a node, 0 missed, 1 hop, %d frames by the owner", n, n-1)
	}
}

// push spreads by infect-and-die gossip: whoever gets it first sends it to fanout
// random nodes.
func push(rng *rand.Rand, n, fanout int) (payloads, missed float64, last int) {
	hops := make([]int, n)
	for i := range hops {
		hops[i] = -1
	}
	hops[0] = 0
	sent := 0
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		for range fanout {
			to := rng.IntN(n)
			sent++
			if hops[to] < 0 {
				hops[to] = hops[queue[0]] + 1
				last = max(last, hops[to])
				queue = append(queue, to)
			}
		}
	}
	gone := slices.DeleteFunc(hops, func(h int) bool { return h >= 0 })
	return float64(sent) / float64(n-1), float64(len(gone)) / float64(n), last
}

func TestNeighbors(t *testing.T) {
	o := overlay.New[string](rand.New(rand.NewPCG(1, 1)))
	o.Receive("a", overlay.Ask)
	require.Empty(t, o.Take(), "who has no link is not heard")
	for i := range overlay.Most {
		p := fmt.Sprint("p", i)
		o.Up(p)
		o.Receive(p, overlay.Ask)
		require.Equal(t, []overlay.Message[string]{{To: p, Op: overlay.Yes}}, o.Take())
	}
	o.Up("late")
	o.Receive("late", overlay.Ask)
	require.Equal(t, []overlay.Message[string]{{To: "late", Op: overlay.No}}, o.Take())
	o.Receive("late", overlay.AskUrgently)
	out := o.Take()
	require.Len(t, out, 2)
	require.Equal(t, overlay.Leave, out[0].Op, "room is made")
	require.Equal(t, overlay.Message[string]{To: "late", Op: overlay.Yes}, out[1])
	require.Equal(t, overlay.Most, o.Neighbors())

	var tree overlay.Tree
	require.Contains(t, o.Eager(nil, &tree), "late")
	require.True(t, o.Prune(&tree, "late"))
	require.False(t, o.Prune(&tree, "late"), "a link is pruned once")
	require.Equal(t, []string{"late"}, o.Lazy(nil, &tree))
	require.True(t, o.IsLazy(&tree, "late"))
	require.True(t, o.Graft(&tree, "late"))
	require.False(t, o.Graft(&tree, "late"))
	for _, p := range o.Eager(nil, &tree) {
		o.Prune(&tree, p)
	}
	o.Rouse(&tree)
	require.Len(t, o.Eager(nil, &tree), overlay.Most)
	o.Prune(&tree, "late")
	o.Down("late")
	require.Empty(t, o.Lazy(nil, &tree))
	o.Switch(true)
	o.Switch(false)
	require.Zero(t, o.Neighbors())
	require.Len(t, o.Take(), overlay.Most-1)
}
