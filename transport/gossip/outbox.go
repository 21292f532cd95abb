package gossip

import (
	"encoding/binary"
	"sync"

	"github.com/rollcall-dev/rollcall/transport"
)

// maxBatch is the size up to which frames are put into one write. It bounds what
// an urgent frame has to wait for in this program.
const maxBatch = 64 << 10

// batch is what goes out in one write.
type batch struct {
	bytes  []byte
	frames [transport.Lanes]int
	size   [transport.Lanes]int
}

// reset empties the batch and keeps its memory, unless a large frame made it grow.
func (b *batch) reset() {
	if cap(b.bytes) > 2*maxBatch {
		b.bytes = nil
	}
	*b = batch{bytes: b.bytes[:0]}
}

// waiting is the queue of one lane.
//
// Invariant: frames[head:] wait, in the order in which they came; bytes is the sum
// of their lengths.
type waiting struct {
	frames [][]byte
	head   int
	bytes  int
}

// len returns the number of frames that wait.
func (w *waiting) len() int { return len(w.frames) - w.head }

// pop takes the first frame.
func (w *waiting) pop() []byte {
	f := w.frames[w.head]
	w.frames[w.head] = nil
	w.head++
	w.bytes -= len(f)
	if w.head == len(w.frames) {
		w.frames, w.head = w.frames[:0], 0
	} else if w.head >= 1024 && w.head*2 >= len(w.frames) {
		n := copy(w.frames, w.frames[w.head:])
		clear(w.frames[n:])
		w.frames, w.head = w.frames[:n], 0
	}
	return f
}

// outbox holds what waits to be written on one link.
//
// Invariant: each lane is within the limits; wake has a token whenever something
// was put in since the writer last looked.
type outbox struct {
	limits QueueLimits
	count  *counters
	wake   chan struct{}
	mu     sync.Mutex
	lanes  [transport.Lanes]waiting
	pings  bool
	leaves bool
	closed bool
}

// newOutbox returns an empty outbox.
func newOutbox(limits QueueLimits, count *counters) *outbox {
	return &outbox{limits: limits, count: count, wake: make(chan struct{}, 1)}
}

// push queues a frame.
func (o *outbox) push(lane transport.Lane, frame []byte) error {
	o.mu.Lock()
	w := &o.lanes[lane]
	if o.closed || o.leaves {
		o.mu.Unlock()
		return transport.ErrNoLink
	}
	if w.len() >= o.limits.Frames || w.bytes+len(frame) > o.limits.Bytes {
		o.mu.Unlock()
		o.count.add(droppedFull+counter(lane), 1)
		return transport.ErrQueueFull
	}
	w.frames = append(w.frames, frame)
	w.bytes += len(frame)
	o.mu.Unlock()
	o.notify()
	return nil
}

// ping queues a sign of life.
func (o *outbox) ping() {
	o.mu.Lock()
	o.pings = true
	o.mu.Unlock()
	o.notify()
}

// leave queues the farewell, behind everything that waits. Nothing is accepted
// after it.
func (o *outbox) leave() {
	o.mu.Lock()
	o.leaves = true
	o.mu.Unlock()
	o.notify()
}

// close refuses what comes from now on.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
}

// discard drops what waits and returns how many frames that were.
func (o *outbox) discard() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for i := range o.lanes {
		n += o.lanes[i].len()
		o.lanes[i] = waiting{}
	}
	return n
}

// notify wakes the writer.
func (o *outbox) notify() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// fill moves what waits into a batch, lower lanes first, up to maxBatch; one
// larger frame goes alone.
func (o *outbox) fill(b *batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pings {
		o.pings = false
		b.bytes = binary.BigEndian.AppendUint32(b.bytes, pingFrame<<24)
	}
	for lane := range o.lanes {
		w := &o.lanes[lane]
		for w.len() > 0 {
			next := len(w.frames[w.head])
			if len(b.bytes) > 0 && len(b.bytes)+frameHead+next > maxBatch {
				return
			}
			f := w.pop()
			b.bytes = binary.BigEndian.AppendUint32(b.bytes, uint32(lane)<<24|uint32(len(f)))
			b.bytes = append(b.bytes, f...)
			b.frames[lane]++
			b.size[lane] += len(f)
		}
	}
	if o.leaves && len(b.bytes) == 0 && !o.closed {
		o.closed = true
		b.bytes = binary.BigEndian.AppendUint32(b.bytes, leaveFrame<<24)
	}
}
