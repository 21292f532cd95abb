package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

func sessionTrios() []trio {
	own := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k=a") }
	updated := func() *story { return own().at(3).update("p1", "k", "b").at(4).lookup("n2", "k", "p1:b").at(5) }
	watched := func() *story {
		return tell("n1").snapshot("n1", 1).at(2).register("n1", "p1", "k").event("n1", 1, "registered", "", "k=p1")
	}
	overlapping := func() *story {
		s := own().at(3)
		u := s.begin(history.Record{F: history.Update, Node: "n1", Process: "p1", Name: "k", Value: "b"})
		return s.lookup("n1", "k", "p1:a").end(u, history.Ok)
	}
	forgot := func() *story {
		return updated().fact(history.Forgot, history.Record{Node: "n2", About: "n1"}).lookup("n2", "k", "p1:a")
	}
	missed := func() *story {
		s := watched().at(3).unregister("p1", "k")
		s.seqs[1]++
		return s.fact(history.Snapshot, history.Record{Node: "n1", Watch: 1, Seq: s.seqs[1], Missed: 1})
	}
	return []trio{
		{"read-your-writes", "shown", check.Pass, own().view("n1", "k=p1:a")},
		{"read-your-writes", "not shown", check.Fail, own().view("n1")},
		{"read-your-writes", "another holder", check.Fail, own().lookup("n1", "k", "p2")},
		{"read-your-writes", "still shown", check.Fail, own().unregister("p1", "k").lookup("n1", "k", "p1:a")},
		{"read-your-writes", "an old value", check.Fail, own().update("p1", "k", "b").lookup("n1", "k", "p1:a")},
		{"read-your-writes", "while it is written", check.Pass, overlapping()},
		{"read-your-writes", "lost at that time", check.Pass,
			split().at(10).heal().lookup("n1", "k", "p2").lookup("n2", "k", "p2").
				lost("p1", "k", "p2", "conflict lost", "p1", "p2")},
		{"read-your-writes", "asked elsewhere", check.Unknown, own().lookup("n2", "k", "p1:a")},
		{"monotonic-reads", "forth", check.Pass, updated().lookup("n2", "k", "p1:b")},
		{"monotonic-reads", "back", check.Fail, updated().lookup("n2", "k", "p1:a")},
		{"monotonic-reads", "back to an old fence", check.Fail, func() *story {
			s := own().lookup("n2", "k", "p1:a").at(3).reregister("n1", "p1", "k").at(4).lookup("n2", "k", "p1")
			s.fences["k=p1"] = 1
			return s.lookup("n2", "k", "p1")
		}()},
		{"monotonic-reads", "another node", check.Unknown, updated().lookup("n1", "k", "p1:a")},
		{"monotonic-reads", "forgotten between", check.Pass, forgot()},
		{"watch-complete", "complete", check.Pass, watched().snapshot("n1", 1, "k=p1")},
		{"watch-complete", "a number is missing", check.Fail, func() *story {
			s := watched()
			s.seqs[1]++
			return s.at(3).unregister("p1", "k").event("n1", 1, "unregistered", "k=p1", "")
		}()},
		{"watch-complete", "another old value", check.Fail, watched().event("n1", 1, "registered", "", "k=p2")},
		{"watch-complete", "another snapshot", check.Fail, watched().snapshot("n1", 1)},
		{"watch-complete", "missed, and said so", check.Pass, missed()},
		{"watch-complete", "no events", check.Unknown, tell("n1").snapshot("n1", 1)},
	}
}

func costTrios() []trio {
	slow := func(f func(r *history.Record), how history.Type, after float64) *story {
		s := tell("n1", "n2").at(2)
		r := registering("n1", "p1", "k")
		f(&r)
		r = s.begin(r)
		return s.at(2+after).end(r, how)
	}
	optimistic := func(r *history.Record) { r.Mode = history.Optimistic }
	arbitrated := func(*history.Record) {}
	refused := func() *story {
		s := tell("n1").at(2)
		r := s.begin(registering("n1", "p1", "k"))
		r.Holder = "p9"
		return s.end(r, history.Fail)
	}
	watched := func() *story { return tell("n1", "n2").snapshot("n2", 1).at(2).register("n1", "p1", "k").at(6) }
	budget := func(bytes int64) *story {
		s := split().at(10).traffic(100).heal().at(10.5).views("n1 n2", "#a").traffic(100 + bytes)
		s.h.Header.Budget = 50
		return s
	}
	return []trio{
		{"available", "at once", check.Pass, split()},
		{"available", "a second later", check.Fail, slow(optimistic, history.Ok, 1.5)},
		{"available", "arbitrated takes longer", check.Pass, slow(arbitrated, history.Ok, 1.5)},
		{"available", "beyond its limit", check.Fail, slow(arbitrated, history.Ok, 2.5)},
		{"available", "nobody knows", check.Fail, slow(optimistic, history.Info, 0.5)},
		{"available", "refused as taken", check.Pass, slow(optimistic, history.Fail, 0)},
		{"available", "killed meanwhile", check.Unknown, func() *story {
			s := tell("n1").at(2)
			s.begin(history.Record{F: history.Join, Node: "n1", Process: "p1", Group: "g"})
			return s.down("n1").at(9).fact(history.Settled, history.Record{})
		}()},
		{"available", "paused meanwhile", check.Unknown, func() *story {
			s := tell("n1").at(2)
			r := s.begin(history.Record{F: history.Join, Node: "n1", Process: "p1", Group: "g"})
			return s.pause("n1").at(9).resume("n1").end(r, history.Ok)
		}()},
		{"quiet", "still", check.Pass, watched().view("n2", "k=p1")},
		{"quiet", "a change of nobody's", check.Fail, watched().event("n2", 1, "node down", "k=p1", "")},
		{"quiet", "too short", check.Unknown, tell("n1").snapshot("n1", 1).at(0.5).view("n1")},
		{"bounded-metadata", "what lives", check.Pass, watched().state("n2", 1, 0)},
		{"bounded-metadata", "more", check.Fail, watched().unregister("p1", "k").at(8).state("n2", 1, 0)},
		{"bounded-metadata", "out of order", check.Fail, watched().state("n2", 1, 1)},
		{"bounded-metadata", "hidden ones count", check.Pass, watched().cut("n1-n2").at(9).unregister("p1", "k").at(12).state("n2", 1, 0)},
		{"bounded-metadata", "not recorded", check.Unknown, watched()},
		{"traffic-budget", "within", check.Pass, budget(40)},
		{"traffic-budget", "beyond", check.Fail, budget(60).at(11).view("n1", "#b")},
		{"traffic-budget", "no budget", check.Unknown, split().heal()},
		{"nothing-invented", "asked for", check.Pass, tell("n1").register("n1", "p1", "k=v").view("n1", "k=p1:v")},
		{"nothing-invented", "a holder", check.Fail, tell("n1").register("n1", "p1", "k").view("n1", "j=p1")},
		{"nothing-invented", "a value", check.Fail, tell("n1").register("n1", "p1", "k=v").view("n1", "k=p1:w")},
		{"nothing-invented", "before it was asked for", check.Fail, tell("n1").view("n1", "k=p1").register("n1", "p1", "k")},
		{"nothing-invented", "a holder that kept another out", check.Fail, refused()},
		{"nothing-invented", "one that failed in the end", check.Pass, func() *story {
			s := tell("n1", "n2").at(2).register("n1", "p3", "j").lookup("n1", "j", "p3")
			a := s.begin(registering("n1", "p1", "k"))
			b := s.begin(registering("n2", "p2", "k"))
			b.Holder = "p1"
			return s.end(b, history.Fail).end(a, history.Fail)
		}()},
		{"nothing-invented", "nothing shown", check.Unknown, tell("n1").register("n1", "p1", "k")},
		{"no-duplicates", "once", check.Pass, tell("n1").join("n1", "p1", "g").view("n1", "g+p1")},
		{"no-duplicates", "twice", check.Fail, tell("n1").join("n1", "p1", "g").view("n1", "g+p1", "g+p1")},
		{"no-duplicates", "no group", check.Unknown, tell("n1").view("n1")},
	}
}

func TestHealings(t *testing.T) {
	s := tell("n1", "n2", "n3").at(1).cut("n1-n2", "n1-n3").at(2).traffic(100).heal().traffic(150).
		at(2.5).views("n1 n2", "#a").view("n3", "#b").traffic(200).at(3).view("n3", "#a").at(3.5).traffic(260).
		at(4).cut("n1-n2", "n1-n3", "n2-n3").at(5).fault(history.Heal, "n1-n3", "n2-n3").at(5.5).view("n1", "#a").
		at(6).cut("n1-n2", "n1-n3", "n2-n3").at(7).fault(history.Heal, "n1-n2", "n1-n3", "n2-n3").at(9).view("n1")
	got := check.Run(&s.h).Heals
	require.Len(t, got, 2, "the last heal joined nobody")
	require.True(t, got[0].Agreed)
	require.Equal(t, 3, got[0].Nodes)
	require.Equal(t, second, got[0].Took)
	require.Equal(t, int64(110), got[0].Bytes, "from the sum in the moment of the heal to the first one after agreement")
	require.Equal(t, history.Heal, s.h.Records[got[0].Index].F)
	require.False(t, got[1].Agreed, "n2 was not viewed before the next cut")
	require.Equal(t, 2, got[1].Nodes)
	require.Zero(t, got[1].Bytes)
}

func TestReport(t *testing.T) {
	good := tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).views("n1 n2", "k=p1")
	r := check.Run(&good.h)
	require.Equal(t, check.Pass, r.Verdict, "%+v", r.Results)
	require.Len(t, r.Results, len(check.All()))
	require.Equal(t, []check.Stat{
		{F: history.Register, Invoked: 1, Ok: 1}, {F: history.View, Invoked: 2, Ok: 2},
	}, r.Stats)
	require.Empty(t, r.Failed())

	bad := tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).view("n1", "k=p1").view("n2")
	r = check.Run(&bad.h)
	require.Equal(t, check.Fail, r.Verdict)
	require.Equal(t, []string{"split-agreement", "final-agreement", "no-lost-name"}, r.Failed())

	short := tell("n1", "n2").at(2).register("n1", "p1", "k").view("n1", "k=p1")
	require.Equal(t, check.Unknown, check.Run(&short.h).Verdict, "the end was not read")
	require.Equal(t, check.Pass, check.Run(&short.h, "read-your-writes").Verdict)
	require.Equal(t, check.Unknown, check.Run(&short.h, "relay").Verdict)

	r = check.Run(&good.h, "no-such-check")
	require.Equal(t, check.Unknown, r.Verdict)
	require.Equal(t, "there is no such check", r.Results[0].Note)
	require.Equal(t, check.Unknown, check.Run(&history.History{}).Verdict)
}

func TestFindingsAreBoundedAndInOrder(t *testing.T) {
	s := tell("n1", "n2").at(2).register("n1", "p1", "k").at(4)
	for range 500 {
		s.lookup("n2", "k", "")
	}
	r := s.judge("no-lost-name")
	require.Equal(t, 500, r.Count)
	require.Len(t, r.Findings, check.MaxFindings)
	for i := 1; i < len(r.Findings); i++ {
		require.Less(t, r.Findings[i-1].Index, r.Findings[i].Index)
	}
	require.Equal(t, 6, r.Findings[0].Index)
}

func TestVerdictsMerge(t *testing.T) {
	require.Equal(t, check.Fail, check.Unknown.Merge(check.Fail))
	require.Equal(t, check.Fail, check.Fail.Merge(check.Unknown))
	require.Equal(t, check.Unknown, check.Pass.Merge(check.Unknown))
	require.Equal(t, check.Pass, check.Verdict("").Merge(check.Pass))
}

func TestDistributions(t *testing.T) {
	s := healed().at(11).views("n1 n2", "k=p2", "#a")
	got := map[string]check.Values{}
	for _, d := range check.Run(&s.h).Distributions {
		require.Equal(t, "ns", d.Unit)
		got[d.Name] = d.Values
	}
	one := func(d float64) check.Values {
		v := int64(d * 1e9)
		return check.Values{Count: 1, Min: v, P50: v, P95: v, P99: v, Max: v}
	}
	require.Equal(t, one(3.1), got["two-believers"])
	require.InDelta(t, 0.1*1e9, got["two-believers-in-reach"].Max, 2)
	require.Equal(t, one(1), got["heal-to-agreement"])
	require.Equal(t, one(1), got["last-fault-to-agreement"])
	require.Equal(t, one(0), got["register-arbitrated"])
	require.Equal(t, one(0), got["register-optimistic"])

	s = tell("n1", "n2").snapshot("n2", 1).at(2).register("n1", "p1", "k").event("n2", 1, "registered", "", "k=p1").
		at(4).cut("n1-n2").at(4.5).event("n2", 1, "node down", "k=p1", "")
	for _, d := range check.Run(&s.h).Distributions {
		if d.Name == "detection" {
			require.Equal(t, one(0.5), d.Values)
		}
	}
}
