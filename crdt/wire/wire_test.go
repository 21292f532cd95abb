package wire

import (
	"encoding/hex"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
)

func TestRoundTrip(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			data := k.draw(t)
			again, err := k.again(data)
			require.NoError(t, err)
			require.Equal(t, data, again, "one value, one encoding")
		}))
	}
}

func TestTruncatedAndTrailingInputIsRefused(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			data := k.draw(t)
			for cut := range data {
				_, err := k.again(data[:cut])
				require.ErrorIs(t, err, ErrMalformed, "%d of %d bytes", cut, len(data))
			}
			_, err := k.again(append(slices.Clone(data), 0))
			require.ErrorIs(t, err, ErrMalformed)
		}))
	}
}

// Input that is changed anywhere is refused, or is the one encoding of another
// value.
func TestDamagedInputIsRefusedOrAnotherValue(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			data := slices.Clone(k.draw(t))
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
				data[at] = rapid.Byte().Draw(t, "byte")
			}
			requireRefusedOrCanonical(t, k, data)
		}))
	}
}

// requireRefusedOrCanonical holds what every decoder promises of any input.
func requireRefusedOrCanonical(t require.TestingT, k kind, data []byte) {
	again, err := k.again(data)
	if err == nil {
		require.Equal(t, data, again)
		return
	}
	require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge), "%v", err)
}

// The encodings are part of the protocol: a change of these bytes needs a new
// version of it.
func TestEncodings(t *testing.T) {
	a, b := crdt.Replica{Node: "a", Epoch: 1}, crdt.Replica{Node: "b", Epoch: 300}
	var seen crdt.Context
	seen.AddRange(a, 1, 5)
	seen.AddRange(a, 8, 8)
	seen.AddRange(a, 10, 12)
	seen.AddRange(b, 4, 4)
	delta, err := crdt.NewDelta([]crdt.Addition[string]{
		{Dot: crdt.Dot{Replica: a, Seq: 8}, Element: "x"},
		{Dot: crdt.Dot{Replica: a, Seq: 10}, Element: "y"},
		{Dot: crdt.Dot{Replica: b, Seq: 4}, Element: "z"},
	}, seen)
	require.NoError(t, err)
	for _, c := range []struct {
		name, want string
		encode     func(*msgpack.Encoder) error
	}{
		{"replica", "92 a161 01", func(e *msgpack.Encoder) error { return EncodeReplica(e, a) }},
		{"dot", "93 a162 cd012c 07", func(e *msgpack.Encoder) error {
			return EncodeDot(e, crdt.Dot{Replica: b, Seq: 7})
		}},
		{"stamp", "ce00010002", func(e *msgpack.Encoder) error { return EncodeStamp(e, crdt.StampAt(1, 2)) }},
		{"context", "92 97a161 01 05 0100 0002 95 a162 cd012c 00 0200", func(e *msgpack.Encoder) error {
			return EncodeContext(e, &seen)
		}},
		{"delta", "92 92 97a161 01 05 0100 0002 95 a162 cd012c 00 0200" +
			" 92 95 00 08a178 02a179 93 01 04a17a", func(e *msgpack.Encoder) error {
			return EncodeDelta(e, delta, EncodeString)
		}},
		{"register", "95 ce00010002 a161 01 09 a176", func(e *msgpack.Encoder) error {
			return EncodeRegister(e, crdt.LWWRegister[string]{
				Value: "v", Stamp: crdt.StampAt(1, 2), Dot: crdt.Dot{Replica: a, Seq: 9},
			}, EncodeString)
		}},
		{"unset register", "90", func(e *msgpack.Encoder) error {
			return EncodeRegister(e, crdt.LWWRegister[string]{}, EncodeString)
		}},
		{"tallies", "91 94 a161 01 05 00", func(e *msgpack.Encoder) error {
			return EncodeTallies(e, crdt.Tally{Replica: a, Up: 5})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := Marshal(c.encode)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(c.want, " ", ""), hex.EncodeToString(data))
		})
	}
}

// badInput is input, in hex, that the decoder of a kind refuses.
type badInput struct {
	kind, name, input string
	want              error
}

func badInputs() []badInput {
	return []badInput{
		{"uint", "nothing", "", ErrMalformed},
		{"uint", "nil", "c0", ErrMalformed},
		{"uint", "negative", "ff", ErrMalformed},
		{"uint", "signed", "d0 05", ErrMalformed},
		{"uint", "float", "ca 00000000", ErrMalformed},
		{"uint", "one byte too long", "cc 7f", ErrMalformed},
		{"uint", "two bytes too long", "cd 00ff", ErrMalformed},
		{"uint", "four bytes too long", "ce 0000ffff", ErrMalformed},
		{"uint", "eight bytes too long", "cf 00000000ffffffff", ErrMalformed},
		{"string", "bytes", "c4 01 61", ErrMalformed},
		{"string", "nil", "c0", ErrMalformed},
		{"string", "too long a form", "d9 01 61", ErrMalformed},
		{"string", "over the limit", "da 0100", ErrTooLarge},
		{"string", "four gigabytes", "db ffffffff", ErrTooLarge},
		{"stamp", "beyond the maximum", "cf 8000000000000001", crdt.ErrStamp},
		{"replica", "zero", "92 a0 00", ErrMalformed},
		{"replica", "three fields", "93 a161 01 01", ErrMalformed},
		{"replica", "too long a form", "dc 0002 a161 01", ErrMalformed},
		{"replica", "a map", "82 a161 01", ErrMalformed},
		{"dot", "zero", "93 a161 01 00", ErrMalformed},
		{"dot", "beyond the last", "93 a161 01 cf 8000000000000000", ErrMalformed},
		{"context", "a claim of four billion", "dd ffffffff", ErrTooLarge},
		{"context", "one replica too many", "dd 00010001", ErrTooLarge},
		{"context", "a claim without substance", "dc ffff", ErrMalformed},
		{"context", "ranges over the limit", "91 dd 00200004", ErrTooLarge},
		{"context", "ranges over the limit in all", "92 95 a161 01 01 00 00 dd 00200003", ErrTooLarge},
		{"context", "an empty replica", "91 93 a161 01 00", ErrMalformed},
		{"context", "half a range", "91 94 a161 01 01 00", ErrMalformed},
		{"context", "too few fields", "91 92 a161 01", ErrMalformed},
		{"context", "prefix beyond the last", "91 93 a161 01 cf 8000000000000000", ErrMalformed},
		{"context", "range beyond the last", "91 95 a161 01 00 cf 7ffffffffffffffd 01", ErrMalformed},
		{"context", "gap beyond the last", "91 95 a161 01 00 cf ffffffffffffffff 00", ErrMalformed},
		{"context", "length beyond the last", "91 95 a161 01 00 00 cf ffffffffffffffff", ErrMalformed},
		{"context", "the same replica twice", "92 93 a161 01 01 93 a161 01 01", ErrMalformed},
		{"context", "replicas out of order", "92 93 a162 01 01 93 a161 01 01", ErrMalformed},
		{"delta", "an addition that is unseen", "92 91 93 a161 01 01 91 93 00 02 a178", crdt.ErrDelta},
		{"delta", "an addition of nobody", "92 91 93 a161 01 01 91 93 01 01 a178", ErrMalformed},
		{"delta", "more groups than replicas", "92 90 91 93 00 01 a178", ErrTooLarge},
		{"delta", "a group of nothing", "92 91 93 a161 01 01 91 91 00", ErrMalformed},
		{"delta", "half an addition", "92 91 93 a161 01 01 91 94 00 01 a178 01", ErrMalformed},
		{"delta", "half an addition more", "92 91 93 a161 01 02 91 94 00 01 a178 01 a179", ErrMalformed},
		{"delta", "a distance that wraps around",
			"92 91 93 a161 01 03 91 95 00 02 a178 cf ffffffffffffffff a179", crdt.ErrDelta},
		{"delta", "additions over the limit in all",
			"92 92 93 a161 01 01 93 a162 01 01 92 93 00 01 a178 dd 00200001", ErrTooLarge},
		{"delta", "an addition twice", "92 91 93 a161 01 02 91 95 00 01 a178 00 a178", ErrMalformed},
		{"delta", "an addition at zero", "92 91 93 a161 01 02 91 93 00 00 a178", ErrMalformed},
		{"delta", "a group twice", "92 92 93 a161 01 02 93 a162 01 01 92 93 00 01 a178 93 00 02 a178", ErrMalformed},
		{"delta", "additions over the limit", "92 91 93 a161 01 01 91 dd 00200003", ErrTooLarge},
		{"delta", "an element of another type", "92 91 93 a161 01 01 91 93 00 01 05", ErrMalformed},
		{"register", "four fields", "94 01 a161 01 01", ErrMalformed},
		{"register", "six fields", "96 01 a161 01 01 a178 00", ErrTooLarge},
		{"register", "no dot", "95 01 a161 01 00 a178", ErrMalformed},
		{"register", "stamp beyond the maximum", "95 cf ffffffffffffffff a161 01 01 a178", crdt.ErrStamp},
		{"tallies", "out of order", "92 94 a162 01 01 00 94 a161 01 01 00", ErrMalformed},
		{"tallies", "twice", "92 94 a161 01 01 00 94 a161 01 01 00", ErrMalformed},
		{"tallies", "one too many", "dd 00010001", ErrTooLarge},
		{"tallies", "three fields", "91 93 a161 01 01", ErrMalformed},
	}
}

func TestMalformedInput(t *testing.T) {
	of := map[string]kind{}
	for _, k := range kinds() {
		of[k.name] = k
	}
	for _, c := range badInputs() {
		t.Run(c.kind+" "+c.name, func(t *testing.T) {
			data, err := hex.DecodeString(strings.ReplaceAll(c.input, " ", ""))
			require.NoError(t, err)
			_, err = of[c.kind].again(data)
			require.ErrorIs(t, err, c.want)
			requireRefusedOrCanonical(t, of[c.kind], data)
		})
	}
}

// Lengths have one form too, at the edge of each.
func TestLengthsAreInTheirShortestForm(t *testing.T) {
	length := func(input string) (n int, err error) {
		data, err := hex.DecodeString(input)
		require.NoError(t, err)
		err = Unmarshal(data, func(d *msgpack.Decoder) (err error) {
			n, err = DecodeArrayLen(d, 1<<20)
			return err
		})
		return n, err
	}
	for input, want := range map[string]int{"9f": 15, "dc0010": 16, "dcffff": 65_535, "dd00010000": 65_536} {
		n, err := length(input)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	for _, input := range []string{"dc000f", "dd0000ffff"} {
		_, err := length(input)
		require.ErrorIs(t, err, ErrMalformed, input)
	}
	for n, head := range map[int]string{31: "\xbf", 32: "\xd9\x20", 255: "\xd9\xff"} {
		text := strings.Repeat("s", n)
		var got string
		require.NoError(t, Unmarshal([]byte(head+text), func(d *msgpack.Decoder) (err error) {
			got, err = DecodeString(d)
			return err
		}))
		require.Equal(t, text, got)
	}
	err := Unmarshal([]byte("\xd9\x1f"+strings.Repeat("s", 31)), func(d *msgpack.Decoder) error {
		_, err := DecodeString(d)
		return err
	})
	require.ErrorIs(t, err, ErrMalformed)
}

// What no decoder accepts, no encoder writes.
func TestEncodersRefuse(t *testing.T) {
	a := crdt.Replica{Node: "a", Epoch: 1}
	long := crdt.Replica{Node: strings.Repeat("n", MaxString+1), Epoch: 1}
	contextOf := func(r crdt.Replica) *crdt.Context {
		var c crdt.Context
		c.AddRange(r, 1, 1)
		return &c
	}
	deltaOf := func(e string) crdt.Delta[string] { return crdt.NewORSet[string](a).Add(e) }
	for _, c := range []struct {
		name   string
		want   error
		encode func(*msgpack.Encoder) error
	}{
		{"long string", ErrTooLarge, func(e *msgpack.Encoder) error { return EncodeString(e, long.Node) }},
		{"zero replica", ErrInvalid, func(e *msgpack.Encoder) error { return EncodeReplica(e, crdt.Replica{}) }},
		{"long node", ErrTooLarge, func(e *msgpack.Encoder) error { return EncodeReplica(e, long) }},
		{"zero dot", ErrInvalid, func(e *msgpack.Encoder) error { return EncodeDot(e, crdt.Dot{Replica: a}) }},
		{"dot beyond the last", ErrInvalid, func(e *msgpack.Encoder) error {
			return EncodeDot(e, crdt.Dot{Replica: a, Seq: crdt.MaxSeq + 1})
		}},
		{"stamp", ErrInvalid, func(e *msgpack.Encoder) error { return EncodeStamp(e, crdt.MaxStamp+1) }},
		{"context of nobody", ErrInvalid, func(e *msgpack.Encoder) error {
			return EncodeContext(e, contextOf(crdt.Replica{}))
		}},
		{"context of a long node", ErrTooLarge, func(e *msgpack.Encoder) error {
			return EncodeContext(e, contextOf(long))
		}},
		{"element", ErrTooLarge, func(e *msgpack.Encoder) error {
			return EncodeDelta(e, deltaOf(long.Node), EncodeString)
		}},
		{"register of nobody", ErrInvalid, func(e *msgpack.Encoder) error {
			return EncodeRegister(e, crdt.LWWRegister[string]{Dot: crdt.Dot{Seq: 1}}, EncodeString)
		}},
		{"tallies out of order", ErrInvalid, func(e *msgpack.Encoder) error {
			return EncodeTallies(e, crdt.Tally{Replica: a, Up: 1}, crdt.Tally{Replica: a, Up: 1})
		}},
		{"tally of nobody", ErrInvalid, func(e *msgpack.Encoder) error { return EncodeTallies(e, crdt.Tally{Up: 1}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := Marshal(c.encode)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, data)
		})
	}
}

// The limits hold at their edges, on both sides.
func TestLimits(t *testing.T) {
	a := crdt.Replica{Node: "a", Epoch: 1}
	gaps := func(n uint64) *crdt.Context {
		var c crdt.Context
		for i := range n {
			c.AddRange(a, 2*i+2, 2*i+2)
		}
		return &c
	}
	data, err := Marshal(func(e *msgpack.Encoder) error { return EncodeContext(e, gaps(MaxRanges)) })
	require.NoError(t, err)
	require.NoError(t, Unmarshal(data, func(d *msgpack.Decoder) error {
		c, err := DecodeContext(d)
		require.Equal(t, MaxRanges, c.Size())
		return err
	}))
	_, err = Marshal(func(e *msgpack.Encoder) error { return EncodeContext(e, gaps(MaxRanges+1)) })
	require.ErrorIs(t, err, ErrTooLarge)

	var replicas crdt.Context
	tallies := make([]crdt.Tally, 0, MaxReplicas+1)
	for i := range uint64(MaxReplicas) {
		replicas.AddRange(crdt.Replica{Node: "a", Epoch: i}, 1, 1)
		tallies = append(tallies, crdt.Tally{Replica: crdt.Replica{Node: "a", Epoch: i}, Up: 1})
	}
	data, err = Marshal(func(e *msgpack.Encoder) error { return EncodeContext(e, &replicas) })
	require.NoError(t, err)
	require.NoError(t, Unmarshal(data, func(d *msgpack.Decoder) error {
		c, err := DecodeContext(d)
		require.True(t, c.Equal(&replicas))
		return err
	}))
	_, err = Marshal(func(e *msgpack.Encoder) error { return EncodeTallies(e, tallies...) })
	require.NoError(t, err)
	last := crdt.Replica{Node: "b", Epoch: 1}
	replicas.AddRange(last, 1, 1)
	_, err = Marshal(func(e *msgpack.Encoder) error { return EncodeContext(e, &replicas) })
	require.ErrorIs(t, err, ErrTooLarge)
	tallies = append(tallies, crdt.Tally{Replica: last, Up: 1})
	_, err = Marshal(func(e *msgpack.Encoder) error { return EncodeTallies(e, tallies...) })
	require.ErrorIs(t, err, ErrTooLarge)

	additions := func(n uint64) crdt.Delta[uint64] {
		var seen crdt.Context
		seen.AddRange(a, 1, n)
		live := make([]crdt.Addition[uint64], n)
		for i := range live {
			live[i].Dot = crdt.Dot{Replica: a, Seq: uint64(i) + 1}
		}
		d, err := crdt.NewDelta(live, seen)
		require.NoError(t, err)
		return d
	}
	data, err = Marshal(func(e *msgpack.Encoder) error { return EncodeDelta(e, additions(MaxAdditions), EncodeUint) })
	require.NoError(t, err)
	require.NoError(t, Unmarshal(data, func(d *msgpack.Decoder) error {
		got, err := DecodeDelta(d, DecodeUint)
		require.Equal(t, MaxAdditions, got.Len())
		return err
	}))
	_, err = Marshal(func(e *msgpack.Encoder) error { return EncodeDelta(e, additions(MaxAdditions+1), EncodeUint) })
	require.ErrorIs(t, err, ErrTooLarge)
}

// A head that claims a million elements costs nothing when they do not follow.
func TestDecodersAllocateForInputAndNotForClaims(t *testing.T) {
	for _, input := range []string{
		"dc ffff",           // context: 65,535 replicas
		"91 dd 00200003",    // context: 1,048,576 ranges
		"92 90 dd ffffffff", // delta: four billion groups
	} {
		data, err := hex.DecodeString(strings.ReplaceAll(input, " ", ""))
		require.NoError(t, err)
		for _, k := range kinds() {
			cost := allocatedPerRun(func() {
				_, err := k.again(data)
				require.Error(t, err)
			})
			require.Less(t, cost, uint64(8192), "%s: %s", k.name, input)
		}
	}
}

// allocatedPerRun returns the bytes that f allocates.
func allocatedPerRun(f func()) uint64 {
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

// Values stand one after the other in larger messages.
func TestValuesCompose(t *testing.T) {
	a := crdt.Replica{Node: "a", Epoch: 1}
	data, err := Marshal(func(e *msgpack.Encoder) error {
		return errors.Join(EncodeReplica(e, a), EncodeDot(e, crdt.Dot{Replica: a, Seq: 2}), EncodeUint(e, 3))
	})
	require.NoError(t, err)
	require.NoError(t, Unmarshal(data, func(d *msgpack.Decoder) error {
		r, err := DecodeReplica(d)
		require.NoError(t, err)
		require.Equal(t, a, r)
		dot, err := DecodeDot(d)
		require.NoError(t, err)
		require.Equal(t, crdt.Dot{Replica: a, Seq: 2}, dot)
		n, err := DecodeUint(d)
		require.Equal(t, uint64(3), n)
		return err
	}))
}

// An element codec of the user's own may fail; its error is kept.
func TestUserCodecErrorsAreKept(t *testing.T) {
	errOwn := errors.New("own")
	delta := crdt.NewORSet[string](crdt.Replica{Node: "a", Epoch: 1}).Add("x")
	_, err := Marshal(func(e *msgpack.Encoder) error {
		return EncodeDelta(e, delta, func(*msgpack.Encoder, string) error { return errOwn })
	})
	require.ErrorIs(t, err, errOwn)
	data, err := Marshal(func(e *msgpack.Encoder) error { return encodeStringDelta(e, delta) })
	require.NoError(t, err)
	err = Unmarshal(data, func(d *msgpack.Decoder) error {
		_, err := DecodeDelta(d, func(*msgpack.Decoder) (string, error) { return "", errOwn })
		return err
	})
	require.ErrorIs(t, err, errOwn)
	require.ErrorIs(t, err, ErrMalformed)
}
