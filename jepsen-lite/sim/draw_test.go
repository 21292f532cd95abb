package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/crdt"
)

func TestHashIsTheOneOfCRDT(t *testing.T) {
	a, b := uint64(0), uint64(1)<<63
	for range 1000 {
		require.Equal(t, crdt.Key{}.Hash(a, b), hash(a, b))
		a, b = b, hash(a, b)
	}
}

func BenchmarkHash(b *testing.B) {
	x := uint64(1)
	for b.Loop() {
		x = hash(x, 7)
	}
	if x == 0 {
		b.Fatal()
	}
}
