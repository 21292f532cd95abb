package report

import (
	"errors"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// MaxHTML is the size in bytes that an HTML report stays below: what a mail, a CI
// artifact viewer and a phone still take without complaint.
const MaxHTML = 2_000_000

// Errors of HTML and Text.
var (
	// ErrNoHistory is returned for a run without a history; nothing was written.
	ErrNoHistory = errors.New("report: a run without a history")
	// ErrTooLarge is returned by HTML when the report does not fit into MaxHTML
	// although nearly nothing was left to draw; nothing was written.
	ErrTooLarge = errors.New("report: the run does not fit into one file")
)

// Run is what a report is made from.
type Run struct {
	// History is what happened. Required.
	History *history.History
	// Check is what the checkers said of it; nil is a run that nobody judged.
	Check *check.Report
	// Replay is one shell line that replays the run.
	Replay string
	// TraceHash identifies the run's trace: equal hashes are equal runs.
	TraceHash string
	// Options are the options that were given or drawn, name and value, in the
	// order in which they are shown.
	Options [][2]string
	// Scenario is the text of the scenario file.
	Scenario string
	// States are the nodes' states, a sample whenever one changed, in any order.
	// When empty, the digests in the history are used.
	States []Sample
	// Traffic is what the links carried.
	Traffic []LinkTraffic
	// Messages are the messages around the first violation; may be empty.
	Messages []Message
	// Faults are the intervals in which something was broken. When empty, the
	// history's own faults are used.
	Faults []Fault
}

// Sample says which state a node has from a moment on.
type Sample struct {
	// At is in nanoseconds of the history's clock.
	At   int64
	Node string
	// Digest is equal on two nodes that have the same state. It is shown
	// shortened and otherwise not interpreted.
	Digest string
	// Up is false from the moment at which the node went down.
	Up bool
}

// LinkTraffic is what one direction of a link carried of one kind of message.
type LinkTraffic struct {
	From, To, Kind string
	// Frames and Bytes were handed to the link, Dropped of the frames did not
	// arrive.
	Frames, Bytes, Dropped int64
}

// Message is one message between two nodes.
type Message struct {
	// Sent and Arrived are in nanoseconds of the history's clock; Arrived is not
	// read when the message was lost.
	Sent, Arrived  int64
	From, To, Kind string
	Lost           bool
	// Detail is shown beside the message and otherwise not interpreted.
	Detail string
}

// Fault is an interval in which something was broken.
type Fault struct {
	// From and To are in nanoseconds of the history's clock. To equal to From is
	// a moment, To before From a fault that was never mended.
	From, To int64
	// Kind is the fault's first word in the scenario language: cut, isolate,
	// oneway, kill, stop, pause, skew, loss, dup, reorder, latency, and so on.
	Kind string
	// Text is the fault in the words of the scenario language.
	Text string
	// Verified says that a probe saw the fault take effect.
	Verified bool
}
