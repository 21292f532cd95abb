package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// reply is what came back for a call.
type reply struct {
	status  status
	payload []byte
	err     error // of this node's own making
}

// failure returns the error that a reply stands for, or nil.
func (r reply) failure(pid PID) error {
	if r.err != nil {
		return r.err
	}
	if r.status == statusFailed {
		return &HandlerError{PID: pid, Text: string(r.payload)}
	}
	return r.status.err()
}

// call is a Call under way to another node.
type call struct {
	id    uint64
	peer  transport.Peer
	reply chan reply
}

// callTable holds the calls under way.
type callTable struct {
	mu    sync.Mutex
	next  uint64
	under map[uint64]*call
}

func newCallTable() callTable { return callTable{under: map[uint64]*call{}} }

func (t *callTable) open(peer transport.Peer) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	c := &call{id: t.next, peer: peer, reply: make(chan reply, 1)}
	t.under[c.id] = c
	return c
}

func (t *callTable) close(c *call) {
	t.mu.Lock()
	delete(t.under, c.id)
	t.mu.Unlock()
}

// answer ends a call with a reply that came from a peer.
func (t *callTable) answer(from transport.Peer, id uint64, r reply) {
	t.mu.Lock()
	c, ok := t.under[id]
	if ok && c.peer == from {
		delete(t.under, id)
		c.reply <- r
	}
	t.mu.Unlock()
}

// fail ends the calls to a peer whose link broke.
func (t *callTable) fail(peer transport.Peer) {
	t.mu.Lock()
	for id, c := range t.under {
		if c.peer == peer {
			delete(t.under, id)
			c.reply <- reply{err: ErrUnreachable}
		}
	}
	t.mu.Unlock()
}

func (t *callTable) failAll(err error) {
	t.mu.Lock()
	for id, c := range t.under {
		delete(t.under, id)
		c.reply <- reply{err: err}
	}
	t.mu.Unlock()
}

// receive takes a frame of this package.
func (r *Registry) receive(from transport.Peer, frame []byte) {
	msg, err := decodeFrame(frame)
	if err != nil {
		r.cfg.Logger.Warn("rollcall: a message was refused", "from", from.Node, "error", err)
		return
	}
	switch msg := msg.(type) {
	case callFrame:
		r.receiveCall(from, msg)
	case replyFrame:
		r.calls.answer(from, msg.id, reply{status: msg.status, payload: msg.payload})
	case sendFrame:
		for _, pid := range msg.to {
			payload := msg.payload
			if len(msg.to) > 1 {
				payload = append([]byte(nil), payload...)
			}
			// Nobody waits to hear that the process is gone.
			_ = r.deliver(pid, delivery{msg: Message{From: from.Node, To: pid, Payload: payload}})
		}
	}
}

func (r *Registry) receiveCall(from transport.Peer, c callFrame) {
	var deadline time.Time
	if c.limit > 0 {
		deadline = time.Now().Add(c.limit)
	}
	back := func(payload []byte, err error) {
		s, text := statusOf(err)
		if s == statusFailed {
			payload = []byte(text)
		}
		if len(payload) > MaxMessage {
			s, payload = statusFailed, []byte(ErrMessage.Error())
		}
		r.sendReply(from, encodeReply(c.id, s, payload))
	}
	err := r.deliver(c.to, delivery{
		deadline: deadline, reply: back,
		msg: Message{From: from.Node, To: c.to, Payload: c.payload, Wants: true},
	})
	if err != nil {
		back(nil, err)
	}
}

// sendReply sends a reply; a large one in a goroutine of its own, since it waits
// for the stream's flow.
func (r *Registry) sendReply(to transport.Peer, frame []byte) {
	if len(frame) <= maxUrgent {
		_ = r.post(context.Background(), to, frame) // a lost reply is the caller's timeout or ErrUnreachable
		return
	}
	r.streams.Add(1)
	go func() {
		defer r.streams.Done()
		ctx, end := context.WithTimeout(context.Background(), streamPatience)
		defer end()
		_ = r.post(ctx, to, frame)
	}()
}

// streamPatience limits how long a large message may take to send or to receive.
const streamPatience = time.Minute

// postStream sends a frame that is too large for the lanes.
func (r *Registry) postStream(ctx context.Context, to transport.Peer, frame []byte) error {
	s, err := r.cfg.Transport.Open(ctx, to)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return ErrUnreachable
	}
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = s.SetDeadline(time.Now().Add(streamPatience))
	head := binary.BigEndian.AppendUint32(nil, uint32(len(frame)))
	_, err = s.Write(append(head, frame...))
	return errors.Join(streamError(ctx, err), s.Close())
}

func streamError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return ErrUnreachable
}

// acceptStream receives a large message.
func (r *Registry) acceptStream(from transport.Peer, s net.Conn) {
	r.streams.Add(1)
	defer r.streams.Done()
	defer s.Close()
	_ = s.SetDeadline(time.Now().Add(streamPatience))
	var head [4]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxMessage+maxUrgent {
		r.cfg.Logger.Warn("rollcall: a message was refused", "from", from.Node, "error", ErrMessage)
		return
	}
	frame, err := readAll(s, int(n))
	if err != nil {
		return
	}
	r.receive(from, frame)
}

// readAll reads n bytes and takes memory as they come, not as they are promised.
func readAll(s io.Reader, n int) ([]byte, error) {
	frame := make([]byte, 0, min(n, 64<<10))
	for len(frame) < n {
		if len(frame) == cap(frame) {
			grown := make([]byte, len(frame), min(n, 2*cap(frame)))
			copy(grown, frame)
			frame = grown
		}
		k, err := s.Read(frame[len(frame):cap(frame)])
		frame = frame[:len(frame)+k]
		if err != nil && len(frame) < n {
			return nil, err
		}
	}
	return frame, nil
}
