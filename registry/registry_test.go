package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/resolve"
	"github.com/rollcall-dev/rollcall/transport/memory"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(liveEnv); spec != "" {
		liveNode(spec)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, cfg registry.Config) *registry.Registry {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := registry.Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	return r
}

// three opens three nodes on one network and waits until they serve.
func three(t testing.TB, cfg registry.Config) (*memory.Network, [3]*registry.Registry) {
	t.Helper()
	net := memory.NewNetwork(memory.Config{})
	var nodes [3]*registry.Registry
	for i := range nodes {
		cfg.Node, cfg.Transport = fmt.Sprint("n", i+1), net.Transport()
		nodes[i] = open(t, cfg)
	}
	serving(t, nodes[:]...)
	return net, nodes
}

// serving waits until every node knows every other one as serving.
func serving(t testing.TB, nodes ...*registry.Registry) {
	t.Helper()
	eventually(t, func() bool {
		for _, r := range nodes {
			s := r.Status()
			n := 0
			for _, node := range s.Nodes {
				if node.Serving {
					n++
				}
			}
			if n < len(nodes) {
				return false
			}
		}
		return true
	})
}

// eventually waits for a condition that other goroutines bring about, in virtual
// time when it is called in a bubble.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline.C:
			require.Fail(t, "the condition never came true")
		}
	}
}

func attach(t testing.TB, r *registry.Registry) *registry.Process {
	t.Helper()
	p, err := r.Attach(t.Context())
	require.NoError(t, err)
	return p
}

func register(t testing.TB, r *registry.Registry, name string, o ...registry.Option) *registry.Process {
	t.Helper()
	p := attach(t, r)
	_, err := r.Register(t.Context(), name, p, o...)
	require.NoError(t, err)
	return p
}

func TestSingleNode(t *testing.T) {
	r := open(t, registry.Config{})
	ctx := t.Context()
	p := attach(t, r)
	h, err := r.Register(ctx, "user/42", p, registry.WithValue([]byte("v")))
	require.NoError(t, err)
	got, ok := r.Whereis("user/42")
	require.True(t, ok)
	require.Equal(t, h, got)
	require.Equal(t, p.PID(), got.PID)

	_, err = r.Register(ctx, "user/42", attach(t, r))
	require.ErrorIs(t, err, registry.ErrTaken)
	var taken *registry.TakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, h, taken.Holder)

	require.NoError(t, r.Update(ctx, "user/42", p, []byte("w")))
	got, _ = r.Whereis("user/42")
	require.Equal(t, "w", string(got.Value))
	require.Equal(t, h.Fence, got.Fence)

	q := attach(t, r)
	next, err := r.Reregister(ctx, "user/42", q)
	require.NoError(t, err)
	require.Greater(t, next.Fence, h.Fence)
	loss, err := p.NextLoss(ctx)
	require.NoError(t, err)
	require.Equal(t, registry.Reregistered, loss.Reason)
	require.NoError(t, p.Err())

	require.ErrorIs(t, r.Unregister(ctx, "user/42", p), registry.ErrNotHolder)
	require.NoError(t, r.Unregister(ctx, "user/42", q))
	_, err = r.Lookup("user/42")
	require.ErrorIs(t, err, registry.ErrNotFound)

	require.NoError(t, r.Join(ctx, "room", p, registry.WithValue([]byte("a"))))
	require.NoError(t, r.Join(ctx, "room", p, registry.WithValue([]byte("b"))))
	require.NoError(t, r.Join(ctx, "room", q))
	require.Len(t, r.Members("room"), 2)
	require.Equal(t, "b", string(r.Members("room")[0].Value))
	require.Equal(t, []registry.GroupSize{{Name: "room", Members: 2}}, r.Groups())
	p.Stop(nil)
	require.Len(t, r.Members("room"), 1)
	require.NoError(t, r.Leave(ctx, "room", q))
	require.Empty(t, r.Groups())
}

func TestNamesByPrefixAreSorted(t *testing.T) {
	r := open(t, registry.Config{})
	for _, name := range []string{"b/2", "a/9", "b/1", "c"} {
		register(t, r, name)
	}
	var names []string
	for name := range r.Names("b/") {
		names = append(names, name)
	}
	require.Equal(t, []string{"b/1", "b/2"}, names)
	require.Equal(t, 4, r.Count())
}

func TestProcessesEndForEveryReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, registry.Config{})
		w, err := r.Watch(registry.Everything())
		require.NoError(t, err)
		first, err := w.Next(t.Context())
		require.NoError(t, err)
		require.True(t, first.Snapshot)
		fault := errors.New("fault")
		ctx, cancel := context.WithCancelCause(t.Context())
		runs := map[string]func(context.Context, *registry.Process) error{
			"returns": func(context.Context, *registry.Process) error { return nil },
			"fails":   func(context.Context, *registry.Process) error { return fault },
			"panics":  func(context.Context, *registry.Process) error { panic("boom") },
			"cancelled": func(ctx context.Context, _ *registry.Process) error {
				<-ctx.Done()
				return ctx.Err()
			},
		}
		for name, run := range runs {
			goOn := make(chan struct{})
			p, err := r.Spawn(ctx, func(ctx context.Context, self *registry.Process) error {
				<-goOn
				return run(ctx, self)
			})
			require.NoError(t, err)
			_, err = r.Register(t.Context(), name, p)
			require.NoError(t, err)
			close(goOn)
			if name == "cancelled" {
				cancel(fault)
			}
			<-p.Done()
			_, ok := r.Whereis(name)
			require.False(t, ok, name)
			e, err := w.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, registry.Registered, e.Reason)
			e, err = w.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, registry.Exited, e.Reason)
			require.Equal(t, p.PID(), e.Old.PID)
			var panicked *registry.PanicError
			switch name {
			case "returns":
				require.NoError(t, p.Err())
			case "panics":
				require.ErrorAs(t, p.Err(), &panicked)
			default:
				require.ErrorIs(t, p.Err(), fault)
			}
			if name == "cancelled" {
				ctx, cancel = context.WithCancelCause(t.Context())
			}
		}
		cancel(nil)
		w.Close()
	})
}

func TestClusterRegisterTakenAndExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		p := register(t, n[0], "k", registry.WithValue([]byte("v")))
		h, err := n[2].Await(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, p.PID(), h.PID)
		_, err = n[1].Register(t.Context(), "k", attach(t, n[1]))
		var taken *registry.TakenError
		require.ErrorAs(t, err, &taken)
		require.Equal(t, p.PID(), taken.Holder.PID)
		p.Stop(nil)
		eventually(t, func() bool { _, ok := n[1].Whereis("k"); return !ok })
		register(t, n[1], "k")
	})
}

func TestNetsplitAndHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, n := three(t, registry.Config{})
		net.Partition([]string{"n1", "n2"}, []string{"n3"})
		time.Sleep(2 * time.Second)
		loser := register(t, n[0], "k")
		time.Sleep(time.Second)
		winner := register(t, n[2], "k")
		require.NoError(t, n[1].Join(t.Context(), "room", attach(t, n[1])))
		require.NoError(t, n[2].Join(t.Context(), "room", attach(t, n[2])))
		time.Sleep(10 * time.Minute)
		require.Len(t, n[0].Members("room"), 1)
		require.Equal(t, []string{"n3"}, n[0].Status().CutOff)
		net.Heal()
		time.Sleep(4 * time.Second)
		for _, r := range n {
			h, ok := r.Whereis("k")
			require.True(t, ok)
			require.Equal(t, winner.PID(), h.PID)
			require.Len(t, r.Members("room"), 2)
		}
		<-loser.Done()
		var lost *registry.ConflictError
		require.ErrorAs(t, loser.Err(), &lost)
		require.Equal(t, winner.PID(), lost.Winner.Holder)
		require.Len(t, lost.Claims, 2)
		require.NoError(t, winner.Err())
		heal := n[0].Status().LastHeal
		require.NotNil(t, heal)
		require.Equal(t, []string{"n3"}, heal.Nodes)
		require.GreaterOrEqual(t, heal.Lasted, 10*time.Minute)
		require.Equal(t, []registry.PID{loser.PID()}, heal.Losers())
		require.Contains(t, n[0].Why("k").String(), "won over", "the loser's node has seen the conflict")
	})
}

func TestNotifiedLoserLivesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, n := three(t, registry.Config{Policy: resolve.WithLoss(resolve.FirstWriter(), resolve.Notify)})
		net.Isolate("n3")
		time.Sleep(2 * time.Second)
		winner := register(t, n[0], "k")
		time.Sleep(time.Second)
		loser := register(t, n[2], "k")
		told := make(chan *registry.ConflictError, 4)
		loser.OnLoss(func(l *registry.ConflictError) { told <- l })
		net.Heal()
		l := <-told
		require.Equal(t, winner.PID(), l.Winner.Holder)
		time.Sleep(10 * time.Second)
		require.Empty(t, told, "told once")
		require.NoError(t, loser.Err())
		require.Empty(t, loser.Names())
	})
}

func TestCloseLeavesGracefully(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := three(t, registry.Config{})
		p := register(t, n[0], "k")
		_, err := n[1].Await(t.Context(), "k")
		require.NoError(t, err)
		w, err := n[1].Watch(registry.OfName("k"))
		require.NoError(t, err)
		_, err = w.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, n[0].Close(t.Context()))
		e, err := w.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, registry.NodeLeft, e.Reason)
		require.ErrorIs(t, p.Err(), registry.ErrClosed)
		_, err = n[0].Register(t.Context(), "x", p)
		require.ErrorIs(t, err, registry.ErrClosed)
		w.Close()
	})
}

func TestThirtyTwoNodesStartTogether(t *testing.T) {
	net := memory.NewNetwork(memory.Config{})
	nodes := make([]*registry.Registry, 32)
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			r, err := registry.Open(registry.Config{
				Node: fmt.Sprintf("n%02d", i), Transport: net.Transport(), Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Error(err)
				return
			}
			nodes[i] = r
			p, err := r.Attach(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := r.Register(t.Context(), "name of "+r.Node(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range nodes {
		eventually(t, func() bool { return r.Count() == 32 })
	}
	for _, r := range nodes {
		require.NoError(t, r.Close(t.Context()))
	}
}

func TestRacedRegistrations(t *testing.T) {
	names := 10_000
	if testing.Short() {
		names = 500
	}
	_, n := three(t, registry.Config{})
	var wg sync.WaitGroup
	won := make([][]int, 3)
	for i, r := range n {
		won[i] = make([]int, names)
		for part := range 4 {
			wg.Go(func() {
				p, err := r.Attach(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for k := part; k < names; k += 4 {
					_, err := r.Register(t.Context(), fmt.Sprint("name/", k), p)
					switch {
					case err == nil:
						won[i][k] = 1
					case !errors.Is(err, registry.ErrTaken):
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for k := range names {
		require.Equal(t, 1, won[0][k]+won[1][k]+won[2][k], "name %d", k)
	}
	for _, r := range n {
		eventually(t, func() bool { return r.Count() == names })
		require.Zero(t, r.Status().Machine.Conflicts)
	}
}

func TestBadInputIsRefusedAndLosesNothing(t *testing.T) {
	r := open(t, registry.Config{})
	ctx := t.Context()
	p := register(t, r, "k")
	dead := attach(t, r)
	dead.Stop(nil)
	for _, c := range []struct {
		name string
		key  string
		p    *registry.Process
		o    registry.Option
		want error
	}{
		{"empty name", "", p, registry.Option{}, registry.ErrKey},
		{"long name", strings.Repeat("x", 256), p, registry.Option{}, registry.ErrKey},
		{"not UTF-8", "\xff", p, registry.Option{}, registry.ErrKey},
		{"large value", "v", p, registry.WithValue(make([]byte, registry.MaxValue+1)), registry.ErrValue},
		{"dead process", "d", dead, registry.Option{}, registry.ErrNoProcess},
		{"no process", "d", nil, registry.Option{}, registry.ErrNoProcess},
	} {
		_, err := r.Register(ctx, c.key, c.p, c.o)
		require.ErrorIs(t, err, c.want, c.name)
		require.ErrorIs(t, r.Join(ctx, c.key, c.p, c.o), c.want, c.name)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := r.Register(cancelled, "x", p)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Attach(cancelled)
	require.ErrorIs(t, err, context.Canceled)
	_, err = registry.Open(registry.Config{Mailbox: -1, Minority: 9})
	require.ErrorContains(t, err, "Mailbox")
	require.ErrorContains(t, err, "Minority")
	require.Equal(t, 1, r.Count())
	_, err = r.Register(ctx, strings.Repeat("x", 255), p, registry.WithValue(make([]byte, registry.MaxValue)))
	require.NoError(t, err)
}
