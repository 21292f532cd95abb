package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
)

const (
	// MaxReplicas is the highest number of replicas in a context or a counter: far
	// more nodes than a registry has, and at most 20 MB of memory.
	MaxReplicas = 1 << 16
	// MaxRanges is the highest number of ranges in a context, over all replicas
	// and besides the prefixes: 16 MB of memory. It bounds the gaps that a sender
	// may have, and the elements that one removal may cover.
	MaxRanges = 1 << 20
)

// streamHead is the number of fields before the ranges of a stream.
const streamHead = 3

// EncodeContext writes an array with one array for each replica, in order:
//
//	[node, epoch, prefix, (gap, more)...]
//
// with a pair for each range above the prefix: gap is how many numbers beyond
// the one that must be missing lie before the range, more how many follow its
// first. So ranges that overlap, touch or are out of order cannot be written. It
// returns ErrTooLarge above MaxReplicas, MaxRanges or MaxString, and ErrInvalid
// for the zero Replica.
func EncodeContext(e *msgpack.Encoder, c *crdt.Context) error {
	streams, err := measure(c)
	if err != nil {
		return err
	}
	return encodeStreams(e, c, streams)
}

// encodeStreams writes a context whose extents are streams.
func encodeStreams(e *msgpack.Encoder, c *crdt.Context, streams []extent) error {
	if err := e.EncodeArrayLen(len(streams)); err != nil {
		return err
	}
	at := -1
	var end uint64
	for r, run := range c.All() {
		if at < 0 || r != streams[at].replica {
			at, end = at+1, 0
			if err := encodeStreamHead(e, streams[at]); err != nil {
				return err
			}
			if streams[at].prefix > 0 {
				end = streams[at].prefix
				continue
			}
		}
		if err := encodeRange(e, end, run); err != nil {
			return err
		}
		end = run.Hi
	}
	return nil
}

// DecodeContext reads what EncodeContext writes.
func DecodeContext(d *msgpack.Decoder) (crdt.Context, error) {
	c, _, err := decodeContext(d)
	return c, err
}

// decodeContext also returns the replicas, in order.
func decodeContext(d *msgpack.Decoder) (crdt.Context, []crdt.Replica, error) {
	n, err := DecodeArrayLen(d, MaxReplicas)
	if err != nil {
		return crdt.Context{}, nil, malformed("context", err)
	}
	var c crdt.Context
	var replicas []crdt.Replica
	ranges := MaxRanges
	for range n {
		r, used, err := decodeStream(d, &c, ranges)
		if err != nil {
			return crdt.Context{}, nil, malformed("context", err)
		}
		if k := len(replicas); k > 0 && replicas[k-1].Compare(r) >= 0 {
			return crdt.Context{}, nil, fmt.Errorf("%w: context: replica %s is out of order", ErrMalformed, r)
		}
		replicas = append(replicas, r)
		ranges -= used
	}
	return c, replicas, nil
}

// extent is what the head of a stream says of it.
type extent struct {
	replica crdt.Replica
	prefix  uint64
	ranges  int
}

// measure returns the extent of each stream of a context, in order.
func measure(c *crdt.Context) ([]extent, error) {
	var streams []extent
	total := 0
	for r, run := range c.All() {
		if n := len(streams); n == 0 || r != streams[n-1].replica {
			streams = append(streams, extent{replica: r})
		}
		s := &streams[len(streams)-1]
		if run.Lo == 1 {
			s.prefix = run.Hi
			continue
		}
		s.ranges++
		total++
	}
	if len(streams) > MaxReplicas {
		return nil, tooLarge("replicas of a context", len(streams), MaxReplicas)
	}
	if total > MaxRanges {
		return nil, tooLarge("ranges of a context", total, MaxRanges)
	}
	return streams, nil
}

func encodeStreamHead(e *msgpack.Encoder, s extent) error {
	if err := e.EncodeArrayLen(streamHead + 2*s.ranges); err != nil {
		return err
	}
	if err := encodeReplicaFields(e, s.replica); err != nil {
		return err
	}
	return EncodeUint(e, s.prefix)
}

// encodeRange writes a range that follows one that ended at end, or the prefix.
func encodeRange(e *msgpack.Encoder, end uint64, run crdt.Range) error {
	if err := EncodeUint(e, run.Lo-end-2); err != nil {
		return err
	}
	return EncodeUint(e, run.Hi-run.Lo)
}

// decodeStream reads one replica's part into c. It returns the replica and the
// number of ranges, of which there may be at most limit.
func decodeStream(d *msgpack.Decoder, c *crdt.Context, limit int) (crdt.Replica, int, error) {
	n, err := DecodeArrayLen(d, streamHead+2*limit)
	if err != nil {
		return crdt.Replica{}, 0, err
	}
	if n < streamHead || (n-streamHead)%2 != 0 {
		return crdt.Replica{}, 0, fmt.Errorf("%w: stream of %d fields", ErrMalformed, n)
	}
	r, err := decodeReplicaFields(d)
	if err != nil {
		return crdt.Replica{}, 0, err
	}
	end, err := DecodeUint(d)
	if err != nil {
		return crdt.Replica{}, 0, malformed("prefix", err)
	}
	ranges := (n - streamHead) / 2
	if end > crdt.MaxSeq || end == 0 && ranges == 0 {
		return crdt.Replica{}, 0, fmt.Errorf("%w: prefix %d and %d ranges", ErrMalformed, end, ranges)
	}
	c.AddRange(r, 1, end)
	for range ranges {
		run, err := decodeRange(d, end)
		if err != nil {
			return crdt.Replica{}, 0, err
		}
		c.AddRange(r, run.Lo, run.Hi)
		end = run.Hi
	}
	return r, ranges, nil
}

func decodeRange(d *msgpack.Decoder, end uint64) (crdt.Range, error) {
	gap, err := DecodeUint(d)
	if err != nil {
		return crdt.Range{}, malformed("gap", err)
	}
	more, err := DecodeUint(d)
	if err != nil {
		return crdt.Range{}, malformed("range", err)
	}
	// Each term is at most MaxSeq, which is 2^63 - 1, so no sum of two overflows.
	if gap > crdt.MaxSeq-2 || more > crdt.MaxSeq || end > crdt.MaxSeq-2-gap {
		return crdt.Range{}, fmt.Errorf("%w: range beyond the last number", ErrMalformed)
	}
	lo := end + 2 + gap
	if more > crdt.MaxSeq-lo {
		return crdt.Range{}, fmt.Errorf("%w: range beyond the last number", ErrMalformed)
	}
	return crdt.Range{Lo: lo, Hi: lo + more}, nil
}
