package resolvetest

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rollcall-dev/rollcall/resolve"
)

const (
	// patience is the number of looks after which a policy that has not answered
	// one question is taken to be stuck. Counting looks, not time, is fair to a
	// program that was stopped meanwhile.
	patience = 5
	// look is the time between two looks.
	look = time.Second
	// noisy is the number of claims that a policy is asked about to see whether it
	// remembers them.
	noisy = 4
)

// stage says when a law is checked.
type stage int

const (
	// basic laws are those without which the answers to the others mean nothing.
	basic stage = iota
	// ordinary laws are checked when the basic ones hold.
	ordinary
	// last are the laws whose check is only safe when all others hold.
	last
)

// check is a law and how to look for a violation of it.
type check struct {
	Law
	stage stage
	// breaks says how the policy breaks the law with these claims, or "". It is
	// tried on all sketches.
	breaks func(p *probe, claims []resolve.Claim) string
	// search is what is done before that; it returns how the policy breaks the
	// law, or "", and the claims that show it. Either of the two may be nil.
	search func(q *inquiry) (string, []resolve.Claim)
	// inTest tells that the law is checked by Run alone.
	inTest bool
}

// inquiry is one check of one policy.
type inquiry struct {
	probe    *probe
	pools    pools
	sketches []sketch
}

// newInquiry prepares the check of a suite. It does not ask the policy yet.
func newInquiry(s Suite) *inquiry {
	create := s.New
	if create == nil {
		create = same(nil)
	}
	p := newPools(s.Samples)
	var samples []draft
	for i, c := range s.Samples {
		samples = append(samples, p.draft(c, i))
	}
	q := &inquiry{
		probe:    &probe{create: create},
		pools:    p,
		sketches: p.sketches(samples, cmp.Or(s.Seed, 1)),
	}
	for _, s := range q.sketches[len(q.sketches)-noisy:] {
		q.probe.noise = append(q.probe.noise, p.claims(s)[0])
	}
	return q
}

// supervise checks all laws in a goroutine and watches that the policy answers.
func (q *inquiry) supervise() []Violation {
	done := make(chan []Violation, 1)
	go func() {
		defer close(done)
		done <- q.all()
	}()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	asked, idle := 0, 0
	for idle < patience {
		select {
		case violations, ok := <-done:
			if !ok {
				return []Violation{q.silent("ended the goroutine in which it was asked")}
			}
			return violations
		case <-ticker.C:
		}
		idle++
		if n, _ := q.probe.progress(); n != asked {
			asked, idle = n, 0
		}
	}
	return []Violation{q.silent(fmt.Sprintf("did not return within %s", patience*look))}
}

// silent returns the violation of a policy that did not answer the last question.
func (q *inquiry) silent(what string) Violation {
	_, asked := q.probe.progress()
	seen := asked.words(asked.claims) + " " + what
	return q.violation(answers(), seen, asked.claims)
}

// all checks the laws one after the other, as far as it makes sense.
func (q *inquiry) all() []Violation {
	var found []Violation
	for _, c := range checks() {
		if c.inTest || skipped(c, found) {
			continue
		}
		v, broken := q.one(c, q.try)
		if _, known := find(found, v.Name); broken && !known {
			found = append(found, v)
		}
	}
	return found
}

// attempt says which law is broken with these claims, and how, or "".
type attempt func(c check, claims []resolve.Claim) (check, string)

// one checks one law. The violation may be that of another: a policy may panic
// while it is asked for anything. What a search finds counts less than what the
// sketches show, because that is shrunk.
func (q *inquiry) one(c check, try attempt) (Violation, bool) {
	q.probe.become(home)
	var law check
	var seen string
	var claims []resolve.Claim
	if c.search != nil {
		law, seen, claims = q.search(c)
	}
	if c.breaks != nil {
		if v, broken := q.hunt(c, try); broken {
			return v, true
		}
	}
	return q.violation(law, seen, claims), seen != ""
}

// hunt looks for a sketch with which a law is broken, and shrinks it.
func (q *inquiry) hunt(c check, try attempt) (Violation, bool) {
	for _, s := range q.sketches {
		law, seen := try(c, q.pools.claims(s))
		if seen == "" {
			continue
		}
		s, seen = shrink(s, seen, func(smaller sketch) string {
			same, seen := try(c, q.pools.claims(smaller))
			if same.Name != law.Name {
				return ""
			}
			return seen
		})
		return q.violation(law, seen, q.pools.claims(s)), true
	}
	return Violation{}, false
}

// try is the attempt to break a law with these claims, inline.
func (q *inquiry) try(c check, claims []resolve.Claim) (law check, seen string) {
	defer q.recovered(claims, &law, &seen)
	return c, c.breaks(q.probe, claims)
}

// search does the search of a law.
func (q *inquiry) search(c check) (law check, seen string, claims []resolve.Claim) {
	defer func() {
		if law.Name != c.Name {
			_, asked := q.probe.progress()
			claims = asked.claims
		}
	}()
	defer q.recovered(nil, &law, &seen)
	seen, claims = c.search(q)
	return c, seen, claims
}

// recovered is to be deferred: it turns a panic of the policy into a violation of
// the law that it answers. Other panics go on.
func (q *inquiry) recovered(claims []resolve.Claim, law *check, seen *string) {
	if !q.probe.inside {
		return
	}
	q.probe.inside = false
	r := recover()
	if r == nil {
		return
	}
	_, asked := q.probe.progress()
	if claims == nil {
		claims = asked.claims
	}
	*law = answers()
	*seen = fmt.Sprintf("%s panicked: %.200s", asked.words(claims), fmt.Sprint(r))
}

// violation returns the violation of a law.
func (q *inquiry) violation(c check, seen string, claims []resolve.Claim) Violation {
	return Violation{Law: c.Law, Policy: q.probe.knownName(), Seen: seen, Claims: claims, basic: c.stage == basic}
}
