//go:build linux

package hosts

import (
	"fmt"
	"runtime"

	"github.com/vishvananda/netns"
)

// within runs f on a thread in a network namespace. Sockets and devices that f
// opens stay in it; goroutines that f starts are not in it.
func within(ns netns.NsHandle, f func() error) error {
	return apart(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("hosts: enter a namespace: %w", err)
		}
		return f()
	})
}

// apart runs f on a thread of its own kind: whatever network namespace f leaves it
// in, the thread is back in its first one before others run on it. A thread that
// cannot go back ends.
func apart(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		before, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("hosts: look up the namespace of a thread: %w", err)
			return
		}
		defer func() { _ = before.Close() }()
		err = f()
		if netns.Set(before) == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

// starter is a thread that starts the processes of all hosts. The kernel kills
// them when the thread that started them ends, so they do not outlive this program
// however it ends; and so the thread has to live as long as they may.
type starter struct {
	jobs chan func()
	over chan struct{}
}

func newStarter() *starter {
	s := &starter{jobs: make(chan func()), over: make(chan struct{})}
	go func() {
		defer close(s.over)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // each job leaves the thread where it was
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// within runs f on the thread in a network namespace.
func (s *starter) within(ns netns.NsHandle, f func() error) error {
	result := make(chan error, 1)
	s.jobs <- func() {
		before, err := netns.Get()
		if err != nil {
			result <- err
			return
		}
		defer func() { _ = before.Close() }()
		if err = netns.Set(ns); err == nil {
			err = f()
		}
		if back := netns.Set(before); back != nil {
			panic("hosts: a thread cannot return to its namespace: " + back.Error())
		}
		result <- err
	}
	return <-result
}

func (s *starter) close() {
	close(s.jobs)
	<-s.over
}
