package wire_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// connect runs a node with the given commands and returns a client to it, and
// the end of the client's requests, whose closing is the order to end.
func connect(t *testing.T, commands map[string]wire.Command) (*wire.Client, io.Closer) {
	t.Helper()
	requestsIn, requestsOut := io.Pipe()
	repliesIn, repliesOut := io.Pipe()
	client := wire.NewClient("n1", requestsOut)
	served, received := make(chan error, 1), make(chan error, 1)
	go func() {
		served <- wire.Serve(t.Context(), requestsIn, repliesOut, commands)
		_ = repliesOut.Close()
	}()
	go func() { received <- client.Receive(repliesIn) }()
	t.Cleanup(func() {
		require.NoError(t, requestsOut.Close())
		require.NoError(t, <-served)
		require.NoError(t, <-received)
	})
	return client, requestsOut
}

func TestAskReturnsTheResult(t *testing.T) {
	client, _ := connect(t, map[string]wire.Command{
		wire.DoWhereis: wire.Typed(func(_ context.Context, args wire.NameArgs) (wire.Found, error) {
			return wire.Found{OK: true, Holder: wire.Holder{Name: args.Name, PID: "p1"}}, nil
		}),
	})
	found, err := wire.Ask[wire.Found](t.Context(), client, wire.DoWhereis, wire.NameArgs{Name: "calculator"})
	require.NoError(t, err)
	require.Equal(t, wire.Found{OK: true, Holder: wire.Holder{Name: "calculator", PID: "p1"}}, found)
}

func TestAskReturnsTheFaultWithTheHolder(t *testing.T) {
	holder := wire.Holder{Name: "calculator", PID: "p1", Node: "n2"}
	client, _ := connect(t, map[string]wire.Command{
		wire.DoRegister: wire.Typed(func(context.Context, wire.RegisterArgs) (wire.Holder, error) {
			return wire.Holder{}, &wire.TakenError{Holder: holder, Err: errors.New("taken")}
		}),
	})
	_, err := wire.Ask[wire.Holder](t.Context(), client, wire.DoRegister, wire.RegisterArgs{Name: "calculator"})
	var fault *wire.Fault
	require.ErrorAs(t, err, &fault)
	require.Equal(t, &holder, fault.Taken)
	require.EqualError(t, err, "n1: register: taken")
}

func TestAskOfAnUnknownCommandIsAFault(t *testing.T) {
	client, _ := connect(t, nil)
	_, err := wire.Ask[wire.None](t.Context(), client, "sing", wire.None{})
	require.ErrorContains(t, err, `no command "sing"`)
}

func TestACommandThatWaitsHoldsUpNobody(t *testing.T) {
	release := make(chan struct{})
	client, _ := connect(t, map[string]wire.Command{
		wire.DoAwait: wire.Typed(func(context.Context, wire.AwaitArgs) (wire.Holder, error) {
			<-release
			return wire.Holder{PID: "late"}, nil
		}),
		wire.DoHeal: wire.Typed(func(context.Context, wire.None) (wire.None, error) { return wire.None{}, nil }),
	})
	late := make(chan wire.Holder, 1)
	go func() {
		holder, _ := wire.Ask[wire.Holder](t.Context(), client, wire.DoAwait, wire.AwaitArgs{})
		late <- holder
	}()
	_, err := wire.Ask[wire.None](t.Context(), client, wire.DoHeal, wire.None{})
	require.NoError(t, err)
	close(release)
	require.Equal(t, "late", (<-late).PID)
}

func TestTheDeadlineTravels(t *testing.T) {
	ended := make(chan error, 1)
	client, _ := connect(t, map[string]wire.Command{
		wire.DoAwait: wire.Typed(func(ctx context.Context, _ wire.AwaitArgs) (wire.Holder, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return wire.Holder{}, ctx.Err()
		}),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := wire.Ask[wire.Holder](ctx, client, wire.DoAwait, wire.AwaitArgs{})
	require.Error(t, err)
	require.ErrorIs(t, <-ended, context.DeadlineExceeded)
}

func TestTheEndOfTheNodeFailsWhoWaits(t *testing.T) {
	asked := make(chan struct{})
	client, requests := connect(t, map[string]wire.Command{
		wire.DoAwait: wire.Typed(func(ctx context.Context, _ wire.AwaitArgs) (wire.Holder, error) {
			close(asked)
			<-ctx.Done()
			// The pipe of replies stays open until this command returned, so that
			// its reply is still read.
			return wire.Holder{}, ctx.Err()
		}),
	})
	failed := make(chan error, 1)
	go func() {
		_, err := wire.Ask[wire.Holder](context.Background(), client, wire.DoAwait, wire.AwaitArgs{})
		failed <- err
	}()
	<-asked
	require.NoError(t, requests.Close())
	require.ErrorContains(t, <-failed, "context canceled")

	// Once the node is gone, asking fails at once.
	require.Eventually(t, func() bool {
		_, err := wire.Ask[wire.None](context.Background(), client, wire.DoHeal, wire.None{})
		return errors.Is(err, wire.ErrGone)
	}, 5*time.Second, time.Millisecond)
}

func TestReceiveFailsOnWhatIsNoReply(t *testing.T) {
	client := wire.NewClient("n1", io.Discard)
	require.ErrorContains(t, client.Receive(strings.NewReader("panic: no\n")), "no reply")
	_, err := wire.Ask[wire.None](t.Context(), client, wire.DoHeal, wire.None{})
	require.ErrorIs(t, err, wire.ErrGone)
}
