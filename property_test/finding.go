package propertytest

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Finding is a law that is broken, with the smallest story that was found to show
// it. It is an error.
type Finding struct {
	// Law is the name of the subtest, such as "Commutative".
	Law string
	// Text says in a sentence what holds when the law is kept.
	Text string
	// Story is what happened, line by line: the steps of a history, or a scenario
	// file for the simulator.
	Story []string
	// Seen says what came of it.
	Seen string
}

// Error returns the finding in several lines.
func (f *Finding) Error() string {
	return fmt.Sprintf("%s is broken: %s\n%s\n%s", f.Law, f.Text, strings.Join(f.Story, "\n"), f.Seen)
}

// cases returns how many random cases to try when the default number of checks
// asks for n: -rapid.checks and -short scale it.
func cases(n int) int {
	if f := flag.Lookup("rapid.checks"); f != nil {
		var checks int
		if _, err := fmt.Sscan(f.Value.String(), &checks); err == nil {
			n = n * checks / 100
		}
	}
	if testing.Testing() && testing.Short() {
		n /= 5
	}
	return max(n, 10)
}

// seeded returns the value that a generator draws from a seed. Each seed stands
// for the same value in every process; -rapid.seed gives others.
func seeded[V any](gen *rapid.Generator[V], seed int) V {
	var base int
	if f := flag.Lookup("rapid.seed"); f != nil {
		_, _ = fmt.Sscan(f.Value.String(), &base) // 0 when it is no number
	}
	return gen.Example(base + seed)
}

// guarded calls f and returns what it returns, or that it panicked.
func guarded(f func() string) (seen string) {
	defer func() {
		if r := recover(); r != nil {
			seen = fmt.Sprintf("it panicked: %v", r)
		}
	}()
	return f()
}

// fair draws a number below n. The ranges of rapid prefer small numbers, which is
// right for sizes and wrong for what to do next.
func fair(t *rapid.T, n int, what string) int {
	v := 0
	for span := 1; span < 16*n; span *= 2 {
		v *= 2
		if rapid.Bool().Draw(t, what) {
			v++
		}
	}
	return v % n
}
