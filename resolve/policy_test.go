package resolve_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestBuiltinsAreStrictTotalOrders draws the fields freely, also such that never
// meet in life.
func TestBuiltinsAreStrictTotalOrders(t *testing.T) {
	policies := append(builtins(), resolve.Func("none"), resolve.Func("chain", nil, resolve.Majority().Compare))
	for _, p := range policies {
		t.Run(p.Name(), rapid.MakeCheck(func(t *rapid.T) {
			a, b, c := drawClaim(t), drawClaim(t), drawClaim(t)
			for _, x := range []*resolve.Claim{&a, &b, &c} {
				x.Priority = rapid.SampledFrom([]int64{0, 1, math.MinInt64, math.MaxInt64}).Draw(t, "priority")
				x.Birth = rapid.SampledFrom([]crdt.Stamp{0, 1, crdt.MaxStamp, math.MaxUint64}).Draw(t, "birth")
				x.Seen = rapid.SampledFrom([]uint32{0, 1, math.MaxUint32}).Draw(t, "seen")
			}
			if a.Born == b.Born || b.Born == c.Born || a.Born == c.Born {
				t.Skip("not three claims")
			}
			require.Zero(t, p.Compare(a, a))
			require.NotZero(t, p.Compare(a, b))
			require.Equal(t, p.Compare(a, b) > 0, p.Compare(b, a) < 0)
			if p.Compare(a, b) > 0 && p.Compare(b, c) > 0 {
				require.Positive(t, p.Compare(a, c))
			}
			updated := a
			updated.Dot.Seq, updated.Value = math.MaxUint64, []byte("other")
			require.Equal(t, p.Compare(a, b), p.Compare(updated, b))
			require.Zero(t, p.Compare(a, updated))
		}))
	}
}

func TestNamesAndLosses(t *testing.T) {
	last := resolve.LastWriter()
	cases := []struct {
		policy resolve.Policy
		name   string
		loss   resolve.Loss
	}{
		{last, "last-writer", resolve.Exit},
		{resolve.FirstWriter(), "first-writer", resolve.Exit},
		{resolve.RandomExit(""), "random-exit", resolve.Exit},
		{resolve.RandomExit("a,b"), "random-exit=a%2Cb", resolve.Exit},
		{resolve.RandomNotify(""), "random-notify", resolve.Notify},
		{resolve.NotifyAll(), "notify-all", resolve.Keep},
		{resolve.Priority(), "priority", resolve.Exit},
		{resolve.Majority(), "majority", resolve.Exit},
		{resolve.Prefer("n1"), "prefer=n1", resolve.Exit},
		{resolve.Prefer("n1", "", "eu/west 1", "n1"), "prefer=n1,eu/west%201", resolve.Exit},
		{resolve.Prefer(""), "last-writer", resolve.Exit},
		{resolve.Func("mine"), "mine", resolve.Exit},
		{resolve.WithLoss(last, resolve.Notify), "notify(last-writer)", resolve.Notify},
		{resolve.WithLoss(last, resolve.Exit), "last-writer", resolve.Exit},
		{resolve.WithLoss(resolve.WithLoss(last, resolve.Notify), resolve.Exit), "last-writer", resolve.Exit},
		{resolve.WithLoss(resolve.WithLoss(last, resolve.Notify), resolve.Keep), "keep(last-writer)", resolve.Keep},
		{resolve.WithLoss(nil, resolve.Notify), "notify(last-writer)", resolve.Notify},
		{resolve.WithLoss(resolve.Func("mine"), resolve.Notify), "notify(mine)", resolve.Notify},
	}
	for _, x := range cases {
		require.Equal(t, x.name, x.policy.Name())
		require.Equal(t, x.loss, x.policy.Loss(), x.name)
	}
}

// TestRandomIsFair lets two nodes meet over many names: each wins about half,
// and the two ends of a seed are not the same.
func TestRandomIsFair(t *testing.T) {
	const names = 4000
	for _, p := range []resolve.Policy{resolve.RandomExit(""), resolve.RandomExit("other")} {
		wins, like := 0, 0
		for i := range names {
			a, b := claimOf("n1", uint64(i+1), 1), claimOf("n2", uint64(i+1), 2)
			a.Name = fmt.Sprintf("user/%d", i)
			b.Name = a.Name
			if p.Compare(a, b) > 0 {
				wins++
			}
			if (p.Compare(a, b) > 0) == (resolve.RandomNotify("").Compare(a, b) > 0) {
				like++
			}
		}
		// Six standard deviations of a fair coin.
		require.InDelta(t, names/2, wins, 190)
		if p.Name() == "random-exit" {
			require.Equal(t, names, like)
		} else {
			require.InDelta(t, names/2, like, 190)
		}
	}
}

// TestRandomDependsOnTheName meets two claims that differ in their name alone
// from those before.
func TestRandomDependsOnTheName(t *testing.T) {
	wins := 0
	for i := range 400 {
		a, b := claimOf("n1", 1, 1), claimOf("n2", 1, 1)
		a.Name = fmt.Sprintf("%d", i)
		b.Name = a.Name
		if resolve.RandomExit("").Compare(a, b) > 0 {
			wins++
		}
	}
	require.InDelta(t, 200, wins, 60)
}

// TestRulesVersion holds the fingerprints and one random choice still. If it
// fails, nodes of two releases would not understand each other: raise
// RulesVersion, and then change the figures here.
func TestRulesVersion(t *testing.T) {
	got := map[string]string{}
	for _, p := range builtins() {
		got[p.Name()] = fmt.Sprintf("%016x", resolve.Fingerprint(p))
	}
	require.Equal(t, goldenFingerprints(), got)

	var choices strings.Builder
	for i := range uint64(64) {
		a, b := claimOf("n1", 2*i+1, 1), claimOf("n2", i+1, 1)
		if resolve.RandomExit("").Compare(a, b) > 0 {
			choices.WriteByte('a')
		} else {
			choices.WriteByte('b')
		}
	}
	require.Equal(t, goldenChoices, choices.String())
}

func TestFingerprintTellsRulesApart(t *testing.T) {
	seen := map[uint64]string{}
	policies := append(builtins(), resolve.Func("last-writer"), resolve.Func("prefer=n1"), resolve.Prefer("n1"),
		rule{loss: func() resolve.Loss { return resolve.Exit }}, rule{loss: func() resolve.Loss { return resolve.Notify }})
	for _, p := range policies {
		f := resolve.Fingerprint(p)
		require.Empty(t, seen[f], "the fingerprint of %s is taken", p.Name())
		seen[f] = p.Name()
		require.Equal(t, f, resolve.Fingerprint(p))
	}
	require.Equal(t, resolve.Fingerprint(resolve.LastWriter()), resolve.Fingerprint(nil))
}

func TestStrings(t *testing.T) {
	require.Equal(t, "exit notify keep loss-3",
		fmt.Sprint(resolve.Exit, " ", resolve.Notify, " ", resolve.Keep, " ", resolve.Loss(3)))
	require.Equal(t, "vacant held contested failed outcome-4",
		fmt.Sprint(resolve.Vacant, " ", resolve.Held, " ", resolve.Contested, " ", resolve.Failed, " ", resolve.Outcome(4)))
}
