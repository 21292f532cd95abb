package wire

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrGone is returned by Ask when the node ended before it replied. Whether the
// command was carried out is unknown.
var ErrGone = errors.New("wire: the node is gone")

// maxLine is the limit of a message in bytes. The largest one is the report of
// a benchmark, a few kilobytes.
const maxLine = 1 << 20

// request is one line to a node.
type request struct {
	ID uint64 `json:"id"`
	Do string `json:"do"`
	// WithinMillis is how long the command may take. Zero is for ever.
	WithinMillis int64           `json:"within_ms,omitempty"`
	Args         json.RawMessage `json:"args,omitempty"`
}

// reply is one line from a node. Fault is set when the command failed.
type reply struct {
	ID     uint64          `json:"id"`
	Result json.RawMessage `json:"result,omitempty"`
	Fault  *Fault          `json:"fault,omitempty"`
}

// Fault is the error of a command, as far as it travels.
type Fault struct {
	// Node and Do say where it happened and in which command.
	Node string `json:"node,omitempty"`
	Do   string `json:"do,omitempty"`
	// Text is the error's text.
	Text string `json:"text"`
	// Taken is set when a name was refused because it has a holder.
	Taken *Holder `json:"taken,omitempty"`
}

// Error returns the text with the node and the command.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %s: %s", f.Node, f.Do, f.Text) }
