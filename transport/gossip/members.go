package gossip

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"net"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// metaSize is the size of what a node says of itself in memberlist: the magic,
	// the version of the wire protocol, the hash of the cluster's name.
	metaSize = 10
	// leaveTimeout limits the wait for the news of a leave to go out.
	leaveTimeout = time.Second
	// goroutineLabel marks memberlist's goroutines, so that the end of the last of
	// them can be awaited: the library has no way to ask.
	goroutineLabel = "rollcall-gossip"
)

// errForeign is why memberlist is told to ignore a node.
var errForeign = errors.New("gossip: not a registry node of this cluster and version")

// members is memberlist as this package uses it.
//
// memberlist calls back under its own locks. The callbacks copy, note and return;
// follow does the work. Of each member only the latest news is kept, so what waits
// is bounded by the number of members.
//
// Invariant: order holds each key of news once; nothing of memberlist is called
// after stop began, but for what leave and join had begun.
type members struct {
	t     *Transport
	list  *memberlist.Memberlist
	grace time.Duration
	id    string
	calls sync.RWMutex // held for reading by calls into memberlist, for writing by stop
	ended bool

	mu    sync.Mutex
	news  map[transport.Peer]report
	order []transport.Peer
	wake  chan struct{}
}

// report is the latest that memberlist said of a member.
type report struct {
	alive bool
	addr  string
}

// newMembers starts memberlist on the port.
func newMembers(t *Transport) (*members, error) {
	mc := t.cfg.Preset.memberlist()
	m := &members{
		t: t, grace: mc.ProbeInterval + closeGrace, id: fmt.Sprintf("%x@%s", t.self.Run, t.port.addr()),
		news: map[transport.Peer]report{}, wake: make(chan struct{}, 1),
	}
	mc.Name = memberName(t.self)
	mc.Label = t.cfg.Cluster
	mc.Keyring = t.keys.ring
	mc.Transport = t.port
	mc.AdvertiseAddr, mc.AdvertisePort = t.port.ip.String(), t.port.number
	mc.Delegate, mc.Events, mc.Alive = m, m, m
	mc.Logger = log.New(&libraryLog{log: t.log, count: &t.count}, "", 0)
	// In a goroutine of its own, for labels stay with the goroutine that set them and
	// pass to those that it starts.
	var err error
	var created sync.WaitGroup
	created.Go(func() {
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(goroutineLabel, m.id)))
		m.list, err = memberlist.Create(mc)
	})
	created.Wait()
	if err != nil {
		return nil, err
	}
	return m, nil
}

// join exchanges the whole membership with the node at an address.
func (m *members) join(addr string) error {
	m.calls.RLock()
	defer m.calls.RUnlock()
	if m.ended {
		return transport.ErrClosed
	}
	_, err := m.list.Join([]string{addr})
	return err
}

// leave spreads the news that this node leaves.
func (m *members) leave() {
	m.calls.RLock()
	defer m.calls.RUnlock()
	if m.ended {
		return
	}
	if err := m.list.Leave(leaveTimeout); err != nil {
		m.t.log.Debug("the leave may not have spread", "cause", err)
	}
}

// stop ends memberlist and waits until its goroutines are gone. The library waits
// for none of them; most end at once since the port is closed, but a probe of a
// peer that does not answer sleeps until its interval is over.
func (m *members) stop() {
	_ = m.t.port.Shutdown()
	m.calls.Lock()
	m.ended = true
	_ = m.list.Shutdown()
	m.calls.Unlock()
	pause := time.Millisecond
	for deadline := time.Now().Add(m.grace); time.Now().Before(deadline) && m.running(); {
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// running reports whether a goroutine of memberlist is left.
func (m *members) running() bool {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return false
	}
	return bytes.Contains(b.Bytes(), []byte(strconv.Quote(goroutineLabel)+":"+strconv.Quote(m.id)))
}

// NodeMeta implements memberlist.Delegate.
func (m *members) NodeMeta(int) []byte { return meta(m.t.cfg.Cluster) }

// meta returns what a node of a cluster says of itself.
func meta(cluster string) []byte {
	return binary.BigEndian.AppendUint64([]byte{magic, wireVersion}, clusterHash(cluster))
}

// NotifyMsg implements memberlist.Delegate; the registry sends nothing this way.
func (m *members) NotifyMsg([]byte) {}

// GetBroadcasts implements memberlist.Delegate.
func (m *members) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate.
func (m *members) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate.
func (m *members) MergeRemoteState([]byte, bool) {}

// NotifyAlive implements memberlist.AliveDelegate: it keeps out what is no
// registry node of this cluster.
func (m *members) NotifyAlive(n *memberlist.Node) error {
	if _, ok := parseMember(n.Name); !ok || len(n.Meta) != metaSize || !bytes.Equal(n.Meta, meta(m.t.cfg.Cluster)) {
		return errForeign
	}
	return nil
}

// NotifyJoin implements memberlist.EventDelegate.
func (m *members) NotifyJoin(n *memberlist.Node) { m.note(n, true) }

// NotifyLeave implements memberlist.EventDelegate.
func (m *members) NotifyLeave(n *memberlist.Node) { m.note(n, false) }

// NotifyUpdate implements memberlist.EventDelegate.
func (m *members) NotifyUpdate(*memberlist.Node) {}

// note keeps the latest news of a member.
func (m *members) note(n *memberlist.Node, alive bool) {
	p, ok := parseMember(n.Name)
	if !ok || p == m.t.self {
		return
	}
	r := report{alive: alive, addr: net.JoinHostPort(n.Addr.String(), strconv.Itoa(int(n.Port)))}
	m.mu.Lock()
	if _, known := m.news[p]; !known {
		m.order = append(m.order, p)
	}
	m.news[p] = r
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take returns the next member with news.
func (m *members) take() (transport.Peer, report, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.order) == 0 {
		return transport.Peer{}, report{}, false
	}
	p := m.order[0]
	m.order = m.order[1:]
	r := m.news[p]
	delete(m.news, p)
	return p, r, true
}

// follow acts on the news until the transport closes.
func (m *members) follow() {
	for {
		select {
		case <-m.wake:
		case <-m.t.ctx.Done():
			return
		}
		for {
			p, r, ok := m.take()
			if !ok {
				break
			}
			m.t.reported(p, r)
		}
	}
}

// reported acts on memberlist's news of a member. Where it speaks of another run
// of a node that is up without a link, a dial decides which of the two there is;
// one that is linked stays until its link breaks.
func (t *Transport) reported(id transport.Peer, r report) {
	if id.Node == t.self.Node {
		t.meet(id, r.addr)
		return
	}
	t.mu.Lock()
	if !t.roomLocked(id) {
		t.mu.Unlock()
		return
	}
	n, p := t.runLocked(id, r.addr)
	p.member = r.alive
	if r.alive {
		t.book.Heard(id, r.addr, time.Now())
		p.doubt = p.gone
	}
	t.settleLocked(n)
	other := n.current != nil && n.current != p
	dial := r.alive && p.link == nil && (less(t.self, id) || p.doubt || other)
	if other && n.current.link != nil {
		dial = false
	}
	t.mu.Unlock()
	if dial {
		t.connect(p)
	}
}
