package gossip

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// helperEnv makes the test binary run as one node of a cluster: its value is the
// node's name and its seed.
const helperEnv = "ROLLCALL_GOSSIP_NODE"

func TestMain(m *testing.M) {
	if spec := os.Getenv(helperEnv); spec != "" {
		name, seed, _ := strings.Cut(spec, " ")
		helper(name, seed)
		return
	}
	os.Exit(m.Run())
}

// printer is a handler that prints what it hears, with the time.
type printer struct{ transporttest.Recorder }

func (p *printer) PeerDown(id transport.Peer, why transport.Reason) {
	fmt.Println("down", id.Node, time.Now().UnixNano(), why)
	p.Recorder.PeerDown(id, why)
}

func (p *printer) LinkUp(id transport.Peer) {
	fmt.Println("link", id.Node, time.Now().UnixNano())
	p.Recorder.LinkUp(id)
}

func (p *printer) PeerUp(id transport.Peer, addr string) {
	fmt.Println("up", id.Node, time.Now().UnixNano())
	p.Recorder.PeerUp(id, addr)
}

// helper runs one node until its standard input ends.
func helper(name, seed string) {
	cfg := Config{Bind: "127.0.0.1:0", Seeds: []string{seed}, Logger: quietLog()}
	tr, err := New(cfg)
	if err == nil {
		err = tr.Start(transport.Peer{Node: name, Run: uint64(time.Now().UnixNano())}, &printer{})
	}
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("addr", tr.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	_ = tr.Close()
}

// program is a node in a process of its own.
type program struct {
	cmd   *exec.Cmd
	lines chan []string
}

func startProgram(t *testing.T, name, seed string) *program {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+name+" "+seed)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // kept open: its end stops the helper
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &program{cmd: cmd, lines: make(chan []string, 1024)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- strings.Fields(s.Text())
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// wait waits for a line that begins with these words and returns it.
func (p *program) wait(t *testing.T, limit time.Duration, words ...string) []string {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			require.True(t, ok, "the program ended before it said %q", words)
			if len(line) >= len(words) && slices.Equal(line[:len(words)], words) {
				return line
			}
		case <-timer.C:
			require.Fail(t, "a program did not say something in time", "%q", words)
		}
	}
}

// detect starts three programs and this one, does harm to one of them and returns
// how long the others took to say that it is down.
func detect(t *testing.T, harm syscall.Signal, limit time.Duration) []time.Duration {
	rec := &transporttest.Recorder{}
	tr, err := New(Config{Bind: "127.0.0.1:0", Logger: quietLog()})
	require.NoError(t, err)
	defer func() { _ = tr.Close() }()
	require.NoError(t, tr.Start(transport.Peer{Node: "b", Run: 1}, rec))
	observer := startProgram(t, "a", tr.Addr())
	defer observer.kill()
	observer.wait(t, 10*time.Second, "link", "b")
	victim := startProgram(t, "c", tr.Addr())
	defer victim.kill()
	victim.wait(t, 10*time.Second, "link", "a")
	observer.wait(t, 10*time.Second, "link", "c")
	time.Sleep(700 * time.Millisecond) // real clock: memberlist settles in real programs
	begin := time.Now()
	require.NoError(t, victim.cmd.Process.Signal(harm))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	down := func() bool {
		return slices.ContainsFunc(rec.Events("c"), func(e transporttest.Event) bool { return e.Kind == transporttest.PeerDown })
	}
	require.NoError(t, rec.Wait(ctx, down), "no PeerDown within %s: %v", limit, rec.Events("c"))
	own := time.Since(begin)
	line := observer.wait(t, limit, "down", "c")
	var at int64
	_, err = fmt.Sscan(line[2], &at)
	require.NoError(t, err)
	if harm == syscall.SIGSTOP {
		require.NoError(t, victim.cmd.Process.Signal(syscall.SIGCONT))
		thaw := time.Now()
		require.NoError(t, rec.Wait(ctx, func() bool {
			events := rec.Events("c")
			return events[len(events)-1].Kind == transporttest.LinkUp
		}), "back after the thaw: %v", rec.Events("c"))
		t.Logf("noticed after %s, back %s after the thaw", own.Round(time.Millisecond), time.Since(thaw).Round(time.Millisecond))
	}
	return []time.Duration{own, time.Unix(0, at).Sub(begin)}
}

// TestDetection measures how fast the end of a program and a frozen program are
// noticed. It takes minutes: set ROLLCALL_LONG=1.
func TestDetection(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("set ROLLCALL_LONG=1 to measure detection times")
	}
	const runs = 20
	for _, harm := range []struct {
		name        string
		signal      syscall.Signal
		median, max time.Duration
	}{
		{"SIGKILL", syscall.SIGKILL, 50 * time.Millisecond, time.Second},
		{"SIGSTOP", syscall.SIGSTOP, 6 * time.Second, 7 * time.Second},
	} {
		t.Run(harm.name, func(t *testing.T) {
			var all []time.Duration
			for range runs {
				all = append(all, detect(t, harm.signal, 30*time.Second)...)
			}
			slices.Sort(all)
			t.Logf("%s, %d runs, 3 nodes, both others: min %s, median %s, 90%% %s, max %s",
				harm.name, runs, all[0], all[len(all)/2], all[len(all)*9/10], all[len(all)-1])
			require.LessOrEqual(t, all[len(all)/2], harm.median, "median")
			require.LessOrEqual(t, all[len(all)-1], harm.max, "maximum")
		})
	}
}
