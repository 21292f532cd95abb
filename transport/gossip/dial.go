package gossip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// quickRetry is the pause after the first attempt right after a link broke; each
	// further one is twice as long, up to slowRetry. The port of a program that was
	// killed may take connections for a few milliseconds more.
	quickRetry = 2 * time.Millisecond
	slowRetry  = 100 * time.Millisecond
	// quickDial is how long the first attempt after the peer closed a link waits;
	// each further one waits twice as long. A first packet that was dropped is sent
	// again by the kernel only after a second.
	quickDial = 60 * time.Millisecond
	// quickTime is how long these go on; the rejoin loop goes on after it.
	quickTime = time.Second
)

// errNotNeeded ends an attempt to make a link that came about otherwise.
var errNotNeeded = errors.New("gossip: the link exists, or is being made by the peer")

// askSeeds asks each seed who it is and whether this node's name is free, all at
// once, and returns who answered.
func (t *Transport) askSeeds() ([]answer, error) {
	answers := make([]answer, len(t.cfg.Seeds))
	causes := make([]error, len(t.cfg.Seeds))
	ctx, cancel := context.WithTimeout(t.ctx, t.timing.handshake)
	defer cancel()
	var all sync.WaitGroup
	for i, seed := range t.cfg.Seeds {
		all.Go(func() { answers[i], causes[i] = t.ask(ctx, seed, forWho) })
	}
	all.Wait()
	var found []answer
	others := 0
	for i, seed := range t.cfg.Seeds {
		var taken *transport.DuplicateNodeError
		if errors.As(causes[i], &taken) {
			return nil, taken
		}
		if causes[i] == nil && answers[i].self == t.self {
			t.book.Self(seed)
			continue
		}
		others++
		t.book.Seed(seed)
		if causes[i] != nil {
			t.log.Info("seed not reached yet", "seed", seed, "cause", causes[i])
			continue
		}
		t.book.Found(seed, answers[i].self)
		found = append(found, answers[i])
	}
	if t.cfg.RequireSeed && len(found) == 0 && others > 0 {
		return nil, &SeedError{Seeds: t.cfg.Seeds, Causes: causes}
	}
	return found, nil
}

// ask asks who listens at an address; forWho also whether this node's name is
// free, and a name that is taken is a *transport.DuplicateNodeError.
func (t *Transport) ask(ctx context.Context, addr string, why purpose) (answer, error) {
	h := hello{purpose: why, cluster: t.cfg.Cluster, from: t.self, addr: t.port.addr()}
	w, a, err := t.greet(ctx, addr, t.timing.dial, h, func() error { return nil })
	if err != nil {
		var r *RefusedError
		if errors.As(err, &r) {
			t.countRefusal(r.Why)
			if r.Why == DuplicateNode {
				return a, &transport.DuplicateNodeError{Node: t.self.Node, Addr: r.Holder}
			}
		}
		return a, err
	}
	_ = w.Close()
	return a, nil
}

// who answers a question of purpose forWho or forCheck.
func (t *Transport) who(h hello) answer {
	a := answer{code: accepted, self: t.self, addr: t.port.addr()}
	if h.purpose == forCheck || h.from == t.self {
		return a
	}
	if h.from.Node == t.self.Node {
		a.code, a.holder = DuplicateNode, a.addr
	} else if holder, ok := t.holder(h.from); ok {
		a.code, a.holder = DuplicateNode, holder
	}
	return a
}

// holder returns where another live run of an asker's node listens. What is known
// may be old, above all right after a crash: the run itself is asked.
func (t *Transport) holder(asker transport.Peer) (string, bool) {
	t.mu.Lock()
	var p *peer
	if n := t.nodes[asker.Node]; n != nil && n.current != nil && n.current.id != asker {
		p = n.current
	}
	var addr string
	if p != nil {
		addr = p.addr
	}
	t.mu.Unlock()
	if p == nil {
		return "", false
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.timing.verify)
	defer cancel()
	a, err := t.ask(ctx, addr, forCheck)
	if err == nil && a.self == p.id {
		return addr, true
	}
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		t.goneFor(p)
	}
	return "", false
}

// meet takes note of a run and where it listens, and makes a link to it.
func (t *Transport) meet(id transport.Peer, addr string) {
	if id.Node == t.self.Node {
		if id != t.self && t.notices.due(id.String()) {
			t.count.add(refusedDuplicate, 1)
			t.log.Error("another live node has this node's name", "node", id.Node, "addr", addr)
		}
		return
	}
	t.mu.Lock()
	if !t.roomLocked(id) {
		t.mu.Unlock()
		return
	}
	_, p := t.runLocked(id, addr)
	t.book.Heard(id, addr, time.Now())
	t.mu.Unlock()
	t.connect(p)
}

// connect sees to it that somebody makes a link to a peer, unless there is one.
func (t *Transport) connect(p *peer) { t.connectAfter(p, false) }

// connectAfter is connect; ended says that the peer's end of a link was closed just
// now, so that its program may be ending.
func (t *Transport) connectAfter(p *peer, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing.Load() || t.leaving || !t.ready || p.link != nil || p.dialing || p.left {
		return
	}
	p.dialing = true
	t.wg.Go(func() { t.pursue(p, ended) })
}

// pursue dials a peer, several times in quick succession where the other side
// answers with neither a link nor a clear refusal: a program that is ending may
// still accept, and its machine may drop a first packet while it does away with
// the program's port.
func (t *Transport) pursue(p *peer, ended bool) {
	begin := time.Now()
	limit := t.timing.dial
	if ended {
		limit = t.timing.quick
	}
	pause, patience := quickRetry, limit
	if ended {
		patience = min(limit, quickDial)
	}
	for {
		err := t.dialLink(p, patience)
		again := err != nil && (t.judgeDial(p, err) || (ended && t.ctx.Err() == nil && unclear(err)))
		if !again || time.Since(begin) >= quickTime {
			t.mu.Lock()
			p.dialing, p.greeting = false, false
			t.mu.Unlock()
			return
		}
		select {
		case <-time.After(pause):
		case <-t.ctx.Done():
		}
		pause, patience = min(2*pause, slowRetry), min(2*patience, limit)
	}
}

// unclear reports whether a failed attempt says nothing about the program at the
// other end: it timed out, or broke before anybody answered.
func unclear(err error) bool {
	var r *RefusedError
	return !errors.As(err, &r) && !errors.Is(err, errNotNeeded) && !errors.Is(err, syscall.ECONNREFUSED)
}

// dialLink makes one attempt at a link.
func (t *Transport) dialLink(p *peer, limit time.Duration) error {
	select {
	case t.dials <- struct{}{}:
		defer func() { <-t.dials }()
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
	t.mu.Lock()
	addr := p.addr
	t.mu.Unlock()
	h := hello{purpose: forLink, cluster: t.cfg.Cluster, from: t.self, addr: t.port.addr(), want: p.id}
	ready := func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if p.link != nil || p.left || t.leaving {
			return errNotNeeded
		}
		p.greeting = true
		return nil
	}
	w, a, err := t.greet(t.ctx, addr, limit, h, ready)
	t.mu.Lock()
	p.greeting = false
	t.mu.Unlock()
	if err != nil {
		return err
	}
	if a.self != p.id {
		_ = w.Close()
		return &RefusedError{Addr: addr, Why: WrongPeer, Peer: a.self}
	}
	l, refusal, holder := t.adopt(w, p.id, addr, true)
	if l == nil {
		_ = w.Close()
		return &RefusedError{Addr: addr, Why: refusal, Peer: a.self, Holder: holder}
	}
	t.count.add(linksDialled, 1)
	l.run()
	t.wake()
	return nil
}

// judgeDial draws the conclusion from a failed attempt and reports whether to try
// again at once.
func (t *Transport) judgeDial(p *peer, err error) bool {
	var r *RefusedError
	switch {
	case errors.Is(err, errNotNeeded), t.ctx.Err() != nil:
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		t.goneFor(p)
		return false
	case errors.As(err, &r):
		t.countRefusal(r.Why)
		switch r.Why {
		case WrongPeer:
			t.goneFor(p)
			if r.Peer != t.self {
				t.meet(r.Peer, r.Addr)
			}
		case Leaving:
			t.leftFor(p)
		case DuplicateNode:
			if t.notices.due(p.id.String()) {
				t.log.Error("two live nodes have one name", "peer", p.id.String(), "addr", r.Addr, "holder", r.Holder)
			}
		case ForeignCluster, WrongKey, WrongVersion:
			if t.notices.due(r.Addr) {
				t.log.Warn("a peer refused this node", "peer", p.id.String(), "addr", r.Addr, "why", r.Why.String())
			}
		}
		t.believe(p)
		return r.Why == Busy
	}
	t.believe(p)
	var op *net.OpError
	return !isTimeout(err) && !(errors.As(err, &op) && op.Op == "dial")
}

// leftFor notes that a peer says, when it is dialled, that it leaves.
func (t *Transport) leftFor(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.nodes[p.id.Node]; n != nil && p.link == nil && !p.left {
		p.left = true
		t.count.add(peersLeft, 1)
		t.book.Gone(p.id)
		t.settleLocked(n)
	}
}

// goneFor notes the proof that a run is no more: its address refuses connections,
// or another program answers there. memberlist will call it alive for some
// seconds yet.
func (t *Transport) goneFor(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.doubt = false
	if p.link != nil || p.gone {
		return
	}
	p.gone = true
	t.count.add(peersGone, 1)
	if n := t.nodes[p.id.Node]; n != nil {
		t.settleLocked(n)
	}
}

// believe takes memberlist's word for a run that it calls alive again after its
// program was gone, since a dial did not show the contrary.
func (t *Transport) believe(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.doubt {
		p.doubt, p.gone = false, false
		if n := t.nodes[p.id.Node]; n != nil {
			t.settleLocked(n)
		}
	}
}

// acceptLink is the listener's end of a handshake for a link.
func (t *Transport) acceptLink(w *wire, h hello) {
	l, refusal, holder := t.adopt(w, h.from, h.addr, false)
	a := answer{code: refusal, self: t.self, addr: t.port.addr(), holder: holder}
	err := writeBlock(w, a.encode())
	if l == nil {
		t.countRefusal(refusal)
		if refusal == DuplicateNode && t.notices.due(h.from.String()) {
			t.log.Error("refused a second live node of one name", "peer", h.from.String(), "addr", h.addr, "holder", holder)
		}
		_ = w.Close()
		return
	}
	if err != nil {
		l.abandon(fmt.Errorf("answering: %w", err))
		return
	}
	_ = w.below.SetDeadline(time.Time{})
	l.run()
	t.wake()
}
