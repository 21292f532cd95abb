package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/rollcall-dev/rollcall/bench/conductor"
	"github.com/rollcall-dev/rollcall/bench/erlang"
)

// Kind is what a cluster is made of.
type Kind string

// The kinds.
const (
	Rollcall   Kind = "rollcall"
	Global     Kind = "global"
	PG         Kind = "pg"
	Serf       Kind = "serf"
	Memberlist Kind = "memberlist"
	Dskit      Kind = "dskit"
)

// RoleVariable is the variable of the environment that makes the benchmark's
// program play a node of the kind that it names.
const RoleVariable = "ROLLCALL_BENCH_ROLE"

// Stage is what clusters are opened with.
type Stage struct {
	// Self is the benchmark's own program.
	Self string
	// DskitNode is the program of a node of dskit; empty when there is none.
	DskitNode string
	// Tools starts nodes of Erlang; nil when Erlang is missing.
	Tools *erlang.Toolchain

	opened atomic.Int64
}

// AllowOverlap is an argument of Open: nodes of Erlang then do not disconnect from
// each other because one of them lost another. By default they do, and a cut that
// they do not all see in the same moment leaves them in more parts than were cut.
const AllowOverlap = "allow overlap"

// erlangArgs are the arguments of AllowOverlap.
func erlangArgs(options []string) []string {
	if slices.Contains(options, AllowOverlap) {
		return []string{"-kernel", "prevent_overlapping_partitions", "false"}
	}
	return nil
}

// ErrMissing is returned for a kind that cannot be started on this machine.
var ErrMissing = errors.New("cluster: not installed")

// Available returns an error that wraps ErrMissing when a kind cannot be started.
func (s *Stage) Available(kind Kind) error {
	switch {
	case (kind == Global || kind == PG) && s.Tools == nil:
		return fmt.Errorf("%w: erl", ErrMissing)
	case kind == Dskit && s.DskitNode == "":
		return fmt.Errorf("%w: the dskit node", ErrMissing)
	}
	return nil
}

// command returns the command of a node.
func (s *Stage) command(kind Kind, cluster, name string, alone bool, args []string) *exec.Cmd {
	switch {
	case kind == Dskit:
		return exec.Command(s.DskitNode)
	case kind != Global && kind != PG:
		command := exec.Command(s.Self)
		command.Env = append(os.Environ(), RoleVariable+"="+string(kind))
		return command
	case alone:
		return s.Tools.Alone(string(kind))
	}
	return s.Tools.Node(string(kind), cluster, name, args...)
}

// address returns where a node is found, which said that it has this port.
func (s *Stage) address(kind Kind, cluster, name string, port int64) string {
	if kind == Global || kind == PG {
		return s.Tools.Address(cluster, name)
	}
	return net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))
}

// Alone starts one node that takes part in no cluster.
func (s *Stage) Alone(ctx context.Context, kind Kind, env ...string) (*Cluster, error) {
	c, err := s.empty(kind)
	if err != nil {
		return nil, err
	}
	c.env = env
	if err := c.start("n1", true); err != nil {
		return nil, err
	}
	if _, err := c.Ask(ctx, 0, "alone"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Bare starts a program without opening a node in it.
func (s *Stage) Bare(kind Kind, env ...string) (*Cluster, error) {
	c, err := s.empty(kind)
	if err != nil {
		return nil, err
	}
	c.env = env
	return c, c.start("n1", true)
}

// Open starts a cluster of some nodes and returns when each reaches all.
func (s *Stage) Open(ctx context.Context, kind Kind, nodes int, options ...string) (*Cluster, error) {
	c, err := s.empty(kind)
	if err != nil {
		return nil, err
	}
	c.args = erlangArgs(options)
	// The programs start at the same time and join one after the other.
	for i := range nodes {
		if err := c.start(fmt.Sprintf("n%d", i+1), false); err != nil {
			c.Close()
			return nil, err
		}
	}
	for i := range nodes {
		if err := c.join(ctx, i); err != nil {
			c.Close()
			return nil, err
		}
	}
	if err := c.AwaitReached(ctx, nodes, c.all()...); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (s *Stage) empty(kind Kind) (*Cluster, error) {
	if err := s.Available(kind); err != nil {
		return nil, err
	}
	label := fmt.Sprintf("bench-%d-%d", os.Getpid(), s.opened.Add(1))
	return &Cluster{Kind: kind, stage: s, label: label, crew: conductor.NewCrew()}, nil
}
