package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// EncodeStamp writes a stamp as a number. It returns ErrInvalid for a stamp above
// crdt.MaxStamp.
func EncodeStamp(e *msgpack.Encoder, s crdt.Stamp) error {
	if !s.Valid() {
		return fmt.Errorf("%w: stamp %s", ErrInvalid, s)
	}
	return EncodeUint(e, uint64(s))
}

// DecodeStamp reads what EncodeStamp writes. The error for a stamp above
// crdt.MaxStamp is ErrMalformed and crdt.ErrStamp.
func DecodeStamp(d *msgpack.Decoder) (crdt.Stamp, error) {
	n, err := DecodeUint(d)
	if err != nil {
		return 0, malformed("stamp", err)
	}
	if s := crdt.Stamp(n); !s.Valid() {
		return 0, malformed("stamp", fmt.Errorf("%w: %s", crdt.ErrStamp, s))
	}
	return crdt.Stamp(n), nil
}
