package resolve

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// DefaultLimit is how long a Guard lets a policy take for one verdict. A
	// policy needs microseconds; the rest is for a machine that is busy, because
	// a verdict that comes too late frees the name.
	DefaultLimit = time.Second
	// MaxTimeouts is the number of verdicts that may come too late before a
	// Guard stops asking the policy. Each may have left a goroutine behind that
	// never ends, and has held up the caller for the whole limit.
	MaxTimeouts = 3
)

// Guard judges by a policy that may be slow or may never return, such as one of
// a user's. Policies that are Trusted are judged inline, as by Judge.
//
// All others are asked in a goroutine of their own. If the verdict takes longer
// than the limit, the outcome is Failed; the goroutine is left to itself, since
// Go cannot end it, and what it says in the end is ignored. After MaxTimeouts of
// these the guard asks the policy no more and every verdict on two or more claims
// is Failed at once. So a Guard leaves at most MaxTimeouts goroutines behind when
// one goroutine calls Judge, and one more for each further goroutine that does.
// Answers that come in time do not make up for those that did not: a policy that
// hangs on some claims only would otherwise leak without bound.
//
// A Guard may be used from many goroutines.
//
// Invariant: timeouts never falls.
type Guard struct {
	policy   Policy
	trusted  bool
	name     string
	limit    time.Duration
	timeouts atomic.Int64
}

// NewGuard returns a Guard for p that waits for at most limit; 0 or less is
// DefaultLimit. A nil policy stands for LastWriter. It calls p.Name once, without
// guard, unless p is Trusted.
func NewGuard(p Policy, limit time.Duration) *Guard {
	if limit <= 0 {
		limit = DefaultLimit
	}
	p = orDefault(p)
	return &Guard{policy: p, trusted: Trusted(p), name: safeName(p), limit: limit}
}

// Judge returns what the function Judge returns, or a Failed verdict when that
// takes longer than the limit or the guard has given the policy up. It does not
// keep claims, and a policy that is late sees only copies.
func (g *Guard) Judge(claims []Claim) Verdict {
	if g.trusted || len(claims) < 2 {
		return Judge(g.policy, claims)
	}
	if n := g.timeouts.Load(); n >= MaxTimeouts {
		return g.failed(fmt.Sprintf("took longer than %s for %d verdicts and is not asked any more", g.limit, n))
	}
	v, ok := g.wait(g.ask(claims))
	if !ok {
		g.timeouts.Add(1)
		return g.failed(fmt.Sprintf("took longer than %s", g.limit))
	}
	return v
}

// Timeouts returns how many verdicts have come too late.
func (g *Guard) Timeouts() int { return int(g.timeouts.Load()) }

// ask starts a judgement. The channel has room for the verdict, so that the
// goroutine ends also when nobody waits for it any more.
func (g *Guard) ask(claims []Claim) <-chan Verdict {
	claims = slices.Clone(claims)
	for i := range claims {
		claims[i].Value = nil
	}
	answer := make(chan Verdict, 1)
	go func() {
		v := g.failed("ended the goroutine in which it was asked")
		defer func() { answer <- v }()
		v = Judge(g.policy, claims)
	}()
	return answer
}

// wait waits for an answer in two halves of the limit. A program that is stopped
// as a whole and goes on later (SIGSTOP, a paused machine) finds the timer
// expired before the policy had a chance to run; the second half is that chance.
func (g *Guard) wait(answer <-chan Verdict) (Verdict, bool) {
	half := g.limit / 2
	timer := time.NewTimer(half)
	defer timer.Stop()
	for range 2 {
		select {
		case v := <-answer:
			return v, true
		case <-timer.C:
			timer.Reset(g.limit - half)
		}
	}
	select {
	case v := <-answer:
		return v, true
	default:
		return Verdict{}, false
	}
}

func (g *Guard) failed(reason string) Verdict {
	return Verdict{Outcome: Failed, Winner: -1, Rule: g.name, Reason: shorten(reason)}
}

// safeName returns the name of p, or "" when asking for it panics; Judge will
// then fail with that as its reason.
func safeName(p Policy) (name string) {
	defer func() { _ = recover() }()
	return p.Name()
}
