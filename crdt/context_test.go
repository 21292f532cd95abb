package crdt

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func replicaA() Replica { return Replica{Node: "a", Epoch: 1} }
func replicaB() Replica { return Replica{Node: "b", Epoch: 1} }

// contextOf returns the context of single dots, added one after the other.
func contextOf(dots ...Dot) Context {
	var c Context
	for _, d := range dots {
		c.Add(d)
	}
	return c
}

// requireCompact checks the invariant of a context.
func requireCompact(t require.TestingT, c *Context) {
	for i := range c.streams {
		s := &c.streams[i]
		if i > 0 {
			require.Negative(t, c.streams[i-1].replica.Compare(s.replica), "streams are sorted")
		}
		require.False(t, s.prefix == 0 && len(s.ranges) == 0, "no stream is empty")
		end := s.prefix
		for _, r := range s.ranges {
			require.Greater(t, r.Lo, end+1, "ranges neither overlap nor touch: %s", c)
			require.LessOrEqual(t, r.Lo, r.Hi)
			end = r.Hi
		}
		require.LessOrEqual(t, end, MaxSeq)
	}
}

func TestContextCompacts(t *testing.T) {
	a, b := replicaA(), replicaB()
	for _, c := range []struct {
		name   string
		ranges []Range
		want   string
		size   int
	}{
		{"nothing", nil, "{}", 0},
		{"in order", []Range{{1, 1}, {2, 2}, {3, 3}}, "{a@1:1-3}", 1},
		{"backwards", []Range{{3, 3}, {2, 2}, {1, 1}}, "{a@1:1-3}", 1},
		{"a gap stays a gap", []Range{{1, 1}, {3, 3}}, "{a@1:1,3}", 2},
		{"no prefix", []Range{{2, 4}}, "{a@1:2-4}", 1},
		{"a gap is filled", []Range{{1, 2}, {5, 6}, {3, 4}}, "{a@1:1-6}", 1},
		{"ranges that touch", []Range{{3, 4}, {5, 6}}, "{a@1:3-6}", 1},
		{"ranges that touch below", []Range{{5, 6}, {3, 4}}, "{a@1:3-6}", 1},
		{"one range over many", []Range{{3, 3}, {5, 5}, {9, 9}, {2, 7}}, "{a@1:2-7,9}", 2},
		{"prefix over many", []Range{{3, 3}, {5, 5}, {9, 9}, {1, 7}}, "{a@1:1-7,9}", 2},
		{"inside a range", []Range{{3, 9}, {4, 5}}, "{a@1:3-9}", 1},
		{"zero names no event", []Range{{0, 0}}, "{}", 0},
		{"from zero", []Range{{0, 2}}, "{a@1:1-2}", 1},
		{"upside down", []Range{{3, 2}}, "{}", 0},
		{"beyond the end", []Range{{MaxSeq + 1, ^uint64(0)}}, "{}", 0},
		{"to the end", []Range{{1, ^uint64(0)}}, "{a@1:1-9223372036854775807}", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got Context
			for _, r := range c.ranges {
				got.AddRange(a, r.Lo, r.Hi)
			}
			require.Equal(t, c.want, got.String())
			require.Equal(t, c.size, got.Size())
			requireCompact(t, &got)
			require.Equal(t, uint64(0), got.Version(b))
		})
	}
}

// A context that folds a gap with max() covers what it has not seen: the dot
// a:2 reads as seen and removed, and the addition at a:2 is ignored when it comes.
func TestContextKeepsGaps(t *testing.T) {
	c := contextOf(newDot("a", 1), newDot("a", 3))
	require.False(t, c.Has(newDot("a", 2)))
	require.True(t, c.Has(newDot("a", 3)))
	require.Equal(t, uint64(1), c.Version(replicaA()))
	require.Equal(t, newDot("a", 4), c.Next(replicaA()), "a number in a gap is never minted")
}

func TestContextReportsWhatIsNew(t *testing.T) {
	var c Context
	require.True(t, c.AddRange(replicaA(), 3, 5))
	require.False(t, c.AddRange(replicaA(), 4, 5))
	require.True(t, c.AddRange(replicaA(), 5, 6))
	require.False(t, c.Add(Dot{}))
	o := c.Clone()
	require.False(t, c.Merge(&o))
	o.Add(newDot("b", 1))
	require.True(t, c.Merge(&o))
	require.False(t, o.Merge(&c))
}

func TestContextCloneSharesNothing(t *testing.T) {
	c := contextOf(newDot("a", 1), newDot("a", 5), newDot("a", 7))
	o := c.Clone()
	o.AddRange(replicaA(), 2, 6)
	o.Add(newDot("b", 1))
	require.Equal(t, "{a@1:1,5,7}", c.String())
	require.Equal(t, "{a@1:1-7 b@1:1}", o.String())

	// What was merged is not shared either.
	var into Context
	into.Merge(&c)
	into.Add(newDot("a", 6))
	require.Equal(t, "{a@1:1,5,7}", c.String())
}

// When every gap is filled, what is left is one prefix per replica, whatever the
// length of the history and the order in which it came.
func TestContextMetadataIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const replicas, events = 4, 200
		var dots []Dot
		for r := range replicas {
			for seq := range uint64(events) {
				dots = append(dots, newDot(string(rune('a'+r)), seq+1))
			}
		}
		dots = rapid.Permutation(dots).Draw(t, "order")
		var c Context
		for i, d := range dots {
			require.True(t, c.Add(d))
			require.Equal(t, uint64(i+1), c.Len())
		}
		require.Equal(t, replicas, c.Size())
	})
}

func TestContextLenSaturates(t *testing.T) {
	var c Context
	for _, node := range []string{"a", "b", "c"} {
		c.AddRange(Replica{Node: node, Epoch: 1}, 1, MaxSeq)
	}
	require.Equal(t, ^uint64(0), c.Len())
}

// dotSet is the naive model of a context.
type dotSet map[Dot]bool

func (s dotSet) addRange(r Replica, lo, hi uint64) {
	for seq := max(lo, 1); seq <= hi; seq++ {
		s[Dot{Replica: r, Seq: seq}] = true
	}
}

// requireSame checks every observation of c against the model.
func requireSame(t *rapid.T, want dotSet, c *Context, limit uint64) {
	requireCompact(t, c)
	require.Equal(t, uint64(len(want)), c.Len())
	listed := dotSet{}
	for r, run := range c.All() {
		listed.addRange(r, run.Lo, run.Hi)
	}
	require.Equal(t, want, listed)
	for _, node := range []string{"a", "b", "c"} {
		r := Replica{Node: node, Epoch: 1}
		version, last := uint64(0), uint64(0)
		for seq := range limit + 2 {
			d := Dot{Replica: r, Seq: seq}
			require.Equal(t, want[d], c.Has(d), "%s in %s", d, c)
			if want[d] && seq == version+1 {
				version = seq
			}
			if want[d] {
				last = seq
			}
		}
		require.Equal(t, version, c.Version(r))
		require.Equal(t, last+1, c.Next(r).Seq)
	}
}

func TestContextMatchesModel(t *testing.T) {
	const limit = 60
	rapid.Check(t, func(t *rapid.T) {
		contexts := make([]Context, 3)
		models := []dotSet{{}, {}, {}}
		pick := rapid.IntRange(0, 2)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			i := pick.Draw(t, "context")
			if rapid.IntRange(0, 5).Draw(t, "step") == 0 {
				j := pick.Draw(t, "from")
				grew := false
				for d := range models[j] {
					grew = grew || !models[i][d]
					models[i][d] = true
				}
				require.Equal(t, grew, contexts[i].Merge(&contexts[j]))
			} else {
				r := Replica{Node: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "node"), Epoch: 1}
				lo := rapid.Uint64Range(0, limit).Draw(t, "lo")
				hi := min(lo+rapid.Uint64Range(0, 3).Draw(t, "more"), limit)
				before := len(models[i])
				models[i].addRange(r, lo, hi)
				require.Equal(t, len(models[i]) > before, contexts[i].AddRange(r, lo, hi))
			}
			requireSame(t, models[i], &contexts[i], limit)
		}
	})
}

// drawContext draws a context with prefixes, many gaps and empty ones.
func drawContext(t *rapid.T, label string) Context {
	var c Context
	for _, r := range rapid.SliceOfN(rapid.Uint64Range(0, 119), 0, 60).Draw(t, label) {
		c.Add(newDot(string(rune('a'+r%3)), r/3+1))
	}
	return c
}

func TestContextMergeNoticesThatRangesBeginEarlier(t *testing.T) {
	var ends, runs Context
	for i := range uint64(2 * fewRanges) {
		ends.AddRange(replicaA(), 4*i+4, 4*i+4)
		runs.AddRange(replicaA(), 4*i+3, 4*i+4)
	}
	require.False(t, runs.Merge(&ends))
	require.True(t, ends.Merge(&runs))
	require.True(t, ends.Equal(&runs))
}

// Contexts of many ranges are merged in one pass over both, which comes to the
// same as adding range by range.
func TestContextMergeEqualsAddingOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Context {
			var c Context
			end := rapid.Uint64Range(0, 3).Draw(t, label)
			for _, v := range rapid.SliceOfN(rapid.Uint64Range(0, 15), 0, 40).Draw(t, label) {
				lo := end + 1 + v%4
				end = lo + v/4
				c.AddRange(replicaA(), lo, end)
			}
			return c
		}
		a, b := draw("a"), draw("b")
		want := a.Clone()
		for r, run := range b.All() {
			want.AddRange(r, run.Lo, run.Hi)
		}
		grew := !want.Equal(&a)
		require.Equal(t, grew, a.Merge(&b))
		require.Equal(t, want.String(), a.String())
		requireCompact(t, &a)
	})
}

func TestContextMergeLaws(t *testing.T) {
	merged := func(a, b Context) Context {
		out := a.Clone()
		out.Merge(&b)
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawContext(t, "a"), drawContext(t, "b"), drawContext(t, "c")
		ab, ba := merged(a, b), merged(b, a)
		require.True(t, ab.Equal(&ba), "commutative")
		left, right := merged(ab, c), merged(a, merged(b, c))
		require.True(t, left.Equal(&right), "associative")
		aa, abb := merged(a, a), merged(ab, b)
		require.True(t, aa.Equal(&a), "idempotent")
		require.True(t, abb.Equal(&ab), "idempotent")
		grown := a.Clone()
		require.Equal(t, !ab.Equal(&a), grown.Merge(&b), "reports whether it grew")
		requireCompact(t, &left)
	})
}

func TestContextIterationStops(t *testing.T) {
	c := contextOf(newDot("a", 1), newDot("a", 3), newDot("b", 1))
	for stop := range 3 {
		n := 0
		for range c.All() {
			if n == stop {
				break
			}
			n++
		}
		require.Equal(t, stop, n)
	}
}

func TestContextsOfManyRangesMerge(t *testing.T) {
	var odd, even, both Context
	for seq := range uint64(100) {
		odd.Add(newDot("a", 2*seq+1))
		even.Add(newDot("a", 2*seq+2))
	}
	both.Merge(&odd)
	require.Equal(t, 100, both.Size())
	both.Merge(&even)
	require.Equal(t, 1, both.Size())
	require.Equal(t, uint64(200), both.Version(replicaA()))
	require.False(t, both.Merge(&odd))
	require.Equal(t, "{a@1:1-200}", both.String())
}

func BenchmarkContextAddInOrder(b *testing.B) {
	var c Context
	for i := range 50 {
		c.Add(Dot{Replica: Replica{Node: nodeName(i), Epoch: 1}, Seq: 1})
	}
	d := Dot{Replica: Replica{Node: nodeName(25), Epoch: 1}, Seq: 1}
	b.ReportAllocs()
	for b.Loop() {
		d.Seq++
		c.Add(d)
	}
}

func BenchmarkContextHas(b *testing.B) {
	var c Context
	for i := range 50 {
		for seq := range uint64(100) {
			c.Add(Dot{Replica: Replica{Node: nodeName(i), Epoch: 1}, Seq: 2*seq + 1})
		}
	}
	d := Dot{Replica: Replica{Node: nodeName(25), Epoch: 1}, Seq: 101}
	b.ReportAllocs()
	for b.Loop() {
		if !c.Has(d) {
			b.Fatal("the dot is missing")
		}
	}
}

func BenchmarkContextMerge(b *testing.B) {
	var whole, part Context
	for i := range 50 {
		r := Replica{Node: nodeName(i), Epoch: 1}
		whole.AddRange(r, 1, 1000)
		part.AddRange(r, 1, 900)
		part.AddRange(r, 902, 1000)
	}
	b.ReportAllocs()
	for b.Loop() {
		whole.Merge(&part)
	}
}

// BenchmarkContextMergeManyRanges merges contexts of 10,000 gaps each that fill
// each other's.
func BenchmarkContextMergeManyRanges(b *testing.B) {
	var odd, even Context
	for seq := range uint64(10_000) {
		odd.Add(newDot("a", 4*seq+2))
		even.Add(newDot("a", 4*seq+4))
	}
	b.ReportAllocs()
	for b.Loop() {
		c := odd.Clone()
		c.Merge(&even)
	}
}

// nodeName returns the name of the i-th node of a benchmark.
func nodeName(i int) string { return "node-" + string(rune('0'+i/10)) + string(rune('0'+i%10)) }
