//go:build linux

package hosts

import "errors"

var (
	// ErrUnavailable is wrapped by errors of Available and Open when this system or
	// this user cannot join hosts in that way. Nothing was made.
	ErrUnavailable = errors.New("hosts: not available here")
	// ErrUnsupported is wrapped by errors of Set and Inject when the kind of the
	// hosts cannot do what is asked. No link has changed.
	ErrUnsupported = errors.New("hosts: this kind of hosts cannot do that")
	// ErrNoEffect is wrapped by errors of Verify, Apply and Lift when a link does
	// not behave as it was set. The links stay as they are.
	ErrNoEffect = errors.New("hosts: a link is not as it was set")
	// ErrClosed is returned by all calls that need the hosts after Close.
	ErrClosed = errors.New("hosts: closed")
)
