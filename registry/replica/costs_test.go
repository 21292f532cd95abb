package replica

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/costs.txt anew")

// costs gathers exact figures: allocations, bytes and frames, never times.
type costs struct{ b strings.Builder }

func (c *costs) add(what string, n any, unit string) {
	fmt.Fprintf(&c.b, "%-72s %10v %s\n", what, n, unit)
}

// tally counts the frames that arrive and their bytes.
type tally struct {
	frames, bytes int
	kinds         map[string]int
}

func (c *cluster) tally() *tally {
	t := &tally{kinds: map[string]int{}}
	c.drop = func(f flight) bool {
		t.frames++
		t.bytes += len(f.frame)
		t.kinds[FrameKind(f.frame)] += len(f.frame)
		return false
	}
	return t
}

// TestExactCosts holds what operations cost against testdata/costs.txt. A change
// that is meant is written there with go test ./registry/replica -run ExactCosts -update.
func TestExactCosts(t *testing.T) {
	var got costs
	costsOfFrames(t, &got)
	for _, n := range []int{3, 10, 100} {
		costsOfUpdates(t, &got, n)
	}
	costsOfRepair(t, &got)
	costsInMemory(t, &got)
	const file = "testdata/costs.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got.b.String()), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(got.b.String(), "\n"),
		"costs have changed: go test ./registry/replica -run ExactCosts -update writes the new ones, if they are meant")
}

// costsOfFrames measures the frames of single operations, names of 24 bytes.
func costsOfFrames(t *testing.T, got *costs) {
	c, a, _, _ := three(t)
	c.run(2 * time.Second)
	name := func(i int) string { return fmt.Sprintf("name-%019d", i) }
	count := c.tally()
	measure := func(what string, f func()) {
		*count = tally{kinds: map[string]int{}}
		f()
		c.settle()
		got.add(what, fmt.Sprintf("%d/%d", count.frames, count.bytes), "frames/bytes")
	}
	var e *Entry
	measure("3 nodes: optimistic registration", func() { e, _ = c.register(a, name(1), optimistic) })
	measure("3 nodes: update with a value of 16 bytes", func() {
		_, err := a.m.Update(c.reading(), e.serial, name(1), make([]byte, 16))
		require.NoError(t, err)
		c.collect(a)
	})
	measure("3 nodes: unregister", func() {
		require.NoError(t, a.m.Unregister(c.reading(), e.serial, name(1)))
		c.collect(a)
	})
	measure("3 nodes: arbitrated registration, home elsewhere", func() { _, _ = c.register(a, nameAt(t, a, "n2", 3)) })
	measure("3 nodes: join a group", func() { c.join(a, "group") })
	serial := a.spawn()
	measure("3 nodes: 10,000 arbitrated registrations in one call", func() {
		calls := make([]Register, 10_000)
		for i := range calls {
			calls[i] = Register{ID: uint64(1000 + i), Serial: serial, Name: name(10 + i)}
		}
		a.m.RegisterMany(c.reading(), calls)
		c.collect(a)
	})
	measure("3 nodes: a process with 10,000 names ends", func() {
		for a.m.Exit(c.reading(), serial) {
		}
		c.collect(a)
	})
}

// costsOfUpdates measures how changes spread and what idle nodes say.
func costsOfUpdates(t *testing.T, got *costs, n int) {
	c := newCluster(t, 1)
	for i := range n {
		c.start(fmt.Sprintf("n%03d", i))
	}
	c.run(3 * time.Second)
	a := c.nodes["n000"]
	count := c.tally()
	for i := range 10 {
		_, err := c.register(a, fmt.Sprint("k", i), optimistic)
		require.NoError(t, err)
	}
	c.settle()
	got.add(fmt.Sprintf("%d nodes: frames for each change and other node", n), fmt.Sprintf("%.2f", float64(count.frames)/float64(10*(n-1))), "")
	c.run(2 * time.Second)
	*count = tally{kinds: map[string]int{}}
	c.run(10 * time.Second)
	got.add(fmt.Sprintf("%d nodes: idle and equal, each node in a second", n), count.bytes/n/10, "bytes")
}

// costsOfRepair measures a heal of 20,000 entries of which ten differ on each
// side, and a late join.
func costsOfRepair(t *testing.T, got *costs) {
	c, a, b, _ := three(t)
	serial := a.spawn()
	for i := range 20_000 {
		_, _, done := a.m.Register(c.reading(), Register{Serial: serial, Name: fmt.Sprintf("name-%019d", i), Optimistic: true})
		require.True(t, done)
	}
	c.collect(a)
	c.run(2 * time.Second)
	c.partition([]string{"n1"}, []string{"n2", "n3"})
	for i := range 10 {
		require.NoError(t, a.m.Unregister(c.reading(), serial, fmt.Sprintf("name-%019d", 1900*i)))
		_, err := c.register(b, fmt.Sprint("new", i), optimistic)
		require.NoError(t, err)
	}
	c.collect(a)
	c.run(time.Second)
	count := c.tally()
	c.heal()
	c.run(3 * time.Second)
	c.requireAgreement()
	got.add("3 nodes, 20,000 names: heal, 10 removed on one side and 10 new on the other", count.bytes, "bytes")
	*count = tally{kinds: map[string]int{}}
	c.start("n4")
	c.run(time.Second)
	c.requireAgreement()
	got.add("3 nodes, 20,000 names: a fourth joins", count.bytes, "bytes")
}

// costsInMemory measures allocations of the machine's hot paths.
func costsInMemory(t *testing.T, got *costs) {
	c, a, b, _ := three(t)
	c.run(2 * time.Second)
	var fx Effects
	drain := func(m *Machine) {
		m.Flush()
		m.Take(&fx)
		fx.Reset()
	}
	serial := a.spawn()
	i := 0
	allocs := testing.AllocsPerRun(2000, func() {
		i++
		_, _, _ = a.m.Register(c.reading(), Register{Serial: serial, Name: names[i%len(names)], Optimistic: true})
		_ = a.m.Unregister(c.reading(), serial, names[i%len(names)])
		drain(a.m)
	})
	got.add("register and unregister, frames for two peers included", allocs, "allocs")
	frame, _ := a.m.enc.claims([]claimMsg{{Nonce: 1, Name: "taken", Holder: a.m.pid(serial)}})
	_, err := c.register(b, "taken", optimistic)
	require.NoError(t, err)
	allocs = testing.AllocsPerRun(1000, func() {
		require.NoError(t, b.m.Step(c.reading(), a.self, frame))
		drain(b.m)
	})
	got.add("a home answers a claim", allocs, "allocs")
	allocs = testing.AllocsPerRun(1000, func() { b.m.Digest() })
	got.add("digest", allocs, "allocs")
	allocs = testing.AllocsPerRun(1000, func() { b.m.Tick(c.reading()) })
	got.add("tick", allocs, "allocs")
}

var names = func() (list [64]string) {
	for i := range list {
		list[i] = fmt.Sprintf("name-%019d", i)
	}
	return list
}()
