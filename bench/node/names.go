package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// Modes of registration.
const (
	arbitrated = "arbitrated" // Register
	optimistic = "optimistic" // Register with Optimistic
	many       = "many"       // RegisterMany
)

// nameOf returns a name of 24 bytes for a prefix of 7.
func nameOf(prefix string, i int) string { return fmt.Sprintf("%s/%016d", prefix, i) }

func namesOf(prefix string, from, count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = nameOf(prefix, from+i)
	}
	return names
}

// holding is the processes that hold the names of one prefix: name number i is
// held by process i modulo their number.
type holding struct {
	processes []*registry.Process
	count     int
	end       context.CancelFunc // ends all of them
}

// hold makes the processes that are to hold the names of a prefix, as many as
// names when holders is 0; those that were made before stay.
func (n *node) hold(reg *registry.Registry, prefix string, count, holders int) (*holding, error) {
	if holders == 0 {
		holders = count
	}
	n.mu.Lock()
	h, ok := n.held[prefix]
	if !ok {
		life, end := context.WithCancel(n.life)
		h = &holding{end: end}
		n.held[prefix] = h
		context.AfterFunc(n.life, end)
		n.mu.Unlock()
		for range holders {
			p, err := reg.Attach(life)
			if err != nil {
				return nil, err
			}
			h.processes = append(h.processes, p)
		}
		n.mu.Lock()
	}
	h.count += count
	n.mu.Unlock()
	return h, nil
}

// prepare makes the processes that are to hold the names of a prefix.
func (n *node) prepare(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix, holders := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	_, err = n.hold(reg, prefix, 0, holders)
	return nil, err
}

func options(mode string) []registry.Option {
	if mode == optimistic {
		return []registry.Option{registry.Optimistic()}
	}
	return nil
}

// fill registers names and returns when it began and when it ended.
func (n *node) fill(ctx context.Context, a *wire.Args) ([]int64, error) {
	mode, prefix, from, count, holders := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	h, err := n.hold(reg, prefix, count, holders)
	if err != nil {
		return nil, err
	}
	names := namesOf(prefix, from, count)
	if mode == many {
		return fillMany(ctx, reg, h, from, names)
	}
	with := options(mode)
	began := time.Now()
	for i, name := range names {
		if _, err := reg.Register(ctx, name, h.processes[(from+i)%len(h.processes)], with...); err != nil {
			return nil, err
		}
	}
	return []int64{moment(began), moment(time.Now())}, nil
}

// fillValues registers names with values of some bytes.
func (n *node) fillValues(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, count, size := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	h, err := n.hold(reg, prefix, count, 1)
	if err != nil {
		return nil, err
	}
	bids := make([]registry.Bid, count)
	for i, name := range namesOf(prefix, 0, count) {
		bids[i] = registry.Bid{Key: name, Value: make([]byte, size)}
	}
	_, err = reg.RegisterMany(ctx, h.processes[0], bids)
	return nil, err
}

// fillMany registers with one call for each process.
func fillMany(ctx context.Context, reg *registry.Registry, h *holding, from int, names []string) ([]int64, error) {
	bids := make([][]registry.Bid, len(h.processes))
	for i, name := range names {
		k := (from + i) % len(bids)
		bids[k] = append(bids[k], registry.Bid{Key: name})
	}
	began := time.Now()
	for i, p := range h.processes {
		if _, err := reg.RegisterMany(ctx, p, bids[i]); err != nil {
			return nil, err
		}
	}
	return []int64{moment(began), moment(time.Now())}, nil
}

// sequence registers names one after the other, a gap of microseconds apart, and
// returns when each call began and when it returned. Each name has a process of
// its own.
func (n *node) sequence(ctx context.Context, a *wire.Args) ([]int64, error) {
	mode, prefix, from, count, gap := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	h, err := n.hold(reg, prefix, count, 0)
	if err != nil {
		return nil, err
	}
	names, with := namesOf(prefix, from, count), options(mode)
	moments := make([]int64, 0, 2*count)
	for i, name := range names {
		began := time.Now()
		if _, err := reg.Register(ctx, name, h.processes[i], with...); err != nil {
			return nil, err
		}
		moments = append(moments, moment(began), moment(time.Now()))
		if gap > 0 {
			time.Sleep(time.Duration(gap) * time.Microsecond)
		}
	}
	return moments, nil
}

// endEach ends the processes of a prefix one after the other, a gap of
// microseconds apart, and returns when each was ended.
func (n *node) endEach(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix, gap := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	h, err := n.release(prefix)
	if err != nil {
		return nil, err
	}
	var moments []int64
	for _, p := range h.processes {
		moments = append(moments, moment(time.Now()))
		p.Stop(nil)
		time.Sleep(time.Duration(gap) * time.Microsecond)
	}
	h.end()
	return moments, nil
}

// drop ends the processes of a prefix all at once, and returns when, and when the
// last of their names was gone from this node.
func (n *node) drop(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix := a.Word()
	if err := a.Err(); err != nil {
		return nil, err
	}
	h, err := n.release(prefix)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	h.end()
	for _, p := range h.processes {
		<-p.Done()
	}
	return []int64{moment(began), moment(time.Now())}, nil
}

func (n *node) release(prefix string) (*holding, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h, ok := n.held[prefix]
	if !ok {
		return nil, fmt.Errorf("node: no names %s", prefix)
	}
	delete(n.held, prefix)
	return h, nil
}

// change gives some of the names of a prefix up, spread evenly over all of them,
// and registers as many others: half of count each.
func (n *node) change(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, other, count := a.Word(), a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	h := n.held[prefix]
	n.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("node: no names %s", prefix)
	}
	half := count / 2
	for i := range half {
		// A name that an earlier round gave up is skipped for its neighbour.
		for at := i * h.count / half; ; at++ {
			err := reg.Unregister(ctx, nameOf(prefix, at), h.processes[at%len(h.processes)])
			if err == nil {
				break
			}
			if !errors.Is(err, registry.ErrNotHolder) {
				return nil, err
			}
		}
		if _, err := reg.Register(ctx, nameOf(other, i), h.processes[0], registry.Optimistic()); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// churn registers and unregisters a name again and again, each time another one,
// and returns when it began and when it ended.
func (n *node) churn(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix, count := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(n.life)
	defer end()
	p, err := reg.Attach(life)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for i := range count {
		name := nameOf(prefix, i)
		if _, err := reg.Register(ctx, name, p); err != nil {
			return nil, err
		}
		if err := reg.Unregister(ctx, name, p); err != nil {
			return nil, err
		}
	}
	ended := time.Now()
	p.Stop(nil)
	return []int64{moment(began), moment(ended)}, nil
}

// countNames returns how many names this node shows.
func (n *node) countNames(context.Context, *wire.Args) ([]int64, error) {
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	return []int64{int64(reg.Count())}, nil
}

// pollEvery is how often a count is looked at, as in the Erlang node.
const pollEvery = time.Millisecond

// awaitCount waits until the node shows at least, or at most, so many names, and
// returns when.
func (n *node) awaitCount(ctx context.Context, a *wire.Args) ([]int64, error) {
	op, want := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	for {
		count := reg.Count()
		if op == "atleast" && count >= want || op == "atmost" && count <= want {
			return []int64{moment(time.Now())}, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		time.Sleep(pollEvery)
	}
}

// holderOf returns a number that stands for the node that holds a name, 0 for
// none.
func (n *node) holderOf(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix, i := a.Word(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	reg, err := n.opened()
	if err != nil {
		return nil, err
	}
	h, ok := reg.Whereis(nameOf(prefix, i))
	if !ok {
		return []int64{0}, nil
	}
	return []int64{numberOf(h.PID.Node)}, nil
}

// numberOf returns the number in a node's name, which is a letter and a number.
func numberOf(name string) (n int64) {
	for _, c := range strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz") {
		n = 10*n + int64(c-'0')
	}
	return n
}
