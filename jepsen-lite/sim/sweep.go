package sim

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// Sweep plays many scenarios, a number of them at once.
type Sweep struct {
	// Next returns the next scenario; ok is false when there are no more. It is
	// not called by two goroutines at once.
	Next func() (s *scenario.Scenario, ok bool)
	// Jobs is the number of runs at once; default GOMAXPROCS.
	Jobs int
	// Again is how often a run is done twice to compare the traces: one in Again.
	// 0 is never.
	Again int
	// Budget ends the sweep after a time; 0 for no limit. Runs under way end first.
	Budget time.Duration
	// Options are those of each run.
	Options Options
	// Each is called with every run, in the order of Next, and by one goroutine. It
	// returns false to end the sweep.
	Each func(*Swept) bool
}

// Swept is one run of a sweep.
type Swept struct {
	*Judged
	// Number counts the runs from 0.
	Number int
	// Verified says that the run was done twice.
	Verified bool
	// Met are the names of the goals that the run met.
	Met []string
	// Doubles are for how long two processes or more believed that they hold one
	// name, each time that it happened.
	Doubles []time.Duration
	// Err is why there is no run, or wraps ErrNotDeterministic when the second run
	// differs from the first. Judged is nil in the first case.
	Err error
}

// task is a run under way.
type task struct {
	number   int
	scenario *scenario.Scenario
	done     chan *Swept
}

// Run does the sweep and returns when all runs that were begun have ended.
func (w Sweep) Run() {
	jobs := w.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	tasks := make(chan task)
	order := make(chan task, 4*jobs)
	stop := make(chan struct{})
	go w.feed(tasks, order, stop)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for t := range tasks {
				t.done <- w.one(t)
			}
		})
	}
	going := true
	for t := range order {
		if s := <-t.done; going && !w.Each(s) {
			going = false
			close(stop)
		}
	}
	workers.Wait()
}

// feed hands out the scenarios until there are no more, time is up, or stop is
// closed.
func (w Sweep) feed(tasks, order chan<- task, stop <-chan struct{}) {
	defer close(order)
	defer close(tasks)
	begun := time.Now()
	for number := 0; ; number++ {
		if w.Budget > 0 && time.Since(begun) > w.Budget {
			return
		}
		s, ok := w.Next()
		if !ok {
			return
		}
		t := task{number, s, make(chan *Swept, 1)}
		select {
		case <-stop:
			return
		case order <- t:
			tasks <- t
		}
	}
}

// one does one run. A run that panics is an error of its own and ends no other.
func (w Sweep) one(t task) (s *Swept) {
	s = &Swept{Number: t.number}
	defer func() {
		if p := recover(); p != nil {
			s.Judged, s.Err = nil, fmt.Errorf("sim: %s panicked: %v", t.scenario.Name, p)
		}
	}()
	if s.Judged, s.Err = Judge(t.scenario, w.Options); s.Err != nil {
		return s
	}
	seen := look(s.Judged)
	s.Met, s.Doubles = seen.met(), seen.double
	if w.Again > 0 && t.number%w.Again == 0 {
		s.Verified = true
		again, err := Run(t.scenario, w.Options)
		switch {
		case err != nil:
			s.Err = err
		case again.Hash != s.Result.Hash || again.Steps != s.Result.Steps:
			s.Err = Verify(t.scenario, w.Options)
			if s.Err == nil {
				s.Err = fmt.Errorf("%w: trace %016x and then %016x", ErrNotDeterministic, s.Result.Hash, again.Hash)
			}
		}
	}
	return s
}
