package registry

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Bid is one of many names to be registered, or of many groups to be joined.
type Bid struct {
	// Key is the name or the group.
	Key string
	// Value is its metadata; nil means that of WithValue. The registry keeps the
	// slice: do not modify it afterwards.
	Value []byte
}

// ManyError is returned by calls for many names or groups when some failed. The
// others were carried out.
type ManyError struct {
	// Errs has the error of each bid, in the order of bids, and nil where there is
	// none.
	Errs []error
	// Failed is the number of errors in Errs.
	Failed int
}

// Error says how many failed, and shows the first error.
func (e *ManyError) Error() string {
	for _, err := range e.Errs {
		if err != nil {
			return fmt.Sprintf("registry: %d of %d failed; the first: %v", e.Failed, len(e.Errs), err)
		}
	}
	return "registry: none failed"
}

// Unwrap returns the errors, for errors.Is and errors.As.
func (e *ManyError) Unwrap() []error {
	failed := make([]error, 0, e.Failed)
	for _, err := range e.Errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// manyError returns what a call for many returns.
func manyError(errs []error) error {
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &ManyError{Errs: errs, Failed: failed}
}

const (
	// manyStep is how many bids are handled in one go: other callers wait for the
	// machine that long at most, well under a millisecond.
	manyStep = 512
	// manyAhead is how many registrations of one call are under way at most, so
	// that a home is never asked for more than it can answer in time.
	manyAhead = 4 * manyStep
)

// RegisterMany registers many names to one process, as Register does each, at
// about one round trip for every two thousand names: the claims to each home node
// travel together. It returns the holders in the order of bids, zero where a bid
// failed. The error is nil when none failed, and a *ManyError with each bid's
// error otherwise; what succeeded stays registered.
func (r *Registry) RegisterMany(ctx context.Context, p *Process, bids []Bid, options ...Option) ([]Holder, error) {
	b := &batch{
		r: r, p: p, bids: bids, options: joinOptions(options),
		holders: make([]Holder, len(bids)), errs: make([]error, len(bids)),
		results: make(chan replica.Result, manyAhead), under: map[uint64]int{},
	}
	for b.next < len(bids) || len(b.under) > 0 {
		if err := r.usable(ctx, p); err != nil {
			b.abandon(err)
			break
		}
		if b.next < len(bids) && len(b.under) <= manyAhead-manyStep {
			b.submit()
			continue
		}
		b.wait(ctx)
	}
	return b.holders, manyError(b.errs)
}

// batch is a RegisterMany under way.
type batch struct {
	r       *Registry
	p       *Process
	bids    []Bid
	options Option
	next    int // the first bid that was not submitted
	holders []Holder
	errs    []error
	results chan replica.Result
	under   map[uint64]int // bids under way, by the number of their call
}

// submit hands the next bids to the machine.
func (b *batch) submit() {
	calls := make([]replica.Register, 0, manyStep)
	r := b.r
	r.do(func(m *replica.Machine, now crdt.Reading) {
		for ; b.next < len(b.bids) && len(calls) < manyStep; b.next++ {
			bid := b.bids[b.next]
			if bid.Value == nil {
				bid.Value = b.options.value
			}
			r.nextCall++
			r.results[r.nextCall] = b.results
			b.under[r.nextCall] = b.next
			calls = append(calls, replica.Register{
				ID: r.nextCall, Serial: b.p.pid.Serial, Name: bid.Key, Value: bid.Value,
				Priority: b.options.priority, Optimistic: b.options.optimistic,
			})
		}
		m.RegisterMany(now, calls)
	})
	for len(b.results) > 0 {
		b.take(<-b.results)
	}
}

// wait takes a result, unless ctx ends.
func (b *batch) wait(ctx context.Context) {
	select {
	case res := <-b.results:
		b.take(res)
	case <-ctx.Done():
	}
}

func (b *batch) take(res replica.Result) {
	i := b.under[res.ID]
	delete(b.under, res.ID)
	if res.Err != nil {
		b.errs[i] = wrapKey("register", b.bids[i].Key, callError(res.Err))
		return
	}
	b.holders[i] = holderOf(res.Entry)
}

// abandon gives up what is under way and what was not begun.
func (b *batch) abandon(err error) {
	b.r.do(func(m *replica.Machine, now crdt.Reading) {
		for id := range b.under { // in any order
			delete(b.r.results, id)
			m.Cancel(now, id)
		}
	})
	for len(b.results) > 0 { // what is done is done
		b.take(<-b.results)
	}
	for _, i := range b.under { // in any order
		b.errs[i] = wrapKey("register", b.bids[i].Key, err)
	}
	for i := b.next; i < len(b.bids); i++ {
		b.errs[i] = wrapKey("register", b.bids[i].Key, err)
	}
}

// UnregisterMany gives many names of a process up. It returns nil or a
// *ManyError with the error of each name.
func (r *Registry) UnregisterMany(ctx context.Context, p *Process, names []string) error {
	return r.each(ctx, p, "unregister", len(names), func(i int) string { return names[i] },
		func(m *replica.Machine, now crdt.Reading, i int) error {
			return m.Unregister(now, p.pid.Serial, names[i])
		})
}

// JoinMany puts a process in many groups. It returns nil or a *ManyError with the
// error of each group.
func (r *Registry) JoinMany(ctx context.Context, p *Process, bids []Bid, options ...Option) error {
	o := joinOptions(options)
	return r.each(ctx, p, "join", len(bids), func(i int) string { return bids[i].Key },
		func(m *replica.Machine, now crdt.Reading, i int) error {
			value := bids[i].Value
			if value == nil {
				value = o.value
			}
			_, err := m.Join(now, p.pid.Serial, bids[i].Key, value)
			return err
		})
}

// LeaveMany takes a process out of many groups. It returns nil or a *ManyError
// with the error of each group.
func (r *Registry) LeaveMany(ctx context.Context, p *Process, groups []string) error {
	return r.each(ctx, p, "leave", len(groups), func(i int) string { return groups[i] },
		func(m *replica.Machine, now crdt.Reading, i int) error {
			return m.LeaveGroup(now, p.pid.Serial, groups[i])
		})
}

// each makes n local calls, some at a time, so that others get their turn.
func (r *Registry) each(ctx context.Context, p *Process, call string, n int, key func(int) string,
	do func(m *replica.Machine, now crdt.Reading, i int) error,
) error {
	errs := make([]error, n)
	for from := 0; from < n; from += manyStep {
		upto := min(from+manyStep, n)
		if err := r.usable(ctx, p); err != nil {
			for i := from; i < n; i++ {
				errs[i] = wrapKey(call, key(i), err)
			}
			break
		}
		r.do(func(m *replica.Machine, now crdt.Reading) {
			for i := from; i < upto; i++ {
				errs[i] = wrapKey(call, key(i), do(m, now, i))
			}
		})
	}
	return manyError(errs)
}
