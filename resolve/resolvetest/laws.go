package resolvetest

import (
	"bytes"
	"fmt"

	"github.com/rollcall-dev/rollcall/resolve"
)

// maxDrift bounds the questions about claims of one kind.
const maxDrift = 4_000

// checks returns all laws in the order in which they are checked. The first is
// the one that asks a policy which has met nothing yet.
func checks() []check {
	return []check{
		deterministic(), answers(), readOnly(), nameAndLoss(),
		decidesTies(), sameClaim(), antisymmetric(), transitive(),
		anyOrder(), winnerStays(), loserLoses(),
		blindToUpdates(), survivesEncoding(), everyNode(), noMemory(), noClock(),
		concurrent(),
	}
}

func answers() check {
	return check{
		Law: Law{
			Name: "answers",
			Text: "the policy answers for all claims, soon and without a panic",
			Why: "A policy that fails to answer when a conflict is judged frees the name, and the processes on " +
				"both sides of the split lose it.",
		},
		stage: basic,
		breaks: func(p *probe, claims []resolve.Claim) string {
			p.Name()
			p.Loss()
			p.answers(append(copies(claims), resolve.Claim{}))
			return ""
		},
	}
}

func readOnly() check {
	return check{
		Law: Law{
			Name: "read-only",
			Text: "the policy does not write to the claims",
			Why: "The value belongs to the registry, so after the split this node shows another value than all " +
				"the others do, and no exchange repairs it.",
		},
		stage:  basic,
		breaks: writes,
	}
}

// writes gives the policy values with room behind them, so that an append to a
// value is seen too.
func writes(p *probe, claims []resolve.Claim) string {
	for i, a := range claims {
		for k, b := range claims {
			room := append(bytes.Clone(a.Value), "room"...)
			before := bytes.Clone(room)
			a.Value = room[:len(a.Value)]
			p.Compare(a, b)
			if bytes.Equal(before, room) {
				p.Compare(b, a)
			}
			if !bytes.Equal(before, room) {
				return fmt.Sprintf("Compare of %s and %s wrote to the Value of %s", letter(i), letter(k), letter(i))
			}
		}
	}
	return ""
}

func deterministic() check {
	return check{
		Law: Law{
			Name: "deterministic",
			Text: "the policy gives the same answer whenever it is asked, whatever it was asked before",
			Why: "When the split heals every node judges by itself, so with an answer that changes one node ends " +
				"the process that another shows as the holder.",
		},
		stage:  basic,
		search: drifts,
		breaks: changes,
	}
}

// drifts asks about some pairs again after many questions about claims of one
// kind: as many as there were before, so that also what the policy counts or
// averages over all that it has met is moved.
func drifts(q *inquiry) (string, []resolve.Claim) {
	q.probe.Name()
	telling := []field{birth, priority, seen, label, node}
	var pairs [][]resolve.Claim
	var was [][]int
	for _, f := range telling {
		for i := range min(q.pools.size(f), 4) {
			for k := range i {
				pair := distinct(i+k, only(f, i), only(f, k))
				pairs = append(pairs, q.pools.claims(pair))
				was = append(was, q.probe.answers(pairs[len(pairs)-1]))
			}
		}
	}
	for _, f := range telling {
		for _, v := range []int{1, q.pools.size(f) - 1} {
			kind := q.pools.claims(distinct(v, only(f, v), only(f, v)))
			before, _ := q.probe.progress()
			for range min(before, maxDrift) {
				q.probe.Compare(kind[0], kind[1])
			}
			for i, pair := range pairs {
				when := "after many questions about claims such as " + describe(kind[0])
				if d := difference(2, was[i], q.probe.answers(pair), when); d != "" {
					return d, pair
				}
			}
		}
	}
	return "", nil
}

// changes asks again at once, then with other questions in between, and then
// after the copies that the policy saw have been overwritten.
func changes(p *probe, claims []resolve.Claim) string {
	n := len(claims)
	shown := copies(claims)
	was := p.answers(shown)
	for round := range 4 {
		// One question more each time, for a policy that counts its calls.
		for range round {
			p.Compare(claims[0], claims[0])
		}
		if d := difference(n, was, p.answers(claims), "again"); d != "" {
			return d
		}
	}
	p.disturb()
	if d := difference(n, was, p.answers(claims), "after questions about other claims"); d != "" {
		return d
	}
	for _, c := range shown {
		clear(c.Value)
	}
	return difference(n, was, p.answers(claims), "after the bytes of an equal claim were overwritten")
}

func nameAndLoss() check {
	return check{
		Law: Law{
			Name: "name-and-loss",
			Text: "the policy has a name that is not empty and one of the three losses, and both stay",
			Why: "Nodes compare both when they meet, so a node whose policy changes them is refused when the split " +
				"heals, and two losers of one conflict would meet different fates.",
		},
		stage:  ordinary,
		search: renames,
	}
}

// renames asks for name and loss before and after other questions.
func renames(q *inquiry) (string, []resolve.Claim) {
	name, loss := q.probe.Name(), q.probe.Loss()
	switch {
	case name == "":
		return "Name() is empty", nil
	case loss != resolve.Exit && loss != resolve.Notify && loss != resolve.Keep:
		return fmt.Sprintf("Loss() is %d, which is neither Exit nor Notify nor Keep", loss), nil
	}
	for range 10 {
		q.probe.disturb()
		if again := q.probe.Name(); again != name {
			return fmt.Sprintf("Name() is %q, and later %q", name, again), nil
		}
		if again := q.probe.Loss(); again != loss {
			return fmt.Sprintf("Loss() is %s, and later %s", loss, again), nil
		}
	}
	return "", nil
}
