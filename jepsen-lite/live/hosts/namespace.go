//go:build linux

package hosts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespaces is where the names of network namespaces are.
const namespaces = "/run/netns"

// maxWait bounds how long a process or a name may take to go away.
const maxWait = 5 * time.Second

// makeNamespace makes a network namespace with a name, its loopback still down
// and without IPv6, whose own chatter nobody asked for.
func makeNamespace(name string) (ns netns.NsHandle, err error) {
	ns = netns.None()
	err = apart(func() error {
		made, err := netns.NewNamed(name)
		if err != nil {
			return fmt.Errorf("hosts: make namespace %s: %w", name, err)
		}
		ns = made
		for _, scope := range []string{"all", "default"} {
			err := os.WriteFile("/proc/sys/net/ipv6/conf/"+scope+"/disable_ipv6", []byte("1"), 0)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("hosts: switch off IPv6 in %s: %w", name, err)
			}
		}
		return nil
	})
	return ns, err
}

// removeNamespace kills what runs in a namespace and takes its name away. With
// its last process and its name the kernel removes it, and the links and tables
// in it. A name without a namespace, which a crash may leave, goes too.
func removeNamespace(name string) error {
	path := filepath.Join(namespaces, name)
	if err := killWithin(path); err != nil {
		return err
	}
	if err := unix.Unmount(path, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("hosts: unmount namespace %s: %w", name, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("hosts: remove the name of namespace %s: %w", name, err)
	}
	return nil
}

// killWithin kills all processes but this one whose network namespace is the one
// with a path, and waits until they are gone. Those they start meanwhile too.
func killWithin(path string) error {
	var ns unix.Stat_t
	if err := unix.Stat(path, &ns); err != nil {
		return fmt.Errorf("hosts: look at namespace %s: %w", path, err)
	}
	var own unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &own); err != nil || own.Ino == ns.Ino && own.Dev == ns.Dev {
		return fmt.Errorf("hosts: namespace %s is not one that was made here (%v)", path, err)
	}
	for deadline := time.Now().Add(maxWait); ; time.Sleep(2 * time.Millisecond) {
		pids, err := inhabitants(ns)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("hosts: processes %v do not end", pids)
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// inhabitants returns the processes of a network namespace but for this one. One
// that has ended is in none.
func inhabitants(ns unix.Stat_t) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("hosts: list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		info, err := os.Stat(filepath.Join("/proc", e.Name(), "ns", "net"))
		if err != nil {
			continue
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Ino == ns.Ino && s.Dev == ns.Dev {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// namespacesOf returns the names of all namespaces that were made under a prefix,
// by run.
func namespacesOf(prefix string) (map[string][]string, error) {
	entries, err := os.ReadDir(namespaces)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hosts: list namespaces: %w", err)
	}
	ours := regexp.MustCompile(`^` + prefix + `-[0-9a-f]{8}(-.*)?$`)
	runs := map[string][]string{}
	for _, e := range entries {
		if ours.MatchString(e.Name()) {
			run := strings.Join(strings.SplitN(e.Name(), "-", 3)[:2], "-")
			runs[run] = append(runs[run], e.Name())
		}
	}
	return runs, nil
}
