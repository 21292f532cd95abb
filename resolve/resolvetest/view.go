package resolvetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

func blindToUpdates() check {
	return check{
		Law: Law{
			Name: "blind-to-updates",
			Text: "the policy does not look at Dot and Value",
			Why: "Updates travel while the split heals, and a node that has one and a node that has it not would name " +
				"different winners, or the winner would change with an update that nobody meant as a bid.",
		},
		stage:  ordinary,
		breaks: looks,
	}
}

func looks(p *probe, claims []resolve.Claim) string {
	for i, a := range claims {
		for k, b := range claims {
			if i == k {
				continue
			}
			there, back := p.sign(a, b), p.sign(b, a)
			for _, u := range updates(a) {
				if p.sign(u, b) != there || p.sign(b, u) != back {
					return fmt.Sprintf("Compare of %s and %s changes its sign when %s is updated to Dot %s and Value %.20q",
						letter(i), letter(k), letter(i), u.Dot, u.Value)
				}
			}
		}
	}
	return ""
}

// updates returns versions of a claim that updates may make of it.
func updates(c resolve.Claim) []resolve.Claim {
	next, far := c, c
	next.Dot.Seq++
	far.Dot.Seq += 1000
	all := []resolve.Claim{next, far}
	for _, text := range []string{"", "\x00", "zzzz"} {
		changed := c
		changed.Value = []byte(text)
		all = append(all, changed)
	}
	return all
}

func survivesEncoding() check {
	return check{
		Law: Law{
			Name: "survives-encoding",
			Text: "claims that were encoded and decoded are ordered as before",
			Why: "After the heal the claimant's node has its claim in memory and all the others have it from the " +
				"network, and they would name different winners.",
		},
		stage: ordinary,
		breaks: func(p *probe, claims []resolve.Claim) string {
			decoded := make([]resolve.Claim, len(claims))
			for i, c := range claims {
				decoded[i] = throughWire(c)
			}
			for i, a := range claims {
				for k, b := range claims {
					was := p.sign(a, b)
					if p.sign(decoded[i], b) != was || p.sign(a, decoded[k]) != was || p.sign(decoded[i], decoded[k]) != was {
						return fmt.Sprintf("Compare of %s and %s changes its sign after encoding and decoding", letter(i), letter(k))
					}
				}
			}
			return ""
		},
	}
}

func everyNode() check {
	return check{
		Law: Law{
			Name: "every-node",
			Text: "the policy has the same name, the same loss and the same answers on every node",
			Why: "When the split heals each node judges for itself, and if each prefers its own claim every process " +
				"goes on, or each ends the other's.",
		},
		stage:  ordinary,
		breaks: differs,
	}
}

// differs asks in the place of some nodes, among them those of the claims. Every
// other node is asked in reverse, so that a policy that is made anew for each
// node shows what it remembers of the order.
func differs(p *probe, claims []resolve.Claim) string {
	defer p.become(home)
	nodes := []string{home, "n2", "n3"}
	for _, c := range claims {
		nodes = include(nodes, c.Holder.Node)
	}
	reverse := slices.Clone(claims)
	slices.Reverse(reverse)
	var was []int
	var name string
	var loss resolve.Loss
	for i, node := range nodes {
		p.become(node)
		var is []int
		if i%2 == 1 {
			is = p.answers(reverse)
			slices.Reverse(is)
		} else {
			is = p.answers(claims)
		}
		if i == 0 {
			was, name, loss = is, p.Name(), p.Loss()
			continue
		}
		if d := difference(len(claims), was, is, "on node "+node+" instead of "+home); d != "" {
			return d
		}
		if n, l := p.Name(), p.Loss(); n != name || l != loss {
			return fmt.Sprintf("name and loss are %q and %s on node %s, and %q and %s on node %s", name, loss, home, n, l, node)
		}
	}
	return ""
}

func noMemory() check {
	return check{
		Law: Law{
			Name: "no-memory",
			Text: "the answer does not depend on which claim the policy met first",
			Why: "The claims reach every node in another order, and a node that was restarted has met none, so nodes " +
				"would name different winners after the heal.",
		},
		stage:  ordinary,
		search: remembers,
	}
}

// remembers asks about pairs of claims that the policy has never met. Which of
// the two has the higher dot, and which comes first, is drawn; so a policy that
// looks at the claims alone, whatever it does, lets the first win all of them
// once in 2^48 times.
func remembers(q *inquiry) (string, []resolve.Claim) {
	const pairs = 48
	const constant = "of %d pairs of claims that it had not met before, in random order, the one given %s won " +
		"every time; of the last pair Compare(a, b) has the sign %d"
	rng := rand.New(rand.NewPCG(2, 0))
	for round := range uint64(2) {
		first, second := 0, 0
		var shown []resolve.Claim
		for i := range uint64(pairs) {
			a := q.pools.claim("k", draft{})
			b := a
			if round == 1 {
				a = q.pools.claim("k", q.pools.randomDraft(rng))
				b = q.pools.claim("k", q.pools.randomDraft(rng))
			}
			a, b = renumber(a, 1<<20+round<<10+2*i), renumber(b, 1<<20+round<<10+2*i+1)
			if rng.IntN(2) == 0 {
				a, b = b, a
			}
			switch q.probe.sign(a, b) {
			case 1:
				first++
			case -1:
				second++
			}
			shown = []resolve.Claim{a, b}
		}
		switch pairs {
		case first:
			return fmt.Sprintf(constant, pairs, "first", 1), shown
		case second:
			return fmt.Sprintf(constant, pairs, "second", -1), shown
		}
	}
	return "", nil
}

// renumber returns a claim like c that no policy has met: with another dot and
// another process.
func renumber(c resolve.Claim, n uint64) resolve.Claim {
	c.Born = crdt.Dot{Replica: c.Born.Replica, Seq: n}
	c.Dot, c.Holder.Serial = c.Born, n
	return c
}

func noClock() check {
	return check{
		Law: Law{
			Name: "no-clock",
			Text: "the answer does not depend on the time",
			Why: "After the heal nodes judge at different times and by clocks that differ, and would name different " +
				"winners; what a claim's age should count is its Birth.",
		},
		stage:  ordinary,
		breaks: ages,
		inTest: true,
	}
}

// ages asks again and again over ten years and more.
func ages(p *probe, claims []resolve.Claim) string {
	start := time.Now()
	was := p.answers(claims)
	const day = 24 * time.Hour
	for _, d := range []time.Duration{
		1, time.Millisecond, time.Second, time.Minute, time.Hour, day, 30 * day, 365 * day, 3650 * day,
	} {
		time.Sleep(d)
		when := fmt.Sprintf("%s later", time.Since(start))
		if d := difference(len(claims), was, p.answers(claims), when); d != "" {
			return d
		}
	}
	return ""
}

func concurrent() check {
	return check{
		Law: Law{
			Name: "concurrent",
			Text: "the policy gives the same answers to many goroutines at once",
			Why: "A heal brings conflicts over many names at once, and what the policy shares between them must not " +
				"mix them up; run the test with -race to see more.",
		},
		stage:  last,
		search: interferes,
		inTest: true,
	}
}

// interferes asks from several goroutines, without the probe: its lock would put
// the questions in an order and so hide a race.
func interferes(q *inquiry) (string, []resolve.Claim) {
	const goroutines, step = 4, 10
	var sets [][]resolve.Claim
	var was [][]int
	for i := 0; i < len(q.sketches); i += step {
		claims := q.pools.claims(q.sketches[i])
		sets, was = append(sets, claims), append(was, q.probe.answers(claims))
	}
	type fault struct {
		seen   string
		claims []resolve.Claim
	}
	faults := make([]fault, goroutines)
	var wg sync.WaitGroup
	for g := range faults {
		wg.Go(func() {
			own := &probe{policy: q.probe.policy}
			set := 0
			defer func() {
				if r := recover(); r != nil {
					faults[g] = fault{fmt.Sprintf("a question panicked: %.200s", fmt.Sprint(r)), sets[set]}
				}
			}()
			for set = range sets {
				seen := difference(len(sets[set]), was[set], own.answers(sets[set]), "while others ask too")
				if seen != "" {
					faults[g] = fault{seen, sets[set]}
					return
				}
			}
		})
	}
	wg.Wait()
	for _, f := range faults {
		if f.seen != "" {
			return f.seen, f.claims
		}
	}
	return "", nil
}
