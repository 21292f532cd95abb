package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells how far a sweep is: one line that is redrawn on a terminal, a
// line now and then elsewhere.
type progress struct {
	w        io.Writer
	t        *tally
	terminal bool
	every    time.Duration
	last     time.Time
	drawn    bool
}

func (a *app) progressOf(t *tally) *progress {
	p := &progress{w: a.err, t: t, terminal: a.terminal, every: 10 * time.Second, last: t.began}
	if p.terminal {
		p.every = 200 * time.Millisecond
	}
	return p
}

// show tells, if it is time again.
func (p *progress) show(now bool) {
	if since := time.Since(p.last); since < p.every && !now {
		return
	}
	p.last = time.Now()
	spent := time.Since(p.t.began)
	rate := float64(p.t.runs) / max(spent.Seconds(), 0.001)
	line := fmt.Sprintf("%d runs, %.1f per second, %d failed", p.t.runs, rate, len(p.t.failed))
	if p.t.want > 0 {
		left := time.Duration(float64(p.t.want-uint64(p.t.runs)) / max(rate, 0.001) * float64(time.Second))
		line = fmt.Sprintf("%d of %d runs, %.1f per second, %v left, %d failed",
			p.t.runs, p.t.want, rate, left.Round(time.Second), len(p.t.failed))
	}
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
	p.drawn = true
}

// clear removes the line.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
