package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport/gossip"
)

const (
	// leaveWithin is how long the registry may take to say goodbye.
	leaveWithin = 1500 * time.Millisecond
	// endWithin is how long the program lives at most after its input ended.
	endWithin = 2500 * time.Millisecond
)

// ErrNotOpen is the fault of every command before DoOpen.
var ErrNotOpen = errors.New("node: the registry is not open")

// node is one program of the demo.
//
// Invariant: registry and transport are both nil or both set, and once set they
// stay.
type node struct {
	// life ends with the program. Processes live in it, not in the command that
	// started them.
	life context.Context
	log  *slog.Logger

	mu        sync.Mutex
	registry  *registry.Registry
	transport *gossip.Transport
	processes map[string]*process
	losses    []wire.Loss
}

// newNode returns a node whose registry is not open yet. Its processes end with
// life.
func newNode(life context.Context, log *slog.Logger) *node {
	return &node{life: life, log: log, processes: map[string]*process{}}
}

// Main runs a node until in ends and returns its exit code. Requests come from
// in, replies go to out, and what the registry logs goes to log.
func Main(in io.Reader, out, log io.Writer) int {
	// An interrupt at the terminal reaches every program of the demo. The
	// conductor decides what it means.
	signal.Ignore(os.Interrupt)
	life, end := context.WithCancel(context.Background())
	defer end()
	n := newNode(life, slog.New(slog.NewTextHandler(log, nil)))
	err := wire.Serve(life, &lastBreath{in}, out, n.commands())
	if err := errors.Join(err, n.close()); err != nil {
		n.log.Error("the node did not end well", "error", err)
		return 1
	}
	return 0
}

// lastBreath sees to it that the program does not live on without its input.
type lastBreath struct{ in io.Reader }

// Read reads, and at the end of the input sets the time at which the program
// ends, whatever still runs then.
func (l *lastBreath) Read(b []byte) (int, error) {
	n, err := l.in.Read(b)
	if err != nil {
		time.AfterFunc(endWithin, func() { os.Exit(3) })
	}
	return n, err
}

// commands returns what the node can do.
func (n *node) commands() map[string]wire.Command {
	return map[string]wire.Command{
		wire.DoOpen:     wire.Typed(n.open),
		wire.DoStatus:   wire.Typed(n.status),
		wire.DoServe:    wire.Typed(n.serve),
		wire.DoAttend:   wire.Typed(n.attend),
		wire.DoStop:     wire.Typed(n.stop),
		wire.DoRegister: wire.Typed(n.register),
		wire.DoTakeOver: wire.Typed(n.takeOver),
		wire.DoWhereis:  wire.Typed(n.whereis),
		wire.DoAwait:    wire.Typed(n.await),
		wire.DoJoin:     wire.Typed(n.join),
		wire.DoMembers:  wire.Typed(n.members),
		wire.DoCall:     wire.Typed(n.call),
		wire.DoTool:     wire.Typed(n.tool),
		wire.DoRead:     wire.Typed(n.read),
		wire.DoPrompt:   wire.Typed(n.prompt),
		wire.DoBlock:    wire.Typed(n.block),
		wire.DoHeal:     wire.Typed(n.heal),
		wire.DoWhy:      wire.Typed(n.why),
		wire.DoTold:     wire.Typed(n.told),
		wire.DoBench:    wire.Typed(n.bench),
		wire.DoSpread:   wire.Typed(n.spread),
		wire.DoWatch:    wire.Typed(n.watch),
	}
}
