package wire

import (
	"bytes"
	"fmt"
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// MaxString is the longest string in bytes that EncodeString and DecodeString
// accept. Names of nodes are strings.
const MaxString = 255

// Marshal returns the bytes that encode writes.
func Marshal(encode func(*msgpack.Encoder) error) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(&b)
	if err := encode(e); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Unmarshal lets decode read data. It returns ErrMalformed if decode leaves
// bytes unread.
func Unmarshal(data []byte, decode func(*msgpack.Decoder) error) error {
	r := bytes.NewReader(data)
	d := msgpack.GetDecoder()
	defer msgpack.PutDecoder(d)
	d.Reset(r)
	if err := decode(d); err != nil {
		return err
	}
	if n := r.Len(); n > 0 {
		return fmt.Errorf("%w: %d bytes left over", ErrMalformed, n)
	}
	return nil
}

// EncodeUint writes a number in its shortest form.
func EncodeUint(e *msgpack.Encoder, n uint64) error { return e.EncodeUint(n) }

// DecodeUint reads a number. It returns ErrMalformed for anything but a number
// that is not negative, in its shortest form.
func DecodeUint(d *msgpack.Decoder) (uint64, error) {
	code, err := d.PeekCode()
	if err != nil {
		return 0, malformed("number", err)
	}
	least := uint64(0)
	switch {
	case code <= msgpcode.PosFixedNumHigh:
	case code == msgpcode.Uint8:
		least = math.MaxInt8 + 1
	case code == msgpcode.Uint16:
		least = math.MaxUint8 + 1
	case code == msgpcode.Uint32:
		least = math.MaxUint16 + 1
	case code == msgpcode.Uint64:
		least = math.MaxUint32 + 1
	default:
		return 0, fmt.Errorf("%w: code %#x is not a number", ErrMalformed, code)
	}
	n, err := d.DecodeUint64()
	if err != nil {
		return 0, malformed("number", err)
	}
	if n < least {
		return 0, fmt.Errorf("%w: number %d is not in its shortest form", ErrMalformed, n)
	}
	return n, nil
}

// EncodeString writes a string. It returns ErrTooLarge above MaxString bytes.
func EncodeString(e *msgpack.Encoder, s string) error {
	if len(s) > MaxString {
		return tooLarge("length of a string", len(s), MaxString)
	}
	return e.EncodeString(s)
}

// DecodeString reads a string of at most MaxString bytes; any bytes, not only
// UTF-8. It returns ErrTooLarge for a longer one and ErrMalformed for anything
// but a string in its shortest form.
func DecodeString(d *msgpack.Decoder) (string, error) {
	code, err := d.PeekCode()
	if err != nil {
		return "", malformed("string", err)
	}
	// The two shortest forms hold at most 31 and 255 bytes, so the code alone
	// bounds the length before anything is allocated for it.
	least := 0
	switch {
	case msgpcode.IsFixedString(code):
	case code == msgpcode.Str8:
		least = 32
	case code == msgpcode.Str16, code == msgpcode.Str32:
		return "", fmt.Errorf("%w: string of more than %d bytes", ErrTooLarge, MaxString)
	default:
		return "", fmt.Errorf("%w: code %#x is not a string", ErrMalformed, code)
	}
	s, err := d.DecodeString()
	if err != nil {
		return "", malformed("string", err)
	}
	if len(s) < least {
		return "", fmt.Errorf("%w: string %q is not in its shortest form", ErrMalformed, s)
	}
	return s, nil
}

// DecodeArrayLen reads the head of an array and returns its length. It returns
// ErrTooLarge above limit and ErrMalformed for anything but an array in its
// shortest form. A caller must not allocate for the length before it has read
// that much: an array of a million elements may end after its head.
func DecodeArrayLen(d *msgpack.Decoder, limit int) (int, error) {
	code, err := d.PeekCode()
	if err != nil {
		return 0, malformed("array", err)
	}
	least := 0
	switch {
	case msgpcode.IsFixedArray(code):
	case code == msgpcode.Array16:
		least = 16
	case code == msgpcode.Array32:
		least = math.MaxUint16 + 1
	default:
		return 0, fmt.Errorf("%w: code %#x is not an array", ErrMalformed, code)
	}
	n, err := d.DecodeArrayLen()
	switch {
	case err != nil:
		return 0, malformed("array", err)
	case n < least:
		return 0, fmt.Errorf("%w: array length %d is not in its shortest form", ErrMalformed, n)
	case n > limit:
		return 0, tooLarge("length of an array", n, limit)
	}
	return n, nil
}

// DecodeArray reads the head of an array that must have n elements. It returns
// ErrMalformed if it has not.
func DecodeArray(d *msgpack.Decoder, n int) error {
	got, err := DecodeArrayLen(d, math.MaxInt32)
	if err != nil {
		return err
	}
	if got != n {
		return fmt.Errorf("%w: array of %d elements instead of %d", ErrMalformed, got, n)
	}
	return nil
}
