package registry

import (
	"errors"
	"fmt"

	"github.com/rollcall-dev/rollcall/registry/replica"
)

var (
	// ErrTaken is what a TakenError is, for errors.Is. No state changed.
	ErrTaken = replica.ErrTaken
	// ErrNotFound is returned by Lookup and by calls to a name that nobody holds.
	ErrNotFound = errors.New("registry: nobody holds the name")
	// ErrNoProcess is returned by calls for a process that has ended or is not of
	// this registry, and by Call when the process it is for has ended. No state
	// changed; a message was not handled.
	ErrNoProcess = replica.ErrNoProcess
	// ErrNotHolder is returned by Update, Unregister and Leave when the process
	// does not hold the name or is not in the group. No state changed.
	ErrNotHolder = replica.ErrNotHolder
	// ErrKey is returned for a name or a group that is empty, longer than MaxKey
	// bytes or not UTF-8. No state changed.
	ErrKey = replica.ErrKey
	// ErrValue is returned for a value longer than MaxValue bytes. No state changed.
	ErrValue = replica.ErrValue
	// ErrMinority is returned by Register on a node that sees no majority of
	// Config.Expected, when Config.Minority is Refuse. No state changed.
	ErrMinority = replica.ErrMinority
	// ErrTimeout is returned by Register when no other node answered in time. The
	// name was not registered.
	ErrTimeout = replica.ErrTimeout
	// ErrClosed is returned by every call after Close, and is the cause of the end
	// of processes that Close ended. No state changed.
	ErrClosed = replica.ErrClosed
	// ErrMessage is returned for a message longer than MaxMessage bytes. It was not
	// sent.
	ErrMessage = errors.New("registry: message is too large")
	// ErrNoHandler is returned by Call when the process has no handler. The message
	// was not handled.
	ErrNoHandler = errors.New("registry: the process has no handler")
	// ErrBusy is returned by Call and Send when the process's mailbox, or the queue
	// to its node, is full. The message was not handled.
	ErrBusy = errors.New("registry: the process does not keep up with its messages")
	// ErrUnreachable is returned by Call and Send when the process's node cannot be
	// reached, and by Call when it ceased to be reachable before the reply: then
	// the message may have been handled.
	ErrUnreachable = errors.New("registry: the process's node cannot be reached")
	// ErrExited is the cause of the context of a process whose function returned
	// nil or that was stopped without a cause; its Err is nil.
	ErrExited = errors.New("registry: the process has ended")
)

// TakenError is returned by Register for a name that another process holds. No
// state changed.
type TakenError struct {
	// Name is the name.
	Name string
	// Holder is who holds it. Its Value is nil and its Fence 0 while the holder's
	// registration is still on its way.
	Holder Holder
}

// Error names the holder and its node.
func (e *TakenError) Error() string {
	return fmt.Sprintf("name %q is taken by %s on node %s", e.Name, e.Holder.PID, e.Holder.PID.Node)
}

// Is reports whether target is ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// ConflictError tells a process that it lost a name. It is the cause of the
// process's context when the policy ends losers, and comes from NextLoss.
type ConflictError struct {
	// Name is the name.
	Name string
	// Reason is ConflictLost; Reregistered when another process was given the name
	// on purpose; Contested when the policy keeps all claims, so that nothing was
	// withdrawn and nobody holds the name; or PolicyFailed when the policy failed,
	// so that the name was freed.
	Reason Reason
	// Winner is the claim that stands; its Holder is zero when none does.
	Winner Claim
	// Claims are all claims that were weighed, the process's own among them.
	Claims []Claim
	// Rule is the policy that decided, and Detail why it failed, if it did.
	Rule, Detail string
}

// Error says who won and by which rule.
func (e *ConflictError) Error() string {
	switch e.Reason {
	case ConflictLost:
		return fmt.Sprintf("registry: name %q was lost to %s by policy %s", e.Name, e.Winner.Holder, e.Rule)
	case Reregistered:
		return fmt.Sprintf("registry: name %q was given to %s", e.Name, e.Winner.Holder)
	case Contested:
		return fmt.Sprintf("registry: name %q is claimed by %d processes and held by none", e.Name, len(e.Claims))
	}
	return fmt.Sprintf("registry: name %q was freed: policy %s failed: %s", e.Name, e.Rule, e.Detail)
}

// ContestedError is returned by Lookup for a name that several processes claim
// under a policy that keeps them all.
type ContestedError struct {
	Name   string
	Claims []Claim
}

// Error counts the claims.
func (e *ContestedError) Error() string {
	return fmt.Sprintf("registry: name %q is claimed by %d processes and held by none", e.Name, len(e.Claims))
}

// PanicError is the cause of the end of a process whose function panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error shows the value and where it was thrown.
func (e *PanicError) Error() string {
	return fmt.Sprintf("registry: the process panicked: %v\n%s", e.Value, e.Stack)
}

// HandlerError is returned by Call when the handler returned an error or
// panicked; the error's text is all that travels.
type HandlerError struct {
	PID  PID
	Text string
}

// Error is the handler's error.
func (e *HandlerError) Error() string {
	return fmt.Sprintf("registry: handler of %s: %s", e.PID, e.Text)
}

// lossError turns what the machine says into what a process is told.
func lossError(l replica.Loss) *ConflictError {
	return &ConflictError{
		Name: l.Name, Reason: l.Reason, Winner: l.Winner, Claims: l.Claims,
		Rule: l.Verdict.Rule, Detail: l.Verdict.Reason,
	}
}

// callError turns an error of the machine into the public one.
func callError(err error) error {
	var taken *replica.TakenError
	if errors.As(err, &taken) {
		h := taken.Holder
		return &TakenError{Name: taken.Name, Holder: Holder{PID: h.Holder, Value: h.Value, Fence: Fence(h.Birth)}}
	}
	return err
}
