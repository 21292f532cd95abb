package conductor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// Node is one node of the cluster: a process of the operating system.
type Node struct {
	// Name is the node's name in the cluster.
	Name string
	// Addr is where it listens for other nodes.
	Addr string
	// Process is the number that the operating system gave it.
	Process int

	log     string
	command *exec.Cmd
	client  *wire.Client
	stdin   io.Closer
	// leave closes stdin once.
	leave func() error
	// ended is closed when the process has ended and was waited for.
	ended chan struct{}
}

// launch starts the process of a node. Its standard error goes to the file log.
func launch(name string, command *exec.Cmd, log string) (*Node, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	// The process has its own descriptor of the file once it runs.
	defer func() { _ = file.Close() }()
	command.Stderr = file
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	n := &Node{
		Name: name, Process: command.Process.Pid,
		log: log, command: command, client: wire.NewClient(name, stdin), stdin: stdin,
		leave: sync.OnceValue(stdin.Close),
		ended: make(chan struct{}),
	}
	go n.attend(stdout)
	return n, nil
}

// attend receives replies until the process ends, and waits for it. A node that
// writes what is no reply is killed: nothing it says can be relied on.
func (n *Node) attend(stdout io.Reader) {
	defer close(n.ended)
	if err := n.client.Receive(stdout); err != nil {
		_ = n.command.Process.Kill()
	}
	// How it ended is of no interest: nodes are killed on purpose, and whether a
	// step held is told by the replies.
	_ = n.command.Wait()
}

// Ended reports whether the process has ended.
func (n *Node) Ended() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// Stop tells the node to leave and waits until it has ended; a node that takes
// too long is killed. Stop after the end does nothing.
func (n *Node) Stop() error {
	if n.Ended() {
		return nil
	}
	_ = n.leave()
	select {
	case <-n.ended:
		return nil
	case <-time.After(stopGrace):
		return n.Kill()
	}
}

// Kill ends the process at once, as SIGKILL does, and waits until it is gone.
// Kill after the end does nothing.
func (n *Node) Kill() error {
	if n.Ended() {
		return nil
	}
	if err := n.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill node %s (process %d): %w", n.Name, n.Process, err)
	}
	<-n.ended
	return nil
}
