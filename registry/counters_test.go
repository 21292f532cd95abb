package registry_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
)

func TestCountersSumOverNodesAndGoWithTheirProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		p, q := attach(t, n[0]), attach(t, n[1])
		for _, d := range []int64{5, -2} {
			_, err := n[0].Add(t.Context(), "requests", p, d)
			require.NoError(t, err)
		}
		part, err := n[1].Add(t.Context(), "requests", q, 10)
		require.NoError(t, err)
		require.Equal(t, int64(10), part)
		total := func() int64 { sum, _ := n[2].Total("requests"); return sum }
		eventually(t, func() bool { return total() == 13 })
		p.Stop(nil)
		eventually(t, func() bool { return total() == 10 })
		require.NoError(t, n[1].Join(t.Context(), "words", q, registry.WithValue([]byte("x"))))
		_, err = n[1].Add(t.Context(), "words", q, 1)
		require.ErrorIs(t, err, registry.ErrValue)
	})
}
