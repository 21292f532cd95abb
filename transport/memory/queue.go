package memory

import (
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// queued is a frame on its way.
type queued struct {
	frame []byte
	due   time.Time // when it arrives; zero without latency
}

// queue holds the frames of one lane in the order in which they were sent.
//
// Invariant: bytes is the sum of the lengths of frames[head:].
type queue struct {
	frames []queued
	head   int
	bytes  int
}

func (q *queue) len() int { return len(q.frames) - q.head }

// full says that a frame of size bytes is beyond the limits. An empty queue takes
// any frame: otherwise a limit below MaxFrame would refuse some frames for ever.
func (q *queue) full(size int, cfg *Config) bool {
	n := q.len()
	return n >= cfg.QueueFrames || n > 0 && q.bytes+size > cfg.QueueBytes
}

func (q *queue) push(f queued) {
	if q.head > 0 && q.head >= q.len() {
		kept := copy(q.frames, q.frames[q.head:])
		clear(q.frames[kept:])
		q.frames, q.head = q.frames[:kept], 0
	}
	q.frames = append(q.frames, f)
	q.bytes += len(f.frame)
}

// pop takes the first frame out. The queue is not empty.
func (q *queue) pop() queued {
	f := q.frames[q.head]
	q.frames[q.head] = queued{}
	q.head++
	q.bytes -= len(f.frame)
	return f
}

// lanes holds the frames of one direction of a link, one queue for each lane.
type lanes [transport.Lanes]queue

func (l *lanes) len() int {
	n := 0
	for i := range l {
		n += l[i].len()
	}
	return n
}

// pop takes out the first frame of the most urgent lane that has one due. When
// none is due it returns the time when the next one is, or zero for an empty lanes.
func (l *lanes) pop(now time.Time) (f queued, lane transport.Lane, next time.Time, ok bool) {
	for i := range l {
		if l[i].len() == 0 {
			continue
		}
		due := l[i].frames[l[i].head].due
		if !due.After(now) {
			return l[i].pop(), transport.Lane(i), time.Time{}, true
		}
		next = earlier(next, due)
	}
	return queued{}, 0, next, false
}

// earlier returns the earlier of two times, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
