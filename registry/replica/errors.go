package replica

import (
	"errors"
	"fmt"

	"github.com/rollcall-dev/rollcall/resolve"
)

var (
	// ErrTaken is what a TakenError is, for errors.Is. No state changed.
	ErrTaken = errors.New("name is taken")
	// ErrNoProcess is returned by calls for a process that has ended or never was.
	// No state changed.
	ErrNoProcess = errors.New("no such process")
	// ErrNotHolder is returned by Update and Unregister when the process does not
	// hold the name, or is not in the group. No state changed.
	ErrNotHolder = errors.New("the process does not hold it")
	// ErrKey is returned for a name or a group that is empty, longer than MaxKey
	// or not UTF-8. No state changed.
	ErrKey = errors.New("invalid name")
	// ErrValue is returned for a value longer than MaxValue. No state changed.
	ErrValue = errors.New("value is too large")
	// ErrMinority is returned by Register when the node sees too few nodes of the
	// expected cluster and is configured to refuse then. No state changed.
	ErrMinority = errors.New("this node is on the minority side")
	// ErrTimeout is returned by Register when no home node answered in time. No
	// claim was made; a reservation may last for a few seconds.
	ErrTimeout = errors.New("no answer from the name's home node in time")
	// ErrFrame is returned by Step for a frame that is malformed, too large or of
	// another version. No state changed.
	ErrFrame = errors.New("malformed frame")
	// ErrClosed is returned by calls after Leave. No state changed.
	ErrClosed = errors.New("the node has left")
)

// TakenError says who holds a name that was to be registered. No state changed.
type TakenError struct {
	// Name is the name.
	Name string
	// Holder is the claim that stands, or the one that a home node has promised
	// the name to and that has not arrived yet: its Born is zero then.
	Holder resolve.Claim
}

// Error names the holder.
func (e *TakenError) Error() string {
	return fmt.Sprintf("name %q is taken by %s", e.Name, e.Holder.Holder)
}

// Is reports whether target is ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }
