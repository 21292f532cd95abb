package registry

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
	"github.com/rollcall-dev/rollcall/transport"
)

// pump hands frames to the transport, in order, one goroutine at a time.
type pump struct {
	mu   sync.Mutex
	last atomic.Int64 // when it last ran, by the monotonic clock
	own  []replica.Send
}

// idleGap is how long the pump must have been idle for a caller to send its own
// changes. Under load they are left to the loop, which takes all there are at
// once: a frame for each change would cost several times as much.
const idleGap = 100 * time.Microsecond

// afterwards sees to the effects of an input once mu is free.
func (r *Registry) afterwards(now crdt.Reading, t todo) {
	idle := now.Mono-r.pump.last.Load() > int64(idleGap)
	if t.frames && (t.urgent || idle) && r.pump.mu.TryLock() {
		// Whoever pumps now may have looked before these frames came; then the loop
		// takes them. A caller never waits behind somebody else's frames.
		r.drain()
		r.pump.mu.Unlock()
		t.frames = false
	}
	if t.frames || t.talk {
		r.wakeLoop()
	}
}

// flush sends all that is queued.
func (r *Registry) flush() {
	if r.cfg.Transport == nil {
		return
	}
	r.pump.mu.Lock()
	defer r.pump.mu.Unlock()
	r.drain()
}

// drain sends until nothing is queued. It needs pump.mu.
func (r *Registry) drain() {
	for {
		r.mu.Lock()
		r.machine.Flush()
		r.settled()
		r.pump.own, r.sends = r.sends, r.pump.own[:0]
		r.mu.Unlock()
		if len(r.pump.own) == 0 {
			break
		}
		for _, s := range r.pump.own {
			// A frame that is not queued is missed, noticed by its number and fetched.
			_ = r.cfg.Transport.Send(transport.Peer(s.To), transport.Lane(s.Lane), s.Frame)
		}
		clear(r.pump.own)
	}
	r.pump.last.Store(int64(time.Since(r.start)))
}
