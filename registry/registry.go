package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/transport"
)

// Registry is one node. Make it with Open and end it with Close.
//
// Invariant: machine, and the fields after mu, are touched only with mu held. No
// user code, and nothing of the transport, runs with mu held.
type Registry struct {
	cfg   Config
	start time.Time
	run   uint64
	names table
	views *xsync.Map[string, []Member] // snapshots of groups that were read
	procs *xsync.Map[uint64, *Process]
	peers *xsync.Map[string, route]
	calls callTable

	serial atomic.Uint64
	closed atomic.Bool

	mu       sync.Mutex
	machine  *replica.Machine
	fx       replica.Effects
	sends    []replica.Send
	watches  map[*Watch]struct{}
	waiters  map[string][]chan struct{} // Await, by name
	results  map[uint64]chan<- replica.Result
	nextCall uint64
	losses   []replica.Loss
	notices  []replica.Notice

	pump    pump
	wake    chan struct{} // the loop has sends, losses or notices to see to
	stop    chan struct{}
	running sync.WaitGroup // the loop
	spawned sync.WaitGroup // goroutines of processes
	streams sync.WaitGroup // goroutines that send or receive a large message
}

// tickInterval is how often the machine is given the time.
const tickInterval = 100 * time.Millisecond

// Open makes a node and, with a transport, starts it. It returns an error that
// names every fault of the configuration, or says why the transport cannot take
// part; nothing is left running then.
func Open(cfg Config) (*Registry, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("registry: config: %w", err)
	}
	r := &Registry{
		cfg: cfg, start: time.Now(),
		names:   newTable(),
		views:   xsync.NewMap[string, []Member](),
		procs:   xsync.NewMap[uint64, *Process](),
		peers:   xsync.NewMap[string, route](),
		calls:   newCallTable(),
		watches: map[*Watch]struct{}{},
		waiters: map[string][]chan struct{}{},
		results: map[uint64]chan<- replica.Result{},
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
	}
	r.run = replica.RunAt(cfg.Now().UnixNano(), rand.Uint64())
	m, err := replica.New(cfg.machine(r.run, r.names), r.now())
	if err != nil {
		return nil, fmt.Errorf("registry: config: %w", err)
	}
	r.machine = m
	r.running.Add(1)
	go r.loop()
	if cfg.Transport == nil {
		return r, nil
	}
	if err := cfg.Transport.Start(transport.Peer{Node: cfg.Node, Run: r.run}, handler{r}); err != nil {
		r.closed.Store(true)
		close(r.stop)
		r.running.Wait()
		return nil, errors.Join(fmt.Errorf("registry: %w", err), cfg.Transport.Close())
	}
	return r, nil
}

// Node returns this node's name.
func (r *Registry) Node() string { return r.cfg.Node }

// now reads the clocks.
func (r *Registry) now() crdt.Reading {
	t := time.Now()
	mono := int64(t.Sub(r.start))
	return crdt.Reading{Wall: r.wall(t), Mono: mono}
}

// Close leaves gracefully. The processes end first, with ErrClosed as the cause,
// and Close waits for those that Spawn started; then the other nodes drop what is
// theirs at once, with the reason NodeLeft. When ctx ends first, Close does not
// wait any longer and returns the context's error, and goroutines of processes
// that have not returned may be left. Close after Close does nothing.
func (r *Registry) Close(ctx context.Context) error {
	if r.closed.Swap(true) {
		return nil
	}
	r.endProcesses(ErrClosed)
	err := waitFor(ctx, &r.spawned)
	r.mu.Lock()
	r.machine.Leave(r.now())
	r.settled()
	r.closeWatches()
	r.mu.Unlock()
	if t := r.cfg.Transport; t != nil {
		err = errors.Join(err, t.Leave(ctx), t.Close())
	}
	r.calls.failAll(ErrClosed)
	close(r.stop)
	r.running.Wait()
	return errors.Join(err, waitFor(ctx, &r.streams))
}

// waitFor waits for a group, or for ctx.
func waitFor(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	// What ends with the context has a moment to do so.
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C:
		return fmt.Errorf("registry: close: %w", context.Cause(ctx))
	}
}

// closeGrace is how long Close waits for goroutines after its context has ended.
const closeGrace = 50 * time.Millisecond

// do runs an input on the machine and sees to what comes of it. The function
// must be short and must not call user code.
func (r *Registry) do(input func(m *replica.Machine, now crdt.Reading)) {
	now := r.now()
	r.mu.Lock()
	input(r.machine, now)
	todo := r.settled()
	r.mu.Unlock()
	r.afterwards(now, todo)
}

// todo says what is to be done after an input, when mu is free.
type todo struct {
	urgent bool // a frame that somebody waits for is queued
	frames bool // frames are queued, or changes to make frames of
	talk   bool // the loop has processes to tell, notices to log or long work to go on with
}

// settled takes the machine's effects and does what must be seen before the
// input returns: watches, waiters and results. It is called with mu held.
func (r *Registry) settled() (t todo) {
	if r.cfg.Transport == nil {
		r.machine.Flush()
	}
	r.machine.Take(&r.fx)
	for _, c := range r.fx.Changes {
		r.tell(c)
	}
	for _, s := range r.fx.Sends {
		t.urgent = t.urgent || s.Lane == replica.Urgent
		r.sends = append(r.sends, s)
	}
	for _, res := range r.fx.Results {
		if ch, ok := r.results[res.ID]; ok {
			delete(r.results, res.ID)
			ch <- res
		}
	}
	r.losses = append(r.losses, r.fx.Losses...)
	r.notices = append(r.notices, r.fx.Notices...)
	r.fx.Reset()
	t.frames = len(r.sends) > 0 || r.machine.Unsent()
	t.talk = len(r.losses)+len(r.notices) > 0 || r.machine.Busy()
	return t
}

// tell passes a change on to those who wait for it. It is called with mu held.
func (r *Registry) tell(c replica.Change) {
	if c.Kind == GroupKind {
		r.views.Delete(c.Key)
	} else if c.New != nil {
		for _, ch := range r.waiters[c.Key] {
			close(ch)
		}
		delete(r.waiters, c.Key)
	}
	for w := range r.watches {
		w.offer(c)
	}
}

// loop is the registry's one goroutine: it lets time pass, and sees to what must
// not be done while a caller waits.
func (r *Registry) loop() {
	defer r.running.Done()
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.do((*replica.Machine).Tick)
		case <-r.wake:
		case <-r.stop:
			r.see()
			return
		}
		r.see()
	}
}

// see sends what is queued, ends or tells processes that lost a name, and logs.
func (r *Registry) see() {
	r.flush()
	r.mu.Lock()
	losses, notices := r.losses, r.notices
	r.losses, r.notices = nil, nil
	busy := r.machine.Busy()
	r.mu.Unlock()
	if busy {
		r.do((*replica.Machine).Work) // which wakes the loop again while there is more
	}
	for _, l := range losses {
		if p, ok := r.procs.Load(l.Serial); ok {
			p.lose(lossError(l), l.Action)
		}
	}
	for _, n := range notices {
		r.log(n)
	}
}

func (r *Registry) wakeLoop() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
