package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// EncodeTallies writes the tallies of a PNCounter, a delta or a state, as an
// array of [node, epoch, up, down]. It returns ErrInvalid if they are not
// strictly sorted by replica and for the zero Replica, and ErrTooLarge above
// MaxReplicas and MaxString.
func EncodeTallies(e *msgpack.Encoder, tallies ...crdt.Tally) error {
	if n := len(tallies); n > MaxReplicas {
		return tooLarge("tallies of a counter", n, MaxReplicas)
	}
	if err := e.EncodeArrayLen(len(tallies)); err != nil {
		return err
	}
	for i, t := range tallies {
		if i > 0 && tallies[i-1].Replica.Compare(t.Replica) >= 0 {
			return fmt.Errorf("%w: tally of %s is out of order", ErrInvalid, t.Replica)
		}
		if err := encodeTally(e, t); err != nil {
			return err
		}
	}
	return nil
}

// DecodeTallies reads what EncodeTallies writes.
func DecodeTallies(d *msgpack.Decoder) ([]crdt.Tally, error) {
	n, err := DecodeArrayLen(d, MaxReplicas)
	if err != nil {
		return nil, malformed("counter", err)
	}
	var tallies []crdt.Tally
	for range n {
		t, err := decodeTally(d)
		if err != nil {
			return nil, malformed("tally", err)
		}
		if k := len(tallies); k > 0 && tallies[k-1].Replica.Compare(t.Replica) >= 0 {
			return nil, fmt.Errorf("%w: tally of %s is out of order", ErrMalformed, t.Replica)
		}
		tallies = append(tallies, t)
	}
	return tallies, nil
}

func encodeTally(e *msgpack.Encoder, t crdt.Tally) error {
	if err := e.EncodeArrayLen(4); err != nil {
		return err
	}
	if err := encodeReplicaFields(e, t.Replica); err != nil {
		return err
	}
	if err := EncodeUint(e, t.Up); err != nil {
		return err
	}
	return EncodeUint(e, t.Down)
}

func decodeTally(d *msgpack.Decoder) (crdt.Tally, error) {
	if err := DecodeArray(d, 4); err != nil {
		return crdt.Tally{}, err
	}
	r, err := decodeReplicaFields(d)
	if err != nil {
		return crdt.Tally{}, err
	}
	up, err := DecodeUint(d)
	if err != nil {
		return crdt.Tally{}, malformed("up", err)
	}
	down, err := DecodeUint(d)
	if err != nil {
		return crdt.Tally{}, malformed("down", err)
	}
	return crdt.Tally{Replica: r, Up: up, Down: down}, nil
}
