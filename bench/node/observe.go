package node

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// observation notes when each of some names appears or goes.
type observation struct {
	moments []int64
	seen    atomic.Int64
	err     error
	done    chan struct{}
}

// observe begins to note when the names of a prefix appear, or go. It returns
// when it watches; observed has the moments.
func (n *node) observe(ctx context.Context, a *wire.Args) ([]int64, error) {
	what, prefix, from, count := a.Word(), a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	watch, err := reg.Watch(registry.OfPrefix(prefix + "/"))
	if err != nil {
		return nil, err
	}
	if _, err := watch.Next(ctx); err != nil { // the snapshot: after it nothing is missed
		return nil, err
	}
	o := &observation{moments: make([]int64, count), done: make(chan struct{})}
	n.mu.Lock()
	n.watched = o
	n.mu.Unlock()
	go func() {
		defer close(o.done)
		defer watch.Close()
		o.err = o.watch(n.life, watch, what == "gone", from)
	}()
	return nil, nil
}

// watch notes the moments until it has all.
func (o *observation) watch(ctx context.Context, watch *registry.Watch, gone bool, from int) error {
	for left := len(o.moments); left > 0; {
		e, err := watch.Next(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		if e.Snapshot {
			return fmt.Errorf("node: the watch missed %d changes", e.Missed)
		}
		if e.New.PID.IsZero() != gone {
			continue
		}
		i := numberAt(e.Key) - from
		if i < 0 || i >= len(o.moments) {
			continue
		}
		if o.moments[i] == 0 {
			o.moments[i] = moment(now)
			o.seen.Add(1)
			left--
		}
	}
	return nil
}

// numberAt returns the number at the end of a name that nameOf made.
func numberAt(name string) (n int) {
	for _, c := range name[max(0, len(name)-16):] {
		n = 10*n + int(c-'0')
	}
	return n
}

// observed waits until all was seen and returns the moments.
func (n *node) observed(ctx context.Context, _ *wire.Args) ([]int64, error) {
	n.mu.Lock()
	o := n.watched
	n.mu.Unlock()
	if o == nil {
		return nil, fmt.Errorf("node: nothing is observed")
	}
	select {
	case <-o.done:
		return o.moments, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// seenNow returns how many of what is observed were seen up to now.
func (n *node) seenNow(context.Context, *wire.Args) ([]int64, error) {
	n.mu.Lock()
	o := n.watched
	n.mu.Unlock()
	if o == nil {
		return nil, fmt.Errorf("node: nothing is observed")
	}
	return []int64{o.seen.Load()}, nil
}

// view notes when the last change of what the node shows was.
type view struct {
	last atomic.Int64
	end  context.CancelFunc
}

// viewWatch begins to note when the view changes, also when it is told again.
func (n *node) viewWatch(ctx context.Context, _ *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	watch, err := reg.Watch(registry.Everything())
	if err != nil {
		return nil, err
	}
	if _, err := watch.Next(ctx); err != nil {
		return nil, err
	}
	life, end := context.WithCancel(n.life)
	v := &view{end: end}
	n.mu.Lock()
	before := n.viewed
	n.viewed = v
	n.mu.Unlock()
	if before != nil {
		before.end()
	}
	go func() {
		defer watch.Close()
		for range watch.All(life) {
			v.last.Store(moment(time.Now()))
		}
	}()
	return nil, nil
}

// viewNow returns when the view last changed, 0 when it did not, and its digest.
func (n *node) viewNow(context.Context, *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	v := n.viewed
	n.mu.Unlock()
	if v == nil {
		return nil, fmt.Errorf("node: the view is not watched")
	}
	return []int64{v.last.Load(), int64(reg.Status().Digest)}, nil
}

// tally counts the messages that a process has handled.
type tally struct {
	count, last atomic.Int64
}

// handle makes a process that counts messages, under the name inbox/0.
func (n *node) handle(ctx context.Context, _ *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	p, err := reg.Attach(n.life)
	if err != nil {
		return nil, err
	}
	t := &tally{}
	n.mu.Lock()
	n.handled = t
	n.mu.Unlock()
	p.Handle(func(context.Context, registry.Message) ([]byte, error) {
		t.last.Store(moment(time.Now()))
		t.count.Add(1)
		return nil, nil
	})
	_, err = reg.Register(ctx, "inbox/0", p)
	return nil, err
}

// flood sends messages to the process that handle made, as fast as it can, and
// returns how many were sent, when it began and when it ended.
func (n *node) flood(ctx context.Context, a *wire.Args) ([]int64, error) {
	millis, size, senders := a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	if _, err := reg.Await(ctx, "inbox/0"); err != nil {
		return nil, err
	}
	var sent atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range senders {
		running.Go(func() {
			payload := make([]byte, size)
			for time.Since(began) < time.Duration(millis)*time.Millisecond {
				// One that is refused because the link's queue is full is tried again later.
				if reg.Send(ctx, registry.Name("inbox/0"), payload) == nil {
					sent.Add(1)
				} else {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	running.Wait()
	return []int64{sent.Load(), moment(began), moment(time.Now())}, nil
}

// handles returns how many messages were handled, and when the last was.
func (n *node) handles(context.Context, *wire.Args) ([]int64, error) {
	n.mu.Lock()
	t := n.handled
	n.mu.Unlock()
	if t == nil {
		return nil, fmt.Errorf("node: no process handles messages")
	}
	return []int64{t.count.Load(), t.last.Load()}, nil
}
