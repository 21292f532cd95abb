package registry_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
)

// TestAllocations holds what the hot paths allocate to exact figures. They may be
// lowered here, and raised only with a reason.
func TestAllocations(t *testing.T) {
	r := open(t, registry.Config{})
	p := attach(t, r)
	names := make([]string, 4096)
	for i := range names {
		names[i] = fmt.Sprintf("name-%019d", i)
		if i%2 == 0 {
			_, err := r.Register(t.Context(), names[i], p)
			require.NoError(t, err)
		}
	}
	require.NoError(t, r.Join(t.Context(), "group", p))
	ctx, value, i := t.Context(), []byte("value"), 0
	next := func() string { i += 2; return names[i%len(names)+1] }
	var err error
	for _, c := range []struct {
		what string
		want float64
		do   func()
	}{
		{"Whereis", 0, func() { r.Whereis("name-0000000000000000002") }},
		{"Whereis of nobody", 0, func() { r.Whereis("nobody") }},
		{"Members again", 0, func() { r.Members("group") }},
		{"Count", 0, func() { r.Count() }},
		{"Register and Unregister", 6, func() {
			name := next()
			_, e := r.Register(ctx, name, p)
			err = e
			err = r.Unregister(ctx, name, p)
		}},
		{"Update", 5, func() { err = r.Update(ctx, names[0], p, value) }},
		{"Join and Leave", 6, func() {
			name := next()
			err = r.Join(ctx, name, p)
			err = r.Leave(ctx, name, p)
		}},
	} {
		require.InDelta(t, c.want, testing.AllocsPerRun(500, c.do), 0, c.what)
		require.NoError(t, err)
	}
}
