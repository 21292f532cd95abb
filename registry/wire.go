package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/registry/replica"
)

// The frames of this package are one byte that says their kind and then msgpack
// values; the payload comes last.
const (
	isCall byte = replica.FirstFree + iota
	isReply
	isSend
)

// errFrame is wrapped by the errors of decodeFrame.
var errFrame = errors.New("registry: malformed message")

// status says how a call ended on the other node.
type status uint8

const (
	statusOK status = iota
	statusFailed
	statusNoProcess
	statusNoHandler
	statusBusy
	statusTimeout
	statuses
)

func (s status) err() error {
	switch s {
	case statusNoProcess:
		return ErrNoProcess
	case statusNoHandler:
		return ErrNoHandler
	case statusBusy:
		return ErrBusy
	case statusTimeout:
		return context.DeadlineExceeded
	}
	return nil
}

// statusOf returns the status for a handler's or this node's error, and the text
// that goes with a failure.
func statusOf(err error) (status, string) {
	var h *HandlerError
	switch {
	case err == nil:
		return statusOK, ""
	case errors.As(err, &h):
		return statusFailed, h.Text
	case errors.Is(err, ErrNoProcess):
		return statusNoProcess, ""
	case errors.Is(err, ErrNoHandler):
		return statusNoHandler, ""
	case errors.Is(err, ErrBusy):
		return statusBusy, ""
	case errors.Is(err, context.DeadlineExceeded):
		return statusTimeout, ""
	}
	return statusFailed, err.Error()
}

type callFrame struct {
	id      uint64
	to      PID
	limit   time.Duration
	payload []byte
}

type replyFrame struct {
	id      uint64
	status  status
	payload []byte
}

type sendFrame struct {
	to      []PID
	payload []byte
}

// writer builds a frame. Writing to its buffer does not fail.
type writer struct {
	buf bytes.Buffer
	mp  *msgpack.Encoder
}

func newWriter(kind byte, payload int) *writer {
	w := &writer{}
	w.buf.Grow(payload + 64)
	w.buf.WriteByte(kind)
	w.mp = msgpack.NewEncoder(&w.buf)
	return w
}

func (w *writer) uint(v uint64) { _ = w.mp.EncodeUint(v) }

// pid leaves out the node, which is the receiver.
func (w *writer) pid(p PID) {
	w.uint(p.Epoch)
	w.uint(p.Serial)
}

func (w *writer) finish(payload []byte) []byte {
	_ = w.mp.EncodeBytes(payload)
	return w.buf.Bytes()
}

func encodeCall(id uint64, to PID, limit time.Duration, payload []byte) []byte {
	w := newWriter(isCall, len(payload))
	w.uint(id)
	_ = w.mp.EncodeString(to.Node)
	w.pid(to)
	w.uint(uint64(limit))
	return w.finish(payload)
}

func encodeReply(id uint64, s status, payload []byte) []byte {
	w := newWriter(isReply, len(payload))
	w.uint(id)
	w.uint(uint64(s))
	return w.finish(payload)
}

func encodeSend(to []PID, payload []byte) []byte {
	w := newWriter(isSend, len(payload)+16*len(to))
	_ = w.mp.EncodeString(to[0].Node)
	w.uint(uint64(len(to)))
	for _, p := range to {
		w.pid(p)
	}
	return w.finish(payload)
}

// frameReader decodes a frame; the first fault sticks.
type frameReader struct {
	rest *bytes.Reader
	mp   *msgpack.Decoder
	err  error
}

func decodeFrame(frame []byte) (any, error) {
	if len(frame) == 0 {
		return nil, fmt.Errorf("%w: empty", errFrame)
	}
	src := bytes.NewReader(frame[1:])
	r := &frameReader{rest: src, mp: msgpack.NewDecoder(src)}
	var msg any
	switch frame[0] {
	case isCall:
		msg = callFrame{id: r.uint(), to: r.pid(r.text()), limit: r.limit(), payload: r.payload(frame)}
	case isReply:
		m := replyFrame{id: r.uint(), status: status(min(r.uint(), 255)), payload: r.payload(frame)}
		if m.status >= statuses {
			r.fail(errors.New("unknown status"))
		}
		msg = m
	case isSend:
		m := sendFrame{}
		node := r.text()
		n := r.uint()
		if n > maxTargets {
			r.fail(fmt.Errorf("%d processes, at most %d", n, maxTargets))
		}
		for ; n > 0 && r.err == nil; n-- {
			m.to = append(m.to, r.pid(node))
		}
		m.payload = r.payload(frame)
		msg = m
	default:
		r.fail(fmt.Errorf("unknown kind %d", frame[0]))
	}
	if r.err == nil && src.Len() > 0 {
		r.fail(fmt.Errorf("%d bytes too many", src.Len()))
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, r.err)
	}
	return msg, nil
}

func (r *frameReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *frameReader) uint() uint64 {
	if r.err != nil {
		return 0
	}
	v, err := r.mp.DecodeUint64()
	r.fail(err)
	return v
}

func (r *frameReader) text() string {
	n := r.length()
	if n > MaxKey {
		r.fail(fmt.Errorf("text of %d bytes", n))
		return ""
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r.rest, b)
	r.fail(err)
	return string(b)
}

// length reads a length that the rest of the frame can hold.
func (r *frameReader) length() int {
	if r.err != nil {
		return 0
	}
	n, err := r.mp.DecodeBytesLen()
	if err == nil && n > r.rest.Len() {
		err = fmt.Errorf("%d bytes where %d are left", n, r.rest.Len())
	}
	if err != nil {
		r.fail(err)
		return 0
	}
	return max(n, 0)
}

func (r *frameReader) pid(node string) PID {
	return PID{Node: node, Epoch: r.uint(), Serial: r.uint()}
}

func (r *frameReader) limit() time.Duration {
	v := r.uint()
	if v > uint64(1<<62) {
		r.fail(errors.New("deadline out of range"))
	}
	return time.Duration(v)
}

// payload returns the rest of the frame, uncopied: the frame is the receiver's.
func (r *frameReader) payload(frame []byte) []byte {
	n := r.length()
	if r.err != nil {
		return nil
	}
	from := len(frame) - r.rest.Len()
	_, err := r.rest.Seek(int64(n), io.SeekCurrent)
	r.fail(err)
	return frame[from : from+n]
}

// Call sends a request to a process and waits for the reply of its handler, both
// encoded as msgpack; the handler is one that Handle made, or decodes for itself.
// Its errors are those of Registry.CallBytes, and those of encoding.
func Call[Request, Response any](ctx context.Context, r *Registry, to Target, request Request) (Response, error) {
	var response Response
	payload, err := msgpack.Marshal(request)
	if err != nil {
		return response, fmt.Errorf("registry: encode request: %w", err)
	}
	back, err := r.CallBytes(ctx, to, payload)
	if err != nil {
		return response, err
	}
	if err := msgpack.Unmarshal(back, &response); err != nil {
		return response, fmt.Errorf("registry: decode response: %w", err)
	}
	return response, nil
}

// Handle gives a process a handler that decodes its messages from msgpack and
// encodes its replies. A message that cannot be decoded is answered with the
// error.
func Handle[Request, Response any](p *Process, handle func(ctx context.Context, request Request) (Response, error)) {
	p.Handle(func(ctx context.Context, m Message) ([]byte, error) {
		var request Request
		if err := msgpack.Unmarshal(m.Payload, &request); err != nil {
			return nil, fmt.Errorf("decode request: %w", err)
		}
		response, err := handle(ctx, request)
		if err != nil {
			return nil, err
		}
		return msgpack.Marshal(response)
	})
}

// Encode encodes a value as the typed calls do, for Send and Publish.
func Encode(v any) ([]byte, error) {
	b, err := msgpack.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("registry: encode: %w", err)
	}
	return b, nil
}
