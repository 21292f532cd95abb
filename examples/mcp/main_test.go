//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
)

// asDemo makes the test's binary play the demo, and its nodes with it.
const asDemo = "ROLLCALL_DEMO_PLAY"

func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// demo returns the command line of the demo, with the logs of its nodes in a
// directory of the test.
func demo(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(self, arguments...)
	command.Env = append(os.Environ(), asDemo+"=1", "TMPDIR="+t.TempDir())
	return command
}

func TestEverythingHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole story takes some seconds")
	}
	command := demo(t, "-json")
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	began := time.Now()
	err := command.Run()
	require.NoError(t, err, "%s\n%s", out.String(), log.String())
	require.Less(t, time.Since(began), time.Minute)

	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	var report stage.Report
	require.NoError(t, decoder.Decode(&report))
	require.True(t, report.Held)
	require.Len(t, report.Steps, 24)
	for _, step := range report.Steps {
		require.True(t, step.Held, step.Name)
		require.NotEmpty(t, step.Detail, step.Name)
	}
	require.ErrorIs(t, decoder.Decode(&report), io.EOF, "there is one object and nothing else")
}

func TestAnInterruptLeavesNothingRunning(t *testing.T) {
	command, nodes := begin(t)
	require.NoError(t, command.Process.Signal(os.Interrupt))
	requireNotHeld(t, command)
	requireEnded(t, nodes)
}

func TestAStepThatDoesNotHoldLeavesNothingRunning(t *testing.T) {
	command, nodes := begin(t)
	require.NoError(t, syscall.Kill(nodes[1].process, syscall.SIGKILL))
	requireNotHeld(t, command)
	requireEnded(t, nodes)
}

func TestNodesDoNotOutliveAConductorThatIsKilled(t *testing.T) {
	command, nodes := begin(t)
	require.NoError(t, command.Process.Signal(syscall.SIGKILL))
	require.Error(t, command.Wait())
	require.Eventually(t, func() bool {
		return !slices.ContainsFunc(nodes, running.listens)
	}, 10*time.Second, 10*time.Millisecond)
}

// running is a node of a demo that was begun.
type running struct {
	process int
	addr    string
}

// begin starts the demo and returns when its three nodes listen.
func begin(t *testing.T) (*exec.Cmd, []running) {
	t.Helper()
	command := demo(t)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill() })

	node := regexp.MustCompile(`is process (\d+) and listens at (\S+)`)
	var nodes []running
	lines := bufio.NewScanner(out)
	for len(nodes) < 3 && lines.Scan() {
		if found := node.FindStringSubmatch(lines.Text()); found != nil {
			process, err := strconv.Atoi(found[1])
			require.NoError(t, err)
			nodes = append(nodes, running{process, found[2]})
		}
	}
	require.Len(t, nodes, 3)
	// The demo must not be held up, nor ended, by a transcript that nobody reads.
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return command, nodes
}

// requireNotHeld waits for the end of a demo that must say that not all held.
func requireNotHeld(t *testing.T, command *exec.Cmd) {
	t.Helper()
	failed, ok := errors.AsType[*exec.ExitError](command.Wait())
	require.True(t, ok, "the demo says that everything held")
	require.Equal(t, 1, failed.ExitCode())
}

// requireEnded checks that no node is left.
func requireEnded(t *testing.T, nodes []running) {
	t.Helper()
	for _, n := range nodes {
		require.False(t, n.listens(), "process %d is left at %s", n.process, n.addr)
	}
}

// listens reports whether the node accepts connections. A process that ended and
// that nobody waits for does not.
func (n running) listens() bool {
	conn, err := net.DialTimeout("tcp", n.addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
