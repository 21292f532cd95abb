package wire

import (
	"slices"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
)

// kind is one type of the package with its type hidden, so that each test holds
// for all of them.
type kind struct {
	name string
	// draw draws a value, checks that it survives the round trip and returns its
	// encoding.
	draw func(*rapid.T) []byte
	// again decodes data and encodes what it got.
	again func(data []byte) ([]byte, error)
}

func newKind[T any](
	name string, draw func(*rapid.T) T, equal func(a, b T) bool,
	encode func(*msgpack.Encoder, T) error, decode func(*msgpack.Decoder) (T, error),
) kind {
	marshal := func(v T) ([]byte, error) {
		return Marshal(func(e *msgpack.Encoder) error { return encode(e, v) })
	}
	unmarshal := func(data []byte) (T, error) {
		var v T
		err := Unmarshal(data, func(d *msgpack.Decoder) (err error) {
			v, err = decode(d)
			return err
		})
		return v, err
	}
	return kind{
		name: name,
		draw: func(t *rapid.T) []byte {
			v := draw(t)
			data, err := marshal(v)
			require.NoError(t, err)
			got, err := unmarshal(data)
			require.NoError(t, err)
			require.True(t, equal(v, got), "%v came back as %v", v, got)
			return data
		},
		again: func(data []byte) ([]byte, error) {
			v, err := unmarshal(data)
			if err != nil {
				return nil, err
			}
			return marshal(v)
		},
	}
}

// kinds returns all types of the package.
func kinds() []kind {
	return []kind{
		newKind("uint", drawUint, same, EncodeUint, DecodeUint),
		newKind("string", drawString, same, EncodeString, DecodeString),
		newKind("stamp", drawStamp, same, EncodeStamp, DecodeStamp),
		newKind("replica", drawReplica, same, EncodeReplica, DecodeReplica),
		newKind("dot", drawDot, same, EncodeDot, DecodeDot),
		newKind("context", drawContext, sameContext, encodeContextValue, DecodeContext),
		newKind("delta", drawDelta, crdt.Delta[string].Equal, encodeStringDelta, decodeStringDelta),
		newKind("register", drawRegister, same, encodeStringRegister, decodeStringRegister),
		newKind("tallies", drawTallies, slices.Equal, encodeTallySlice, DecodeTallies),
	}
}

func same[T comparable](a, b T) bool { return a == b }

func sameContext(a, b crdt.Context) bool { return a.Equal(&b) }

func encodeContextValue(e *msgpack.Encoder, c crdt.Context) error { return EncodeContext(e, &c) }

func encodeStringDelta(e *msgpack.Encoder, d crdt.Delta[string]) error {
	return EncodeDelta(e, d, EncodeString)
}

func decodeStringDelta(d *msgpack.Decoder) (crdt.Delta[string], error) {
	return DecodeDelta(d, DecodeString)
}

func encodeStringRegister(e *msgpack.Encoder, r crdt.LWWRegister[string]) error {
	return EncodeRegister(e, r, EncodeString)
}

func decodeStringRegister(d *msgpack.Decoder) (crdt.LWWRegister[string], error) {
	return DecodeRegister(d, DecodeString)
}

func encodeTallySlice(e *msgpack.Encoder, tallies []crdt.Tally) error {
	return EncodeTallies(e, tallies...)
}

// drawUint draws numbers of every length, the ends of the lengths among them.
func drawUint(t *rapid.T) uint64 {
	return rapid.OneOf(
		rapid.Uint64(),
		rapid.SampledFrom([]uint64{0, 127, 128, 255, 256, 1<<16 - 1, 1 << 16, 1<<32 - 1, 1 << 32, 1<<64 - 1}),
	).Draw(t, "number")
}

func drawString(t *rapid.T) string {
	n := rapid.SampledFrom([]int{0, 1, 31, 32, 255}).Draw(t, "length")
	return string(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "string"))
}

func drawStamp(t *rapid.T) crdt.Stamp {
	return crdt.Stamp(rapid.Uint64Range(0, uint64(crdt.MaxStamp)).Draw(t, "stamp"))
}

func drawReplica(t *rapid.T) crdt.Replica {
	r := crdt.Replica{
		Node:  rapid.SampledFrom([]string{"", "a", "b", "a node with a name of thirty-six bytes"}).Draw(t, "node"),
		Epoch: rapid.SampledFrom([]uint64{0, 1, 2, 1_700_000_000, 1<<64 - 1}).Draw(t, "epoch"),
	}
	if r.IsZero() {
		r.Epoch = 1
	}
	return r
}

func drawDot(t *rapid.T) crdt.Dot {
	return crdt.Dot{Replica: drawReplica(t), Seq: rapid.Uint64Range(1, crdt.MaxSeq).Draw(t, "seq")}
}

// drawContext draws contexts with prefixes and gaps, near the start, anywhere and
// up to the last number.
func drawContext(t *rapid.T) crdt.Context {
	var c crdt.Context
	for range rapid.IntRange(0, 12).Draw(t, "ranges") {
		lo := rapid.OneOf(
			rapid.Uint64Range(1, 20),
			rapid.Uint64Range(1, crdt.MaxSeq),
			rapid.Uint64Range(crdt.MaxSeq-3, crdt.MaxSeq),
		).Draw(t, "lo")
		hi := lo + rapid.OneOf(rapid.Uint64Range(0, 2), rapid.Uint64Range(0, crdt.MaxSeq)).Draw(t, "more")
		c.AddRange(drawReplica(t), lo, hi)
	}
	return c
}

// drawDelta draws a context and additions at some of its dots.
func drawDelta(t *rapid.T) crdt.Delta[string] {
	seen := drawContext(t)
	var live []crdt.Addition[string]
	for r, run := range seen.All() {
		for _, seq := range []uint64{run.Lo, run.Lo + run.Len()/2, run.Hi} {
			dot := crdt.Dot{Replica: r, Seq: seq}
			if n := len(live); n > 0 && live[n-1].Dot.Compare(dot) >= 0 || rapid.Bool().Draw(t, "skip") {
				continue
			}
			live = append(live, crdt.Addition[string]{Dot: dot, Element: drawString(t)})
		}
	}
	d, err := crdt.NewDelta(live, seen)
	require.NoError(t, err)
	return d
}

func drawRegister(t *rapid.T) crdt.LWWRegister[string] {
	if rapid.IntRange(0, 9).Draw(t, "unset") == 9 {
		return crdt.LWWRegister[string]{}
	}
	return crdt.LWWRegister[string]{Value: drawString(t), Stamp: drawStamp(t), Dot: drawDot(t)}
}

func drawTallies(t *rapid.T) []crdt.Tally {
	c := crdt.NewPNCounter(crdt.Replica{})
	for range rapid.IntRange(0, 20).Draw(t, "tallies") {
		c.Merge(crdt.Tally{Replica: drawReplica(t), Up: drawUint(t), Down: drawUint(t)})
	}
	return c.State()
}
