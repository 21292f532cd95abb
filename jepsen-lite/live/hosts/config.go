//go:build linux

package hosts

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// Kind says how hosts are joined.
type Kind string

// The kinds.
const (
	// Bridge joins the hosts with a bridge of the kernel. Links carry everything
	// at once or, cut by nftables, nothing. It needs root.
	Bridge Kind = "bridge"
	// Tap joins the hosts with a switch in this program, which applies any
	// link.Conditions to the frames. It needs root and the device of TUN/TAP.
	Tap Kind = "tap"
	// Proxy is to join hosts on loopback through a relay for each link, without
	// root. It is not built yet.
	Proxy Kind = "proxy"
)

// Config says which hosts there are.
type Config struct {
	// Kind says how the hosts are joined. Default Bridge.
	Kind Kind
	// Nodes are the names of the hosts, of letters, digits and dashes; at most
	// 200. The first gets the first address.
	Nodes []string
	// Prefix begins the name of everything that is made: up to eight small
	// letters. Default "rcl". Only runs with the same prefix clean up after each
	// other.
	Prefix string
	// Net is how links carry frames where nothing else is said. Bridges know the
	// zero value alone, which is the default.
	Net link.Conditions
	// Seed is where all chance on the links comes from. Default 0.
	Seed uint64
	// Logger is told what is made and removed. Default: nothing is logged.
	Logger *slog.Logger
}

const (
	maxNodes      = 200
	defaultPrefix = "rcl"
)

// withDefaults returns the configuration with its defaults filled in, or all its
// faults, joined.
func (c Config) withDefaults() (Config, error) {
	if c.Kind == "" {
		c.Kind = Bridge
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if !slices.Contains([]Kind{Bridge, Tap, Proxy}, c.Kind) {
		faults = append(faults, fmt.Errorf("hosts: kind %q is none of bridge, tap and proxy", c.Kind))
	}
	if err := validPrefix(c.Prefix); err != nil {
		faults = append(faults, err)
	}
	if len(c.Nodes) == 0 || len(c.Nodes) > maxNodes {
		faults = append(faults, fmt.Errorf("hosts: %d nodes; 1 to %d are possible", len(c.Nodes), maxNodes))
	}
	name := regexp.MustCompile(`^[a-zA-Z0-9-]{1,64}$`)
	for i, node := range c.Nodes {
		if !name.MatchString(node) {
			faults = append(faults, fmt.Errorf("hosts: %q names no node: letters, digits and dashes do", node))
		}
		if slices.Contains(c.Nodes[:i], node) {
			faults = append(faults, fmt.Errorf("hosts: node %s is there twice", node))
		}
	}
	faults = append(faults, c.Net.Validate())
	return c, errors.Join(faults...)
}

func validPrefix(prefix string) error {
	if !regexp.MustCompile(`^[a-z]{1,8}$`).MatchString(prefix) {
		return fmt.Errorf("hosts: prefix %q is not of one to eight small letters", prefix)
	}
	return nil
}

// Available returns nil when hosts can be joined in a way here, and otherwise an
// error that wraps ErrUnavailable and says what is missing. It changes nothing.
func Available(kind Kind) error {
	missing := func(what string) error { return fmt.Errorf("%w: %s: %s", ErrUnavailable, kind, what) }
	switch {
	case kind == Proxy:
		return missing("a relay for each link on loopback, without root, is not built yet; bridge and tap need root")
	case kind != Bridge && kind != Tap:
		return missing("there is no such kind")
	case os.Geteuid() != 0:
		return missing("network namespaces need root")
	}
	if err := apart(func() error { return unix.Unshare(unix.CLONE_NEWNET) }); err != nil {
		return missing("no network namespace can be made: " + err.Error())
	}
	if _, err := os.Stat(tunDevice); kind == Tap && err != nil {
		return missing(err.Error())
	}
	return nil
}
