package resolve_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/stretchr/testify/require"
)

func TestTrusted(t *testing.T) {
	for _, p := range builtins() {
		require.True(t, resolve.Trusted(p), p.Name())
	}
	require.True(t, resolve.Trusted(nil))
	user := resolve.Func("user")
	require.False(t, resolve.Trusted(user))
	require.False(t, resolve.Trusted(resolve.WithLoss(user, resolve.Notify)))
	require.False(t, resolve.Trusted(struct{ resolve.Policy }{resolve.LastWriter()}))
}

func TestGuardJudgesAsJudge(t *testing.T) {
	claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30), claimOf("n3", 1, 20)}
	for _, p := range []resolve.Policy{
		nil, resolve.FirstWriter(), resolve.NotifyAll(), resolve.Func("user", resolve.FirstWriter().Compare),
		rule{compare: func(_, _ resolve.Claim) int { return 0 }}, always("no"),
	} {
		g := resolve.NewGuard(p, 0)
		for n := range len(claims) + 1 {
			require.Equal(t, resolve.Judge(p, claims[:n]), g.Judge(claims[:n]))
		}
	}
}

func TestGuardGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		var asked atomic.Int64
		stuck := rule{compare: func(_, _ resolve.Claim) int { asked.Add(1); <-forever; return 1 }}
		g := resolve.NewGuard(stuck, time.Second)
		claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)}
		require.Equal(t, resolve.Held, g.Judge(claims[:1]).Outcome)

		for range resolve.MaxTimeouts {
			start := time.Now()
			want := resolve.Verdict{Outcome: resolve.Failed, Winner: -1, Rule: "rule", Reason: "took longer than 1s"}
			require.Equal(t, want, g.Judge(claims))
			require.Equal(t, time.Second, time.Since(start))
		}
		require.Equal(t, resolve.MaxTimeouts, g.Timeouts())

		start := time.Now()
		v := g.Judge(claims)
		require.Zero(t, time.Since(start))
		require.Equal(t, "took longer than 1s for 3 verdicts and is not asked any more", v.Reason)
		require.EqualValues(t, resolve.MaxTimeouts, asked.Load(), "the policy is not asked any more")
		require.Equal(t, resolve.Held, g.Judge(claims[:1]).Outcome, "one claim needs no policy")
		close(forever)
	})
}

func TestGuardWaitsForASlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := rule{compare: func(a, b resolve.Claim) int {
			time.Sleep(400 * time.Millisecond)
			return resolve.LastWriter().Compare(a, b)
		}}
		g := resolve.NewGuard(slow, 0)
		claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)}
		require.Equal(t, resolve.Verdict{Outcome: resolve.Held, Winner: 1, Rule: "rule"}, g.Judge(claims))
		require.Zero(t, g.Timeouts())
	})
}

// TestGuardKeepsNothing has the caller reuse its claims while the policy is
// still at work on them; the race detector sees it if they are shared.
func TestGuardKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := rule{compare: func(a, b resolve.Claim) int {
			time.Sleep(time.Minute)
			return resolve.LastWriter().Compare(a, b)
		}}
		g := resolve.NewGuard(late, time.Second)
		claims := []resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)}
		require.Equal(t, resolve.Failed, g.Judge(claims).Outcome)
		claims[0], claims[1] = claims[1], claims[0]
		time.Sleep(time.Hour)
		require.Equal(t, 1, g.Timeouts(), "what came too late is ignored")
	})
}

func TestGuardSurvivesTheEndOfItsGoroutine(t *testing.T) {
	p := rule{compare: func(_, _ resolve.Claim) int { runtime.Goexit(); return 1 }}
	v := resolve.NewGuard(p, 0).Judge([]resolve.Claim{claimOf("n1", 1, 10), claimOf("n2", 1, 30)})
	require.Equal(t, resolve.Verdict{
		Outcome: resolve.Failed, Winner: -1, Rule: "rule", Reason: "ended the goroutine in which it was asked",
	}, v)
}
