package conductor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rollcall-dev/rollcall/bench/wire"
)

// stopGrace is how long a program may take to leave before it is killed.
const stopGrace = 3 * time.Second

// errorTail is how much of what a program wrote to its standard error is kept,
// in bytes.
const errorTail = 4 << 10

// Crew holds the programs that were started together.
//
// Invariant: every program that was started is in programs, also after it ended.
type Crew struct {
	mu       sync.Mutex
	programs []*Program
	closed   bool
}

// NewCrew returns a crew without programs.
func NewCrew() *Crew { return &Crew{} }

// ErrClosed is returned by Start after Close. Nothing was started.
var ErrClosed = errors.New("conductor: closed")

// Start starts a program that speaks package wire on its standard streams.
func (c *Crew) Start(name string, command *exec.Cmd) (*Program, error) {
	// The lock is held throughout, so that no program is started behind the back
	// of Close.
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	p, err := start(name, command)
	if err != nil {
		return nil, fmt.Errorf("conductor: start %s: %w", name, err)
	}
	c.programs = append(c.programs, p)
	return p, nil
}

// Close kills the programs that run, and returns when none is left. Close after
// Close does nothing.
func (c *Crew) Close() {
	c.mu.Lock()
	c.closed = true
	programs := c.programs
	c.programs = nil
	c.mu.Unlock()
	for _, p := range programs {
		_ = p.command.Process.Kill() // it may have ended
	}
	for _, p := range programs {
		<-p.ended
	}
}

// Program is one program: a process of the operating system.
type Program struct {
	// Name is what the benchmark calls it.
	Name string

	command *exec.Cmd
	client  *wire.Client
	leave   func() error  // closes its standard input, once
	ended   chan struct{} // closed when it has ended and was waited for
	errors  *tail
}

func start(name string, command *exec.Cmd) (*Program, error) {
	p := &Program{Name: name, command: command, ended: make(chan struct{}), errors: &tail{}}
	command.Stderr = p.errors
	command.SysProcAttr, command.WaitDelay = withParent(), stopGrace
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
	p.client, p.leave = wire.NewClient(stdin), sync.OnceValue(stdin.Close)
	go p.attend(stdout)
	return p, nil
}

// attend takes replies until the program ends, and waits for it. A program that
// writes what is no reply is killed: nothing it says can be relied on.
func (p *Program) attend(stdout io.Reader) {
	defer close(p.ended)
	if err := p.client.Receive(stdout); err != nil {
		fmt.Fprintln(p.errors, err)
		_ = p.command.Process.Kill() // it may have ended
	}
	// How it ended is of no interest: programs are killed on purpose.
	_ = p.command.Wait()
}

// Ask sends a request and waits for its answer. An error names the program and
// holds the last that it wrote to its standard error.
func (p *Program) Ask(ctx context.Context, verb string, args ...any) ([]int64, error) {
	numbers, err := p.client.Ask(ctx, verb, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w%s", p.Name, verb, err, p.errors)
	}
	return numbers, nil
}

// Kill ends the program as SIGKILL does and waits until it is gone. Kill after
// the end does nothing.
func (p *Program) Kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}

// Shoot sends SIGKILL, returns when it was sent, and does not wait.
func (p *Program) Shoot() (time.Time, error) {
	now := time.Now()
	return now, p.command.Process.Kill()
}

// Freeze sends SIGSTOP and returns when it was sent.
func (p *Program) Freeze() (time.Time, error) {
	now := time.Now()
	return now, p.command.Process.Signal(syscall.SIGSTOP)
}

// Stop tells the program to leave and waits until it has ended; one that takes
// too long is killed.
func (p *Program) Stop() {
	_ = p.leave() // a broken pipe is a program that has ended
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		p.Kill()
	}
}

// Background starts a program that is not asked, such as a name server. The
// function that it returns ends it and waits until it is gone.
func Background(command *exec.Cmd) (end func(), err error) {
	command.SysProcAttr = withParent()
	if err := command.Start(); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = command.Process.Signal(os.Kill) // it may have ended
		_ = command.Wait()
	}), nil
}

// tail keeps the last that was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - errorTail; over > 0 {
		t.text = t.text[over:]
	}
	return len(b), nil
}

// String returns what was kept, for the end of an error.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.text) == 0 {
		return ""
	}
	return "; it wrote: " + strings.TrimSpace(string(t.text))
}
