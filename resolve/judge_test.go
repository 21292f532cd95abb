package resolve_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// rule is a policy of functions, for tests.
type rule struct {
	name    func() string
	compare func(a, b resolve.Claim) int
	loss    func() resolve.Loss
}

func (r rule) Name() string {
	if r.name == nil {
		return "rule"
	}
	return r.name()
}

func (r rule) Compare(a, b resolve.Claim) int { return r.compare(a, b) }

func (r rule) Loss() resolve.Loss {
	if r.loss == nil {
		return resolve.Exit
	}
	return r.loss()
}

// always returns a policy that panics when asked anything.
func always(text string) rule {
	return rule{
		name:    func() string { panic(text) },
		compare: func(_, _ resolve.Claim) int { panic(text) },
		loss:    func() resolve.Loss { panic(text) },
	}
}

func TestJudgeDoesNotAskAboutOneClaim(t *testing.T) {
	p := always("asked")
	require.Equal(t, resolve.Verdict{Outcome: resolve.Vacant, Winner: -1}, resolve.Judge(p, nil))
	c := claimOf("n1", 1, 5)
	require.Equal(t, resolve.Verdict{Outcome: resolve.Held}, resolve.Judge(p, []resolve.Claim{c}))

	updated := c
	updated.Dot.Seq, updated.Value = 9, []byte("new")
	for _, claims := range [][]resolve.Claim{{c, updated}, {c, updated, c}} {
		v := resolve.Judge(p, claims)
		require.Equal(t, resolve.Verdict{Outcome: resolve.Held, Winner: 1}, v, "the newest version holds")
	}
}

func TestJudgeWinner(t *testing.T) {
	a, b, c := claimOf("n1", 1, 10), claimOf("n2", 1, 30), claimOf("n3", 1, 20)
	a.Priority, c.Seen, c.Label = 7, 3, "eu"
	twin := claimOf("n1", 2, 10)
	cases := []struct {
		policy resolve.Policy
		claims []resolve.Claim
		winner int
	}{
		{resolve.LastWriter(), []resolve.Claim{a, b, c}, 1},
		{resolve.LastWriter(), []resolve.Claim{a, twin}, 1},
		{resolve.FirstWriter(), []resolve.Claim{a, b, c}, 0},
		{resolve.FirstWriter(), []resolve.Claim{twin, a}, 1},
		{resolve.Priority(), []resolve.Claim{b, c, a}, 2},
		{resolve.Priority(), []resolve.Claim{b, c}, 0},
		{resolve.Majority(), []resolve.Claim{a, b, c}, 2},
		{resolve.Majority(), []resolve.Claim{a, b}, 1},
		{resolve.Prefer("n9", "n1", "n2"), []resolve.Claim{a, b, c}, 0},
		{resolve.Prefer("eu", "n1"), []resolve.Claim{a, b, c}, 2},
		{resolve.Prefer("n9"), []resolve.Claim{a, b, c}, 1},
		{resolve.WithLoss(resolve.FirstWriter(), resolve.Notify), []resolve.Claim{a, b, c}, 0},
	}
	for _, x := range cases {
		v := resolve.Judge(x.policy, x.claims)
		require.Equal(t, resolve.Verdict{Outcome: resolve.Held, Winner: x.winner, Rule: x.policy.Name()}, v)
	}
}

func TestJudgeNilPolicyIsTheDefault(t *testing.T) {
	claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)}
	require.Equal(t, resolve.Judge(resolve.LastWriter(), claims), resolve.Judge(nil, claims))
}

func TestJudgeContested(t *testing.T) {
	claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30), claimOf("n3", 1, 20)}
	want := resolve.Verdict{Outcome: resolve.Contested, Winner: -1, Rule: "notify-all"}
	require.Equal(t, want, resolve.Judge(resolve.NotifyAll(), claims))
	require.Equal(t, want, resolve.Judge(resolve.NotifyAll(), claims[:2]))
	require.Equal(t, resolve.Held, resolve.Judge(resolve.NotifyAll(), claims[:1]).Outcome)

	unordered := rule{
		compare: func(_, _ resolve.Claim) int { panic("asked") },
		loss:    func() resolve.Loss { return resolve.Keep },
	}
	require.Equal(t, resolve.Contested, resolve.Judge(unordered, claims).Outcome)
}

func TestJudgeFailed(t *testing.T) {
	a, b, c := claimOf("n1", 1, 10), claimOf("n2", 1, 30), claimOf("n3", 1, 20)
	cyclic := func(x, y resolve.Claim) int {
		return []int{0, 1, -1}[(x.Holder.Node[1]-y.Holder.Node[1]+3)%3]
	}
	cases := []struct {
		name   string
		policy resolve.Policy
		claims []resolve.Claim
		reason string
	}{
		{"zero", rule{compare: func(_, _ resolve.Claim) int { return 0 }}, []resolve.Claim{b, a},
			"Compare gives 0 for <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 and 0 the other way round, but 0 is for a claim and itself"},
		{"first", rule{compare: func(_, _ resolve.Claim) int { return 3 }}, []resolve.Claim{b, a},
			"Compare gives 3 for <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 and 3 the other way round, but it must be the opposite"},
		{"second", rule{compare: func(_, _ resolve.Claim) int { return -3 }}, []resolve.Claim{a, b},
			"Compare gives -3 for <n2.1.1> born at n2@1:1 and <n1.1.1> born at n1@1:1 and -3 the other way round, but it must be the opposite"},
		{"cyclic", rule{compare: cyclic}, []resolve.Claim{c, b, a},
			"no claim beats all the others: <n3.1.1> born at n3@1:1, which was not beaten until then, loses to <n1.1.1> born at n1@1:1"},
		{"panic", rule{compare: func(_, _ resolve.Claim) int { panic("no") }}, []resolve.Claim{b, a},
			"Compare of <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 panicked: no"},
		{"panic of an error", rule{compare: func(_, _ resolve.Claim) int { panic(errors.New("e")) }}, []resolve.Claim{b, a},
			"Compare of <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 panicked: e"},
		{"panic of a thing", rule{compare: func(_, _ resolve.Claim) int { panic([]int{1}) }}, []resolve.Claim{b, a},
			"Compare of <n1.1.1> born at n1@1:1 and <n2.1.1> born at n2@1:1 panicked: a value of type []int"},
		{"loss", rule{loss: func() resolve.Loss { return 9 }}, []resolve.Claim{b, a},
			"Loss gives loss-9, which is none"},
		{"loss panics", rule{loss: func() resolve.Loss { panic("no") }}, []resolve.Claim{b, a}, "Loss panicked: no"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			want := resolve.Verdict{Outcome: resolve.Failed, Winner: -1, Rule: "rule", Reason: x.reason}
			require.Equal(t, want, resolve.Judge(x.policy, x.claims))
		})
	}
	t.Run("name panics", func(t *testing.T) {
		want := resolve.Verdict{Outcome: resolve.Failed, Winner: -1, Reason: "Name panicked: no"}
		require.Equal(t, want, resolve.Judge(always("no"), []resolve.Claim{a, b}))
	})
}

func TestJudgeBoundsTheReason(t *testing.T) {
	p := rule{compare: func(_, _ resolve.Claim) int { panic(strings.Repeat("\u00e9\xff", 1<<16)) }}
	v := resolve.Judge(p, []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)})
	require.Equal(t, resolve.Failed, v.Outcome)
	require.LessOrEqual(t, len(v.Reason), 512)
	require.True(t, utf8.ValidString(v.Reason))
	require.True(t, strings.HasSuffix(v.Reason, "..."))
}

func TestJudgeWithholdsDotAndValue(t *testing.T) {
	p := rule{compare: func(a, b resolve.Claim) int {
		if !a.Dot.IsZero() || !b.Dot.IsZero() || a.Value != nil || b.Value != nil {
			panic("an untrusted policy saw Dot or Value")
		}
		return resolve.LastWriter().Compare(a, b)
	}}
	a, b := claimOf("n1", 1, 10), claimOf("n2", 1, 30)
	a.Value = []byte("v")
	for _, policy := range []resolve.Policy{p, resolve.WithLoss(p, resolve.Notify), resolve.Func("f", p.Compare)} {
		v := resolve.Judge(policy, []resolve.Claim{a, b})
		require.Equal(t, resolve.Verdict{Outcome: resolve.Held, Winner: 1, Rule: policy.Name()}, v)
	}
	require.Equal(t, []byte("v"), a.Value)
}

// TestJudgeIsOneVerdictForEveryOrder holds for any function, lawful or not: what
// it answers is drawn for each pair, with panics among it.
func TestJudgeIsOneVerdictForEveryOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answers := map[[2]crdt.Dot]int{}
		p := rule{compare: func(a, b resolve.Claim) int {
			key := [2]crdt.Dot{a.Born, b.Born}
			answer, ok := answers[key]
			if !ok {
				answer = rapid.IntRange(-1, 2).Draw(t, fmt.Sprint(key))
				answers[key] = answer
			}
			if answer == 2 {
				panic("an answer that is none")
			}
			return answer
		}}
		claims := rapid.SliceOfN(rapid.Custom(drawClaim), 2, 7).Draw(t, "claims")
		order := rapid.Permutation(claims).Draw(t, "order")
		order = append(order, order[rapid.IntRange(0, len(order)-1).Draw(t, "repeated")])
		requireSame(t, p, claims, order)
	})
}

func TestJudgeBuiltinsForEveryOrder(t *testing.T) {
	for _, p := range builtins() {
		t.Run(p.Name(), rapid.MakeCheck(func(t *rapid.T) {
			claims := rapid.SliceOfN(rapid.Custom(drawClaim), 0, 8).Draw(t, "claims")
			v := resolve.Judge(p, claims)
			require.NotEqual(t, resolve.Failed, v.Outcome, v.Reason)
			requireSame(t, p, claims, rapid.Permutation(claims).Draw(t, "order"))
		}))
	}
}

// requireSame fails unless both lists have one verdict and one winner.
func requireSame(t *rapid.T, p resolve.Policy, claims, order []resolve.Claim) {
	v, w := resolve.Judge(p, claims), resolve.Judge(p, order)
	if v.Winner >= 0 && w.Winner >= 0 {
		require.Equal(t, claims[v.Winner].Born, order[w.Winner].Born)
		require.Equal(t, claims[v.Winner].Dot, order[w.Winner].Dot)
		v.Winner, w.Winner = 0, 0
	}
	require.Equal(t, v, w)
}

// TestJudgeLoserInAPartLosesInTheWhole is what makes it safe to tell a loser
// before all claims are known.
func TestJudgeLoserInAPartLosesInTheWhole(t *testing.T) {
	for _, p := range builtins() {
		p = resolve.WithLoss(p, resolve.Exit)
		t.Run(p.Name(), rapid.MakeCheck(func(t *rapid.T) {
			claims := rapid.SliceOfN(rapid.Custom(drawClaim), 2, 8).Draw(t, "claims")
			winner := claims[resolve.Judge(p, claims).Winner].Born
			part := rapid.Permutation(claims).Draw(t, "order")[:rapid.IntRange(1, len(claims)).Draw(t, "size")]
			best := part[resolve.Judge(p, part).Winner].Born
			for _, c := range part {
				if c.Born == winner {
					require.Equal(t, winner, best)
				}
			}
		}))
	}
}

func TestJudgeManyClaims(t *testing.T) {
	claims := make([]resolve.Claim, 300)
	for i := range claims {
		claims[i] = claimOf(fmt.Sprintf("n%d", i%7), uint64(i+1), crdt.Stamp(i*i%101))
	}
	best := slices.MaxFunc(claims, resolve.LastWriter().Compare)
	v := resolve.Judge(resolve.LastWriter(), claims)
	require.Equal(t, resolve.Held, v.Outcome)
	require.Equal(t, best, claims[v.Winner])
}

func TestJudgeDoesNotAllocate(t *testing.T) {
	claims := make([]resolve.Claim, 16)
	for i := range claims {
		claims[i] = claimOf(fmt.Sprintf("n%d", i), uint64(i+1), crdt.Stamp(i))
	}
	for _, p := range builtins() {
		require.Zero(t, testing.AllocsPerRun(100, func() { resolve.Judge(p, claims[:2]) }), p.Name())
		require.Zero(t, testing.AllocsPerRun(100, func() { resolve.Judge(p, claims) }), p.Name())
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{2, 10} {
		claims := make([]resolve.Claim, n)
		for i := range claims {
			claims[i] = claimOf(fmt.Sprintf("node-%d", i), uint64(i+1), crdt.Stamp(i*7%10))
			claims[i].Name = "user/12345678"
		}
		user := resolve.Func("user", resolve.LastWriter().Compare)
		for _, p := range []resolve.Policy{
			resolve.LastWriter(), resolve.RandomExit(""), resolve.Prefer("node-1", "eu"), user,
		} {
			b.Run(fmt.Sprintf("claims=%d/%s", n, p.Name()), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					resolve.Judge(p, claims)
				}
			})
		}
		b.Run(fmt.Sprintf("claims=%d/guarded", n), func(b *testing.B) {
			g := resolve.NewGuard(user, 0)
			b.ReportAllocs()
			for b.Loop() {
				g.Judge(claims)
			}
		})
	}
}
