package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Type says which part of an operation a record is.
type Type string

// The types.
const (
	// Invoke: the operation begins.
	Invoke Type = "invoke"
	// Ok: it happened.
	Ok Type = "ok"
	// Fail: it certainly did not happen.
	Fail Type = "fail"
	// Info: of an operation, nobody knows whether it happened; of anything else, it
	// is a fact.
	Info Type = "info"
)

// Func says what a record is about.
type Func string

// Operations of clients. Each has an Invoke record and, unless the run ended
// first, one other record with the same Op.
const (
	Register   Func = "register" // Name, Process, Mode; ok: Fence; fail: Holder when taken
	Reregister Func = "reregister"
	Unregister Func = "unregister"
	Update     Func = "update" // Name, Process, Value
	Join       Func = "join"   // Group, Process, Value
	Leave      Func = "leave"
	Lookup     Func = "lookup"  // Name; ok: Holder, empty when nobody, Value, Fence
	Members    Func = "members" // Group; ok: Members
	View       Func = "view"    // ok: Names, Groups, Digest: all that the node shows
)

// Facts that the runner knows for certain; their type is Info.
const (
	NodeUp   Func = "node-up"   // Node, Run: a run of a node begins
	NodeDown Func = "node-down" // Node, Run, Reason: killed or left
	Pause    Func = "pause"     // Node, Run: frozen; it still lives
	Resume   Func = "resume"
	Spawn    Func = "spawn"   // Process, Node, Run
	Exit     Func = "exit"    // Process: it ended, by itself or with its node
	Forgot   Func = "forgot"  // Node, About: the node forgot another one's run
	Suspect  Func = "suspect" // Node, About: the node is made to take another one for lost
	Settled  Func = "settled" // all faults are over and no client acts any more
	Traffic  Func = "traffic" // Bytes, Frames, Entries: sums so far
	State    Func = "state"   // Node: Digest, Entries, Extra: what the node keeps
)

// Faults; their type is Invoke and then Ok with Verified, or Info when nobody
// knows whether it took effect. Closed on the second record is the whole network
// as it is from then on.
const (
	Cut     Func = "cut"
	Heal    Func = "heal"
	OneWay  Func = "oneway"
	Degrade Func = "degrade" // loss, duplication, delay: no link closes
	Skew    Func = "skew"
)

// What nodes tell; the type is Info.
const (
	// Event: a watch delivered a change: Watch, Seq, Kind, Key, Reason, Old, New.
	Event Func = "event"
	// Snapshot: a watch delivered a snapshot: Watch, Seq, Names, Groups, Missed.
	Snapshot Func = "snapshot"
	// Lost: a process was told that it lost a name: Process, Name, Reason, Winner,
	// Claims.
	Lost Func = "lost"
	// Conflict: a node settled a conflict: Node, Name, Winner, Claims, Rule.
	Conflict Func = "conflict"
)

// Modes of register.
const (
	Arbitrated = "arbitrated"
	Optimistic = "optimistic"
)

// Claim is a claim as a policy saw it.
type Claim struct {
	Process  string `json:"process"`
	Birth    uint64 `json:"birth"`
	Node     string `json:"node"`
	Epoch    uint64 `json:"epoch"`
	Seq      uint64 `json:"seq"` // with Node and Epoch: the claim's Born dot
	Priority int64  `json:"priority,omitempty"`
	Seen     uint32 `json:"seen,omitempty"`
	Label    string `json:"label,omitempty"`
}

// Link is one direction between two nodes.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Record is one line of a history. Fields that a Func does not name are empty.
type Record struct {
	// Index is the place in the history, from 0.
	Index int `json:"i"`
	// At is when it happened, in nanoseconds of the runner's clock.
	At   int64 `json:"t"`
	Type Type  `json:"type"`
	F    Func  `json:"f"`
	// Op pairs the records of one operation or fault; 0 for facts.
	Op int `json:"op,omitempty"`
	// Client is the worker; a worker has one operation under way at a time.
	Client int `json:"client,omitempty"`
	// Node and Run are where it happened; Run counts the node's starts from 1.
	Node string `json:"node,omitempty"`
	Run  int    `json:"run,omitempty"`

	Process string `json:"process,omitempty"` // unique in the history
	Name    string `json:"name,omitempty"`
	Group   string `json:"group,omitempty"`
	Value   string `json:"value,omitempty"`
	Mode    string `json:"mode,omitempty"`
	Holder  string `json:"holder,omitempty"` // a process
	Fence   uint64 `json:"fence,omitempty"`
	Error   string `json:"error,omitempty"`

	Members []string           `json:"members,omitempty"`
	Names   map[string]Shown   `json:"names,omitempty"`
	Groups  map[string][]Shown `json:"groups,omitempty"`
	Digest  string             `json:"digest,omitempty"`
	Watch   int                `json:"watch,omitempty"`
	Seq     uint64             `json:"seq,omitempty"`
	Missed  int                `json:"missed,omitempty"`
	Kind    string             `json:"kind,omitempty"` // name or group
	Key     string             `json:"key,omitempty"`
	Reason  string             `json:"reason,omitempty"`
	Old     *Shown             `json:"old,omitempty"`
	New     *Shown             `json:"new,omitempty"`
	Winner  string             `json:"winner,omitempty"` // a process
	Claims  []Claim            `json:"claims,omitempty"`
	Rule    string             `json:"rule,omitempty"`
	About   string             `json:"about,omitempty"`

	Closed []Link `json:"closed,omitempty"`
	// Degraded, on the second record of a fault, is the set of all links that from
	// then on lose, duplicate or delay so much that Bound is not promised, as Closed
	// is of those that are closed. No deadline runs in a component that has one.
	Degraded []Link `json:"degraded,omitempty"`
	Verified bool   `json:"verified,omitempty"`
	Text     string `json:"text,omitempty"` // the fault in the words of the scenario language

	Bytes   int64 `json:"bytes,omitempty"`
	Frames  int64 `json:"frames,omitempty"`
	Entries int   `json:"entries,omitempty"`
	Extra   int   `json:"extra,omitempty"` // context kept beyond one counter a node
}

// Shown is a process with what goes with it in a view.
type Shown struct {
	Process string `json:"process"`
	Value   string `json:"value,omitempty"`
	Fence   uint64 `json:"fence,omitempty"`
}

// Header is the first line of a written history: what is not an event.
type Header struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	Policy string `json:"policy"`
	Seed   uint64 `json:"seed"`
	// Nodes are the nodes that the run began with.
	Nodes []string `json:"nodes"`
	// Bound is T, the time in nanoseconds within which nodes that reach each other
	// must agree, from the configuration; Detect is the time within which a lost
	// node must be noticed; Claim is the longest time a registration may take.
	Bound  int64 `json:"bound"`
	Detect int64 `json:"detect"`
	Claim  int64 `json:"claim"`
	// Settle is the time in nanoseconds after a change of the topology, or after it
	// was noticed, from which on arbitration is exact; 0 stands for Bound.
	Settle int64 `json:"settle,omitempty"`
	// Forget is the time in nanoseconds for which the entries of a node that cannot
	// be reached are kept; 0 when that is longer than the run. In a history with
	// Forgot facts, those tell of each case; in one without, who may have forgotten
	// whom is worked out from Forget.
	Forget int64 `json:"forget,omitempty"`
	// Budget is the number of bytes that may flow from the last heal to
	// agreement; 0 for no budget.
	Budget int64 `json:"budget,omitempty"`
}

// FormatVersion is the version of the format.
const FormatVersion = 1

// History is a run as it was recorded.
type History struct {
	Header  Header
	Records []Record
}

// Recorder collects a history.
type Recorder struct {
	mu sync.Mutex
	h  History
	op int
}

// NewRecorder returns a recorder for a run.
func NewRecorder(h Header) *Recorder {
	h.Format = FormatVersion
	return &Recorder{h: History{Header: h}}
}

// NextOp returns a number that pairs the records of an operation.
func (r *Recorder) NextOp() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.op++
	return r.op
}

// Add appends a record and gives it its place.
func (r *Recorder) Add(rec Record) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec.Index = len(r.h.Records)
	r.h.Records = append(r.h.Records, rec)
	return rec.Index
}

// History returns what was recorded so far.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &History{Header: r.h.Header, Records: r.h.Records[:len(r.h.Records):len(r.h.Records)]}
}

// Write writes a history as JSON lines, the header first.
func Write(w io.Writer, h *History) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(h.Header); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for i := range h.Records {
		if err := enc.Encode(&h.Records[i]); err != nil {
			return fmt.Errorf("history: record %d: %w", i, err)
		}
	}
	return b.Flush()
}

// Read reads a history. A last line that was cut off is left out; any other fault
// is an error with its line.
func Read(r io.Reader) (*History, error) {
	in := bufio.NewReader(r)
	h := &History{}
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			if line == 1 {
				return nil, fmt.Errorf("history: line 1: want the header")
			}
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("history: line %d: %w", line, err)
		}
		if line == 1 {
			if err := json.Unmarshal(text, &h.Header); err != nil {
				return nil, fmt.Errorf("history: line 1: want a header: %w", err)
			}
			if h.Header.Format != FormatVersion {
				return nil, fmt.Errorf("history: line 1: want format %d, not %d", FormatVersion, h.Header.Format)
			}
			continue
		}
		rec := Record{}
		if err := json.Unmarshal(text, &rec); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", line, err)
		}
		h.Records = append(h.Records, rec)
	}
}
