package story

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

func TestIdentitiesAreShortened(t *testing.T) {
	var said []string
	say := func(format string, args ...any) {
		require.Equal(t, "%s", format, "what was formatted is not formatted again")
		said = append(said, args[0].(string))
	}
	step := readable(func(_ context.Context, say stage.Say) (string, error) {
		say("%s beats <n3.1763855782123450012.3>, 100%% sure", "<n1.1763855782123454488.12>")
		return "<n2.1763855782123459999.1> is told", errors.New("<n2.1763855782123459999.1> is not told")
	})
	detail, err := step(t.Context(), say)
	require.Equal(t, []string{"<n1.4488.12> beats <n3.0012.3>, 100% sure"}, said)
	require.Equal(t, "<n2.9999.1> is told", detail)
	require.EqualError(t, err, "<n2.9999.1> is not told")
}

func TestUntilSaysWhatWasWrongAtLast(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Millisecond, errors.New("it took too long"))
	defer cancel()
	looks := 0
	err := until(ctx, func(context.Context) error { looks++; return errors.New("n1 sees nobody") })
	require.EqualError(t, err, "it took too long; at last: n1 sees nobody")
	require.Greater(t, looks, 1)
}

func TestUntilDoesNotWaitForANodeThatIsGone(t *testing.T) {
	looks := 0
	err := until(t.Context(), func(context.Context) error { looks++; return wire.ErrGone })
	require.ErrorIs(t, err, wire.ErrGone)
	require.Equal(t, 1, looks)
}

func TestActsHaveTitlesAndStepsHaveNamesOfTheirOwn(t *testing.T) {
	names := map[string]bool{}
	for _, act := range Acts(nil) {
		require.NotEmpty(t, act.Title)
		require.NotEmpty(t, act.Intro)
		for _, step := range act.Steps {
			require.False(t, names[step.Name], step.Name)
			names[step.Name] = true
		}
	}
}
