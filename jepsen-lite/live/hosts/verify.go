//go:build linux

package hosts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// Bounds of what is waited for.
const (
	// atOnce is how many links are probed at a time: each may need a thread.
	atOnce = 64
	// silenceWait is how long nothing has to arrive on a link that is cut.
	silenceWait = 150 * time.Millisecond
	// openWait is how long a link has to prove that it is open.
	openWait = 3 * time.Second
	// tcpSilence is how long a connection must not come about.
	tcpSilence = 300 * time.Millisecond
	// tcpTry is how long the first of many attempts at a connection lasts; each
	// further one lasts twice as long as that before.
	tcpTry = 100 * time.Millisecond
)

// Verify checks, by probes between the hosts, that every link behaves as it was
// set: that what is closed carries nothing, that all else is open, and that
// losses, copies, disorder, delays, sizes and rates are there and are about what
// they should be. It takes half a second or so. An error wraps ErrNoEffect, or
// says why the probes could not be made.
func (h *Hosts) Verify(ctx context.Context) error {
	h.setting.Lock()
	defer h.setting.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.over, cancel)()
	if h.over.Err() != nil {
		return ErrClosed
	}
	var checks []func() error
	for _, l := range h.Links() {
		s, back := h.State(l), h.State(Link{l.To, l.From})
		checks = append(checks, func() error { return h.verifyUDP(ctx, l, s) })
		if l.From < l.To {
			checks = append(checks, func() error { return h.verifyTCP(ctx, l, s, back) })
		}
	}
	faults := make([]error, len(checks))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, check := range checks {
		places <- struct{}{}
		all.Go(func() {
			faults[i] = check()
			<-places
		})
	}
	all.Wait()
	if h.over.Err() != nil {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("hosts: verify: %w", err)
	}
	return errors.Join(faults...)
}

// notAs says how a link differs from what was set.
func notAs(l Link, format string, arguments ...any) error {
	return fmt.Errorf("%w: %v: %s", ErrNoEffect, l, fmt.Sprintf(format, arguments...))
}

// silent reports whether no probe over UDP passes.
func (s State) silent() bool {
	return !s.passes() || s.NoUDP || s.Size > 0 && s.Size < headers+probeSize
}

func (h *Hosts) verifyUDP(ctx context.Context, l Link, s State) error {
	if s.silent() {
		o, err := h.fire(ctx, l, volley{count: 5, gap: 10 * time.Millisecond, enough: 1, patience: silenceWait})
		switch {
		case err != nil:
			return err
		case len(o.arrivals) > 0:
			return notAs(l, "carries packets of UDP, set were %+v", s)
		case s.Mute != (o.refused > 0):
			return notAs(l, "the sender's host refused %d of 5 packets, set was mute=%v", o.refused, s.Mute)
		}
		return nil
	}
	tries := min(1000, int(20/(1-s.Loss))+50)
	patience := openWait + 5*s.High
	o, err := h.fire(ctx, l, volley{count: tries, gap: 20 * time.Millisecond, enough: 1, patience: patience})
	if err != nil {
		return err
	}
	if len(o.arrivals) == 0 {
		return notAs(l, "carries no packet of UDP: %d were sent, %d refused by the sender's host", len(o.sent), o.refused)
	}
	for _, check := range []func(context.Context, Link, State) error{h.verifyChances, h.verifySize, h.verifyRate} {
		if err := check(ctx, l, s); err != nil {
			return err
		}
	}
	return nil
}

// verifyChances measures losses, copies, disorder and delays. The tolerance is
// five times the standard deviation, and some probes that a busy machine may lose
// by itself.
func (h *Hosts) verifyChances(ctx context.Context, l Link, s State) error {
	if s.Rate > 0 || s.Loss+s.Dup+s.Reorder == 0 && s.High == 0 {
		return nil
	}
	n := 20
	for _, p := range []float64{s.Loss, s.Dup, s.Reorder} {
		if p > 0 {
			n = max(n, min(1000, int(14/p)+1))
		}
	}
	late := s.High + max(4*s.High, 20*time.Millisecond)
	o, err := h.fire(ctx, l, volley{count: n, burst: 5, gap: 5 * time.Millisecond, patience: late + 200*time.Millisecond})
	if err != nil {
		return err
	}
	if lost := n - o.distinct; !about(lost, n, s.Loss) {
		return notAs(l, "lost %d of %d, set was %v", lost, n, s.Loss)
	}
	if copies := len(o.arrivals) - o.distinct; !about(copies, o.distinct, s.Dup) {
		return notAs(l, "%d of %d came twice, set was %v", copies, o.distinct, s.Dup)
	}
	return verifyTimes(l, s, o)
}

// verifyTimes looks at when probes came.
func verifyTimes(l Link, s State, o outcome) error {
	disorder, took := 0, make([]time.Duration, len(o.arrivals))
	for i, a := range o.arrivals {
		took[i] = a.at.Sub(o.sent[a.index])
		if i > 0 && a.index < o.arrivals[i-1].index {
			disorder++
		}
	}
	if len(took) == 0 {
		return nil
	}
	slices.Sort(took)
	least, median := took[0], took[len(took)/2]
	const busy = 250 * time.Millisecond // what a busy machine may add
	switch {
	case least < s.Low:
		return notAs(l, "a packet took %v, set was at least %v", least, s.Low)
	case median > s.High+max(4*s.High, 5*time.Millisecond)+busy:
		return notAs(l, "half of the packets took more than %v, set was at most %v", median, s.High)
	case float64(len(o.sent))*s.Reorder >= 12 && disorder == 0:
		return notAs(l, "%d packets came in order, set was reorder=%v", len(took), s.Reorder)
	case s.Reorder+s.Dup == 0 && disorder > 0:
		return notAs(l, "%d of %d packets came out of order, set was none", disorder, len(took))
	}
	return nil
}

// about reports whether a number of events of n is one that probability p gives.
func about(got, n int, p float64) bool {
	mean := float64(n) * p
	tolerance := 5*math.Sqrt(mean*(1-p)) + 2 + float64(n)/50
	if mean >= 12 && got == 0 {
		return false
	}
	return math.Abs(float64(got)-mean) <= tolerance
}

// verifySize checks that a packet above the size vanishes.
func (h *Hosts) verifySize(ctx context.Context, l Link, s State) error {
	size := s.Size + 1 - headers
	if s.Size == 0 || size > largest {
		return nil
	}
	o, err := h.fire(ctx, l, volley{count: 5, gap: 10 * time.Millisecond, size: size, enough: 1, patience: silenceWait + 5*s.High})
	if err == nil && len(o.arrivals) > 0 {
		return notAs(l, "carried a frame of %d bytes, set was a size of %d", size+headers, s.Size)
	}
	return err
}

// verifyRate checks that packets that are sent at once come one after the other.
func (h *Hosts) verifyRate(ctx context.Context, l Link, s State) error {
	const size = 1000
	queue := s.Queue
	if queue == 0 {
		queue = link.DefaultQueue
	}
	airtime := func(n int) time.Duration {
		return time.Duration(float64(n) * (size + headers) / float64(s.Rate) * float64(time.Second))
	}
	n := min(30, queue/(size+headers))
	for n > 2 && s.Rate > 0 && airtime(n) > time.Second {
		n--
	}
	if s.Rate == 0 || s.Loss+s.Dup+s.Reorder > 0 || s.Size > 0 && s.Size < size+headers || n < 2 {
		return nil
	}
	o, err := h.fire(ctx, l, volley{count: n, burst: n, size: size, enough: n, patience: openWait + s.High + airtime(n)})
	if err != nil {
		return err
	}
	if o.distinct < 2 {
		return notAs(l, "%d of %d large packets came, set was a rate of %d", o.distinct, n, s.Rate)
	}
	first, last := o.arrivals[0], o.arrivals[len(o.arrivals)-1]
	span := last.at.Sub(first.at)
	if least := airtime(last.index-first.index)*7/10 - (s.High - s.Low); span < least {
		return notAs(l, "%d large packets came within %v, set was a rate of %d", o.distinct, span, s.Rate)
	}
	return nil
}

// verifyTCP checks that a connection comes about if both directions carry TCP,
// and else does not. Where most packets are lost neither is certain.
func (h *Hosts) verifyTCP(ctx context.Context, l Link, there, back State) error {
	const smallest = 120 // holds any packet of a connection that says little
	passes := func(s State) bool {
		return s.passes() && !s.NoTCP && (s.Size == 0 || s.Size >= smallest)
	}
	if !passes(there) || !passes(back) {
		if err := h.dial(ctx, l, tcpSilence); err == nil {
			return notAs(l, "a connection of TCP came about, set were %+v and %+v", there, back)
		}
		return nil
	}
	if there.Loss > 0.5 || back.Loss > 0.5 {
		return nil
	}
	patience := tcpTry + 6*(there.High+back.High)
	var err error
	for deadline := time.Now().Add(openWait + patience); time.Now().Before(deadline) && ctx.Err() == nil; patience *= 2 {
		if err = h.dial(ctx, l, patience); err == nil {
			return nil
		}
	}
	return notAs(l, "no connection of TCP comes about: %v", err)
}
