package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// Target is what a message is for: a PID, or a Name that is looked up when the
// message is sent.
type Target interface {
	target(r *Registry) (PID, error)
}

// Name is a name as a Target.
type Name string

func (n Name) target(r *Registry) (PID, error) {
	h, err := r.Lookup(string(n))
	return h.PID, err
}

// Process as a Target is its PID.
func (p *Process) target(*Registry) (PID, error) { return p.pid, nil }

// To is a PID as a Target.
func To(p PID) Target { return pidTarget(p) }

type pidTarget PID

func (p pidTarget) target(*Registry) (PID, error) { return PID(p), nil }

// CallBytes sends a message to a process and waits for its handler's reply. The
// handler's context has the deadline of ctx.
//
// It fails fast: with ErrNotFound for a name that nobody holds, ErrNoProcess,
// ErrNoHandler, ErrBusy, ErrUnreachable, ErrMessage or ErrClosed; with a
// *HandlerError that the handler returned; or with the context's error. After
// ErrUnreachable and the context's error the message may have been handled.
func (r *Registry) CallBytes(ctx context.Context, to Target, payload []byte) ([]byte, error) {
	pid, err := r.resolveTarget(ctx, to, payload)
	if err != nil {
		return nil, err
	}
	if pid.Node == r.cfg.Node {
		return r.callLocal(ctx, pid, payload)
	}
	route, ok := r.peers.Load(pid.Node)
	if !ok || !route.linked {
		return nil, fmt.Errorf("%w: %s", ErrUnreachable, pid)
	}
	c := r.calls.open(route.peer)
	defer r.calls.close(c)
	frame := encodeCall(c.id, pid, timeLeft(ctx), payload)
	if err := r.post(ctx, route.peer, frame); err != nil {
		return nil, fmt.Errorf("%w: %s", err, pid)
	}
	select {
	case rep := <-c.reply:
		return rep.payload, rep.failure(pid)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Send sends a message to a process and does not wait for it to be handled. It
// returns ErrNotFound, ErrUnreachable, ErrBusy, ErrMessage or ErrClosed when it
// is certain that the message does not arrive; for a process of this node also
// ErrNoProcess and ErrNoHandler. Messages of up to 32 KiB from one goroutine to
// one process are handled in the order in which they were sent.
func (r *Registry) Send(ctx context.Context, to Target, payload []byte) error {
	pid, err := r.resolveTarget(ctx, to, payload)
	if err != nil {
		return err
	}
	return r.sendTo(ctx, pid.Node, []PID{pid}, payload)
}

// sendTo sends one message to processes of one node.
func (r *Registry) sendTo(ctx context.Context, node string, pids []PID, payload []byte) error {
	if node == r.cfg.Node {
		var errs []error
		for _, pid := range pids {
			errs = append(errs, r.deliver(pid, delivery{
				msg: Message{From: node, To: pid, Payload: append([]byte(nil), payload...)}}))
		}
		return errors.Join(errs...)
	}
	route, ok := r.peers.Load(node)
	if !ok || !route.linked {
		return fmt.Errorf("%w: node %s", ErrUnreachable, node)
	}
	return r.post(ctx, route.peer, encodeSend(pids, payload))
}

// Publish sends a message to all members of a group, once over each link, and
// returns for how many members it was sent. The error joins those of the nodes
// that it could not be sent to.
func (r *Registry) Publish(ctx context.Context, group string, payload []byte) (int, error) {
	if err := r.checkMessage(ctx, payload); err != nil {
		return 0, err
	}
	sent := 0
	var errs []error
	members := r.Members(group)
	for len(members) > 0 {
		node := members[0].PID.Node
		var pids []PID
		for len(members) > 0 && members[0].PID.Node == node && len(pids) < maxTargets {
			pids = append(pids, members[0].PID)
			members = members[1:]
		}
		if err := r.sendTo(ctx, node, pids, payload); err != nil {
			errs = append(errs, err)
			continue
		}
		sent += len(pids)
	}
	return sent, errors.Join(errs...)
}

// maxTargets is how many processes one frame of Publish is for.
const maxTargets = 1024

// Reply is one process's answer to a MultiCall.
type Reply struct {
	// PID is the process.
	PID PID
	// Payload is the reply; nil when Err is set.
	Payload []byte
	// Err says why there is none, as CallBytes does.
	Err error
}

// MultiCall calls all members of a group at once and waits until each has
// answered or failed, or ctx ends. The replies come in the order of PIDs, one for
// each member.
func (r *Registry) MultiCall(ctx context.Context, group string, payload []byte) []Reply {
	members := r.Members(group)
	replies := make([]Reply, len(members))
	var wg sync.WaitGroup
	limit := make(chan struct{}, maxParallel)
	for i, m := range members {
		replies[i].PID = m.PID
		limit <- struct{}{}
		wg.Go(func() {
			replies[i].Payload, replies[i].Err = r.CallBytes(ctx, To(m.PID), payload)
			<-limit
		})
	}
	wg.Wait()
	return replies
}

// maxParallel is how many calls of a MultiCall are under way at once.
const maxParallel = 256

// resolveTarget checks a message and finds the process that it is for.
func (r *Registry) resolveTarget(ctx context.Context, to Target, payload []byte) (PID, error) {
	if err := r.checkMessage(ctx, payload); err != nil {
		return PID{}, err
	}
	return to.target(r)
}

func (r *Registry) checkMessage(ctx context.Context, payload []byte) error {
	switch {
	case r.closed.Load():
		return ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case len(payload) > MaxMessage:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMessage, len(payload), MaxMessage)
	}
	return nil
}

// deliver puts a message in the mailbox of a process of this node.
func (r *Registry) deliver(pid PID, d delivery) error {
	p, ok := r.procs.Load(pid.Serial)
	if !ok || p.pid != pid {
		return fmt.Errorf("%w: %s", ErrNoProcess, pid)
	}
	if err := p.put(d); err != nil {
		return fmt.Errorf("%w: %s", err, pid)
	}
	return nil
}

// callLocal calls a process of this node.
func (r *Registry) callLocal(ctx context.Context, pid PID, payload []byte) ([]byte, error) {
	done := make(chan reply, 1)
	deadline, _ := ctx.Deadline()
	err := r.deliver(pid, delivery{
		deadline: deadline,
		msg:      Message{From: r.cfg.Node, To: pid, Payload: append([]byte(nil), payload...), Wants: true},
		reply: func(payload []byte, err error) {
			done <- reply{payload: payload, err: err}
		},
	})
	if err != nil {
		return nil, err
	}
	select {
	case rep := <-done:
		return rep.payload, rep.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// timeLeft returns how long a caller waits; 0 when it waits for ever.
func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(deadline), time.Nanosecond)
}

// maxUrgent is the size of a message up to which it travels as a frame of the
// urgent lane; a larger one takes a stream and holds nobody up.
const maxUrgent = 32<<10 + 1<<10

// post sends a frame of this package to a peer.
func (r *Registry) post(ctx context.Context, to transport.Peer, frame []byte) error {
	if len(frame) > maxUrgent {
		return r.postStream(ctx, to, frame)
	}
	err := r.cfg.Transport.Send(to, transport.Urgent, frame)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrQueueFull):
		return ErrBusy
	case errors.Is(err, transport.ErrClosed):
		return ErrClosed
	}
	return ErrUnreachable
}
