//go:build linux

package hosts_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/hosts"
	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// asRun makes the test's binary a run of its own that waits to be ended.
const asRun = "ROLLCALL_HOSTS_RUN"

// prefix is that of the tests.
const prefix = "rclt"

func TestMain(m *testing.M) {
	if kind := os.Getenv(asRun); kind != "" {
		if err := run(hosts.Kind(kind)); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// run opens two hosts with a process each, says so, and waits for an interrupt.
func run(kind hosts.Kind) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	all, err := hosts.Open(ctx, hosts.Config{Kind: kind, Nodes: []string{"n1", "n2"}, Prefix: prefix})
	if err != nil {
		return err
	}
	for _, h := range all.All() {
		cmd := exec.Command("sh", "-c", "sleep 600 & echo pid $$; echo pid $!; wait")
		cmd.Stdout = os.Stdout
		if _, err := h.Start(cmd); err != nil {
			return err
		}
	}
	fmt.Println("started")
	<-ctx.Done()
	return all.Close()
}

func kinds(t *testing.T, f func(t *testing.T, kind hosts.Kind)) {
	for _, kind := range []hosts.Kind{hosts.Bridge, hosts.Tap} {
		t.Run(string(kind), func(t *testing.T) {
			need(t, kind)
			f(t, kind)
		})
	}
}

func need(t *testing.T, kind hosts.Kind) {
	t.Helper()
	if err := hosts.Available(kind); err != nil {
		t.Skip(err)
	}
}

func open(t *testing.T, kind hosts.Kind) (context.Context, *hosts.Hosts) {
	t.Helper()
	need(t, kind)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	all, err := hosts.Open(ctx, hosts.Config{Kind: kind, Nodes: []string{"n1", "n2", "n3"}, Prefix: prefix, Seed: 7})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, all.Close())
		requireNothingLeft(t)
	})
	return ctx, all
}

func requireNothingLeft(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"/run/netns", "/run/rollcall-live"} {
		left, err := filepath.Glob(filepath.Join(dir, prefix+"-*"))
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

func TestCutsAreRealAndHealed(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		ctx, all := open(t, kind)
		for _, f := range []hosts.Fault{
			hosts.Cut(hosts.Both("n1", "n2")...),
			hosts.Cut(hosts.Link{From: "n2", To: "n3"}),
			hosts.Cut(hosts.Split([]string{"n1"}, []string{"n2", "n3"})...),
			hosts.Cut(all.Isolate("n3")...),
			hosts.Cut(all.Links()...),
			hosts.Muting(hosts.Both("n1", "n3")...),
		} {
			require.NoError(t, all.Apply(ctx, f))
			require.NoError(t, all.Lift(ctx, f))
		}
	})
}

func TestOverlappingCutsReplaceEachOther(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		ctx, all := open(t, kind)
		one, two := hosts.Cut(all.Isolate("n1")...), hosts.Cut(all.Isolate("n2")...)
		require.NoError(t, all.Inject(one))
		require.NoError(t, all.Inject(two))
		require.NoError(t, all.Verify(ctx))
		require.NoError(t, all.Lift(ctx, one))
		require.False(t, all.State(hosts.Link{From: "n1", To: "n2"}).Closed)
		require.True(t, all.State(hosts.Link{From: "n3", To: "n2"}).Closed)
		require.NoError(t, all.Lift(ctx, two))
	})
}

func TestTapWorsensLinks(t *testing.T) {
	ctx, all := open(t, hosts.Tap)
	const ms = time.Millisecond
	for _, c := range []link.Conditions{
		{Low: 20 * ms, High: 30 * ms},
		{Loss: 0.2, Dup: 0.1},
		{Reorder: 0.3, High: 5 * ms},
		{Size: 600},
		{Rate: 50_000},
		{NoUDP: true},
		{NoTCP: true},
		{Held: true},
	} {
		f := hosts.Worsening(c, hosts.Link{From: "n1", To: "n2"}, hosts.Link{From: "n3", To: "n1"})
		require.NoError(t, all.Apply(ctx, f), "%+v", c)
		require.NoError(t, all.Recover(f))
	}
	require.NoError(t, all.Verify(ctx))
	s := all.Stats()[hosts.Link{From: "n1", To: "n2"}]
	for _, r := range []link.Reason{link.Lost, link.Large, link.UDP, link.TCP} {
		require.NotZero(t, s.Dropped[r].Frames, r)
	}
	require.NotZero(t, s.Copied.Frames)
	require.NotZero(t, s.Delivered.Bytes)
}

func TestNothingElseIsOnTheLinks(t *testing.T) {
	_, all := open(t, hosts.Tap)
	time.Sleep(200 * time.Millisecond) // real clock: the connections of Verify end
	before := all.Stats()
	time.Sleep(300 * time.Millisecond) // real clock: for what the kernel says unasked
	require.Equal(t, before, all.Stats())
	for l, s := range before {
		require.NotZero(t, s.Delivered.Frames, l)
	}
}

func TestWhatABridgeCannotDoIsRefused(t *testing.T) {
	ctx, all := open(t, hosts.Bridge)
	l := hosts.Link{From: "n1", To: "n2"}
	require.ErrorIs(t, all.Inject(hosts.Worsening(link.Conditions{Loss: 0.5}, l)), hosts.ErrUnsupported)
	require.Error(t, all.Inject(hosts.Cut(l, hosts.Link{From: "n1", To: "n9"})))
	require.Nil(t, all.Stats())
	require.NoError(t, all.Verify(ctx), "nothing has changed")
}

func TestAFaultWithoutEffectIsAnError(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		ctx, all := open(t, kind)
		l := hosts.Link{From: "n1", To: "n2"}
		all.Pretend(l, hosts.State{Conditions: link.Conditions{Closed: true}})
		err := all.Verify(ctx)
		require.ErrorIs(t, err, hosts.ErrNoEffect)
		require.ErrorContains(t, err, "n1 -> n2")
		require.NotContains(t, err.Error(), "n2 -> n3")

		all.Pretend(l, hosts.State{})
		require.NoError(t, all.Inject(hosts.Cut(l)))
		all.Pretend(l, hosts.State{})
		require.ErrorIs(t, all.Verify(ctx), hosts.ErrNoEffect)

		all.Pretend(l, hosts.State{Mute: true})
		require.ErrorIs(t, all.Verify(ctx), hosts.ErrNoEffect)
	})
}

func TestTapNoticesThatConditionsAreMissing(t *testing.T) {
	ctx, all := open(t, hosts.Tap)
	for _, c := range []link.Conditions{
		{Low: 20 * time.Millisecond, High: 20 * time.Millisecond}, {Loss: 0.2}, {Dup: 0.2}, {Reorder: 0.3}, {Size: 600}, {Rate: 20_000},
		{NoUDP: true}, {NoTCP: true}, {Held: true},
	} {
		all.Pretend(hosts.Link{From: "n2", To: "n3"}, hosts.State{Conditions: c})
		require.ErrorIs(t, all.Verify(ctx), hosts.ErrNoEffect, "%+v", c)
	}
}

// requireState waits until a process is in a state of /proc/PID/stat.
func requireState(t *testing.T, p *hosts.Process, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
		_, after, found := strings.Cut(string(line), ") ")
		return err == nil && found && strings.HasPrefix(after, state)
	}, 5*time.Second, time.Millisecond)
}

func TestProcessesAreInTheirNamespaceAndCanBeHarmed(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		_, all := open(t, kind)
		host := all.Host("n2")
		p, err := host.Start(exec.Command("sleep", "600"))
		require.NoError(t, err)
		ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.Pid()))
		require.NoError(t, err)
		outside, err := os.Readlink("/proc/self/ns/net")
		require.NoError(t, err)
		require.NotEqual(t, outside, ours)
		require.Same(t, host, p.Host())
		requireState(t, p, "S")
		require.NoError(t, p.Pause())
		requireState(t, p, "T")
		require.NoError(t, p.Continue())
		requireState(t, p, "S")
		require.NoError(t, p.Pause())
		require.NoError(t, p.Kill())
		require.ErrorContains(t, p.Wait(), "killed")
		require.ErrorContains(t, p.Wait(), "killed")
		require.NoError(t, p.Kill(), "it has ended, which is what was wanted")
		require.Error(t, p.Pause())

		_, err = host.Start(exec.Command("no-such-program"))
		require.Error(t, err)
		family := exec.Command("sh", "-c", "sleep 600 & sleep 600") // Close ends the children, which hold the pipe
		family.Stdout = new(bytes.Buffer)
		_, err = host.Start(family)
		require.NoError(t, err)
	})
}

func TestClosedHostsSaySo(t *testing.T) {
	ctx, all := open(t, hosts.Tap)
	p, err := all.Host("n1").Start(exec.Command("sleep", "600"))
	require.NoError(t, err)
	require.NoError(t, all.Close())
	require.NoError(t, all.Close())
	require.ErrorContains(t, p.Wait(), "killed")
	require.ErrorIs(t, all.Verify(ctx), hosts.ErrClosed)
	require.ErrorIs(t, all.Inject(hosts.Cut(all.Links()...)), hosts.ErrClosed)
	require.ErrorIs(t, all.Host("n1").Do(func() error { return nil }), hosts.ErrClosed)
	_, err = all.Host("n1").Start(exec.Command("true"))
	require.ErrorIs(t, err, hosts.ErrClosed)
}

func TestCloseInterruptsVerify(t *testing.T) {
	ctx, all := open(t, hosts.Bridge)
	l := hosts.Link{From: "n1", To: "n2"}
	require.NoError(t, all.Inject(hosts.Cut(l)))
	all.Pretend(l, hosts.State{}) // or Verify is soon content
	result := make(chan error, 1)
	go func() { result <- all.Verify(ctx) }()
	time.Sleep(100 * time.Millisecond) // real clock: Verify is under way
	begun := time.Now()
	require.NoError(t, all.Close())
	require.Less(t, time.Since(begun), 2*time.Second)
	require.ErrorIs(t, <-result, hosts.ErrClosed)
}

func TestTheEndOfTheContextCloses(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		ctx, cancel := context.WithCancel(t.Context())
		all, err := hosts.Open(ctx, hosts.Config{Kind: kind, Nodes: []string{"n1", "n2"}, Prefix: prefix})
		require.NoError(t, err)
		p, err := all.Host("n1").Start(exec.Command("sleep", "600"))
		require.NoError(t, err)
		cancel()
		require.ErrorContains(t, p.Wait(), "killed")
		require.NoError(t, all.Close())
		requireNothingLeft(t)
	})
}

func TestNetIsHowLinksAreWithoutAFault(t *testing.T) {
	net := link.Conditions{Low: 10 * time.Millisecond, High: 15 * time.Millisecond}
	cfg := hosts.Config{Kind: hosts.Bridge, Nodes: []string{"n1", "n2"}, Prefix: prefix, Net: net}
	need(t, hosts.Tap)
	_, err := hosts.Open(t.Context(), cfg)
	require.ErrorIs(t, err, hosts.ErrUnsupported)
	requireNothingLeft(t)
	cfg.Kind = hosts.Tap
	all, err := hosts.Open(t.Context(), cfg)
	require.NoError(t, err)
	cut := hosts.Cut(all.Links()...)
	require.NoError(t, all.Apply(t.Context(), cut))
	require.NoError(t, all.Lift(t.Context(), cut))
	require.Equal(t, net, all.State(hosts.Link{From: "n1", To: "n2"}).Conditions)
	require.NoError(t, all.Close())
}

// another starts a run in a program of its own, and returns the processes on its
// hosts once they run.
func another(t *testing.T, kind hosts.Kind) (*exec.Cmd, []string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asRun+"="+string(kind))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var pids []string
	started := false
	for in := bufio.NewScanner(out); in.Scan(); {
		if pid, found := strings.CutPrefix(in.Text(), "pid "); found {
			pids = append(pids, pid)
		} else {
			require.Equal(t, "started", in.Text())
			started = true
		}
		if started && len(pids) == 4 {
			return cmd, pids
		}
	}
	require.Fail(t, "the run ended early")
	return nil, nil
}

func requireEnded(t *testing.T, pids []string) {
	t.Helper()
	for _, pid := range pids {
		require.Eventually(t, func() bool {
			_, err := os.Stat("/proc/" + pid + "/ns/net") // of one that nobody waited for it fails too
			return err != nil
		}, 5*time.Second, time.Millisecond)
	}
}

func TestAnInterruptCleansUp(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		cmd, pids := another(t, kind)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait())
		requireEnded(t, pids)
		requireNothingLeft(t)
	})
}

func TestARunThatWasKilledIsCleanedUpAfter(t *testing.T) {
	kinds(t, func(t *testing.T, kind hosts.Kind) {
		cmd, pids := another(t, kind)
		removed, err := hosts.Clean(prefix)
		require.NoError(t, err)
		require.Empty(t, removed, "a run that lives is left alone")
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		require.Error(t, cmd.Wait())
		requireEnded(t, []string{pids[0]}) // the children of what was started live on
		removed, err = hosts.Clean(prefix)
		require.NoError(t, err)
		requireEnded(t, pids)
		require.Len(t, removed, map[hosts.Kind]int{hosts.Bridge: 3, hosts.Tap: 2}[kind])
		requireNothingLeft(t)
	})
}

func TestCleanRemovesNamesWithoutNamespaces(t *testing.T) {
	need(t, hosts.Bridge)
	require.NoError(t, os.MkdirAll("/run/netns", 0o755))
	left := "/run/netns/" + prefix + "-0123abcd-n1"
	require.NoError(t, os.WriteFile(left, nil, 0o444))
	removed, err := hosts.Clean(prefix)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Base(left)}, removed)
	requireNothingLeft(t)
}

func TestCleanRemovesRecordsThatNeverGotTheirName(t *testing.T) {
	need(t, hosts.Bridge)
	require.NoError(t, os.MkdirAll("/run/rollcall-live", 0o755))
	young, old := "/run/rollcall-live/"+prefix+"-0123abcd.new", "/run/rollcall-live/"+prefix+"-4567abcd.new"
	for _, path := range []string{young, old} {
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	require.NoError(t, os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)))
	_, err := hosts.Clean(prefix)
	require.NoError(t, err)
	require.NoFileExists(t, old)
	require.NoError(t, os.Remove(young), "it may be of a run that begins")
	requireNothingLeft(t)
}

func TestFaultyConfigurationsAreRefused(t *testing.T) {
	for _, cfg := range []hosts.Config{
		{},
		{Kind: "rope", Nodes: []string{"n1"}},
		{Nodes: []string{"n1", "n1"}},
		{Nodes: []string{"a/b"}},
		{Nodes: []string{"n1"}, Prefix: "Much-Too-Long"},
		{Nodes: make([]string, 201)},
	} {
		_, err := hosts.Open(t.Context(), cfg)
		require.Error(t, err)
	}
	_, err := hosts.Clean("../x")
	require.Error(t, err)
}

func TestProxyIsNotThereYet(t *testing.T) {
	_, err := hosts.Open(t.Context(), hosts.Config{Kind: hosts.Proxy, Nodes: []string{"n1"}})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "without root")
}
