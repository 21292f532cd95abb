package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

func TestSlotsTellStatesOfOneMomentApart(t *testing.T) {
	// Three lanes, three states at a time, each state followed by its successor.
	spans := make([][]span, 3)
	for lane := range spans {
		for i := range 10 {
			spans[lane] = append(spans[lane], span{int64(i * 10), i*3 + lane})
		}
	}
	slot, clashes := slots(spans, 30, 100, 6)
	require.Zero(t, clashes)
	for i := range 10 {
		require.NotEqual(t, slot[i*3], slot[i*3+1])
		require.NotEqual(t, slot[i*3], slot[i*3+2])
		require.NotEqual(t, slot[i*3+1], slot[i*3+2])
		if i > 0 {
			require.NotEqual(t, slot[i*3], slot[i*3-3], "a state and the next one of its lane")
		}
	}
	_, clashes = slots(spans, 30, 100, 2)
	require.Positive(t, clashes)
	slot, clashes = slots(nil, 0, 100, 2)
	require.Empty(t, slot)
	require.Zero(t, clashes)
}

func TestThinKeepsTheEndOfEveryLane(t *testing.T) {
	var lane []span
	for i := range 10_000 {
		lane = append(lane, span{int64(i) * 1000, i})
	}
	kept, width := thin([][]span{lane, lane[:5], nil}, 0, 10_000_000, 5_000_000, 500)
	require.Positive(t, width)
	require.LessOrEqual(t, len(kept[0])+len(kept[1]), 500)
	require.Equal(t, lane[9_999], kept[0][len(kept[0])-1])
	require.Equal(t, lane[4], kept[1][len(kept[1])-1])
	require.Empty(t, kept[2])
	near, far := 0, 0
	for _, s := range kept[0] {
		switch {
		case s.from > 4_900_000 && s.from < 5_100_000:
			near++
		case s.from > 1_000_000 && s.from < 1_200_000:
			far++
		}
	}
	require.Greater(t, near, 4*far, "more is kept around the centre")
	same, width := thin([][]span{lane[:3]}, 0, 100, 0, 3)
	require.Equal(t, [][]span{lane[:3]}, same)
	require.Zero(t, width)
}

func TestThinPointsKeepsPeaks(t *testing.T) {
	var points []point
	for i := range 1000 {
		points = append(points, point{int64(i), i % 2})
	}
	points[501].value = 99
	kept := thinPoints(points, 0, 1000, 50)
	require.LessOrEqual(t, len(kept), 50)
	require.Contains(t, kept, point{501, 99})
	require.Equal(t, points[999], kept[len(kept)-1])
}

func TestDistinctCountsNodesThatAreUp(t *testing.T) {
	m, err := newModel(&Run{History: &history.History{}, States: []Sample{
		{0, "n1", "a", true}, {0, "n2", "a", true}, {5, "n2", "b", true}, {7, "n1", "b", true}, {7, "n2", "c", true}, {9, "n2", "", false}, {10, "n1", "", false},
	}})
	require.NoError(t, err)
	require.Equal(t, []point{{0, 1}, {5, 2}, {9, 1}, {10, 0}}, m.distinct)
}

func TestNaturalOrder(t *testing.T) {
	require.Negative(t, natural("n2", "n10"))
	require.Negative(t, natural("n10", "n10b"))
	require.Negative(t, natural("a9z", "b1"))
	require.Positive(t, natural("n02", "n2"))
	require.Zero(t, natural("n2", "n2"))
}

func TestMatrixAddsUp(t *testing.T) {
	r := newSynthetic(12, 10, 10)
	m, err := newModel(r)
	require.NoError(t, err)
	all, merged, few := matrix(m, 100_000), matrix(m, 200), matrix(m, 7)
	require.Len(t, all.links, 12*11*5)
	require.False(t, all.merged)
	require.Len(t, merged.links, 12*11)
	require.True(t, merged.merged)
	require.Len(t, few.links, 7)
	require.Equal(t, 12*11-7, few.dropped)
	for _, x := range []traffic{all, merged} {
		sum := int64(0)
		for _, l := range x.links {
			sum += l.bytes
		}
		require.Equal(t, x.total.bytes, sum)
	}
	require.Equal(t, all.total, few.total)
}

func TestOperationsArePairedAndArranged(t *testing.T) {
	h := &history.History{Records: []history.Record{
		{At: 1, Type: history.Invoke, F: history.Register, Op: 1, Node: "n1", Name: "k", Process: "p"},
		{At: 2, Type: history.Invoke, F: history.Lookup, Op: 2, Node: "n1", Name: "k"},
		{At: 3, Type: history.Ok, F: history.Lookup, Op: 2, Node: "n1", Name: "k"},
		{At: 4, Type: history.Info, F: history.Exit, Process: "p"},
		{At: 5, Type: history.Fail, F: history.Register, Op: 1, Node: "n1", Name: "k", Process: "p", Holder: "q", Error: "taken"},
		{At: 6, Type: history.Invoke, F: history.Members, Op: 3, Node: "n1", Group: "g"},
	}}
	all := operations(h, 9)
	require.Len(t, all, 3)
	require.Equal(t, "register k as p => fail held by q (taken)", describe(h, &all[0]))
	require.Equal(t, "lookup k => ok nobody", describe(h, &all[1]))
	require.Equal(t, "members g => never answered", describe(h, &all[2]))
	require.Equal(t, []int{2, 0}, arrange(all, 2, func(string) int { return 0 }))
	require.Equal(t, []int{0, 1, 0}, []int{all[0].row, all[1].row, all[2].row})
	e := around(all, 2, 1, map[int]bool{5: true})
	require.Equal(t, []int{2, 6}, []int{int(e.all[0].from), int(e.all[1].from)})
	require.Equal(t, 1, e.before)
	require.Zero(t, e.after)
}

func TestViewsLeaveRoomForOtherOperations(t *testing.T) {
	h := &history.History{}
	add := func(at int64, typ history.Type, f history.Func, op int) {
		h.Records = append(h.Records, history.Record{Index: len(h.Records), At: at, Type: typ, F: f, Op: op, Node: "n1"})
	}
	for i := range 10 {
		add(int64(i)*sec, history.Invoke, history.View, i+1)
		add(int64(i)*sec, history.Ok, history.View, i+1)
	}
	add(3*sec, history.Invoke, history.Register, 20)
	add(4*sec, history.Ok, history.Register, 20)
	add(5*sec, history.Invoke, history.View, 21)
	rest, left := withoutViews(operations(h, 9*sec), map[int]bool{7: true})
	require.Equal(t, 9, left)
	require.Len(t, rest, 3, "the one that a finding names, the registration, and the view that was never answered")
	require.Equal(t, 6, rest[0].invoke)

	p := data(t, page(t, &Run{History: h}))
	require.Len(t, p.Ops, 2)
	require.Contains(t, page(t, &Run{History: h}), "10 views are left out")
}

func TestContestedNames(t *testing.T) {
	m, err := newModel(handwritten())
	require.NoError(t, err)
	all, dropped := contests(m, 5)
	require.Zero(t, dropped)
	require.Len(t, all, 1)
	c := all[0]
	require.Equal(t, 3098*ms, c.overlap)
	require.True(t, c.violated)
	require.Equal(t, []string{"p1", "p2"}, c.processes)
	require.Equal(t, []named{{1002 * ms, 0}, {6100 * ms, 1}}, c.lanes[0])
	_, dropped = contests(m, 0)
	require.Equal(t, 1, dropped)
}

func TestBeliefEnds(t *testing.T) {
	b := &believers{by: map[string]*contested{}, home: map[string]string{}, holds: map[string][]string{}}
	for _, r := range []history.Record{
		{At: 1, Type: history.Ok, F: history.Register, Node: "n1", Name: "a", Process: "p"},
		{At: 1, Type: history.Ok, F: history.Register, Node: "n1", Name: "a", Process: "p"},
		{At: 2, Type: history.Info, F: history.Register, Node: "n1", Name: "b", Process: "q"},
		{At: 3, Type: history.Invoke, F: history.Unregister, Node: "n1", Name: "a", Process: "p"},
		{At: 4, Type: history.Ok, F: history.Register, Node: "n1", Name: "a", Process: "q"},
		{At: 5, Type: history.Info, F: history.NodeDown, Node: "n1"},
	} {
		b.read(&r)
	}
	require.Equal(t, []belief{{"p", "n1", 1, 3, "unregistered", true}, {"q", "n1", 4, 5, "node down", true}}, b.by["a"].beliefs)
	require.Equal(t, []belief{{"q", "n1", 2, 5, "node down", false}}, b.by["b"].beliefs)
}

func TestStatesAndFaultsOfAHistory(t *testing.T) {
	h := &history.History{Records: []history.Record{
		{At: 0, Type: history.Info, F: history.NodeUp, Node: "n1", Run: 1},
		{At: 1, Type: history.Ok, F: history.View, Node: "n1", Digest: "a"},
		{At: 2, Type: history.Invoke, F: history.Cut, Op: 1, Text: "cut {n1} | {n2}"},
		{At: 3, Type: history.Ok, F: history.Cut, Op: 1, Text: "cut {n1} | {n2}", Verified: true, Closed: []history.Link{{From: "n1", To: "n2"}}},
		{At: 4, Type: history.Info, F: history.State, Node: "n1", Digest: "b"},
		{At: 5, Type: history.Info, F: history.Heal, Op: 2},
		{At: 6, Type: history.Info, F: history.NodeDown, Node: "n1", Reason: "killed"},
		{At: 8, Type: history.Info, F: history.NodeUp, Node: "n1", Run: 2},
		{At: 9, Type: history.Info, F: history.Pause, Node: "n1"},
		{At: 10, Type: history.Info, F: history.Suspect, Node: "n1", About: "n2"},
	}}
	require.Equal(t, []Sample{{0, "n1", "", true}, {1, "n1", "a", true}, {4, "n1", "b", true}, {6, "n1", "", false}, {8, "n1", "", true}}, samplesOf(h))
	require.Equal(t, []Fault{{2, 5, "cut", "cut {n1} | {n2}", true}, {6, 8, "kill", "kill n1", true}, {9, 8, "pause", "pause n1", true},
		{10, 10, "suspect", "suspect n1 of n2", true}}, faultsOf(h))
}

func TestWords(t *testing.T) {
	require.Equal(t, "1,234,567", number(1234567))
	require.Equal(t, "-1,000", number(-1000))
	require.Equal(t, "999", number(999))
	require.Equal(t, "9,000 B", size(9000))
	require.Equal(t, "20 KiB", size(20<<10))
	require.Equal(t, "12 MiB", size(12<<20))
	require.Equal(t, "1.23s", quantity(1.2345e9, "ns"))
	require.Equal(t, "41 rounds", quantity(41, "rounds"))
	require.Equal(t, "0s", quantity(0, "ns"))
	require.Equal(t, "ab…", clip("abcdef", 3))
	long := "cut {" + strings.Repeat("n1 ", 30) + "} | {n2 n3 n4 n5} | {n6 n7 n8 n9 n10}"
	require.Equal(t, "cut {n1 n1 n1 and 27 more} | {n2 n3 n4 n5} | {n6 n7 n8 and 2 more}", brief(long))
	require.Equal(t, "cut {n1 n2 n3 n4 n5 n6} | {n7}", brief("cut {n1 n2 n3 n4 n5 n6} | {n7}"))
	require.Equal(t, strings.Repeat("{ x", 40), brief(strings.Repeat("{ x", 40)), "what has no sides stays")
	require.Equal(t, "\uFFFDa", clip("\xffa", 3))
	require.Equal(t, []float64{0, 50, 100}, scale([]float64{0, 5, 10}))
	require.Equal(t, []float64{0, 50, 100}, scale([]float64{1, 100, 10_000}))
	require.Equal(t, []float64{0, 0}, scale([]float64{0, 0}))
}
