package replica

import (
	"math/bits"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
)

// view is a set of nodes that could be homes, and since when.
type view struct {
	since int64
	homes []home
}

// home is a node that answers claims. The machine's own has the zero peer.
type home struct {
	peer Peer
	self bool
	seed uint64
}

// maxViews bounds the views that are remembered while membership changes. More
// changes than this within Settle drop the oldest.
const maxViews = 8

// viewChanged notes that the nodes that may be homes have changed. They are
// gathered when they are next needed: in a large cluster that forms they change
// a thousand times before anybody asks.
func (m *Machine) viewChanged() { m.viewStale = true }

// gather brings the views up to date. Of a peer's runs only the one with a ready
// link counts.
func (m *Machine) gather() {
	if !m.viewStale {
		return
	}
	m.viewStale = false
	homes := make([]home, 0, m.homes+1)
	if m.serving {
		homes = append(homes, home{self: true, seed: crdt.Key{}.HashString(m.self.id.Node)})
	}
	for _, p := range m.peers {
		if p.ready() && p.serving {
			homes = append(homes, p.home())
		}
	}
	if n := len(m.views); n > 0 && slices.Equal(m.views[n-1].homes, homes) {
		return
	}
	m.views = bounded(m.views, view{m.now.Mono, homes}, maxViews)
}

func (m *Machine) setServing(p *peer, is bool) {
	switch {
	case p.serving == is:
	case is:
		m.homes++
	default:
		m.homes--
	}
	p.serving = is
}

// home returns the peer as a home.
func (p *peer) home() home { return home{peer: p.id, seed: p.seed} }

// pruneViews forgets the views that ended longer ago than Settle.
func (m *Machine) pruneViews() {
	m.gather()
	for len(m.views) > 1 && m.now.Mono-m.views[1].since > int64(m.cfg.Settle) {
		m.views = slices.Delete(m.views, 0, 1)
	}
}

// homeIn returns the home of a name among some nodes: the one with the highest
// weight. (Rendezvous hashing: Thaler, Ravishankar, "Using name-based mappings to
// increase hit rates", 1998.)
func homeIn(homes []home, name uint64) (best home, ok bool) {
	top := uint64(0)
	for _, h := range homes {
		if w := mix(name ^ h.seed); !ok || w > top {
			best, top, ok = h, w, true
		}
	}
	return best, ok
}

func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	x = hi ^ lo
	hi, lo = bits.Mul64(x^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return hi ^ lo
}

// homesOf returns the nodes to ask about a name, in the order in which to ask:
// while a change of membership is settling, the home before it comes first, so
// that claimants who have seen the change and those who have not meet there.
func (m *Machine) homesOf(name string) []home {
	m.gather()
	h := crdt.Key{}.HashString(name)
	var homes []home
	for _, v := range m.views {
		if best, ok := homeIn(v.homes, h); ok && m.mayAsk(best) && !slices.Contains(homes, best) {
			homes = append(homes, best)
		}
	}
	return homes
}

// mayAsk reports whether a home of an earlier view can still answer.
func (m *Machine) mayAsk(h home) bool {
	if h.self {
		return m.serving
	}
	p := m.peer(h.peer)
	return p != nil && p.ready() && p.serving
}

// linkMayReturn reports whether a home of a recent view is a peer that is up and
// whose link broke a moment ago. It may have granted the name to another; a
// claimant that took its place at once would grant it a second time. After
// Settle the views are taken to differ for long, and the policy settles it.
func (m *Machine) linkMayReturn(name string) bool {
	m.gather()
	h := crdt.Key{}.HashString(name)
	for _, v := range m.views {
		best, ok := homeIn(v.homes, h)
		if !ok || best.self {
			continue
		}
		p := m.peer(best.peer)
		if p != nil && !p.linked && p.unlinked != 0 && m.now.Mono-p.unlinked < int64(m.cfg.Settle) {
			return true
		}
	}
	return false
}

// soleHome reports whether this node alone answers for every name, and has for
// as long as any other view could still be in use.
func (m *Machine) soleHome() bool {
	m.gather()
	return len(m.views) == 1 && len(m.views[0].homes) == 1 && m.views[0].homes[0].self
}

// serveAlone ends the wait for a first sync that nobody offers.
func (m *Machine) serveAlone() {
	if m.serving || m.now.Mono-m.started < int64(m.cfg.JoinWait) {
		return
	}
	for _, p := range m.peers {
		if p.ready() && (p.serving || m.now.Mono-m.started < int64(m.cfg.JoinWait+syncPatience)) {
			return
		}
	}
	m.serve()
}

// syncPatience is how much longer than JoinWait a node waits for peers that are
// linked and joining too.
const syncPatience = 2 * time.Second

// synced ends the joining of a node when it has all that there is to have: from
// a peer that serves, or, when nodes start together, from every linked peer.
// Nodes that start at the same time do not wait for each other.
func (m *Machine) synced() {
	if m.serving || m.homes == 0 && m.compare.done < len(m.peers) {
		return // there is nobody to have it from, or more to compare with
	}
	linked, whole := 0, 0
	for _, p := range m.peers {
		if p.linked && !p.refused {
			linked++
		}
		if !p.ready() || !p.compared || p.pulls > 0 {
			continue
		}
		whole++
		if p.serving {
			m.serve()
			return
		}
	}
	if whole > 0 && whole == linked && linked == len(m.peers) {
		m.serve()
	}
}

// serve makes this node a home like the others.
func (m *Machine) serve() {
	m.serving = true
	m.followCluster()
	m.viewChanged()
	m.notice(Notice{Kind: Serving, Node: m.self.id.Node})
	for _, p := range m.peers {
		if p.linked {
			m.sendHello(p, false)
		}
	}
	m.advanceAll()
}

// followCluster corrects a clock that is far ahead of the peers' at joining: at
// the median of the offsets, when that is beyond ClockBound.
func (m *Machine) followCluster() {
	var ahead []int64
	for _, p := range m.peers {
		if p.greeted {
			ahead = append(ahead, p.ahead)
		}
	}
	if len(ahead) == 0 {
		return
	}
	slices.Sort(ahead)
	median := ahead[len(ahead)/2]
	if median <= 0 {
		return
	}
	by, moved := m.clock.Adjust(m.now, m.clock.Time(m.now)-median)
	if !moved {
		return
	}
	m.notice(Notice{Kind: ClockAdjusted, Node: m.self.id.Node, Amount: by,
		Text: "this node's clock was far ahead of its peers'; rollcall follows theirs"})
}
