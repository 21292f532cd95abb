//go:build linux

package hosts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Process is a command that runs on a host.
type Process struct {
	host *Host
	cmd  *exec.Cmd
	wait func() error
}

// Start starts a command in the host's network namespace, in a process group of
// its own, so that an interrupt at the terminal does not reach it. It is killed
// when this program ends, however that happens. The command must not have been
// started.
func (h *Host) Start(cmd *exec.Cmd) (*Process, error) {
	attributes := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attributes = *cmd.SysProcAttr
	}
	attributes.Setpgid, attributes.Pdeathsig = true, syscall.SIGKILL
	cmd.SysProcAttr = &attributes
	p := &Process{host: h, cmd: cmd, wait: sync.OnceValue(cmd.Wait)}

	all := h.hosts
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.closed {
		return nil, ErrClosed
	}
	if err := all.starter.within(h.ns, cmd.Start); err != nil {
		return nil, fmt.Errorf("hosts: start %s on %s: %w", cmd.Path, h.name, err)
	}
	all.processes[p] = struct{}{}
	all.cfg.Logger.Info("process started", "host", h.name, "pid", p.Pid())
	return p, all.record.add("process", p.Pid())
}

// Pid returns the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Host returns where the process runs.
func (p *Process) Host() *Host { return p.host }

// Kill ends the process at once, as a crash does, paused or not. It does not wait
// for the end. A process that has ended is no error.
func (p *Process) Kill() error { return p.signal(syscall.SIGKILL) }

// Pause freezes the process until Continue.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (p *Process) Continue() error { return p.signal(syscall.SIGCONT) }

// Signal sends any other signal.
func (p *Process) Signal(s os.Signal) error { return p.signal(s) }

func (p *Process) signal(s os.Signal) error {
	err := p.cmd.Process.Signal(s)
	if err == nil || errors.Is(err, os.ErrProcessDone) && s == syscall.SIGKILL {
		return nil
	}
	return fmt.Errorf("hosts: %v to process %d on %s: %w", s, p.Pid(), p.host.name, err)
}

// Wait waits for the process to end and returns what exec.Cmd.Wait does. It may be
// called more than once. As there, read a pipe to its end before.
func (p *Process) Wait() error {
	err := p.wait()
	p.host.hosts.mu.Lock()
	defer p.host.hosts.mu.Unlock()
	delete(p.host.hosts.processes, p)
	return err
}
