package wire

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// benchSet returns a set of n elements that 50 replicas added.
func benchSet(n int) *crdt.ORSet[string] {
	s := crdt.NewORSet[string](crdt.Replica{Node: "self", Epoch: 1_700_000_000})
	others := make([]*crdt.ORSet[string], 50)
	for i := range others {
		others[i] = crdt.NewORSet[string](crdt.Replica{Node: "node-" + strconv.Itoa(i), Epoch: 1_700_000_000})
	}
	for i := range n {
		s.Merge(others[i%len(others)].Add("element-" + strconv.Itoa(i)))
	}
	return s
}

// benchEncode measures an encoder that is used again and again.
func benchEncode(b *testing.B, encode func(*msgpack.Encoder) error) {
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		if err := encode(e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "wire-B")
}

// benchDecode measures a decoder that is used again and again.
func benchDecode(b *testing.B, encode func(*msgpack.Encoder) error, decode func(*msgpack.Decoder) error) {
	data, err := Marshal(encode)
	if err != nil {
		b.Fatal(err)
	}
	r := bytes.NewReader(data)
	d := msgpack.NewDecoder(r)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(data)
		if err := decode(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeDelta(b *testing.B) {
	delta := benchSet(1000).Add("element")
	benchEncode(b, func(e *msgpack.Encoder) error { return EncodeDelta(e, delta, EncodeString) })
}

func BenchmarkDecodeDelta(b *testing.B) {
	delta := benchSet(1000).Add("element")
	benchDecode(b, func(e *msgpack.Encoder) error { return EncodeDelta(e, delta, EncodeString) },
		func(d *msgpack.Decoder) error {
			_, err := DecodeDelta(d, DecodeString)
			return err
		})
}

func BenchmarkEncodeState(b *testing.B) {
	state := benchSet(10_000).State()
	benchEncode(b, func(e *msgpack.Encoder) error { return EncodeDelta(e, state, EncodeString) })
}

func BenchmarkDecodeState(b *testing.B) {
	state := benchSet(10_000).State()
	benchDecode(b, func(e *msgpack.Encoder) error { return EncodeDelta(e, state, EncodeString) },
		func(d *msgpack.Decoder) error {
			_, err := DecodeDelta(d, DecodeString)
			return err
		})
}

func BenchmarkEncodeContext(b *testing.B) {
	seen := benchSet(10_000).Context()
	benchEncode(b, func(e *msgpack.Encoder) error { return EncodeContext(e, seen) })
}

func BenchmarkDecodeContext(b *testing.B) {
	seen := benchSet(10_000).Context()
	benchDecode(b, func(e *msgpack.Encoder) error { return EncodeContext(e, seen) },
		func(d *msgpack.Decoder) error {
			_, err := DecodeContext(d)
			return err
		})
}

func BenchmarkEncodeDot(b *testing.B) {
	dot := crdt.Dot{Replica: crdt.Replica{Node: "node-25", Epoch: 1_700_000_000}, Seq: 123_456}
	benchEncode(b, func(e *msgpack.Encoder) error { return EncodeDot(e, dot) })
}

func BenchmarkDecodeDot(b *testing.B) {
	dot := crdt.Dot{Replica: crdt.Replica{Node: "node-25", Epoch: 1_700_000_000}, Seq: 123_456}
	benchDecode(b, func(e *msgpack.Encoder) error { return EncodeDot(e, dot) },
		func(d *msgpack.Decoder) error {
			_, err := DecodeDot(d)
			return err
		})
}
