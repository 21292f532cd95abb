package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// of returns the records of one kind.
func of(h *history.History, f history.Func) []history.Record {
	var all []history.Record
	for _, r := range h.Records {
		if r.F == f && r.Type != history.Invoke {
			all = append(all, r)
		}
	}
	return all
}

// TestWatchesKeepTheirNumbers has nodes join whose names come before those of the
// others.
func TestWatchesKeepTheirNumbers(t *testing.T) {
	r := run(t, `scenario late
nodes n2 n9
at 1s n9 register k as p1
at 2s start n1
at 3s n9 update k value=V
at 4s kill n2
at 5s start n2
at 6s n9 update k value=W
`)
	type life struct {
		node string
		run  int
	}
	number, owner := map[life]int{}, map[int]life{}
	for _, f := range []history.Func{history.Snapshot, history.Event} {
		for _, rec := range of(r.History, f) {
			l := life{rec.Node, rec.Run}
			if n, known := number[l]; known {
				require.Equal(t, n, rec.Watch, "%v has one watch", l)
			}
			number[l], owner[rec.Watch] = rec.Watch, l
		}
	}
	require.Len(t, number, 4, "n9, n2 twice, and n1")
	require.Len(t, owner, 4, "no two of them share a number")
	report := check.Run(r.History, "watch-complete")
	require.Equal(t, check.Pass, report.Verdict, "%v", report.Results)
}

func TestForgettingIsAFact(t *testing.T) {
	const story = `scenario forget
nodes n1 n2 n3
forget 6s
at 1s n1 register k as p1
at 2s cut {n1} | {n2 n3}
at 60s heal
`
	r := run(t, story)
	require.Equal(t, int64(6e9), r.History.Header.Forget)
	forgot := map[[2]string]int{}
	for _, rec := range of(r.History, history.Forgot) {
		forgot[[2]string{rec.Node, rec.About}]++
	}
	want := map[[2]string]int{{"n1", "n2"}: 1, {"n1", "n3"}: 1, {"n2", "n1"}: 1, {"n3", "n1"}: 1}
	require.Equal(t, want, forgot, "both sides forget the other one, once, and nobody else")

	r = run(t, `scenario remember
nodes n1 n2 n3
forget 40s
at 1s n1 register k as p1
at 2s cut {n1} | {n2 n3}
at 30s heal
`)
	require.Empty(t, of(r.History, history.Forgot))
}

// TestFalseSuspicionIsAFault: the deadlines of the component begin anew, and it is
// still judged at the end.
func TestFalseSuspicionIsAFault(t *testing.T) {
	r := run(t, `scenario suspicion
nodes n1 n2 n3
at 1s n1 register k as p1
at 20s suspect n2 of n1
`)
	told := of(r.History, history.Suspect)
	require.Len(t, told, 1)
	require.Equal(t, "n2", told[0].Node)
	require.Equal(t, "n1", told[0].About)
	require.Equal(t, "suspect n2 of n1", told[0].Text)
	require.Len(t, r.Faults, 1)
	require.Equal(t, "suspect", r.Faults[0].Kind)
	report := check.Run(r.History)
	require.Empty(t, report.Failed())
	final, _ := report.Result("final-agreement")
	require.Equal(t, check.Pass, final.Verdict, final.Note)
}

// TestSuspicionIsRefutedThroughOthers: the two have no link of their own, by which
// they would find each other again.
func TestSuspicionIsRefutedThroughOthers(t *testing.T) {
	r := run(t, `scenario far-suspicion
nodes n1 n2 n3
at 1s n1 register k as p1
at 2s bridge n2
at 30s suspect n3 of n1
at 31s expect holder k == p1 on n1 n2
expect converged within 5s
expect holder k == p1
`)
	require.Empty(t, r.Failures)
	require.Empty(t, check.Run(r.History).Failed())
}

// TestRunsLastUntilTheirEndIsDue has the network lose so much that agreement may
// take longer than on a good one, and the last step part two nodes.
func TestRunsLastUntilTheirEndIsDue(t *testing.T) {
	for _, net := range []string{"loss=0%", "loss=5%", "loss=20%"} {
		r := run(t, `scenario lossy
nodes n1 n2 n3
net latency=1ms..20ms `+net+`
at 1s n1 register k as p1
at 2s cut {n1 n2} | {n3}
`)
		final, _ := check.Run(r.History, "final-agreement").Result("final-agreement")
		require.Equal(t, check.Pass, final.Verdict, "%s: %s", net, final.Note)
	}
}

// TestTrafficIsKnownAtEveryHeal: the sum is recorded in the moment of a heal.
func TestTrafficIsKnownAtEveryHeal(t *testing.T) {
	r := run(t, splitBrain)
	heals := of(r.History, history.Heal)
	require.Len(t, heals, 1)
	next := r.History.Records[heals[0].Index+1]
	require.Equal(t, history.Traffic, next.F)
	require.Equal(t, heals[0].At, next.At)
	all := of(r.History, history.Traffic)
	require.Equal(t, r.Bytes, all[len(all)-1].Bytes)
	require.Less(t, next.Bytes, r.Bytes)
}

// TestFaultsLastUntilTheyAreMended: the report draws them.
func TestFaultsLastUntilTheyAreMended(t *testing.T) {
	r := run(t, `scenario faults
nodes n1 n2 n3
at 1s cut n1 - n2
at 2s cut n2 - n3
at 3s heal n1 - n2
at 4s bridge n2
at 5s isolate n3
at 6s heal
at 7s hold n1 - n2
at 8s release n2 - n1
at 9s replay n1 -> n2 5s
at 10s cut n1 - n3
at 11s heal n3 - n1
`)
	second := int64(1e9)
	require.Equal(t, []FaultSpan{
		{1 * second, 4 * second, "cut", "cut n1 - n2"}, // the bridge says of every link what it is
		{2 * second, 4 * second, "cut", "cut n2 - n3"},
		{4 * second, 6 * second, "cut", "bridge n2"},
		{5 * second, 6 * second, "cut", "isolate n3"},
		{7 * second, 8 * second, "degrade", "hold n1 - n2"},
		{9 * second, 9*second + sampleEvery, "degrade", r.Faults[5].Text},
		{10 * second, 11 * second, "cut", "cut n1 - n3"},
	}, r.Faults)
}
