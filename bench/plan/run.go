package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
)

// Outcome is what came of a run.
type Outcome struct {
	Rows []Row
	// Missing are the kinds of peers that could not be measured because they are
	// not installed, sorted.
	Missing []string
	// Failures are what went wrong, each in a line.
	Failures []string
}

// Run measures the cases in their order, those that wait after the others.
func Run(ctx context.Context, b *Bench, cases []Case) Outcome {
	r := &runner{bench: b, samples: make([][]sample, len(cases)), missing: map[string]bool{}}
	var waiting []int
	for i, c := range cases {
		if c.Waits {
			waiting = append(waiting, i)
			continue
		}
		if ctx.Err() != nil {
			break
		}
		b.logf("%s: %s", c.ID, c.Group)
		r.samples[i] = r.measure(ctx, c)
	}
	r.waitAll(ctx, cases, waiting)
	return r.outcome(cases)
}

// runner is a run under way.
type runner struct {
	bench   *Bench
	samples [][]sample // of each case

	mu       sync.Mutex
	missing  map[string]bool
	failures []string
}

func (r *runner) outcome(cases []Case) Outcome {
	var o Outcome
	for i, c := range cases {
		if r.samples[i] != nil {
			o.Rows = append(o.Rows, rowsOf(c, r.samples[i])...)
		}
	}
	for kind := range r.missing {
		o.Missing = append(o.Missing, kind)
	}
	slices.Sort(o.Missing)
	o.Failures = r.failures
	return o
}

// fail notes that a side could not be measured, and returns the note for rows.
func (r *runner) fail(c Case, s Side, what string, err error) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(err, cluster.ErrMissing) {
		r.missing[s.Peer] = true
		return s.Peer + " not measured: " + err.Error()
	}
	line := fmt.Sprintf("%s: %s: %s: %v", c.ID, s.Peer, what, err)
	r.failures = append(r.failures, line)
	r.bench.logf("  FAILED %s", line)
	return fmt.Sprintf("%s failed: %s", s.Peer, what)
}

// measure prepares all sides of a case and measures them in turns.
func (r *runner) measure(ctx context.Context, c Case) []sample {
	samples := make([]sample, len(c.Sides))
	sessions := make([]*Session, len(c.Sides))
	for i, s := range c.Sides {
		samples[i].peer = s.Peer
		begun := time.Now()
		session, err := r.begin(ctx, c, s)
		if err != nil {
			samples[i].note = r.fail(c, s, "begin", err)
			continue
		}
		defer session.Close()
		sessions[i] = session
		if took := time.Since(begun); took > time.Second {
			r.bench.logf("  %s prepared in %.1f s", s.Peer, took.Seconds())
		}
	}
	for round := range r.bench.Rounds {
		for i, s := range c.Sides {
			if sessions[i] == nil || samples[i].note != "" || ctx.Err() != nil {
				continue
			}
			r.round(ctx, c, s, sessions[i], round, &samples[i])
		}
	}
	return samples
}

// begin prepares a side.
func (r *runner) begin(ctx context.Context, c Case, s Side) (*Session, error) {
	if err := r.bench.Stage.Available(s.Kind); err != nil {
		return nil, err
	}
	limited, end := limit(ctx, c)
	defer end()
	return s.Begin(limited, r.bench)
}

func limit(ctx context.Context, c Case) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.limit(), fmt.Errorf("it took longer than %v", c.limit()))
}

// round measures a side once and adds to its sample.
func (r *runner) round(ctx context.Context, c Case, s Side, session *Session, round int, into *sample) {
	limited, end := limit(ctx, c)
	defer end()
	begun := time.Now()
	values, err := session.Round(limited, round)
	if err != nil {
		note := r.fail(c, s, fmt.Sprintf("round %d", round+1), err)
		r.mu.Lock()
		into.note = note
		r.mu.Unlock()
		return
	}
	r.mu.Lock()
	into.rounds = append(into.rounds, values)
	r.mu.Unlock()
	r.bench.logf("  round %d of %d, %s: %s (%.1f s)", round+1, r.bench.Rounds, s.Peer, c.describe(values), time.Since(begun).Seconds())
}

// describe lists the figures of a round.
func (c Case) describe(values Values) string {
	var parts []string
	for _, m := range c.Measures {
		if v, ok := values[m.Key]; ok {
			parts = append(parts, fmt.Sprintf("%s %.4g %s", m.Key, v, m.Unit))
		}
	}
	return strings.Join(parts, ", ")
}

// waitAll measures the cases that wait, all their rounds at the same time. All is
// prepared before the first begins.
func (r *runner) waitAll(ctx context.Context, cases []Case, which []int) {
	if len(which) == 0 || ctx.Err() != nil {
		return
	}
	r.bench.logf("waiting: %d cases, all rounds at the same time", len(which))
	var begun []func()
	for _, i := range which {
		c := cases[i]
		r.samples[i] = make([]sample, len(c.Sides))
		for k, s := range c.Sides {
			into := &r.samples[i][k]
			into.peer = s.Peer
			for round := range r.bench.Rounds {
				session, err := r.begin(ctx, c, s)
				if err != nil {
					into.note = r.fail(c, s, "begin", err)
					break
				}
				defer session.Close()
				begun = append(begun, func() { r.round(ctx, c, s, session, round, into) })
			}
		}
	}
	r.bench.logf("  all prepared")
	var running sync.WaitGroup
	for _, measure := range begun {
		running.Go(measure)
	}
	running.Wait()
}
