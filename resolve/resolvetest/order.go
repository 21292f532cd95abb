package resolvetest

import (
	"fmt"
	"slices"

	"github.com/rollcall-dev/rollcall/resolve"
)

func decidesTies() check {
	return check{
		Law: Law{
			Name: "decides-ties",
			Text: "Compare of two different claims is never 0",
			Why: "Two sides of a split can register a name with equal stamps, priorities and so on, and without an " +
				"answer the verdict fails when they meet and both processes lose the name.",
		},
		stage: ordinary,
		breaks: func(p *probe, claims []resolve.Claim) string {
			for i, a := range claims {
				for k, b := range claims {
					if i != k && p.Compare(a, b) == 0 {
						return fmt.Sprintf("Compare(%s, %s) is 0", letter(i), letter(k))
					}
				}
			}
			return ""
		},
	}
}

func sameClaim() check {
	return check{
		Law: Law{
			Name: "same-claim",
			Text: "Compare of a claim and itself is 0, also of two versions of it",
			Why: "A claim that is updated while its first version is still under way meets that version after the " +
				"heal, and its process would lose the name to itself.",
		},
		stage: ordinary,
		breaks: func(p *probe, claims []resolve.Claim) string {
			for i, c := range claims {
				if r := p.Compare(c, c); r != 0 {
					return fmt.Sprintf("Compare(%s, %s) is %d", letter(i), letter(i), r)
				}
				for _, u := range updates(c) {
					if r := p.Compare(c, u); r != 0 {
						return fmt.Sprintf("Compare(%s, x) is %d where x is %s after an update to Dot %s and Value %.20q",
							letter(i), r, letter(i), u.Dot, u.Value)
					}
				}
			}
			return ""
		},
	}
}

func antisymmetric() check {
	return check{
		Law: Law{
			Name: "antisymmetric",
			Text: "Compare(a, b) and Compare(b, a) have opposite signs",
			Why: "Each of two nodes asks with its own claim first, so when the split heals both name the other's " +
				"process as the loser, or both their own.",
		},
		stage: ordinary,
		breaks: func(p *probe, claims []resolve.Claim) string {
			for i, a := range claims {
				for k, b := range claims[:i] {
					there, back := p.Compare(b, a), p.Compare(a, b)
					if sign(there) != -sign(back) {
						return fmt.Sprintf("Compare(%s, %s) is %d and Compare(%s, %s) is %d",
							letter(k), letter(i), there, letter(i), letter(k), back)
					}
				}
			}
			return ""
		},
	}
}

func transitive() check {
	return check{
		Law: Law{
			Name: "transitive",
			Text: "when a beats b and b beats c, a beats c",
			Why: "When three sides of a split meet, each of the three claims loses to another, and no process is " +
				"left with the name.",
		},
		stage:  ordinary,
		breaks: circles,
	}
}

func circles(p *probe, claims []resolve.Claim) string {
	n := len(claims)
	signs := p.answers(claims)
	for i := range n {
		for k := range n {
			for l := range n {
				if i != l && signs[i*n+k] > 0 && signs[k*n+l] > 0 && signs[i*n+l] <= 0 {
					return fmt.Sprintf("Compare(%s, %s) and Compare(%s, %s) are positive, but Compare(%s, %s) has the sign %d",
						letter(i), letter(k), letter(k), letter(l), letter(i), letter(l), signs[i*n+l])
				}
			}
		}
	}
	return ""
}

func anyOrder() check {
	return check{
		Law: Law{
			Name: "any-order",
			Text: "the best claim is the same in whatever order the claims come and however often",
			Why: "When the split heals the claims reach every node in another order, some of them twice, and nodes " +
				"would name different winners for ever.",
		},
		stage:  ordinary,
		breaks: depends,
	}
}

func depends(p *probe, claims []resolve.Claim) string {
	var first []int
	winner := 0
	for _, order := range arrangements(len(claims)) {
		w := champion(p, claims, order)
		if first == nil {
			first, winner = order, w
		}
		if w != winner {
			return fmt.Sprintf("met in the order %s, %s is left; met in the order %s, %s is left",
				letters(first), letter(winner), letters(order), letter(w))
		}
	}
	return ""
}

// champion returns the claim that is left when the claims are met in that order
// and each is put against the best so far.
func champion(p *probe, claims []resolve.Claim, order []int) int {
	best := order[0]
	for _, i := range order[1:] {
		if p.Compare(claims[i], claims[best]) > 0 {
			best = i
		}
	}
	return best
}

// arrangements returns the order of n claims as it is, all its rotations, the
// reverse of each, and one that has every claim twice.
func arrangements(n int) [][]int {
	var straight []int
	for i := range n {
		straight = append(straight, i)
	}
	var all [][]int
	for i := range n {
		rotated := slices.Concat(straight[i:], straight[:i])
		reverse := slices.Clone(rotated)
		slices.Reverse(reverse)
		all = append(all, rotated, reverse)
	}
	return append(all, slices.Concat(straight, straight))
}

func winnerStays() check {
	return check{
		Law: Law{
			Name: "winner-stays",
			Text: "the winner of all claims still wins when some of the losers withdraw",
			Why: "Losers withdraw at different times after the heal, and the name would go from one process to the " +
				"next while they do.",
		},
		stage:  ordinary,
		breaks: deposes,
	}
}

func deposes(p *probe, claims []resolve.Claim) string {
	p.Loss()
	judged := resolve.WithLoss(p, resolve.Exit)
	whole := resolve.Judge(judged, claims)
	if whole.Outcome != resolve.Held {
		return "none of the claims is the winner: " + whole.Reason
	}
	for bits := range 1 << len(claims) {
		if bits>>whole.Winner&1 == 0 {
			continue
		}
		var part []resolve.Claim
		var places []int
		for i, c := range claims {
			if bits>>i&1 == 1 {
				part, places = append(part, c), append(places, i)
			}
		}
		v := resolve.Judge(judged, part)
		if v.Outcome != resolve.Held {
			return fmt.Sprintf("%s wins, but when only %s are left nobody does: %s",
				letter(whole.Winner), letters(places), v.Reason)
		}
		if places[v.Winner] != whole.Winner {
			return fmt.Sprintf("%s wins, but when only %s are left %s does",
				letter(whole.Winner), letters(places), letter(places[v.Winner]))
		}
	}
	return ""
}

func loserLoses() check {
	return check{
		Law: Law{
			Name: "loser-loses",
			Text: "a claim that loses among some of the claims loses among all of them",
			Why: "A node tells a loser as soon as it knows one better claim, so the process that is to hold the name " +
				"when all sides have met would have been ended before.",
		},
		stage:  ordinary,
		breaks: revives,
	}
}

// revives compares who is left of all claims with who loses among two of them.
func revives(p *probe, claims []resolve.Claim) string {
	for _, order := range arrangements(len(claims)) {
		w := champion(p, claims, order)
		for i, c := range claims {
			if i != w && p.Compare(claims[w], c) <= 0 {
				return fmt.Sprintf("met in the order %s, %s is left, but when only %s and %s have met, %s has not won",
					letters(order), letter(w), letter(w), letter(i), letter(w))
			}
		}
	}
	return ""
}
