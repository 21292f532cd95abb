// Package erlang starts nodes of Erlang's global and pg, which are measured beside
// rollcall. The script that they run is embedded in it and compiled when a
// Toolchain is made.
//
// # Usage
//
//	tools, err := erlang.Find()
//	if errors.Is(err, erlang.ErrMissing) { ... }
//	defer tools.Close()
//	command := tools.Node("pg", "cluster", "n1")
//
// The nodes are not known to other Erlang nodes of the machine: they have a port
// mapper, a cookie and a home of their own, all on 127.0.0.1.
package erlang

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/bench/conductor"
)

//go:embed rollcall_bench.erl
var script []byte

const module = "rollcall_bench"

// ErrMissing is returned by Find when erl, erlc or epmd is not installed.
var ErrMissing = errors.New("erlang: erl, erlc or epmd is missing (Debian's erlang-nox has them)")

// startWait is how long the port mapper may take to listen.
const startWait = 5 * time.Second

// Toolchain is what nodes are started with.
type Toolchain struct {
	dir  string // the compiled script, and the nodes' home
	port int    // of the port mapper
	end  func() // stops the port mapper
}

// Find compiles the script and starts a port mapper.
func Find() (*Toolchain, error) {
	for _, name := range []string{"erl", "erlc", "epmd"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, ErrMissing
		}
	}
	dir, err := os.MkdirTemp("", "rollcall-bench-erlang-")
	if err != nil {
		return nil, err
	}
	t := &Toolchain{dir: dir, end: func() {}}
	if err := errors.Join(t.compile(), t.startMapper()); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Toolchain) compile() error {
	source := filepath.Join(t.dir, module+".erl")
	if err := os.WriteFile(source, script, 0o600); err != nil {
		return err
	}
	out, err := exec.Command("erlc", "-o", t.dir, source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("erlang: erlc: %w: %s", err, out)
	}
	return nil
}

// startMapper starts a port mapper on a free port and waits until it listens.
func (t *Toolchain) startMapper() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t.port = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return err
	}
	t.end, err = conductor.Background(exec.Command("epmd", "-address", "127.0.0.1", "-port", strconv.Itoa(t.port)))
	if err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < startWait; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(t.port)))
		if err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("erlang: epmd does not listen on port %d", t.port)
}

// Close stops the port mapper and removes what was compiled.
func (t *Toolchain) Close() {
	t.end()
	_ = os.RemoveAll(t.dir) // a directory of temporary files that stays does no harm
}

// Address returns the name by which other nodes know a node of a cluster.
func (t *Toolchain) Address(cluster, name string) string { return name + "_" + cluster + "@127.0.0.1" }

// Node returns the command of a node that takes part in a cluster.
func (t *Toolchain) Node(kind, cluster, name string, args ...string) *exec.Cmd {
	return t.command(kind, append(args, "-name", t.Address(cluster, name), "-setcookie", cluster, "-start_epmd", "false",
		"-kernel", "inet_dist_use_interface", "{127,0,0,1}")...)
}

// Alone returns the command of a node without a cluster.
func (t *Toolchain) Alone(kind string) *exec.Cmd { return t.command(kind) }

func (t *Toolchain) command(kind string, args ...string) *exec.Cmd {
	args = append(args, "-noinput", "-pa", t.dir, "-s", module, "main", kind)
	command := exec.Command("erl", args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ERL_") && !strings.HasPrefix(v, "HOME=") {
			command.Env = append(command.Env, v)
		}
	}
	command.Env = append(command.Env, "HOME="+t.dir, "ERL_CRASH_DUMP_SECONDS=0",
		"ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT="+strconv.Itoa(t.port))
	return command
}
