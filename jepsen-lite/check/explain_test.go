package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
)

func TestEveryCheckIsExplained(t *testing.T) {
	for _, c := range check.All() {
		e, ok := check.Explain(c.Name)
		require.True(t, ok)
		require.Equal(t, c.Text, e.Text)
		require.NotEmpty(t, e.Counts, c.Name)
		require.NotEmpty(t, e.Unknown, c.Name)
		require.NotEqual(t, byte('.'), e.Unknown[len(e.Unknown)-1], "%s: a note is no sentence", c.Name)
	}
	_, ok := check.Explain("nonsense")
	require.False(t, ok)
	require.NotEmpty(t, check.Words())
}
