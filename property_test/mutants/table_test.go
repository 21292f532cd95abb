package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The table must not rot: every old text occurs exactly once in the source.
func TestTableFitsTheSource(t *testing.T) {
	names := map[string]bool{}
	for _, m := range allMutants() {
		require.False(t, names[m.name], "two mutants are called %s", m.name)
		names[m.name] = true
		require.NotEmpty(t, m.edits)
		for _, e := range m.edits {
			require.NotEqual(t, e.old, e.new, m.name)
		}
		_, err := m.apply("../..")
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, len(names), 25)
}

func TestFailureIsNamed(t *testing.T) {
	for _, c := range []struct{ out, want string }{
		{"--- FAIL: TestChaos (0.1s)\n    --- FAIL: TestChaos/3 (0.1s)\nFAIL\n", "TestChaos"},
		{"panic: test timed out after 1m0s\n\trunning tests:\n\t\tTestChaos (1m0s)\n", "TestChaos (never ends)"},
		{"panic: runtime error\ngoroutine 7:\nx.TestLoss(0xc0)\n", "TestLoss (panic)"},
	} {
		got, err := failure(c.out)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := failure("FAIL\tx [build failed]\n")
	require.Error(t, err)
}
