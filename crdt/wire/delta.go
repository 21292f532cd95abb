package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

// MaxAdditions is the highest number of additions in a delta. A larger state is
// sent in parts.
const MaxAdditions = 1 << 20

// EncodeDelta writes [context, [group...]] with a group for each replica that
// has additions in the delta, in order:
//
//	[index, (distance, element)...]
//
// index is the place of the replica in the context, which has every replica of
// the additions; distance is the sequence number less that of the addition
// before it in the group, or less 0. Elements are written by encode, which must
// write one value. It returns ErrTooLarge above MaxAdditions and what
// EncodeContext and encode return.
func EncodeDelta[E comparable](
	e *msgpack.Encoder, delta crdt.Delta[E], encode func(*msgpack.Encoder, E) error,
) error {
	if n := delta.Len(); n > MaxAdditions {
		return tooLarge("additions of a delta", n, MaxAdditions)
	}
	if err := e.EncodeArrayLen(2); err != nil {
		return err
	}
	streams, err := measure(delta.Context())
	if err != nil {
		return err
	}
	if err := encodeStreams(e, delta.Context(), streams); err != nil {
		return err
	}
	groups := group(delta, streams)
	if err := e.EncodeArrayLen(len(groups)); err != nil {
		return err
	}
	at, left := -1, 0
	var before uint64
	for dot, element := range delta.All() {
		if left == 0 {
			at, before = at+1, 0
			left = groups[at].size
			if err := encodeGroupHead(e, groups[at]); err != nil {
				return err
			}
		}
		if err := EncodeUint(e, dot.Seq-before); err != nil {
			return err
		}
		if err := encode(e, element); err != nil {
			return fmt.Errorf("element of %s: %w", dot, err)
		}
		before = dot.Seq
		left--
	}
	return nil
}

// DecodeDelta reads what EncodeDelta writes. Elements are read by decode, which
// must read one value and hold its own limits; an error that it returns is
// wrapped in ErrMalformed.
func DecodeDelta[E comparable](
	d *msgpack.Decoder, decode func(*msgpack.Decoder) (E, error),
) (crdt.Delta[E], error) {
	var none crdt.Delta[E]
	if err := DecodeArray(d, 2); err != nil {
		return none, malformed("delta", err)
	}
	seen, replicas, err := decodeContext(d)
	if err != nil {
		return none, malformed("delta", err)
	}
	n, err := DecodeArrayLen(d, len(replicas))
	if err != nil {
		return none, malformed("delta", err)
	}
	var live []crdt.Addition[E]
	next := 0 // the lowest index that the group may have
	for range n {
		next, live, err = decodeGroup(d, replicas, next, live, decode)
		if err != nil {
			return none, malformed("delta", err)
		}
	}
	delta, err := crdt.NewDelta(live, seen)
	if err != nil {
		return none, malformed("delta", err)
	}
	return delta, nil
}

// cluster is the additions of one replica in a delta: the place of the replica
// in the context and their number.
type cluster struct {
	index, size int
}

// group returns the clusters of a delta, in order. Its context has the given
// streams, among them one for each cluster.
func group[E comparable](delta crdt.Delta[E], streams []extent) []cluster {
	var groups []cluster
	at := 0
	for dot := range delta.All() {
		if len(groups) > 0 && dot.Replica == streams[at].replica {
			groups[len(groups)-1].size++
			continue
		}
		for dot.Replica != streams[at].replica {
			at++
		}
		groups = append(groups, cluster{index: at, size: 1})
	}
	return groups
}

func encodeGroupHead(e *msgpack.Encoder, g cluster) error {
	if err := e.EncodeArrayLen(1 + 2*g.size); err != nil {
		return err
	}
	return EncodeUint(e, uint64(g.index))
}

// decodeGroup reads one group, appends its additions to live and returns the
// lowest index that the next group may have.
func decodeGroup[E comparable](
	d *msgpack.Decoder, replicas []crdt.Replica, next int,
	live []crdt.Addition[E], decode func(*msgpack.Decoder) (E, error),
) (int, []crdt.Addition[E], error) {
	n, err := DecodeArrayLen(d, 1+2*(MaxAdditions-len(live)))
	if err != nil {
		return 0, nil, malformed("additions", err)
	}
	if n < 3 || n%2 == 0 {
		return 0, nil, fmt.Errorf("%w: additions in %d fields", ErrMalformed, n)
	}
	index, err := DecodeUint(d)
	if err != nil {
		return 0, nil, malformed("index of a replica", err)
	}
	if index < uint64(next) || index >= uint64(len(replicas)) {
		return 0, nil, fmt.Errorf("%w: index %d of a replica", ErrMalformed, index)
	}
	var seq uint64
	for range n / 2 {
		distance, err := DecodeUint(d)
		if err != nil {
			return 0, nil, malformed("distance", err)
		}
		// A distance of 0, or one that wraps around, gives a number that is not above
		// the one before; one that is too far a number that nobody has seen. NewDelta
		// refuses both.
		seq += distance
		element, err := decode(d)
		if err != nil {
			return 0, nil, malformed("element", err)
		}
		dot := crdt.Dot{Replica: replicas[index], Seq: seq}
		live = append(live, crdt.Addition[E]{Dot: dot, Element: element})
	}
	return int(index) + 1, live, nil
}
