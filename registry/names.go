package registry

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Register gives a process of this node a name that no other process holds.
//
// It asks the name's home node first, one round trip, so that in a component
// whose membership is stable a name is never registered twice; with Optimistic it
// decides alone and at once. A process that holds the name already keeps it, with
// the new value.
//
// It returns a *TakenError with the holder; ErrKey, ErrValue, ErrNoProcess,
// ErrMinority, ErrTimeout or ErrClosed; or the context's error. The name was not
// registered then.
func (r *Registry) Register(ctx context.Context, name string, p *Process, options ...Option) (Holder, error) {
	return r.register(ctx, name, p, false, options)
}

// Reregister gives a process of this node a name whoever holds it. Readers see
// the old holder or the new one, never none. The old holder is told, with the
// reason Reregistered, and lives on. What causality knows no policy decides: the
// claims that this node sees lose to the new one; a claim made at the same time
// on a node that did not see this one is a conflict.
//
// It returns ErrKey, ErrValue, ErrNoProcess, ErrMinority or ErrClosed.
func (r *Registry) Reregister(ctx context.Context, name string, p *Process, options ...Option) (Holder, error) {
	return r.register(ctx, name, p, true, options)
}

func (r *Registry) register(ctx context.Context, name string, p *Process, again bool, options []Option) (Holder, error) {
	if err := r.usable(ctx, p); err != nil {
		return Holder{}, err
	}
	o := joinOptions(options)
	call := replica.Register{
		Serial: p.pid.Serial, Name: name, Value: o.value, Priority: o.priority, Optimistic: o.optimistic, Again: again,
	}
	now := r.now()
	r.mu.Lock()
	r.nextCall++
	call.ID = r.nextCall
	e, err, done := r.machine.Register(now, call)
	var result chan replica.Result
	if !done {
		result = make(chan replica.Result, 1)
		r.results[call.ID] = result
	}
	t := r.settled()
	r.mu.Unlock()
	r.afterwards(now, t)
	if !done {
		if e, err = r.awaitResult(ctx, call.ID, result); err != nil {
			return Holder{}, fmt.Errorf("registry: register %q: %w", name, callError(err))
		}
		return holderOf(e), nil
	}
	if err != nil {
		return Holder{}, fmt.Errorf("registry: register %q: %w", name, callError(err))
	}
	return holderOf(e), nil
}

// awaitResult waits for a registration that asks other nodes.
func (r *Registry) awaitResult(ctx context.Context, id uint64, result chan replica.Result) (*replica.Entry, error) {
	select {
	case res := <-result:
		return res.Entry, res.Err
	case <-ctx.Done():
	}
	r.mu.Lock()
	delete(r.results, id)
	r.mu.Unlock()
	r.do(func(m *replica.Machine, now crdt.Reading) { m.Cancel(now, id) })
	select {
	case res := <-result: // it came while the context ended: what is done is done
		return res.Entry, res.Err
	default:
		return nil, context.Cause(ctx)
	}
}

// usable returns why a call for a process may not go on, or nil.
func (r *Registry) usable(ctx context.Context, p *Process) error {
	switch {
	case r.closed.Load():
		return ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case p == nil || p.reg != r:
		return ErrNoProcess
	}
	return nil
}

// Update gives the process's registration of a name another value. It is no bid:
// the registration keeps its fence and its place in conflicts. It returns
// ErrNotHolder, ErrValue, ErrNoProcess or ErrClosed.
func (r *Registry) Update(ctx context.Context, name string, p *Process, value []byte) error {
	if err := r.usable(ctx, p); err != nil {
		return err
	}
	var err error
	r.do(func(m *replica.Machine, now crdt.Reading) { _, err = m.Update(now, p.pid.Serial, name, value) })
	return wrapKey("update", name, err)
}

// Unregister gives a name of the process up. It returns ErrNotHolder,
// ErrNoProcess or ErrClosed.
func (r *Registry) Unregister(ctx context.Context, name string, p *Process) error {
	if err := r.usable(ctx, p); err != nil {
		return err
	}
	var err error
	r.do(func(m *replica.Machine, now crdt.Reading) { err = m.Unregister(now, p.pid.Serial, name) })
	return wrapKey("unregister", name, err)
}

func wrapKey(call, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("registry: %s %q: %w", call, key, err)
}

// Whereis returns who holds a name, as this node sees it. It takes no lock and
// allocates nothing. A name that is contested has no holder; see Lookup.
func (r *Registry) Whereis(name string) (Holder, bool) {
	e, ok := r.names.Load(name)
	if !ok {
		return Holder{}, false
	}
	return holderOf(e), true
}

// Lookup is Whereis with a reason: it returns ErrNotFound, or a *ContestedError
// for a name that several processes claim under a policy that keeps them all.
func (r *Registry) Lookup(name string) (Holder, error) {
	if h, ok := r.Whereis(name); ok {
		return h, nil
	}
	r.mu.Lock()
	claims, _, contested := r.machine.Claims(name)
	r.mu.Unlock()
	if contested {
		return Holder{}, &ContestedError{Name: name, Claims: claims}
	}
	return Holder{}, fmt.Errorf("%w: %q", ErrNotFound, name)
}

// Names returns the names that begin with a prefix, and their holders, in the
// order of names: a snapshot that does not hold up writers. An empty prefix means
// all names. The cost grows with all names, not with those found.
func (r *Registry) Names(prefix string) iter.Seq2[string, Holder] {
	return func(yield func(string, Holder) bool) {
		var found []*replica.Entry
		r.names.Range(func(name string, e *replica.Entry) bool {
			if strings.HasPrefix(name, prefix) {
				found = append(found, e)
			}
			return true
		})
		slices.SortFunc(found, func(a, b *replica.Entry) int { return strings.Compare(a.Key(), b.Key()) })
		for _, e := range found {
			if !yield(e.Key(), holderOf(e)) {
				return
			}
		}
	}
}

// Count returns the number of names that have a holder.
func (r *Registry) Count() int { return r.names.Size() }

// Await returns who holds a name and waits until somebody does. It returns
// ErrClosed when the registry closes, and the context's error when ctx ends.
func (r *Registry) Await(ctx context.Context, name string) (Holder, error) {
	for {
		if h, ok := r.Whereis(name); ok {
			return h, nil
		}
		ch := make(chan struct{})
		r.mu.Lock()
		if _, ok := r.names.Load(name); ok {
			r.mu.Unlock()
			continue
		}
		r.waiters[name] = append(r.waiters[name], ch)
		r.mu.Unlock()
		select {
		case <-ch:
		case <-r.stop:
			return Holder{}, ErrClosed
		case <-ctx.Done():
			r.forgetWaiter(name, ch)
			return Holder{}, fmt.Errorf("registry: await %q: %w", name, context.Cause(ctx))
		}
	}
}

func (r *Registry) forgetWaiter(name string, ch chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := slices.DeleteFunc(r.waiters[name], func(c chan struct{}) bool { return c == ch })
	if len(left) == 0 {
		delete(r.waiters, name)
		return
	}
	r.waiters[name] = left
}
