package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// trio is a check with histories of which it must say true, false and unknown.
type trio struct {
	check string
	name  string
	want  check.Verdict
	story *story
}

// split tells that p1 on n1 and p2 on n2 hold k on the two sides of a split.
func split() *story {
	return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).cut("n1-n2").at(7).optimistic("n2", "p2", "k")
}

// healed tells the same with the conflict settled after the heal: p2 wins.
func healed() *story {
	return split().at(10).heal().at(10.1).lost("p1", "k", "p2", "conflict lost", "p1", "p2")
}

func agreementTrios() []trio {
	base := func() *story { return tell("n1", "n2", "n3").at(2).register("n1", "p1", "k").at(4) }
	bridge := func() *story { return base().cut("n1-n3").at(8) }
	core := func() *story { return base().down("n3").at(8) }
	return []trio{
		{"split-agreement", "equal views", check.Pass, base().views("n1 n2 n3", "k=p1")},
		{"split-agreement", "a long split", check.Fail, base().cut("n1-n3", "n2-n3").at(8).view("n1", "k=p1").view("n2")},
		{"split-agreement", "value differs", check.Fail, base().view("n1", "k=p1").view("n2", "k=p1:v")},
		{"split-agreement", "look-up against view", check.Fail, base().view("n1", "k=p1").lookup("n2", "k", "")},
		{"split-agreement", "group", check.Fail, base().join("n1", "p1", "g").at(6).view("n1", "k=p1", "g+p1").view("n3", "k=p1")},
		{"split-agreement", "other sides may differ", check.Pass, base().cut("n1-n3", "n2-n3").at(8).views("n1 n2", "k=p1").view("n3")},
		{"split-agreement", "only one node read", check.Unknown, base().view("n1", "k=p1").view("n1")},
		{"split-agreement", "before the bound", check.Unknown, base().heal().cut("n1-n3", "n2-n3").at(4.5).view("n1", "k=p1").view("n2")},
		{"split-agreement", "just changed", check.Pass, base().unregister("p1", "k").at(4.5).view("n1").view("n2", "k=p1")},
		{"split-agreement", "while degraded", check.Unknown, base().degrade("n1-n2").at(9).view("n1", "k=p1").view("n2")},
		{"final-agreement", "all agree", check.Pass, base().views("n1 n2 n3", "k=p1")},
		{"final-agreement", "one does not", check.Fail, base().views("n1 n2", "k=p1").view("n3")},
		{"final-agreement", "one was not viewed", check.Unknown, base().views("n1 n2", "k=p1")},
		{"final-agreement", "a cut that nobody saw end", check.Unknown, func() *story {
			s := base().views("n1 n2 n3", "k=p1")
			s.faultBegins(history.Cut)
			return s
		}()},
		{"core-agreement", "one dead for ever", check.Pass, core().views("n1 n2")},
		{"core-agreement", "and the others differ", check.Fail, core().view("n1", "k=p1").view("n2")},
		{"core-agreement", "nobody dead", check.Unknown, base().views("n1 n2 n3", "k=p1")},
		{"relay", "a bridge", check.Pass, bridge().views("n1 n2 n3", "k=p1")},
		{"relay", "does not carry", check.Fail, bridge().views("n1 n2", "k=p1").view("n3")},
		{"relay", "no bridge", check.Unknown, base().views("n1 n2 n3", "k=p1")},
		{"relay", "one way counts as no link", check.Fail, base().cut("n1>n3").at(8).views("n1 n2", "k=p1").view("n3")},
		{"digest-honest", "equal and equal", check.Pass, base().views("n1 n2", "k=p1", "#a")},
		{"digest-honest", "equal digests", check.Fail, base().view("n1", "k=p1", "#a").at(5).view("n2", "#a")},
		{"digest-honest", "equal views", check.Fail, base().view("n1", "k=p1", "#a").view("n2", "k=p1", "#b")},
		{"digest-honest", "no digests", check.Unknown, base().views("n1 n2", "k=p1")},
	}
}

func presenceTrios() []trio {
	group := func() *story { return tell("n1", "n2").at(2).join("n1", "p1", "g").at(4) }
	name := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4) }
	rejoined := func() *story { return group().leave("p1", "g").at(5).join("n1", "p1", "g").at(7) }
	observed := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k") }
	return []trio{
		{"no-lost-member", "shown", check.Pass, group().view("n2", "g+p1")},
		{"no-lost-member", "not shown", check.Fail, group().view("n2")},
		{"no-lost-member", "left", check.Unknown, group().leave("p1", "g").at(6).view("n2")},
		{"no-lost-member", "joined without answer", check.Unknown, func() *story {
			s := tell("n1", "n2").at(2)
			r := s.begin(history.Record{F: history.Join, Node: "n1", Process: "p1", Group: "g"})
			return s.end(r, history.Info).at(6).view("n2")
		}()},
		{"no-lost-member", "cut off", check.Unknown, group().cut("n1-n2").at(9).view("n2")},
		{"no-lost-name", "found", check.Pass, name().lookup("n2", "k", "p1")},
		{"no-lost-name", "not found", check.Fail, name().lookup("n2", "k", "")},
		{"no-lost-name", "found dead", check.Fail, name().optimistic("n2", "p2", "k").exit("p2").at(8).lookup("n2", "k", "p2")},
		{"no-lost-name", "nobody asked", check.Unknown, name()},
		{"no-lost-name", "contested", check.Unknown, split().policy("notify-all").at(10).heal().at(14).lookup("n2", "k", "")},
		{"add-wins", "joined again", check.Pass, rejoined().view("n2", "g+p1")},
		{"add-wins", "and lost", check.Fail, rejoined().view("n2")},
		{"add-wins", "nothing removed", check.Unknown, group().view("n2", "g+p1")},
		{"removes-only-observed", "seen", check.Pass,
			observed().at(4).reregister("n2", "p2", "k").lost("p1", "k", "p2", "reregistered", "p1", "p2")},
		{"removes-only-observed", "not seen", check.Fail,
			tell("n1", "n2").at(2).cut("n1-n2").at(6).register("n1", "p1", "k").reregister("n2", "p2", "k").
				at(8).heal().lost("p1", "k", "p2", "reregistered", "p1", "p2")},
		{"removes-only-observed", "never asked for", check.Fail,
			group().snapshot("n2", 1, "k=p1").register("n1", "p1", "k").event("n2", 1, "unregistered", "k=p1", "")},
		{"removes-only-observed", "no events", check.Unknown, group()},
	}
}

func absenceTrios() []trio {
	gone := func() *story {
		return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).unregister("p1", "k").at(6)
	}
	cut := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).cut("n1-n2").at(8) }
	killed := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).down("n1").at(8) }
	twice := func(meanwhile func(s *story)) *story {
		s := tell("n1", "n2").snapshot("n2", 1).degrade("n1-n2").at(2).register("n1", "p1", "k")
		s.at(3).unregister("p1", "k").register("n1", "p1", "k").at(4).unregister("p1", "k")
		meanwhile(s)
		s.at(20)
		for fence := range uint64(2) {
			s.fences["k=p1"] = fence + 1
			s.event("n2", 1, "registered", "", "k=p1").event("n2", 1, "unregistered", "k=p1", "")
		}
		return s
	}
	unsure := func() *story {
		s := tell("n1", "n2").at(2).register("n1", "p1", "k").at(4)
		r := s.begin(history.Record{F: history.Unregister, Node: "n1", Process: "p1", Name: "k"})
		return s.end(r, history.Info).at(8).lookup("n2", "k", "p1")
	}
	return []trio{
		{"no-zombie", "gone", check.Pass, gone().view("n2")},
		{"no-zombie", "still shown", check.Fail, gone().view("n2", "k=p1")},
		{"no-zombie", "of a dead node", check.Fail, killed().view("n2", "k=p1")},
		{"no-zombie", "before the bound", check.Pass, gone().at(4.5).view("n2", "k=p1")},
		{"no-zombie", "shown for ever", check.Fail, gone().cut("n1-n2").at(6.1).view("n2", "k=p1")},
		{"no-zombie", "removed without answer", check.Unknown, unsure()},
		{"no-zombie", "removed while cut off", check.Pass, cut().unregister("p1", "k").at(12).heal().at(12.1).lookup("n2", "k", "p1")},
		{"no-resurrection", "gone for good", check.Pass, gone().view("n2").at(7).view("n2")},
		{"no-resurrection", "back", check.Fail, gone().view("n2").at(7).view("n2", "k=p1")},
		{"no-resurrection", "registered again", check.Pass, gone().view("n2").register("n1", "p1", "k").at(7).view("n2", "k=p1")},
		{"no-resurrection", "back in an event", check.Fail,
			gone().snapshot("n2", 1, "k=p1").event("n2", 1, "unregistered", "k=p1", "").event("n2", 1, "registered", "", "k=p1")},
		{"no-resurrection", "hidden, then stale for a moment", check.Pass,
			cut().view("n2").unregister("p1", "k").at(12).heal().at(12.1).view("n2", "k=p1").at(12.2).view("n2")},
		{"no-resurrection", "out of sight behind another", check.Pass, func() *story {
			s := cut().snapshot("n2", 1, "k=p1").unregister("p1", "k").reregister("n2", "p2", "k")
			s.event("n2", 1, "reregistered", "k=p1", "k=p2").unregister("p2", "k").event("n2", 1, "unregistered", "k=p2", "")
			return s.at(12).heal().event("n2", 1, "node up", "", "k=p1").event("n2", 1, "gone", "k=p1", "")
		}()},
		{"no-resurrection", "out of sight behind another in a view", check.Pass,
			gone().at(4.1).reregister("n2", "p2", "k").at(4.2).view("n2", "k=p2").unregister("p2", "k").at(4.3).view("n2", "k=p1")},
		{"no-resurrection", "forgotten between", check.Pass, func() *story {
			s := gone().view("n2").cut("n1-n2").at(20).heal().view("n2", "k=p1")
			s.h.Header.Forget = 5 * second
			return s
		}()},
		{"no-resurrection", "registered twice, and a slow link brought both late", check.Pass,
			twice(func(s *story) { s.at(19.9).degrade() })},
		{"no-resurrection", "registered twice, and nothing held the news back", check.Fail,
			twice(func(s *story) { s.at(4.5).degrade() })},
		{"no-resurrection", "registered twice, then killed", check.Fail,
			twice(func(s *story) { s.at(4.5).down("n1") })},
		{"no-resurrection", "forgotten, as a fact tells", check.Pass, func() *story {
			s := gone().view("n2").cut("n1-n2").at(20).fact(history.Forgot, history.Record{Node: "n2", About: "n1"})
			return s.heal().view("n2", "k=p1")
		}()},
		{"no-resurrection", "cut off for long, and a fact tells that another forgot", check.Fail, func() *story {
			s := gone().view("n2").cut("n1-n2").at(20).fact(history.Forgot, history.Record{Node: "n1", About: "n2"})
			s.h.Header.Forget = 5 * second
			return s.heal().view("n2", "k=p1")
		}()},
		{"no-resurrection", "nothing ended", check.Unknown, cut().view("n2")},
		{"out-of-reach", "hidden", check.Pass, cut().view("n2")},
		{"out-of-reach", "shown", check.Fail, cut().view("n2", "k=p1")},
		{"out-of-reach", "not yet due", check.Unknown, cut().at(5).view("n2", "k=p1")},
	}
}

func beliefTrios() []trio {
	reads := func() *story {
		return tell("n1", "n2").at(2).register("n1", "p1", "k").at(4).lookup("n2", "k", "p1").at(6)
	}
	two := func() *story { return tell("n1", "n2").at(2).register("n1", "p1", "k").at(3) }
	info := func() *story {
		s := two()
		return s.end(s.begin(registering("n2", "p2", "k")), history.Info).unregister("p1", "k").at(4).register("n1", "p3", "k")
	}
	return []trio{
		{"one-believer", "the loser was told", check.Pass, healed().at(14).view("n1", "k=p2")},
		{"one-believer", "both go on", check.Fail, split().at(10).heal().at(14).view("n1", "k=p2")},
		{"one-believer", "both sides of a split", check.Pass, split().at(20).view("n1", "k=p1")},
		{"one-believer", "the run ended too soon", check.Unknown, tell("n1", "n2").register("n1", "p1", "k").at(0.5).view("n1", "k=p1")},
		{"one-believer", "contested", check.Pass, split().policy("notify-all").at(10).heal().at(14).views("n1 n2")},
		{"one-believer", "contested, and one shown", check.Fail, split().policy("notify-all").at(10).heal().at(14).views("n1 n2", "k=p2")},
		{"no-flip-flop", "the same", check.Pass, reads().lookup("n2", "k", "p1")},
		{"no-flip-flop", "blinks", check.Fail, reads().lookup("n2", "k", "")},
		{"no-flip-flop", "given up", check.Pass, reads().unregister("p1", "k").lookup("n2", "k", "")},
		{"no-flip-flop", "asked once", check.Unknown, reads()},
		{"linearizable-register", "one after the other", check.Pass, two().unregister("p1", "k").register("n2", "p2", "k")},
		{"linearizable-register", "two at once", check.Fail, two().register("n2", "p2", "k")},
		{"linearizable-register", "one may not have happened", check.Pass, info()},
		{"linearizable-register", "two at once, before the bound", check.Fail, func() *story {
			s := tell("n1", "n2").at(0.2).register("n1", "p1", "k").register("n2", "p2", "k")
			s.h.Header.Settle = second / 10
			return s
		}()},
		{"linearizable-register", "optimistic", check.Unknown, two().optimistic("n2", "p2", "k")},
		{"linearizable-register", "one after the other, then optimistic", check.Pass,
			two().unregister("p1", "k").register("n2", "p2", "k").at(4).optimistic("n1", "p3", "k")},
		{"linearizable-register", "two at once, then optimistic", check.Fail,
			two().register("n2", "p2", "k").at(4).optimistic("n1", "p3", "k")},
		{"linearizable-register", "two at once, after an optimistic one was settled", check.Fail,
			two().optimistic("n2", "p2", "j").optimistic("n2", "p2", "k").at(3.5).lost("p1", "k", "p2", "conflict lost", "p1", "p2").
				at(6).register("n1", "p3", "k")},
		{"linearizable-register", "two at once, while a re-registration is settled", check.Unknown,
			two().reregister("n2", "p2", "k").at(3.5).register("n1", "p3", "k")},
		{"linearizable-register", "under way when an optimistic one begins", check.Unknown, func() *story {
			s := two()
			r := s.begin(registering("n2", "p2", "k"))
			return s.at(3.1).optimistic("n1", "p3", "k").end(r, history.Ok)
		}()},
		{"linearizable-register", "on the sides of a split", check.Unknown, two().cut("n1-n2").at(6).register("n2", "p2", "k")},
		{"fence-grows", "grows", check.Pass, two().at(5).unregister("p1", "k").register("n2", "p2", "k")},
		{"fence-grows", "falls", check.Fail, func() *story {
			s := two().at(5).unregister("p1", "k")
			s.fence = 0
			return s.register("n2", "p2", "k")
		}()},
		{"fence-grows", "shown as another", check.Fail, func() *story {
			s := two()
			s.fences["k=p1"] = 7
			return s.lookup("n2", "k", "p1")
		}()},
		{"fence-grows", "registered once", check.Unknown, two()},
	}
}

func conflictTrios() []trio {
	three := func() *story { return healed().at(12) }
	ended := func() *story { return split().exit("p1").at(10).heal().at(10.1) }
	contested := func() *story { return split().policy("notify-all").at(10).heal().at(10.1) }
	return []trio{
		{"same-winner", "all say p2", check.Pass, three().conflict("n2", "k", "p2", "p1", "p2")},
		{"same-winner", "one says p1", check.Fail, three().conflict("n2", "k", "p1", "p1", "p2")},
		{"same-winner", "one says nobody", check.Fail, three().conflict("n2", "k", "", "p1", "p2")},
		{"same-winner", "no claims recorded", check.Unknown, split().at(10).heal().lost("p1", "k", "p2", "conflict lost")},
		{"right-winner", "the last writer", check.Pass, three()},
		{"right-winner", "the first writer", check.Fail, three().policy("first-writer")},
		{"right-winner", "another birth than was given", check.Fail, three().conflict("n2", "k", "p2", "p1", "p2:9")},
		{"right-winner", "one that was replaced", check.Fail, tell("n1", "n2").policy("first-writer").at(2).register("n1", "p1", "k").
			at(5).reregister("n2", "p2", "k").conflict("n1", "k", "p1", "p1", "p2")},
		{"right-winner", "a user's policy", check.Unknown, three().policy("mine")},
		{"right-winner", "nobody, where all are kept", check.Pass, contested().lost("p1", "k", "", "contested", "p1", "p2")},
		{"losers-told-once", "once", check.Pass, three()},
		{"losers-told-once", "twice", check.Fail, three().lost("p1", "k", "p2", "conflict lost", "p1", "p2")},
		{"losers-told-once", "never", check.Fail, split().at(10).heal().at(13).view("n1", "k=p2")},
		{"losers-told-once", "the winner", check.Fail, split().at(10).heal().lost("p2", "k", "p2", "conflict lost", "p1", "p2")},
		{"losers-told-once", "a stranger", check.Fail, three().register("n1", "p3", "j").lost("p3", "k", "p2", "conflict lost", "p1", "p2")},
		{"losers-told-once", "by another node", check.Fail, func() *story {
			s := split().at(10).heal()
			s.homes["p1"] = "n2"
			return s.lost("p1", "k", "p2", "conflict lost", "p1", "p2")
		}()},
		{"losers-told-once", "after it gave up", check.Fail,
			split().unregister("p1", "k").at(10).heal().lost("p1", "k", "p2", "conflict lost", "p1", "p2")},
		{"losers-told-once", "died first", check.Pass, ended().lost("p1", "k", "p2", "conflict lost", "p1", "p2")},
		{"losers-told-once", "one of three", check.Fail, tell("n1", "n2", "n3").at(2).optimistic("n1", "p1", "k").
			optimistic("n2", "p2", "k").optimistic("n3", "p3", "k").lost("p1", "k", "p3", "conflict lost", "p1", "p2", "p3").at(5).view("n1")},
		{"losers-told-once", "no conflict", check.Unknown, split()},
		{"losers-told-once", "each rival once", check.Pass, contested().
			lost("p1", "k", "", "contested", "p1", "p2").lost("p2", "k", "", "contested", "p1", "p2").at(14).views("n1 n2")},
		{"losers-told-once", "a rival twice", check.Fail, contested().
			lost("p1", "k", "", "contested", "p1", "p2").lost("p1", "k", "", "contested", "p1", "p2")},
		{"losers-told-once", "a rival never", check.Fail, contested().
			lost("p1", "k", "", "contested", "p1", "p2").at(14).views("n1 n2")},
	}
}

func TestTrios(t *testing.T) {
	seen := map[string]map[check.Verdict]int{}
	for _, list := range [][]trio{
		agreementTrios(), presenceTrios(), absenceTrios(), beliefTrios(), conflictTrios(), sessionTrios(), costTrios(),
	} {
		for _, c := range list {
			t.Run(c.check+"/"+c.name, func(t *testing.T) { c.story.expect(t, c.check, c.want) })
			if seen[c.check] == nil {
				seen[c.check] = map[check.Verdict]int{}
			}
			seen[c.check][c.want]++
		}
	}
	for _, c := range check.All() {
		for _, v := range []check.Verdict{check.Pass, check.Fail, check.Unknown} {
			require.NotZero(t, seen[c.Name][v], "%s has no story that is %s", c.Name, v)
		}
	}
}
