package resolvetest

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
)

// lawful returns policies that keep all laws.
func lawful() []resolve.Policy {
	return []resolve.Policy{
		resolve.LastWriter(),
		resolve.FirstWriter(),
		resolve.RandomExit(""),
		resolve.RandomNotify("seed"),
		resolve.NotifyAll(),
		resolve.Priority(),
		resolve.Majority(),
		resolve.Prefer("n2", "eu"),
		resolve.WithLoss(resolve.FirstWriter(), resolve.Notify),
		resolve.WithLoss(resolve.Priority(), resolve.Keep),
		resolve.Func("born"),
		resolve.Func("chain", resolve.Majority().Compare),
	}
}

func TestRunBuiltins(t *testing.T) {
	for _, p := range lawful() {
		t.Run(p.Name(), func(t *testing.T) { Run(t, p) })
	}
}

func TestCheckOfNoPolicy(t *testing.T) {
	require.Empty(t, Check(nil), "a nil policy stands for LastWriter")
	require.Empty(t, Suite{Seed: 7}.Check())
}

func TestLawsExplainThemselves(t *testing.T) {
	names := map[string]bool{}
	for _, l := range Laws() {
		require.NotEmpty(t, l.Text, l.Name)
		require.Greater(t, len(l.Why), 60, l.Name)
		require.Equal(t, byte('.'), l.Why[len(l.Why)-1], l.Name)
		require.False(t, names[l.Name], l.Name)
		names[l.Name] = true
	}
	require.Len(t, names, 17)
}

func TestCheckFindsFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			violations := Check(f.make())
			v, ok := find(violations, f.law)
			require.True(t, ok, "the law %s is not among %v", f.law, violations)
			require.LessOrEqual(t, len(v.Claims), f.claims, v.Error())
			require.NotEmpty(t, v.Seen)
			require.ErrorContains(t, v, f.law)
		})
	}
}

// TestCheckShrinks holds the smallest sets of some faults to the last field: a
// reader must see at once which values matter.
func TestCheckShrinks(t *testing.T) {
	base := newPools(nil)
	claim := func(change func(*resolve.Claim)) resolve.Claim {
		c := base.claim("k", draft{})
		change(&c)
		return c
	}
	for _, f := range faults() {
		var want []resolve.Claim
		switch f.name {
		case "panics on a rare priority":
			want = []resolve.Claim{claim(func(c *resolve.Claim) { c.Priority = 1<<63 - 1 })}
		case "mutates Value":
			want = []resolve.Claim{claim(func(c *resolve.Claim) { c.Value = []byte("a") })}
		case "rock, paper, scissors of labels":
			for i, label := range []string{"ap", "us", "eu"} {
				want = append(want, claim(func(c *resolve.Claim) {
					c.Label, c.Born.Seq, c.Dot.Seq = label, uint64(i+1), uint64(i+1)
				}))
			}
		default:
			continue
		}
		v, ok := find(Check(f.make()), f.law)
		require.True(t, ok)
		require.Equal(t, want, v.Claims, v.Error())
	}
}

// TestSuiteFindsWhatDependsOnTheNode gives policies that are total orders on
// every single node, so that only asking on several shows the fault.
func TestSuiteFindsWhatDependsOnTheNode(t *testing.T) {
	asking := ""
	global := order(func(a, b resolve.Claim) int {
		own := func(c resolve.Claim) int {
			if c.Holder.Node == asking {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(own(a), own(b)), byBorn(a, b))
	})
	named := 0
	cases := map[string]func(string) resolve.Policy{
		"global variable":      func(node string) resolve.Policy { asking = node; return global },
		"own field":            func(node string) resolve.Policy { return resolve.Prefer(node) },
		"seed of its own":      func(string) resolve.Policy { return newSeeded() },
		"order of arrival":     func(string) resolve.Policy { return newFirstMet() },
		"name of its own":      func(string) resolve.Policy { named++; return resolve.Func(fmt.Sprint(named)) },
		"loss of its own node": func(n string) resolve.Policy { return resolve.WithLoss(nil, resolve.Loss(len(n)%2)) },
	}
	for name, create := range cases {
		t.Run(name, func(t *testing.T) {
			nodes := []resolve.Claim{{Holder: resolve.PID{Node: "odd", Epoch: 1}}}
			violations := Suite{New: create, Samples: nodes}.Check()
			v, ok := find(violations, "every-node")
			require.True(t, ok, "every-node is not among %v", violations)
			require.LessOrEqual(t, len(v.Claims), 2)
		})
	}
}

// TestSuiteUsesItsSamples has a policy whose circle is among labels that no
// check would guess.
func TestSuiteUsesItsSamples(t *testing.T) {
	rank := map[string]int{"gold": 1, "silver": 2, "bronze": 3}
	p := order(func(a, b resolve.Claim) int {
		x, y := rank[a.Label], rank[b.Label]
		if x == 0 || y == 0 || x == y {
			return cmp.Or(cmp.Compare(x, y), byBorn(a, b))
		}
		return []int{0, 1, -1}[(x-y+3)%3]
	})
	require.Empty(t, Check(p), "without samples the fault cannot be seen")
	samples := []resolve.Claim{{Label: "gold"}, {Label: "silver"}, {Label: "bronze"}}
	v, ok := find(Suite{New: same(p), Samples: samples}.Check(), "transitive")
	require.True(t, ok)
	require.Len(t, v.Claims, 3)

	pair := order(func(a, b resolve.Claim) int {
		if a.Priority == 4711 && b.Birth == crdt.StampAt(9, 9) {
			return 0
		}
		return byBorn(a, b)
	})
	samples = []resolve.Claim{{Priority: 4711}, {Birth: crdt.StampAt(9, 9)}}
	v, ok = find(Suite{New: same(pair), Samples: samples}.Check(), "decides-ties")
	require.True(t, ok)
	require.Len(t, v.Claims, 2)
}

func TestCheckReportsAStuckPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		violations := Check(order(func(_, _ resolve.Claim) int { <-forever; return 1 }))
		require.Len(t, violations, 1)
		require.Equal(t, "answers", violations[0].Name)
		require.Equal(t, "Compare(a, a) did not return within 5s", violations[0].Seen)
		close(forever)
		synctest.Wait()
	})
}

func TestCheckReportsAPolicyThatEndsItsGoroutine(t *testing.T) {
	violations := Check(order(func(_, _ resolve.Claim) int { runtime.Goexit(); return 1 }))
	require.Len(t, violations, 1)
	require.Equal(t, "answers", violations[0].Name)
	require.Contains(t, violations[0].Seen, "ended the goroutine")
}

// established is a policy that only Run finds to be faulty: a claim older than an
// hour yields to no other.
func established() resolve.Policy {
	return order(func(a, b resolve.Claim) int {
		old := func(c resolve.Claim) int {
			if time.Since(c.Birth.Time()) > time.Hour {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(old(a), old(b)), resolve.LastWriter().Compare(a, b))
	})
}

// TestConcurrentFindsInterference has a policy that goes wrong while two
// goroutines are in it. In the bubble all of them get there before the time
// moves on.
func TestConcurrentFindsInterference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside atomic.Int32
		p := order(func(a, b resolve.Claim) int {
			inside.Add(1)
			defer inside.Add(-1)
			time.Sleep(time.Nanosecond)
			if inside.Load() > 1 {
				return -byBorn(a, b)
			}
			return byBorn(a, b)
		})
		q := newInquiry(Suite{New: same(p)})
		v, broken := q.one(concurrent(), q.try)
		require.True(t, broken)
		require.Contains(t, v.Seen, "while others ask too")
		require.NotEmpty(t, v.Claims)
	})
}

func TestConcurrentFindsPanics(t *testing.T) {
	calls := atomic.Int64{}
	p := order(func(a, b resolve.Claim) int {
		if calls.Add(1) > 3000 {
			panic("now")
		}
		return byBorn(a, b)
	})
	q := newInquiry(Suite{New: same(p)})
	v, broken := q.one(concurrent(), q.try)
	require.True(t, broken)
	require.Equal(t, "a question panicked: now", v.Seen)
}

// TestFaultyInChild is run by TestRunFails in a process of its own.
func TestFaultyInChild(t *testing.T) {
	switch os.Getenv("RESOLVETEST_FAULTY") {
	case "established":
		Run(t, established())
	case "random":
		Run(t, faultyStates()[0].make())
	case "tie":
		Run(t, faultyFields()[0].make())
	}
}

func TestRunFails(t *testing.T) {
	cases := map[string][]string{
		"established": {"--- FAIL: TestFaultyInChild/no-clock", "when asked 1h", "--- PASS: TestFaultyInChild/transitive"},
		"random": {
			"--- FAIL: TestFaultyInChild/deterministic", "--- SKIP: TestFaultyInChild/no-clock",
			`"deterministic" is broken`,
		},
		"tie": {
			"--- FAIL: TestFaultyInChild/decides-ties", "  why:  Two sides of a split", "  seen: Compare(a, b) is 0",
			"  a = {Name: \"k\"", "--- PASS: TestFaultyInChild/answers", "--- SKIP: TestFaultyInChild/concurrent",
		},
	}
	for name, wanted := range cases {
		t.Run(name, func(t *testing.T) {
			self, err := os.Executable()
			require.NoError(t, err)
			child := exec.Command(self, "-test.run=^TestFaultyInChild$", "-test.v", "-test.count=1")
			child.Env = append(os.Environ(), "RESOLVETEST_FAULTY="+name)
			out, err := child.CombinedOutput()
			require.Error(t, err)
			for _, text := range wanted {
				require.Contains(t, string(out), text)
			}
		})
	}
}
