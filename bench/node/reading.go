package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// pass is how many reads are made between two looks at the clock.
const pass = 256

// timed runs read in some goroutines for a time and returns how long one call
// takes as one of them sees it, in picoseconds.
func timed(readers int, limit time.Duration, read func(i int)) int64 {
	var calls, busy atomic.Int64
	var running sync.WaitGroup
	for r := range readers {
		running.Go(func() {
			i, done := r*7919, int64(0)
			began := time.Now()
			for time.Since(began) < limit {
				for range pass {
					read(i)
					i++
				}
				done += pass
			}
			busy.Add(since(began))
			calls.Add(done)
		})
	}
	running.Wait()
	return int64(float64(busy.Load()) * 1000 / float64(calls.Load()))
}

// lookup looks names up in a random order, with readers and writers at full
// speed, and returns how long one look-up takes, in picoseconds.
func (n *node) lookup(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, count, readers, writers, millis := a.Word(), a.Int(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	names := namesOf(prefix, 0, count)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	stop := make(chan struct{})
	var writing sync.WaitGroup
	failed := make(chan error, writers)
	for w := range writers {
		writing.Go(func() {
			if err := n.write(ctx, reg, fmt.Sprintf("writer%d", w), stop); err != nil {
				failed <- err
			}
		})
	}
	var missed atomic.Bool
	took := timed(readers, time.Duration(millis)*time.Millisecond, func(i int) {
		if _, ok := reg.Whereis(names[i%len(names)]); !ok {
			missed.Store(true)
		}
	})
	close(stop)
	writing.Wait()
	close(failed)
	if missed.Load() {
		return nil, errors.New("node: a name was not found")
	}
	return []int64{took}, <-failed
}

// write registers and unregisters names until stop is closed.
func (n *node) write(ctx context.Context, reg *registry.Registry, prefix string, stop <-chan struct{}) error {
	life, end := context.WithCancel(n.life)
	defer end()
	p, err := reg.Attach(life)
	if err != nil {
		return err
	}
	defer p.Stop(nil)
	names := namesOf(prefix, 0, 1000)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		name := names[i%len(names)]
		if _, err := reg.Register(ctx, name, p, registry.Optimistic()); err != nil {
			return err
		}
		if err := reg.Unregister(ctx, name, p); err != nil {
			return err
		}
	}
}

// join puts new processes in a group and returns when it began and when it ended.
func (n *node) join(ctx context.Context, a *wire.Args) ([]int64, error) {
	group, label, count := a.Word(), a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	h, err := n.hold(reg, "group/"+label, count, 0)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for _, p := range h.processes {
		if err := reg.Join(ctx, group, p); err != nil {
			return nil, err
		}
	}
	return []int64{moment(began), moment(time.Now())}, nil
}

// leave ends the processes that join made.
func (n *node) leave(_ context.Context, a *wire.Args) ([]int64, error) {
	label := a.Word()
	if err := a.Err(); err != nil {
		return nil, err
	}
	h, err := n.release("group/" + label)
	if err != nil {
		return nil, err
	}
	h.end()
	for _, p := range h.processes {
		<-p.Done()
	}
	return nil, nil
}

// members reads the members of a group and walks them all, and returns how long
// that takes, in picoseconds.
func (n *node) members(_ context.Context, a *wire.Args) ([]int64, error) {
	group, readers, millis := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	var sum atomic.Uint64
	took := timed(readers, time.Duration(millis)*time.Millisecond, func(int) {
		serials := uint64(0)
		for _, m := range reg.Members(group) {
			serials += m.PID.Serial
		}
		if serials == 0 {
			sum.Add(1)
		}
	})
	if sum.Load() > 0 {
		return nil, errors.New("node: the group was empty")
	}
	return []int64{took}, nil
}
