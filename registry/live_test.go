package registry_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport/gossip"
)

// The live tests run nodes as processes of their own: this test binary again,
// with liveEnv set to the node's name and its seed. They read commands, one JSON
// object a line, and print what they see, one JSON object a line, with the time.

const liveEnv = "ROLLCALL_REGISTRY_NODE"

// order is a command for a live node.
type order struct {
	Do    string
	Name  string
	Group string
	Addrs []string
	N     int
}

// said is what a live node prints.
type said struct {
	What   string // ready, done, event
	At     int64  // nanoseconds since the Unix epoch
	Addr   string
	Key    string
	Holder string
	Reason string
	Won    []int
	N      int
	Error  string
}

func say(s said) {
	s.At = time.Now().UnixNano()
	line, _ := json.Marshal(s)
	fmt.Println(string(line))
}

// liveNode is the program of a node.
func liveNode(spec string) {
	name, seed, _ := strings.Cut(spec, " ")
	quiet := slog.New(slog.DiscardHandler)
	cfg := gossip.Config{Bind: "127.0.0.1:0", Logger: quiet}
	if seed != "" {
		cfg.Seeds = []string{seed}
	}
	tr, err := gossip.New(cfg)
	if err != nil {
		say(said{What: "ready", Error: err.Error()})
		return
	}
	reg, err := registry.Open(registry.Config{Node: name, Transport: tr, Logger: quiet})
	if err != nil {
		say(said{What: "ready", Error: err.Error()})
		return
	}
	w, _ := reg.Watch(registry.Everything())
	go func() {
		for e := range w.All(context.Background()) {
			if e.Snapshot || e.Kind != registry.NameKind || strings.HasPrefix(e.Key, "race/") {
				continue
			}
			holder := ""
			if !e.New.PID.IsZero() {
				holder = e.New.PID.Node
			}
			say(said{What: "event", Key: e.Key, Holder: holder, Reason: e.Reason.String()})
		}
	}()
	say(said{What: "ready", Addr: tr.Addr()})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return
		}
		obey(reg, tr, o)
	}
}

func obey(reg *registry.Registry, tr *gossip.Transport, o order) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := said{What: "done"}
	var err error
	switch o.Do {
	case "register":
		p, _ := reg.Attach(context.Background())
		_, err = reg.Register(ctx, o.Name, p)
	case "serving":
		for n := 0; n < o.N; {
			n = 0
			for _, node := range reg.Status().Nodes {
				if node.Serving && node.Up {
					n++
				}
			}
			time.Sleep(time.Millisecond) // real clock: another process brings it about
		}
	case "race":
		p, _ := reg.Attach(context.Background())
		for i := range o.N {
			switch _, e := reg.Register(ctx, fmt.Sprint("race/", i), p); {
			case e == nil:
				s.Won = append(s.Won, i)
			case !errors.Is(e, registry.ErrTaken):
				err = e
			}
		}
	case "count":
		s.N = reg.Count()
	case "conflicts":
		s.N = int(reg.Status().Machine.Conflicts)
	case "block":
		err = tr.Fault().Block(o.Addrs...)
	case "unblock":
		err = tr.Fault().Unblock(o.Addrs...)
	}
	if err != nil {
		s.Error = err.Error()
	}
	say(s)
}

// live is a node in a process of its own.
type live struct {
	t     *testing.T
	name  string
	addr  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan said
	kept  []said // events read while something else was waited for
}

func startLive(t *testing.T, name, seed string) *live {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), liveEnv+"="+name+" "+seed)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end stops the node
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	l := &live{t: t, name: name, cmd: cmd, in: in, lines: make(chan said, 100_000)}
	go func() {
		defer close(l.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			var line said
			if json.Unmarshal(s.Bytes(), &line) == nil {
				l.lines <- line
			}
		}
	}()
	t.Cleanup(l.kill)
	ready := l.wait(func(s said) bool { return s.What == "ready" })
	require.Empty(t, ready.Error)
	l.addr = ready.Addr
	return l
}

func (l *live) kill() {
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait()
}

// wait returns the next line that ok wants, and keeps the events before it.
func (l *live) wait(ok func(said) bool) said {
	l.t.Helper()
	for i, s := range l.kept {
		if ok(s) {
			l.kept = slices.Delete(l.kept, i, i+1)
			return s
		}
	}
	timer := time.NewTimer(3 * time.Minute)
	defer timer.Stop()
	for {
		select {
		case s, open := <-l.lines:
			require.True(l.t, open, "node %s ended", l.name)
			if ok(s) {
				return s
			}
			l.kept = append(l.kept, s)
		case <-timer.C:
			require.Fail(l.t, "a node did not say what was waited for", l.name)
		}
	}
}

// tell gives an order without waiting for it to be done.
func (l *live) tell(o order) {
	line, err := json.Marshal(o)
	require.NoError(l.t, err)
	_, err = l.in.Write(append(line, '\n'))
	require.NoError(l.t, err)
}

func (l *live) done() said {
	return l.wait(func(s said) bool { return s.What == "done" })
}

// do gives an order and waits until it is done.
func (l *live) do(o order) said {
	l.t.Helper()
	l.tell(o)
	s := l.done()
	require.Empty(l.t, s.Error, "%s: %+v", l.name, o)
	return s
}

// event waits for a name to show a holder, "" for none, and returns when it did.
func (l *live) event(key, holder string) time.Time {
	l.t.Helper()
	s := l.wait(func(s said) bool { return s.What == "event" && s.Key == key && s.Holder == holder })
	return time.Unix(0, s.At)
}

func threeLive(t *testing.T) [3]*live {
	a := startLive(t, "n1", "")
	b, c := startLive(t, "n2", a.addr), startLive(t, "n3", a.addr)
	for _, l := range []*live{a, b, c} {
		l.do(order{Do: "serving", N: 3})
	}
	return [3]*live{a, b, c}
}

func TestLiveRace(t *testing.T) {
	names := 10_000
	if testing.Short() {
		names = 1_000
	}
	nodes := threeLive(t)
	for _, l := range nodes {
		l.tell(order{Do: "race", N: names})
	}
	won := make([]int, names)
	for _, l := range nodes {
		s := l.done()
		require.Empty(t, s.Error)
		for _, k := range s.Won {
			won[k]++
		}
	}
	for k, n := range won {
		require.Equal(t, 1, n, "name %d", k)
	}
	for _, l := range nodes {
		require.Zero(t, l.do(order{Do: "conflicts"}).N)
	}
}

// long skips the tests that take minutes, which make detect runs.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("takes minutes; make detect runs it")
	}
}

func report(t *testing.T, what string, all []time.Duration) (median, worst time.Duration) {
	slices.Sort(all)
	median, worst = all[len(all)/2], all[len(all)-1]
	t.Logf("%s: median %v, best %v, worst %v of %d", what, median, all[0], worst, len(all))
	t.Logf("%s: all %v", what, all)
	return median, worst
}

// harm hurts a node that holds a name, and returns when each other node stopped
// showing the name.
func harm(t *testing.T, run int, sig syscall.Signal) []time.Duration {
	nodes := threeLive(t)
	victim := nodes[run%3]
	name := fmt.Sprint("victim/", run)
	victim.do(order{Do: "register", Name: name})
	for _, l := range nodes {
		l.event(name, victim.name)
	}
	begun := time.Now()
	require.NoError(t, victim.cmd.Process.Signal(sig))
	var took []time.Duration
	for _, l := range nodes {
		if l != victim {
			took = append(took, l.event(name, "").Sub(begun))
		}
	}
	for _, l := range nodes {
		l.kill()
	}
	return took
}

func TestLongKilledNodeIsGone(t *testing.T) {
	long(t)
	var all []time.Duration
	for run := range 20 {
		all = append(all, harm(t, run, syscall.SIGKILL)...)
	}
	median, worst := report(t, "SIGKILL until the name is gone on the others", all)
	require.Less(t, median, 50*time.Millisecond)
	require.Less(t, worst, time.Second)
}

func TestLongFrozenNodeIsGone(t *testing.T) {
	long(t)
	var all []time.Duration
	for run := range 20 {
		all = append(all, harm(t, run, syscall.SIGSTOP)...)
	}
	_, worst := report(t, "SIGSTOP until the name is gone on the others", all)
	require.Less(t, worst, 10*time.Second)
}

// TestLongSplitHealsByItself cuts one of three nodes off for 90 s, longer than
// memberlist remembers, and times the heal.
func TestLongSplitHealsByItself(t *testing.T) {
	long(t)
	var all []time.Duration
	for range 3 {
		nodes := threeLive(t)
		rest, alone := nodes[:2], nodes[2]
		alone.do(order{Do: "block", Addrs: []string{nodes[0].addr, nodes[1].addr}})
		for _, l := range rest {
			l.do(order{Do: "block", Addrs: []string{alone.addr}})
		}
		time.Sleep(30 * time.Second) // real clock: a real split of real processes
		rest[0].do(order{Do: "register", Name: "k"})
		alone.do(order{Do: "register", Name: "k"})
		time.Sleep(60 * time.Second) // real clock: as above
		begun := time.Now()
		for _, l := range rest {
			l.do(order{Do: "unblock", Addrs: []string{alone.addr}})
		}
		alone.do(order{Do: "unblock", Addrs: []string{nodes[0].addr, nodes[1].addr}})
		for _, l := range rest {
			all = append(all, l.event("k", alone.name).Sub(begun))
		}
		for _, l := range nodes {
			l.kill()
		}
	}
	_, worst := report(t, "end of a split of 90 s until the loser's side shows the winner", all)
	require.Less(t, worst, 2*time.Second)
}
