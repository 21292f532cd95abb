//go:build linux

package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/hosts"
	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(asNode); spec != "" {
		if err := playNode(spec); err != nil {
			fmt.Fprintln(os.Stderr, spec, "failed:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// cluster is three nodes on three hosts.
type cluster struct {
	t     *testing.T
	ctx   context.Context
	hosts *hosts.Hosts
	nodes map[string]*remote
	begun time.Time
}

// remote is a node as seen from the test.
type remote struct {
	in  io.Writer
	out *bufio.Reader
}

// patience bounds every wait: memberlist takes up to fifteen seconds to notice a
// silent cut.
const patience = 25 * time.Second

// port is where nodes listen.
const port = ":7946"

func start(t *testing.T, kind hosts.Kind, prefix string, net link.Conditions) *cluster {
	if err := hosts.Available(kind); err != nil {
		t.Skip(err)
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(interrupted, time.Minute)
	t.Cleanup(cancel)
	all, err := hosts.Open(ctx, hosts.Config{Kind: kind, Nodes: []string{"n1", "n2", "n3"}, Prefix: prefix, Net: net, Seed: 11})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, all.Close())
		left, err := filepath.Glob("/run/netns/" + prefix + "-*")
		require.NoError(t, err)
		require.Empty(t, left)
	})
	return &cluster{t, ctx, all, map[string]*remote{}, time.Now()}
}

// run starts the nodes and waits until they serve each other.
func (c *cluster) run() {
	self, err := os.Executable()
	require.NoError(c.t, err)
	seed := c.hosts.Host("n1").Addr().String() + port
	for _, h := range c.hosts.All() {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s%s %s", asNode, h.Name(), h.Addr(), port, seed))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(c.t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(c.t, err)
		_, err = h.Start(cmd)
		require.NoError(c.t, err)
		c.nodes[h.Name()] = &remote{in, bufio.NewReader(out)}
	}
	c.sees("n1 n2 n3 run", func(_ string, a answer) bool { return a.Component == 3 })
}

// ask gives a node an order and returns its answer.
func (c *cluster) ask(name string, o order) answer {
	c.t.Helper()
	line, err := json.Marshal(o)
	require.NoError(c.t, err)
	n := c.nodes[name]
	_, err = n.in.Write(append(line, '\n'))
	require.NoError(c.t, err)
	line, err = n.out.ReadBytes('\n')
	require.NoError(c.t, err)
	var a answer
	require.NoError(c.t, json.Unmarshal(line, &a))
	require.Empty(c.t, a.Error, "%s: %+v", name, o)
	return a
}

// sees waits until every node answers as it should, and says when it was.
func (c *cluster) sees(what string, ok func(name string, a answer) bool) map[string]answer {
	c.t.Helper()
	all := map[string]answer{}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // real clock: processes of their own
		good := true
		for name := range c.nodes {
			all[name] = c.ask(name, order{Do: "look"})
			good = good && ok(name, all[name])
		}
		if good {
			c.t.Logf("%6.2f s: %s", time.Since(c.begun).Seconds(), what)
			return all
		}
		require.True(c.t, time.Now().Before(deadline), "not within %v: %s: %+v", patience, what, all)
	}
}

// split cuts n1 from n2 and n3, registers on both sides, heals, and wants one
// winner of the name that both registered and every other name in its place.
func (c *cluster) split() {
	for name := range c.nodes {
		c.ask(name, order{"register", "own/" + name})
	}
	c.sees("each sees three names", func(_ string, a answer) bool { return len(a.Names) == 3 })

	split := hosts.Cut(hosts.Split([]string{"n1"}, []string{"n2", "n3"})...)
	require.NoError(c.t, c.hosts.Apply(c.ctx, split))
	c.sees("each side sees itself alone", func(name string, a answer) bool {
		return a.Component == len(a.Names) && a.Component == map[string]int{"n1": 1, "n2": 2, "n3": 2}[name]
	})
	for _, name := range []string{"n1", "n2"} {
		c.ask(name, order{"register", "both"})
		c.ask(name, order{"register", "during/" + name})
	}
	sides := c.sees("both sides hold the name", func(name string, a answer) bool { return a.Names["both"] != "" })
	require.Equal(c.t, "n1", sides["n1"].Names["both"])
	require.Equal(c.t, "n2", sides["n2"].Names["both"])
	require.Equal(c.t, "n2", sides["n3"].Names["both"])

	require.NoError(c.t, c.hosts.Lift(c.ctx, split))
	c.t.Logf("%6.2f s: healed and verified", time.Since(c.begun).Seconds())
	c.settled(c.sees("each sees six names", func(_ string, a answer) bool {
		return len(a.Names) == 6
	}))
}

// settled wants one winner everywhere, and that the loser alone was told, once.
func (c *cluster) settled(after map[string]answer) {
	winner := after["n1"].Names["both"]
	for name, a := range after {
		require.Equal(c.t, winner, a.Names["both"], name)
		for _, own := range []string{"n1", "n2", "n3"} {
			require.Equal(c.t, own, a.Names["own/"+own], name)
		}
	}
	loser := map[string]string{"n1": "n2", "n2": "n1"}[winner]
	require.NotEmpty(c.t, loser)
	lost := c.sees("the loser was told", func(name string, a answer) bool { return name != loser || len(a.Lost) > 0 })
	for name, a := range lost {
		if name == loser {
			require.Equal(c.t, []string{"both"}, a.Lost)
		} else {
			require.Empty(c.t, a.Lost, name)
		}
	}
}

func TestASplitOverABridgeHealsToOneWinner(t *testing.T) {
	t.Parallel()
	c := start(t, hosts.Bridge, "rclb", link.Conditions{})
	c.run()
	c.split()
}

func TestASplitOverSlowAndLossyLinksHealsToOneWinner(t *testing.T) {
	t.Parallel()
	c := start(t, hosts.Tap, "rclw", link.Conditions{Low: 20 * time.Millisecond, High: 20 * time.Millisecond, Loss: 0.05})
	c.run()
	c.split()
	for l, s := range c.hosts.Stats() {
		require.NotZero(t, s.Dropped[link.Lost].Frames, l)
		require.NotZero(t, s.Delivered.Frames, l)
	}
}
