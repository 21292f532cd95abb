package transport

import (
	"errors"
	"fmt"
)

var (
	// ErrTooLarge is returned by Send for a frame above MaxFrame. Nothing was sent.
	ErrTooLarge = errors.New("transport: frame is larger than MaxFrame")
	// ErrNoLink is returned by Send and Open when no link to the peer is up.
	// Nothing was sent.
	ErrNoLink = errors.New("transport: no link to the peer")
	// ErrQueueFull is returned by Send when the peer is too slow and its queue is
	// at its limit. Nothing was sent; the link stays up.
	ErrQueueFull = errors.New("transport: the peer's queue is full")
	// ErrClosed is returned by every method after Close, and by Send and Open
	// before Start. Nothing was sent.
	ErrClosed = errors.New("transport: closed")
	// ErrStarted is returned by Start when the transport was started before.
	ErrStarted = errors.New("transport: already started")
)

// DuplicateNodeError is returned by Start when a live node of the same name is
// in the cluster. The caller chooses another name or stops the other node.
type DuplicateNodeError struct {
	// Node is the name that is taken.
	Node string
	// Addr is where its holder listens.
	Addr string
}

// Error says what to do.
func (e *DuplicateNodeError) Error() string {
	return fmt.Sprintf("transport: node name %q is in use by a live node at %s: give this node another name, or stop that one first", e.Node, e.Addr)
}
