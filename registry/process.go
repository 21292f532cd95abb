package registry

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Process is something with an identity and a lifetime on this node. When it
// ends, all that it registered disappears, on all nodes.
//
// Its life is its context: it ends when the context is cancelled, when the
// function given to Spawn returns or panics, when Stop is called, when it loses a
// conflict under a policy that ends losers, and when the node closes.
//
// Invariant: ended is closed once, after the entries are gone from this node.
type Process struct {
	reg    *Registry
	pid    PID
	ctx    context.Context
	cancel context.CancelCauseFunc
	ended  chan struct{}
	once   sync.Once

	mailbox mailbox

	mu     sync.Mutex
	lost   []*ConflictError
	news   chan struct{}
	notify func(*ConflictError)
	told   bool        // a goroutine runs notify
	unhook func() bool // stops watching the context
}

// Spawn starts a process that runs a function. The function's context ends with
// the process, and the process ends when the function returns: without an error
// when that is nil, with a *PanicError when it panics. It returns ErrClosed after
// Close, and the context's error when ctx has ended.
func (r *Registry) Spawn(ctx context.Context, run func(ctx context.Context, self *Process) error) (*Process, error) {
	p, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	r.spawned.Add(1)
	go func() {
		defer r.spawned.Done()
		p.end(p.runGuarded(run))
	}()
	return p, nil
}

// Attach makes a process whose life is a context that the caller owns: it ends
// with ctx, with the context's cause, or when Stop is called. It returns
// ErrClosed after Close, and the context's error when ctx has ended.
func (r *Registry) Attach(ctx context.Context) (*Process, error) { return r.begin(ctx) }

func (r *Registry) begin(ctx context.Context) (*Process, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("registry: process: %w", context.Cause(ctx))
	}
	p := &Process{reg: r, ended: make(chan struct{}), news: make(chan struct{}, 1)}
	p.mailbox.init(r.cfg.Mailbox)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	serial := r.serial.Add(1)
	r.mu.Lock()
	if r.closed.Load() {
		r.mu.Unlock()
		p.cancel(ErrClosed)
		return nil, ErrClosed
	}
	r.machine.Spawn(serial)
	p.pid = PID{Node: r.cfg.Node, Epoch: r.machine.Epoch(), Serial: serial}
	r.procs.Store(serial, p)
	r.mu.Unlock()
	p.mu.Lock()
	p.unhook = context.AfterFunc(p.ctx, func() { p.end(context.Cause(p.ctx)) })
	p.mu.Unlock()
	return p, nil
}

func (p *Process) runGuarded(run func(context.Context, *Process) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return run(p.ctx, p)
}

// end ends the process, once: its entries go first, then its context, then its
// handler.
func (p *Process) end(cause error) {
	p.once.Do(func() {
		if cause == nil {
			cause = ErrExited
		}
		p.reg.procs.Delete(p.pid.Serial)
		if !p.reg.closed.Load() {
			for more := true; more; {
				p.reg.do(func(m *replica.Machine, now crdt.Reading) { more = m.Exit(now, p.pid.Serial) })
			}
		}
		p.mu.Lock()
		if p.unhook != nil {
			p.unhook()
		}
		p.mu.Unlock()
		p.cancel(cause)
		p.mailbox.close()
		close(p.ended)
	})
}

// endProcesses ends all processes of this node.
func (r *Registry) endProcesses(cause error) {
	// A process that begins now sees that the registry is closed.
	r.mu.Lock()
	var all []*Process
	r.procs.Range(func(_ uint64, p *Process) bool {
		all = append(all, p)
		return true
	})
	r.mu.Unlock()
	slices.SortFunc(all, func(a, b *Process) int { return a.pid.Compare(b.pid) })
	for _, p := range all {
		p.end(cause)
	}
}

// PID returns the process's identity.
func (p *Process) PID() PID { return p.pid }

// Context returns the context that is the process's life.
func (p *Process) Context() context.Context { return p.ctx }

// Done returns a channel that is closed when the process has ended and its
// entries are gone from this node.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Err returns nil while the process lives and when it ended without an error, and
// otherwise why it ended: what its function returned, a *PanicError, a
// *ConflictError, the cause of its context, the cause given to Stop, or ErrClosed.
func (p *Process) Err() error {
	select {
	case <-p.ended:
	default:
		return nil
	}
	if err := context.Cause(p.ctx); err != ErrExited {
		return err
	}
	return nil
}

// Stop ends the process with a cause; nil means without an error. When it returns
// the process's entries are gone from this node. The function given to Spawn sees
// its context end.
func (p *Process) Stop(cause error) { p.end(cause) }

// Names returns the names that the process holds or claims, sorted.
func (p *Process) Names() []string { return p.keys(NameKind) }

// Groups returns the groups that the process is in, sorted.
func (p *Process) Groups() []string { return p.keys(GroupKind) }

func (p *Process) keys(kind Kind) []string {
	var keys []string
	p.reg.mu.Lock()
	for _, e := range p.reg.machine.Entries(p.pid.Serial) {
		if e.Kind() == kind {
			keys = append(keys, e.Key())
		}
	}
	p.reg.mu.Unlock()
	slices.SortFunc(keys, strings.Compare)
	return keys
}

// OnLoss makes the process hear of the names it loses: f is called with each
// loss, in order, one at a time, in a goroutine of its own. Losses from before the
// call are told too. Of a process that the loss ends it is the last thing told.
func (p *Process) OnLoss(f func(*ConflictError)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notify = f
	p.tellLocked()
}

// NextLoss returns the next loss of a name that the process has not been told of,
// and waits for one. It returns ErrNoProcess when the process has ended and all
// is told, and the context's error when ctx ends.
func (p *Process) NextLoss(ctx context.Context) (*ConflictError, error) {
	for {
		p.mu.Lock()
		if len(p.lost) > 0 {
			l := p.lost[0]
			p.lost = p.lost[1:]
			p.mu.Unlock()
			return l, nil
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-p.ended:
			p.mu.Lock()
			left := len(p.lost)
			p.mu.Unlock()
			if left == 0 {
				return nil, ErrNoProcess
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// lose tells the process that it lost a name, and ends it if the policy says so.
// The losses that wait to be told are bounded by the names the process held.
func (p *Process) lose(l *ConflictError, action resolve.Loss) {
	p.mu.Lock()
	p.lost = append(p.lost, l)
	p.tellLocked()
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
	if action == resolve.Exit {
		p.end(l)
	}
}

// tellLocked runs notify for what is to be told. It needs p.mu.
func (p *Process) tellLocked() {
	if p.notify == nil || p.told || len(p.lost) == 0 {
		return
	}
	p.told = true
	p.reg.spawned.Add(1)
	go func() {
		defer p.reg.spawned.Done()
		for {
			p.mu.Lock()
			if len(p.lost) == 0 {
				p.told = false
				p.mu.Unlock()
				return
			}
			l := p.lost[0]
			p.lost = p.lost[1:]
			p.mu.Unlock()
			p.notify(l)
		}
	}()
}
