package gossip

import (
	"errors"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
)

const (
	// tick is the pace of the rejoin loop.
	tick = 100 * time.Millisecond
	// sweepEvery is the pace at which old runs are forgotten.
	sweepEvery = time.Minute
	// mergeEvery is the pace at which linked peers that memberlist does not know
	// are joined, one at a time: each join brings all that the other side knows.
	mergeEvery = 300 * time.Millisecond
)

// maintain looks for missing peers until the transport closes.
func (t *Transport) maintain() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	swept := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-t.ctx.Done():
			return
		}
		now := time.Now()
		if now.Sub(swept) >= sweepEvery {
			swept = now
			t.sweep(now)
		}
		t.mu.Lock()
		var targets []rejoin.Target
		if !t.leaving {
			targets = t.book.Next(now, cap(t.dials)-len(t.dials))
		}
		t.mu.Unlock()
		for _, target := range targets {
			t.count.add(rejoinAttempts, 1)
			t.seek(target)
		}
	}
}

// seek tries one missing address.
func (t *Transport) seek(target rejoin.Target) {
	t.mu.Lock()
	var p *peer
	if target.Peer != (transport.Peer{}) {
		_, p = t.runLocked(target.Peer, "")
		if p.addr == "" {
			p.addr = target.Addr
		}
	}
	ask := p == nil || p.addr != target.Addr
	closing := t.closing.Load()
	if ask && !closing {
		t.wg.Go(func() { t.askSeed(target.Addr) })
	}
	t.mu.Unlock()
	if !ask {
		t.connect(p)
	}
}

// askSeed asks who listens at a seed and makes a link to it.
func (t *Transport) askSeed(addr string) {
	select {
	case t.dials <- struct{}{}:
	case <-t.ctx.Done():
		return
	}
	a, err := t.ask(t.ctx, addr, forWho)
	<-t.dials
	var taken *transport.DuplicateNodeError
	switch {
	case t.ctx.Err() != nil:
		return
	case errors.As(err, &taken):
		if t.notices.due("taken " + addr) {
			t.log.Warn("a seed knows another run of this node's name as live", "node", taken.Node, "addr", taken.Addr, "seed", addr)
		}
		return
	case err != nil:
		if t.notices.due("seed " + addr) {
			t.log.Info("seed not reached yet", "seed", addr, "cause", err)
		}
		return
	}
	t.mu.Lock()
	if a.self == t.self {
		t.book.Self(addr)
	} else {
		t.book.Found(addr, a.self)
	}
	t.mu.Unlock()
	if a.self != t.self {
		t.meet(a.self, a.addr)
	}
}

// wake makes the merge loop look at once.
func (t *Transport) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// merge joins memberlist's view with that of linked peers that it does not know,
// until the transport closes. The first join is made at once, later ones leave
// gossip the time to make them needless.
func (t *Transport) merge() {
	for {
		select {
		case <-t.kick:
		case <-t.ctx.Done():
			return
		}
		for {
			addr, alone := t.stranger()
			if addr == "" {
				break
			}
			if !alone {
				select {
				case <-time.After(mergeEvery):
				case <-t.ctx.Done():
					return
				}
				if addr, _ = t.stranger(); addr == "" {
					break
				}
			}
			t.count.add(mergeAttempts, 1)
			if err := t.members.join(addr); err != nil {
				t.count.add(mergeFailures, 1)
				t.log.Debug("merging the membership failed", "addr", addr, "cause", err)
				select {
				case <-time.After(mergeEvery):
				case <-t.ctx.Done():
					return
				}
			}
		}
	}
}

// stranger returns the address of a linked peer that memberlist does not hold for
// alive, any of them, and whether memberlist knows nobody at all.
func (t *Transport) stranger() (addr string, alone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []string
	alone = true
	for _, n := range t.nodes {
		for _, p := range n.runs {
			if p.member {
				alone = false
			} else if p.link != nil && !t.leaving {
				found = append(found, p.addr)
			}
		}
	}
	if len(found) == 0 {
		return "", alone
	}
	return found[t.rng.IntN(len(found))], alone
}
