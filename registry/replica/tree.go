package replica

import (
	"bytes"
	"time"

	"github.com/rollcall-dev/rollcall/registry/overlay"
)

// In a small cluster the owner of a change sends it to every node: one hop, one
// payload for each node. In a large one that would make every owner send to
// hundreds; there its changes travel along a tree, see package overlay. Frames are
// passed on as they came: a record is the same whoever tells it.
//
// In a cluster of any size where some links are cut for good, neighbors pass on
// what an owner has sent to all that it reaches.
//
// The tree only makes things fast. What it loses is noticed by a gap, by what the
// neighbors behind lazy links speak of, and by the comparisons.

// missed is what a neighbor behind a lazy link has spoken of and what has not
// come yet.
type missed struct {
	origin  *origin
	version uint64
	from    Peer
	at      int64
}

// graftAfter is how long what a lazy link speaks of may take to come over an
// eager one: longer than a tree is high.
const graftAfter = int64(150 * time.Millisecond)

// findApart finds whether a peer is up to which no link has led for a while: it is
// reached through others, which pass on.
func (m *Machine) findApart() {
	m.apart = false
	for _, p := range m.peers {
		if p.ready() || p.refused {
			continue
		}
		if from := max(p.since, p.unlinked); m.now.Mono-from > int64(m.cfg.Settle) {
			m.apart = true
		} else {
			m.lookAt(from + int64(m.cfg.Settle) + 1)
		}
	}
}

// growTree starts and ends the tree as the cluster grows and shrinks, and keeps
// it up. The gap between the two keeps a cluster at the limit from going to and
// fro.
func (m *Machine) growTree() {
	n := m.Reached()
	m.large = n > m.cfg.TreeAbove || m.large && n > m.cfg.TreeAbove*3/4
	m.tree.Switch(m.large || m.apart)
	m.tree.Tick(m.now.Mono)
	m.announce()
	m.graftMissed()
	m.sendNeighbors()
}

// sendNeighbors sends what the tree has to say.
func (m *Machine) sendNeighbors() {
	for _, msg := range m.tree.Take() {
		if p := m.peer(msg.To); p != nil && p.ready() {
			m.send(p, Urgent, m.enc.neighbor(msg.Op))
		}
	}
}

// sendOwn sends a frame of this node's records: along the tree, or, where there
// is none, to everybody.
func (m *Machine) sendOwn(frame []byte) {
	if !m.large || m.tree.Neighbors() == 0 {
		for _, p := range m.peers {
			if p.ready() {
				m.send(p, Deltas, frame)
			}
		}
		return
	}
	m.tree.Rouse(&m.self.tree)
	m.sendEager(m.self, frame, Peer{})
	m.hasNews(m.self)
}

// sendEager sends a frame over an origin's eager links, but for the one that it
// came on.
func (m *Machine) sendEager(o *origin, frame []byte, but Peer) {
	m.links = m.tree.Eager(m.links[:0], &o.tree)
	for _, to := range m.links {
		if to != but {
			m.count.Relayed++
			m.send(m.peer(to), Deltas, frame)
		}
	}
}

// passOn sends on a frame that a peer sent and that was news, and prunes the tree
// where it was not. What came by a fetch says nothing about the tree.
func (m *Machine) passOn(p *peer, o *origin, news bool) {
	if m.tree.Neighbors() == 0 {
		return
	}
	if !m.tree.Has(p.id) && o.run != p.id.Run {
		m.tree.Stray(p.id) // it passes on to a node that would not pass on to it
		m.sendNeighbors()
	}
	if news {
		o.via = p.id
		m.tree.Graft(&o.tree, p.id)
		m.sendEager(o, bytes.Clone(m.frame), p.id) // the caller's memory ends with Step
		m.hasNews(o)
		return
	}
	m.count.Duplicates++
	if o.via != p.id && (m.tree.Has(o.via) || o.via.Run == o.run) && m.tree.Prune(&o.tree, p.id) {
		m.send(p, Urgent, m.enc.tree(treeMsg{o.id, false}))
	}
}

// onTree takes in that a neighbor has made its end of a link eager or lazy.
func (m *Machine) onTree(p *peer, t treeMsg) {
	o := m.known(t.id)
	switch {
	case o == nil:
	case t.graft:
		m.tree.Graft(&o.tree, p.id)
	default:
		m.tree.Prune(&o.tree, p.id)
	}
}

// hasNews notes that the neighbors behind lazy links are to be told of an origin.
func (m *Machine) hasNews(o *origin) {
	if !o.news {
		o.news = true
		m.news = append(m.news, o)
	}
}

// announce tells the neighbors behind lazy links what is new here.
func (m *Machine) announce() {
	if len(m.news) == 0 {
		return
	}
	m.links = m.tree.Eager(m.links[:0], &overlay.Tree{})
	for _, to := range m.links {
		var have []position
		for _, o := range m.news {
			if o.up && m.tree.IsLazy(&o.tree, to) {
				have = append(have, o.position())
			}
		}
		if len(have) > 0 {
			m.send(m.peer(to), Deltas, m.enc.have(have))
		}
	}
	for _, o := range m.news {
		o.news = false
	}
	clear(m.news)
	m.news = m.news[:0]
}

// fetched tells the neighbors at once of an origin that this node had missed:
// those that the tree serves through it have missed it too.
func (m *Machine) fetched(o *origin, from Peer) {
	if m.tree.Neighbors() == 0 {
		return
	}
	o.via = Peer{}
	m.hasNews(o)
	frame := m.enc.have([]position{o.position()})
	m.links = m.tree.Eager(m.links[:0], &o.tree)
	for _, to := range m.links {
		if to != from {
			m.send(m.peer(to), Deltas, frame)
		}
	}
}

// onHave takes in what a neighbor has. What the tree should have brought from
// there is fetched at once; elsewhere it may be on its way.
func (m *Machine) onHave(p *peer, have []position) {
	if !m.tree.Has(p.id) {
		m.tree.Stray(p.id)
		m.sendNeighbors()
		return
	}
	for _, pos := range have {
		o := m.acceptListed(pos)
		switch {
		case o == nil || o.self || pos.version <= o.log.Version() || o.pull != nil:
		case !m.tree.IsLazy(&o.tree, p.id):
			m.fetch(p, o)
		case len(m.missing) < maxMissing:
			m.missing = append(m.missing, missed{o, pos.version, p.id, m.now.Mono})
		}
	}
}

// maxMissing bounds what is kept of what lazy links speak of; beyond it the
// comparisons find it.
const maxMissing = 4096

// graftMissed fetches what did not come over an eager link in time, and makes the
// links eager that spoke of it.
func (m *Machine) graftMissed() {
	kept := m.missing[:0]
	for _, x := range m.missing {
		switch p := m.peer(x.from); {
		case x.version <= x.origin.log.Version() || !x.origin.up || p == nil || !p.ready():
		case m.now.Mono-x.at < graftAfter:
			kept = append(kept, x)
		case x.origin.pull == nil:
			if m.tree.Graft(&x.origin.tree, p.id) {
				m.count.Grafts++
				m.send(p, Urgent, m.enc.tree(treeMsg{x.origin.id, true}))
			}
			m.fetch(p, x.origin)
		}
	}
	clear(m.missing[len(kept):])
	m.missing = kept
}
