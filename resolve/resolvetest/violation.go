package resolvetest

import (
	"fmt"
	"strings"

	"github.com/rollcall-dev/rollcall/resolve"
)

// Law is something that every policy must keep.
type Law struct {
	// Name is the name of the subtest, such as "decides-ties".
	Name string
	// Text says in a sentence what a lawful policy does.
	Text string
	// Why says in a sentence what happens in a netsplit when the law is broken.
	Why string
}

// Laws returns all laws, in the order in which they are checked.
func Laws() []Law {
	var laws []Law
	for _, c := range checks() {
		laws = append(laws, c.Law)
	}
	return laws
}

// Violation is a law that a policy breaks. It is an error.
type Violation struct {
	Law
	// Policy is the name of the policy.
	Policy string
	// Seen says what the policy did. It calls the claims a, b, c and so on.
	Seen string
	// Claims is the smallest set of claims that was found to show it: claims were
	// dropped and fields made simpler as long as the law was still broken. It is
	// empty when no claim has to do with it.
	Claims []resolve.Claim

	basic bool
}

// Error returns the violation with all that helps to understand it, in several
// lines. For one line, such as in a log, take Name and Seen.
func (v Violation) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy %q breaks the law %s\n", v.Policy, v.Name)
	fmt.Fprintf(&b, "  law:  %s\n", v.Text)
	fmt.Fprintf(&b, "  why:  %s\n", v.Why)
	fmt.Fprintf(&b, "  seen: %s\n", v.Seen)
	for i, c := range v.Claims {
		fmt.Fprintf(&b, "  %s = %s\n", letter(i), describe(c))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// letter returns what the i-th claim is called.
func letter(i int) string { return string(rune('a' + i%26)) }

// letters returns what the claims at those places are called.
func letters(places []int) string {
	names := make([]string, len(places))
	for i, place := range places {
		names[i] = letter(place)
	}
	return strings.Join(names, " ")
}

// describe returns a claim in one line, with long texts cut.
func describe(c resolve.Claim) string {
	return fmt.Sprintf("{Name: %.20q, Born: %.60s, Dot: %.60s, Holder: %.60s, "+
		"Birth: %d, Priority: %d, Seen: %d, Label: %.20q, Value: %.20q}",
		c.Name, c.Born, c.Dot, c.Holder, c.Birth, c.Priority, c.Seen, c.Label, c.Value)
}
