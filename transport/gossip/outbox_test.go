package gossip

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
)

// kinds returns the types of the frames in a batch.
func kinds(t *testing.T, b *batch) []byte {
	var out []byte
	for rest := b.bytes; len(rest) > 0; {
		word := binary.BigEndian.Uint32(rest)
		out = append(out, byte(word>>24))
		rest = rest[frameHead+int(word&0xFFFFFF):]
	}
	return out
}

func TestOutboxOrder(t *testing.T) {
	o := newOutbox(QueueLimits{Frames: 10, Bytes: 1 << 20}, &counters{})
	small := []byte("x")
	for _, lane := range []transport.Lane{transport.Bulk, transport.Deltas, transport.Bulk, transport.Urgent, transport.Deltas} {
		require.NoError(t, o.push(lane, small))
	}
	o.ping()
	o.leave()
	require.ErrorIs(t, o.push(transport.Urgent, small), transport.ErrNoLink, "nothing follows the farewell")
	var b batch
	o.fill(&b)
	require.Equal(t, []byte{pingFrame, 0, 1, 1, 2, 2}, kinds(t, &b), "lower lanes first")
	b.reset()
	o.fill(&b)
	require.Equal(t, []byte{leaveFrame}, kinds(t, &b), "the farewell comes behind everything")
	b.reset()
	o.fill(&b)
	require.Empty(t, b.bytes)
}

func TestOutboxLimits(t *testing.T) {
	var c counters
	o := newOutbox(QueueLimits{Frames: 3, Bytes: 100}, &c)
	for range 3 {
		require.NoError(t, o.push(transport.Deltas, nil))
	}
	require.ErrorIs(t, o.push(transport.Deltas, nil), transport.ErrQueueFull, "the fourth frame")
	require.NoError(t, o.push(transport.Bulk, make([]byte, 60)), "each lane has its own limit")
	require.NoError(t, o.push(transport.Bulk, make([]byte, 40)))
	require.ErrorIs(t, o.push(transport.Bulk, make([]byte, 1)), transport.ErrQueueFull, "the 101st byte")
	require.EqualValues(t, 1, c.snapshot()["dropped_full_deltas"])
	require.EqualValues(t, 1, c.snapshot()["dropped_full_bulk"])
	require.Equal(t, 5, o.discard())
	require.NoError(t, o.push(transport.Deltas, nil), "room again")
}

func TestOutboxBatches(t *testing.T) {
	o := newOutbox(QueueLimits{Frames: 1 << 20, Bytes: 1 << 30}, &counters{})
	frame := make([]byte, 1000)
	for range 200 {
		require.NoError(t, o.push(transport.Bulk, frame))
	}
	require.NoError(t, o.push(transport.Bulk, make([]byte, transport.MaxFrame)))
	sizes, frames := []int{}, 0
	for {
		var b batch
		o.fill(&b)
		if len(b.bytes) == 0 {
			break
		}
		sizes = append(sizes, len(b.bytes))
		frames += b.frames[transport.Bulk]
	}
	require.Equal(t, 201, frames)
	require.Equal(t, frameHead+transport.MaxFrame, sizes[len(sizes)-1], "a large frame goes alone")
	for _, n := range sizes[:len(sizes)-1] {
		require.LessOrEqual(t, n, maxBatch)
	}
	require.Len(t, sizes, 5)
}

// TestOutboxSharedFrame keeps a frame as it is: several peers may share it.
func TestOutboxSharedFrame(t *testing.T) {
	o := newOutbox(QueueLimits{Frames: 1 << 20, Bytes: 1 << 30}, &counters{})
	frame := bytes.Repeat([]byte{7}, 100)
	for range 3000 {
		require.NoError(t, o.push(transport.Deltas, frame[:50]))
	}
	for range 20 {
		var b batch
		o.fill(&b)
	}
	require.Equal(t, bytes.Repeat([]byte{7}, 100), frame)
}

// TestCountersAreDocumented finds each counter's name in the package documentation.
func TestCountersAreDocumented(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, name := range counterNames() {
		require.NotEmpty(t, name)
		require.False(t, seen[name], name)
		seen[name] = true
		for lane := range transport.Lanes {
			name = strings.TrimSuffix(name, "_"+lane.String())
		}
		require.Contains(t, string(text), name)
	}
}
