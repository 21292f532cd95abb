package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// pair opens two nodes on the loopback interface that see each other.
func pair(t *testing.T) (a, b *node) {
	t.Helper()
	var seeds []string
	var nodes []*node
	for _, name := range []string{"a", "b"} {
		n := newNode(t.Context(), slog.New(slog.DiscardHandler))
		opened, err := n.open(t.Context(), wire.OpenArgs{Cluster: t.Name(), Node: name, Seeds: seeds})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.close()) })
		seeds = append(seeds, opened.Addr)
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		require.Eventually(t, func() bool {
			status, err := n.status(t.Context(), wire.None{})
			return err == nil && status.Serving && slices.Equal(status.Nodes, []string{"a", "b"})
		}, patience, time.Millisecond)
	}
	return nodes[0], nodes[1]
}

// attend starts a process on a node.
func attend(t *testing.T, n *node, value string) string {
	t.Helper()
	p, err := n.attend(t.Context(), wire.AttendArgs{Value: value})
	require.NoError(t, err)
	return p.PID
}

func TestEveryCommandNeedsAnOpenRegistry(t *testing.T) {
	n := newNode(t.Context(), slog.New(slog.DiscardHandler))
	for name, command := range n.commands() {
		switch name {
		case wire.DoOpen, wire.DoTold, wire.DoStop, wire.DoTool, wire.DoRead, wire.DoPrompt:
			continue
		}
		_, err := command(t.Context(), []byte("{}"))
		require.ErrorIs(t, err, ErrNotOpen, name)
	}
	require.NoError(t, n.close())
}

func TestARefusalNamesTheHolder(t *testing.T) {
	a, b := pair(t)
	first, second := attend(t, a, "at a"), attend(t, b, "at b")
	_, err := a.register(t.Context(), wire.RegisterArgs{Name: "calculator", PID: first})
	require.NoError(t, err)
	_, err = b.await(t.Context(), wire.AwaitArgs{Name: "calculator"})
	require.NoError(t, err)

	_, err = b.register(t.Context(), wire.RegisterArgs{Name: "calculator", PID: second})
	require.ErrorIs(t, err, registry.ErrTaken)
	taken, ok := errors.AsType[*wire.TakenError](err)
	require.True(t, ok)
	require.Equal(t, wire.Holder{Name: "calculator", PID: first, Node: "a", Value: "at a"}, taken.Holder)
}

func TestWhoStandsByTakesOverAndWhoWaitsSeesIt(t *testing.T) {
	a, b := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	first, second := attend(t, a, "at a"), attend(t, b, "at b")
	_, err := a.register(ctx, wire.RegisterArgs{Name: "calculator", PID: first})
	require.NoError(t, err)

	took, seen := make(chan error, 1), make(chan wire.Holder, 1)
	go func() {
		_, err := b.takeOver(ctx, wire.RegisterArgs{Name: "calculator", PID: second})
		took <- err
	}()
	go func() {
		holder, _ := a.await(ctx, wire.AwaitArgs{Name: "calculator", Not: first})
		seen <- holder
	}()
	_, err = a.stop(ctx, wire.ProcessArgs{PID: first})
	require.NoError(t, err)
	require.NoError(t, <-took)
	require.Equal(t, wire.Holder{Name: "calculator", PID: second, Node: "b", Value: "at b"}, <-seen)
}

func TestEachTellingOfALossIsKept(t *testing.T) {
	a, b := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	first, second := attend(t, a, "at a"), attend(t, b, "at b")
	for range 2 {
		_, err := a.register(ctx, wire.RegisterArgs{Name: "calculator", PID: first})
		require.NoError(t, err)
		_, err = b.await(ctx, wire.AwaitArgs{Name: "calculator"})
		require.NoError(t, err)
		p, err := b.process(second)
		require.NoError(t, err)
		_, err = b.registry.Reregister(ctx, "calculator", p.Process)
		require.NoError(t, err)
		_, err = a.await(ctx, wire.AwaitArgs{Name: "calculator", Not: first})
		require.NoError(t, err)
		require.NoError(t, b.registry.Unregister(ctx, "calculator", p.Process))
		require.NoError(t, untilChanged(ctx, a.registry, "calculator", p.PID()))
	}
	loss := wire.Loss{Name: "calculator", PID: first, Reason: "reregistered", Winner: second}
	require.Eventually(t, func() bool {
		told, err := a.told(ctx, wire.None{})
		return err == nil && slices.Equal(told.Losses, []wire.Loss{loss, loss})
	}, patience, time.Millisecond)
	told, err := b.told(ctx, wire.None{})
	require.NoError(t, err)
	require.Empty(t, told.Losses, "who won is not told")
}

func TestAServerIsFoundAndAnswersAMessage(t *testing.T) {
	a, b := pair(t)
	server, err := a.serve(t.Context(), wire.ServeArgs{Server: "calculator"})
	require.NoError(t, err)
	_, err = a.register(t.Context(), wire.RegisterArgs{Name: "calculator", PID: server.PID})
	require.NoError(t, err)
	_, err = a.join(t.Context(), wire.JoinArgs{Group: "tools", PID: server.PID})
	require.NoError(t, err)

	found, err := b.await(t.Context(), wire.AwaitArgs{Name: "calculator"})
	require.NoError(t, err)
	answer, err := b.tool(t.Context(), wire.ToolArgs{URL: found.Value, Tool: "add", Arguments: map[string]any{"a": 5, "b": 3}})
	require.NoError(t, err)
	require.JSONEq(t, `{"result": 8}`, answer.Text)
	answer, err = b.call(t.Context(), wire.CallArgs{Name: "calculator", Operation: "divide", A: 9, B: 4})
	require.NoError(t, err)
	require.Equal(t, "2.25", answer.Text)
	require.Eventually(t, func() bool {
		members, err := b.members(t.Context(), wire.GroupArgs{Group: "tools"})
		want := []wire.Member{{PID: server.PID, Node: "a", Value: server.Value}}
		return err == nil && slices.Equal(members.Members, want)
	}, patience, time.Millisecond)
}

func TestSpreadingIsTimedFromTheFirstName(t *testing.T) {
	a, b := pair(t)
	args := wire.SpreadArgs{Prefix: "spread/", Count: 5}
	type moments struct {
		wire.Moments
		err error
	}
	seen := make(chan moments, 1)
	go func() {
		m, err := b.watch(t.Context(), args)
		seen <- moments{m, err}
	}()
	registered, err := a.spread(t.Context(), args)
	require.NoError(t, err)
	appeared := <-seen
	require.NoError(t, appeared.err)
	require.Len(t, registered.UnixNanos, args.Count)
	require.Len(t, appeared.UnixNanos, args.Count)
	for i, at := range registered.UnixNanos {
		require.Greater(t, appeared.UnixNanos[i], at)
	}
}
