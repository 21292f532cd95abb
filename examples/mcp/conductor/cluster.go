package conductor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// stopGrace is how long a node may take to leave before it is killed.
const stopGrace = 3 * time.Second

// Cluster holds the nodes that were started.
//
// Invariant: every process that was started is in nodes, also after it ended.
type Cluster struct {
	command func(node string) *exec.Cmd
	logs    string

	mu     sync.Mutex
	nodes  []*Node
	closed bool
}

// ErrClosed is returned by Start after Close. Nothing was started.
var ErrClosed = errors.New("conductor: closed")

// New returns a cluster without nodes. command makes the command line of a node;
// its three standard streams are set by Start.
func New(command func(node string) *exec.Cmd) (*Cluster, error) {
	logs, err := os.MkdirTemp("", "rollcall-demo-")
	if err != nil {
		return nil, fmt.Errorf("make the directory of the logs: %w", err)
	}
	return &Cluster{command: command, logs: logs}, nil
}

// Start starts a node which joins the nodes at the given addresses, and waits
// until its registry is open. A name may be used again when its node has ended.
// The nodes form a cluster of this run alone: the name of its directory of logs
// is the cluster's name, so that two demos on one machine never mix.
func (c *Cluster) Start(ctx context.Context, name string, seeds ...string) (*Node, error) {
	n, err := c.launch(name)
	if err != nil {
		return nil, err
	}
	addr, err := n.open(ctx, filepath.Base(c.logs), seeds)
	if err != nil {
		return nil, errors.Join(err, n.Kill())
	}
	n.Addr = addr
	return n, nil
}

// launch starts the process of a node. The lock is held throughout, so that a
// process is never started behind the back of Close.
func (c *Cluster) launch(name string) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	log := filepath.Join(c.logs, fmt.Sprintf("%s-%d.log", name, len(c.nodes)))
	n, err := launch(name, c.command(name), log)
	if err != nil {
		return nil, fmt.Errorf("start node %s: %w", name, err)
	}
	c.nodes = append(c.nodes, n)
	return n, nil
}

// Close stops every node that runs, all at once, kills those that do not leave
// in time, and returns when none is left. Close after Close does nothing.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	nodes := slices.Clone(c.nodes)
	c.mu.Unlock()

	faults := make([]error, len(nodes))
	var stopping sync.WaitGroup
	for i, n := range nodes {
		stopping.Go(func() { faults[i] = n.Stop() })
	}
	stopping.Wait()
	return errors.Join(faults...)
}

// Running returns the nodes whose process has not ended.
func (c *Cluster) Running() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.nodes), (*Node).Ended)
}

// Started returns how many processes were started in all.
func (c *Cluster) Started() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.nodes)
}

// LogDir returns where the nodes log to.
func (c *Cluster) LogDir() string { return c.logs }

// Discard removes the logs.
func (c *Cluster) Discard() error { return os.RemoveAll(c.logs) }

// Logs returns the last lines that each node logged, for a person to read.
func (c *Cluster) Logs(lines int) string {
	c.mu.Lock()
	nodes := slices.Clone(c.nodes)
	c.mu.Unlock()
	var text strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&text, "--- %s (process %d)\n", n.Name, n.Process)
		content, err := os.ReadFile(n.log)
		if err != nil {
			fmt.Fprintf(&text, "%v\n", err)
			continue
		}
		all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
		for _, line := range all[max(0, len(all)-lines):] {
			fmt.Fprintln(&text, line)
		}
	}
	return text.String()
}
