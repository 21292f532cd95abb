package resolve

// chain is the policy of Func.
type chain struct {
	name    string
	compare []func(a, b Claim) int
}

// Func makes a policy of functions. Each returns a positive number when a beats
// b, a negative one when b beats a, and 0 when it has nothing to say; the first
// that says something decides, and when none does the higher Born dot wins, so
// that a tie is never left open. The method Compare of a policy can be one of
// the functions:
//
//	resolve.Func("eu-then-oldest", europeFirst, resolve.FirstWriter().Compare)
//
// The functions owe what Policy asks for: each must be antisymmetric and
// transitive, also in what it says 0 to, and look at nothing but a and b without
// their Dot and Value. "Says 0" must be transitive too: a function that tells
// births apart only when they are more than a second apart says 0 to 1.0 s and
// 1.6 s, and to 1.6 s and 2.2 s, but not to 1.0 s and 2.2 s, and then the next
// function closes a circle. Check the result with the package resolvetest.
//
// The name identifies the rule in the whole cluster: give a changed rule a new
// name. Nil functions are left out. The loss is Exit; see WithLoss.
func Func(name string, compare ...func(a, b Claim) int) Policy {
	c := chain{name: name}
	for _, f := range compare {
		if f != nil {
			c.compare = append(c.compare, f)
		}
	}
	return c
}

func (c chain) Name() string { return c.name }

func (c chain) Compare(a, b Claim) int {
	if a.Born == b.Born {
		return 0
	}
	for _, f := range c.compare {
		if r := f(a, b); r != 0 {
			return r
		}
	}
	return a.Born.Compare(b.Born)
}

func (c chain) Loss() Loss { return Exit }
