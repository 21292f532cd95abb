package resolvetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rollcall-dev/rollcall/resolve"
)

// home is the node in whose place a policy is asked if no law says otherwise.
const home = "n1"

// probe is the policy that is checked, with a note of what it was asked last. It
// is a Policy itself, so that it can be judged by.
//
// Invariant: policy is what create returned last.
type probe struct {
	create func(node string) resolve.Policy
	policy resolve.Policy
	// noise is what the policy is asked about in between.
	noise []resolve.Claim
	// inside tells that the policy has not answered the last question: a panic is
	// then its own.
	inside bool

	mu    sync.Mutex
	asked int
	last  question
	name  string
}

// question is what a policy is asked: a method, and two claims if it is Compare.
type question struct {
	method string
	claims []resolve.Claim
}

// become asks from now on in the place of that node.
func (p *probe) become(node string) {
	p.policy = p.create(node)
	if p.policy == nil {
		p.policy = resolve.LastWriter()
	}
}

// Name asks the policy for its name.
func (p *probe) Name() string {
	p.note("Name")
	p.inside = true
	name := p.policy.Name()
	p.inside = false
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name = name
	return name
}

// Loss asks the policy for its loss.
func (p *probe) Loss() resolve.Loss {
	p.note("Loss")
	p.inside = true
	loss := p.policy.Loss()
	p.inside = false
	return loss
}

// Compare asks the policy about two claims.
func (p *probe) Compare(a, b resolve.Claim) int {
	p.note("Compare", a, b)
	p.inside = true
	answer := p.policy.Compare(a, b)
	p.inside = false
	return answer
}

// sign returns 1 if a beats b, -1 if b beats a and 0 if the policy says neither.
func (p *probe) sign(a, b resolve.Claim) int { return sign(p.Compare(a, b)) }

func sign(x int) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// answers returns the signs for all ordered pairs of claims, each with itself
// among them, row by row.
func (p *probe) answers(claims []resolve.Claim) []int {
	signs := make([]int, 0, len(claims)*len(claims))
	for _, a := range claims {
		for _, b := range claims {
			signs = append(signs, p.sign(a, b))
		}
	}
	return signs
}

// disturb asks about other claims. A panic is left for the law that is about it,
// which shows the claims.
func (p *probe) disturb() {
	defer func() {
		if p.inside {
			p.inside = false
			_ = recover()
		}
	}()
	p.answers(p.noise)
}

// difference returns in words the first pair whose sign is another in two rounds
// of answers about n claims, or "" if there is none; when says what the second
// round was after the first.
func difference(n int, was, is []int, when string) string {
	for i := range was {
		if was[i] != is[i] {
			return fmt.Sprintf("Compare(%s, %s) has the sign %d, and %d when asked %s",
				letter(i/n), letter(i%n), was[i], is[i], when)
		}
	}
	return ""
}

// note records a question before it is asked.
func (p *probe) note(method string, claims ...resolve.Claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	p.last.method = method
	p.last.claims = append(p.last.claims[:0], claims...)
}

// progress returns how many questions were asked and the last of them. It does
// not look into the values of the claims, which a faulty policy may be writing to.
func (p *probe) progress() (int, question) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, question{method: p.last.method, claims: slices.Clone(p.last.claims)}
}

// knownName returns the name that the policy gave last, without asking it.
func (p *probe) knownName() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// words returns the question with its claims under the names that they have
// among the claims given, or as a and b.
func (q question) words(among []resolve.Claim) string {
	if q.method != "Compare" {
		return q.method + "()"
	}
	return fmt.Sprintf("Compare(%s, %s)", nameOf(q.claims[0], among), nameOf(q.claims[1], among))
}

// nameOf returns the letter of a claim among others; a claim that is not among
// them was made of one that is.
func nameOf(c resolve.Claim, among []resolve.Claim) string {
	for i, other := range among {
		if other.Born == c.Born {
			return letter(i)
		}
	}
	return describe(c)
}
