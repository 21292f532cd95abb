package sightings

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
)

// numberSize is the number of digits at the end of a name.
const numberSize = 16

// NameOf returns a name of 24 bytes for a prefix of 7.
func NameOf(prefix string, i int) string { return fmt.Sprintf("%s/%0*d", prefix, numberSize, i) }

// Log notes when each of some names was first seen.
//
// Invariant: done is closed once left is 0; names that are not looked for are
// ignored.
type Log struct {
	mu      sync.Mutex
	prefix  string
	from    int
	moments []int64
	left    int
	done    chan struct{}
}

// Saw notes a name.
func (s *Log) Saw(name string) {
	now := time.Now().UnixNano()
	if len(name) <= numberSize {
		return
	}
	head, tail := name[:len(name)-numberSize], name[len(name)-numberSize:]
	i, err := strconv.Atoi(tail)
	s.mu.Lock()
	defer s.mu.Unlock()
	i -= s.from
	if err != nil || head != s.prefix+"/" || i < 0 || i >= len(s.moments) || s.moments[i] != 0 {
		return
	}
	s.moments[i] = now
	if s.left--; s.left == 0 {
		close(s.done)
	}
}

// Verbs returns observe, observed and seen.
func (s *Log) Verbs() map[string]wire.Verb {
	return map[string]wire.Verb{"observe": s.observe, "observed": s.observed, "seen": s.seen}
}

// observe begins to look for names.
func (s *Log) observe(_ context.Context, a *wire.Args) ([]int64, error) {
	what, prefix, from, count := a.Word(), a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	if what != "up" {
		return nil, errors.New("sightings: what goes is not observed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefix, s.from, s.moments, s.left, s.done = prefix, from, make([]int64, count), count, make(chan struct{})
	return nil, nil
}

// observed waits until all were seen and returns when each was.
func (s *Log) observed(ctx context.Context, _ *wire.Args) ([]int64, error) {
	s.mu.Lock()
	done := s.done
	s.mu.Unlock()
	if done == nil {
		return nil, errors.New("sightings: nothing is observed")
	}
	select {
	case <-done:
		return s.moments, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// seen returns how many were seen up to now.
func (s *Log) seen(context.Context, *wire.Args) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []int64{int64(len(s.moments) - s.left)}, nil
}

// Sequence does something with one name after the other, a gap of microseconds
// apart, and returns when each call began and when it returned.
func Sequence(prefix string, from, count, gap int, do func(name string) error) ([]int64, error) {
	var moments []int64
	for i := range count {
		name := NameOf(prefix, from+i)
		began := time.Now()
		if err := do(name); err != nil {
			return nil, err
		}
		moments = append(moments, began.UnixNano(), time.Now().UnixNano())
		if gap > 0 {
			time.Sleep(time.Duration(gap) * time.Microsecond)
		}
	}
	return moments, nil
}
