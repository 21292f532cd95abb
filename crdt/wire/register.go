package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// EncodeRegister writes [stamp, node, epoch, seq, value], or an empty array for
// a register that is unset. The value is written by encode, which must write one
// value. It returns ErrInvalid for a stamp above crdt.MaxStamp and what EncodeDot
// and encode return.
func EncodeRegister[V any](
	e *msgpack.Encoder, r crdt.LWWRegister[V], encode func(*msgpack.Encoder, V) error,
) error {
	value, ok := r.Get()
	if !ok {
		return e.EncodeArrayLen(0)
	}
	if err := e.EncodeArrayLen(5); err != nil {
		return err
	}
	if err := EncodeStamp(e, r.Stamp); err != nil {
		return err
	}
	if err := encodeDotFields(e, r.Dot); err != nil {
		return err
	}
	if err := encode(e, value); err != nil {
		return fmt.Errorf("value of %s: %w", r.Dot, err)
	}
	return nil
}

// DecodeRegister reads what EncodeRegister writes. The value is read by decode,
// which must read one value and hold its own limits; an error that it returns is
// wrapped in ErrMalformed. A stamp above crdt.MaxStamp is malformed.
func DecodeRegister[V any](
	d *msgpack.Decoder, decode func(*msgpack.Decoder) (V, error),
) (crdt.LWWRegister[V], error) {
	var none crdt.LWWRegister[V]
	n, err := DecodeArrayLen(d, 5)
	if err != nil {
		return none, malformed("register", err)
	}
	if n == 0 {
		return none, nil
	}
	if n != 5 {
		return none, fmt.Errorf("%w: register of %d fields", ErrMalformed, n)
	}
	stamp, err := DecodeStamp(d)
	if err != nil {
		return none, malformed("register", err)
	}
	dot, err := decodeDotFields(d)
	if err != nil {
		return none, malformed("register", err)
	}
	value, err := decode(d)
	if err != nil {
		return none, malformed("value", err)
	}
	return crdt.LWWRegister[V]{Value: value, Stamp: stamp, Dot: dot}, nil
}
