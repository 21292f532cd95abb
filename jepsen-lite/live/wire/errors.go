package wire

import "errors"

// ErrClosed is returned by Attach and Set on a switch that was closed; nothing
// has changed.
var ErrClosed = errors.New("wire: the switch is closed")
