package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// EncodeReplica writes [node, epoch]. It returns ErrInvalid for the zero Replica
// and ErrTooLarge for a node name above MaxString bytes.
func EncodeReplica(e *msgpack.Encoder, r crdt.Replica) error {
	if err := e.EncodeArrayLen(2); err != nil {
		return err
	}
	return encodeReplicaFields(e, r)
}

// DecodeReplica reads what EncodeReplica writes.
func DecodeReplica(d *msgpack.Decoder) (crdt.Replica, error) {
	if err := DecodeArray(d, 2); err != nil {
		return crdt.Replica{}, malformed("replica", err)
	}
	return decodeReplicaFields(d)
}

// EncodeDot writes [node, epoch, seq]. It returns ErrInvalid for a dot of the
// zero Replica or with a Seq outside 1..crdt.MaxSeq, and ErrTooLarge for a node
// name above MaxString bytes.
func EncodeDot(e *msgpack.Encoder, d crdt.Dot) error {
	if err := e.EncodeArrayLen(3); err != nil {
		return err
	}
	return encodeDotFields(e, d)
}

// DecodeDot reads what EncodeDot writes.
func DecodeDot(d *msgpack.Decoder) (crdt.Dot, error) {
	if err := DecodeArray(d, 3); err != nil {
		return crdt.Dot{}, malformed("dot", err)
	}
	return decodeDotFields(d)
}

func encodeReplicaFields(e *msgpack.Encoder, r crdt.Replica) error {
	if r.IsZero() {
		return fmt.Errorf("%w: the zero replica", ErrInvalid)
	}
	if err := EncodeString(e, r.Node); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return EncodeUint(e, r.Epoch)
}

func decodeReplicaFields(d *msgpack.Decoder) (crdt.Replica, error) {
	node, err := DecodeString(d)
	if err != nil {
		return crdt.Replica{}, malformed("node", err)
	}
	epoch, err := DecodeUint(d)
	if err != nil {
		return crdt.Replica{}, malformed("epoch", err)
	}
	r := crdt.Replica{Node: node, Epoch: epoch}
	if r.IsZero() {
		return crdt.Replica{}, fmt.Errorf("%w: the zero replica", ErrMalformed)
	}
	return r, nil
}

func encodeDotFields(e *msgpack.Encoder, d crdt.Dot) error {
	if d.Seq == 0 || d.Seq > crdt.MaxSeq {
		return fmt.Errorf("%w: dot %s", ErrInvalid, d)
	}
	if err := encodeReplicaFields(e, d.Replica); err != nil {
		return err
	}
	return EncodeUint(e, d.Seq)
}

func decodeDotFields(d *msgpack.Decoder) (crdt.Dot, error) {
	r, err := decodeReplicaFields(d)
	if err != nil {
		return crdt.Dot{}, err
	}
	seq, err := DecodeUint(d)
	if err != nil {
		return crdt.Dot{}, malformed("seq", err)
	}
	if seq == 0 || seq > crdt.MaxSeq {
		return crdt.Dot{}, fmt.Errorf("%w: seq %d", ErrMalformed, seq)
	}
	return crdt.Dot{Replica: r, Seq: seq}, nil
}
