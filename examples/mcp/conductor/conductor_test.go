package conductor_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// role makes the test's binary play a node.
const role = "ROLLCALL_DEMO_ROLE"

// patience is how long a node lives at most that nobody kills.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "node":
		playNode(os.Stdin)
	case "stubborn":
		// It neither reads nor leaves when it is told to.
		signal.Ignore(os.Interrupt)
		go playNode(os.Stdin)
		time.Sleep(patience)
	case "babbling":
		fmt.Println("hello")
		time.Sleep(patience)
	}
}

// playNode opens no registry: its address is its name.
func playNode(in *os.File) {
	var name string
	fmt.Fprintln(os.Stderr, "a node logs this")
	_ = wire.Serve(context.Background(), in, os.Stdout, map[string]wire.Command{
		wire.DoOpen: wire.Typed(func(_ context.Context, args wire.OpenArgs) (wire.Opened, error) {
			name = args.Node
			return wire.Opened{Addr: "at " + args.Node}, nil
		}),
		wire.DoStatus: wire.Typed(func(context.Context, wire.None) (wire.Status, error) {
			return wire.Status{Nodes: []string{name}}, nil
		}),
		wire.DoAwait: wire.Typed(func(ctx context.Context, _ wire.AwaitArgs) (wire.Holder, error) {
			<-ctx.Done()
			return wire.Holder{}, ctx.Err()
		}),
	})
}

// cluster returns a cluster whose nodes are the test's binary in the given role.
func cluster(t *testing.T, plays string) *conductor.Cluster {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c, err := conductor.New(func(string) *exec.Cmd {
		command := exec.Command(self)
		command.Env = append(os.Environ(), role+"="+plays)
		return command
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close())
		require.Empty(t, c.Running())
		require.NoError(t, c.Discard())
	})
	return c
}

func TestNodesStartAnswerAndStop(t *testing.T) {
	c := cluster(t, "node")
	n1, err := c.Start(t.Context(), "n1")
	require.NoError(t, err)
	n2, err := c.Start(t.Context(), "n2", n1.Addr)
	require.NoError(t, err)
	require.Equal(t, "at n2", n2.Addr)
	require.NotEqual(t, n1.Process, n2.Process)

	status, err := n2.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"n2"}, status.Nodes)

	require.NoError(t, n1.Stop())
	require.True(t, n1.Ended())
	require.Equal(t, []*conductor.Node{n2}, c.Running())
	require.Equal(t, 2, c.Started())

	require.NoError(t, c.Close())
	require.Empty(t, c.Running())
	require.Contains(t, c.Logs(10), "a node logs this")
	_, err = c.Start(t.Context(), "n3")
	require.ErrorIs(t, err, conductor.ErrClosed)
}

func TestAKilledNodeFailsWhoWaitsForIt(t *testing.T) {
	c := cluster(t, "node")
	n1, err := c.Start(t.Context(), "n1")
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := n1.Await(context.Background(), "calculator", "")
		failed <- err
	}()
	require.NoError(t, n1.Kill())
	require.True(t, n1.Ended())
	require.ErrorIs(t, <-failed, wire.ErrGone)
	require.NoError(t, n1.Kill(), "a second kill does nothing")
}

func TestANodeThatDoesNotLeaveIsKilled(t *testing.T) {
	c := cluster(t, "stubborn")
	n1, err := c.Start(t.Context(), "n1")
	require.NoError(t, err)
	require.NoError(t, n1.Stop())
	require.True(t, n1.Ended())
}

func TestANodeThatBabblesIsNotStarted(t *testing.T) {
	c := cluster(t, "babbling")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := c.Start(ctx, "n1")
	require.ErrorIs(t, err, wire.ErrGone)
	require.Empty(t, c.Running())
}

func TestACommandThatCannotStartIsAnError(t *testing.T) {
	c, err := conductor.New(func(string) *exec.Cmd { return exec.Command("/nonexistent/rollcall") })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Discard()) })
	_, err = c.Start(t.Context(), "n1")
	require.ErrorContains(t, err, "start node n1")
}
