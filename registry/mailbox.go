package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Message is what a handler is given.
type Message struct {
	// From is the node that sent it.
	From string
	// To is the process it is for.
	To PID
	// Payload is the message. It belongs to the handler.
	Payload []byte
	// Wants says that the sender waits for the reply: it made a Call.
	Wants bool
}

// Handler handles the messages of a process, one at a time, in the order in which
// they came. The context ends with the process, and with the caller's deadline.
// What it returns goes to the caller of Call; for Send and Publish nobody waits.
// A handler that panics has failed: the caller gets a *HandlerError, and the
// process lives on.
type Handler func(ctx context.Context, m Message) ([]byte, error)

// delivery is a message with the way back.
type delivery struct {
	deadline time.Time // the caller's; zero for none
	msg      Message
	reply    func([]byte, error) // nil when nobody waits
}

// mailbox holds the messages that wait for a process's handler.
//
// Invariant: a goroutine runs the handler exactly while running is set.
type mailbox struct {
	mu      sync.Mutex
	queue   []delivery
	limit   int
	handler Handler
	running bool
	closed  bool
}

func (b *mailbox) init(limit int) { b.limit = limit }

// Handle gives the process a handler, or another one.
func (p *Process) Handle(h Handler) {
	p.mailbox.mu.Lock()
	p.mailbox.handler = h
	p.mailbox.mu.Unlock()
}

// put queues a delivery. It returns ErrNoProcess, ErrNoHandler or ErrBusy.
func (p *Process) put(d delivery) error {
	b := &p.mailbox
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrNoProcess
	case b.handler == nil:
		return ErrNoHandler
	case len(b.queue) >= b.limit:
		return ErrBusy
	}
	b.queue = append(b.queue, d)
	if !b.running {
		b.running = true
		p.reg.spawned.Add(1)
		go p.work()
	}
	return nil
}

// work runs the handler until the mailbox is empty.
func (p *Process) work() {
	defer p.reg.spawned.Done()
	for {
		b := &p.mailbox
		b.mu.Lock()
		if len(b.queue) == 0 {
			b.running, b.queue = false, nil
			b.mu.Unlock()
			return
		}
		d, h := b.queue[0], b.handler
		b.queue[0] = delivery{}
		b.queue = b.queue[1:]
		b.mu.Unlock()
		p.handle(h, d)
	}
}

func (p *Process) handle(h Handler, d delivery) {
	reply, err := p.handleGuarded(h, d)
	if d.reply != nil {
		d.reply(reply, err)
	}
}

func (p *Process) handleGuarded(h Handler, d delivery) (reply []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			p.reg.cfg.Logger.Error("rollcall: a handler panicked", "process", p.pid.String(), "panic", v)
			reply, err = nil, &HandlerError{PID: p.pid, Text: fmt.Sprintf("panic: %v", v)}
		}
	}()
	ctx := p.ctx
	if !d.deadline.IsZero() {
		var end context.CancelFunc
		ctx, end = context.WithDeadline(p.ctx, d.deadline)
		defer end()
	}
	switch {
	case p.ctx.Err() != nil:
		return nil, ErrNoProcess
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	reply, err = h(ctx, d.msg)
	if over := ctx.Err(); p.ctx.Err() == nil && over != nil && errors.Is(err, over) {
		return nil, over // the caller's own deadline
	}
	if err != nil {
		err = &HandlerError{PID: p.pid, Text: err.Error()}
	}
	return reply, err
}

// close fails what waits in the mailbox.
func (b *mailbox) close() {
	b.mu.Lock()
	b.closed = true
	waiting := b.queue
	b.queue = nil
	b.mu.Unlock()
	for _, d := range waiting {
		if d.reply != nil {
			d.reply(nil, ErrNoProcess)
		}
	}
}
