package rejoin

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

const (
	// DefaultEvery is the usual time between two tries of one address.
	DefaultEvery = time.Second
	// DefaultPerTick is the usual limit of addresses offered by one call of Next.
	// With ten ticks a second it covers 160 missing peers at full pace.
	DefaultPerTick = 16
	// DefaultForgetAfter is the usual time after which a missing peer is forgotten.
	DefaultForgetAfter = 24 * time.Hour
	// DefaultLimit is the usual limit of peers in the book.
	DefaultLimit = 4096
	// jitter is the part of Every by which a wait is shortened or lengthened at
	// most: nodes that lost each other at one moment do not try in step.
	jitter = 0.2
)

// Config says how eagerly and for how long a book keeps trying. The zero value of
// a field is its default.
type Config struct {
	// Every is the time between two tries of one missing address, give or take a
	// fifth. Shorter heals sooner and costs a connection attempt each time.
	// Default DefaultEvery.
	Every time.Duration
	// PerTick limits the addresses that one call of Next offers. Default
	// DefaultPerTick.
	PerTick int
	// ForgetAfter is the time after which a peer that stayed missing is forgotten.
	// Default DefaultForgetAfter.
	ForgetAfter time.Duration
	// Limit bounds the number of peers remembered, seeds not counted. Beyond it
	// the missing peer that was seen longest ago is forgotten. Default
	// DefaultLimit.
	Limit int
}

// Target is an address to try.
type Target struct {
	// Addr is where to connect.
	Addr string
	// Peer is who was last met there. It is zero for a seed at which nobody was
	// met yet.
	Peer transport.Peer
}

// Book is the address book of one node.
//
// Invariant: a node name has at most one entry, that of the run met last; an
// entry that is not present has a due time; at most Config.Limit entries have a
// peer and are not seeds.
type Book struct {
	cfg   Config
	rng   *rand.Rand
	seeds map[string]*entry
	nodes map[string]*entry
	self  map[string]bool
	idle  time.Time // until then nothing is due; zero when it must be looked up
}

// entry is one address, of a seed, of a peer, or of both.
type entry struct {
	addr    string
	peer    transport.Peer
	seen    time.Time
	present bool
	due     time.Time
}

// New returns an empty book that draws its jitter from rng.
func New(cfg Config, rng *rand.Rand) *Book {
	cfg.Every = cmp.Or(max(cfg.Every, 0), DefaultEvery)
	cfg.PerTick = cmp.Or(max(cfg.PerTick, 0), DefaultPerTick)
	cfg.ForgetAfter = cmp.Or(max(cfg.ForgetAfter, 0), DefaultForgetAfter)
	cfg.Limit = cmp.Or(max(cfg.Limit, 0), DefaultLimit)
	return &Book{cfg: cfg, rng: rng, seeds: map[string]*entry{}, nodes: map[string]*entry{}, self: map[string]bool{}}
}

// Seed adds an address that is tried for ever, at once at first.
func (b *Book) Seed(addr string) {
	if b.seeds[addr] == nil && !b.self[addr] {
		b.seeds[addr] = &entry{addr: addr}
		b.idle = time.Time{}
	}
}

// Self takes an address out of the book for good: this node itself answered there.
func (b *Book) Self(addr string) {
	b.self[addr] = true
	delete(b.seeds, addr)
}

// Met records that a peer is in contact and where it listens. Nothing is offered
// for it until Lost. A run other than the one recorded replaces it.
func (b *Book) Met(p transport.Peer, addr string, now time.Time) {
	if b.self[addr] {
		return
	}
	b.nodes[p.Node] = &entry{addr: addr, peer: p, seen: now, present: true}
	b.idle = time.Time{}
	if s := b.seeds[addr]; s != nil {
		s.peer, s.seen = p, now
	}
	b.trim()
}

// Heard records where a peer is said to listen, without contact. It is offered
// after about Config.Every unless Met comes first. What is known of the same run,
// or of another run that is in contact, is kept.
func (b *Book) Heard(p transport.Peer, addr string, now time.Time) {
	e := b.nodes[p.Node]
	if b.self[addr] || (e != nil && (e.peer == p || e.present)) {
		return
	}
	b.nodes[p.Node] = &entry{addr: addr, peer: p, seen: now, due: now.Add(b.wait())}
	b.idle = time.Time{}
	b.trim()
}

// Lost records that the contact with a peer broke. It is offered again after
// about Config.Every, and then until Met, Gone or Config.ForgetAfter.
func (b *Book) Lost(p transport.Peer, now time.Time) {
	if e := b.nodes[p.Node]; e != nil && e.peer == p && e.present {
		e.present, e.seen, e.due = false, now, now.Add(b.wait())
		b.idle = time.Time{}
	}
}

// Gone takes out a run that will not come back, because it said that it leaves.
// A seed stays a seed.
func (b *Book) Gone(p transport.Peer) {
	b.idle = time.Time{}
	if e := b.nodes[p.Node]; e != nil && e.peer == p {
		delete(b.nodes, p.Node)
	}
	for _, s := range b.seeds { // in any order: each stands alone
		if s.peer == p {
			s.peer = transport.Peer{}
		}
	}
}

// Next returns the missing addresses to try now, the one that waited longest
// first, at most limit and at most Config.PerTick. Each is offered again after
// about Config.Every. A seed is missing while no peer in contact listens at it
// or was found through it.
func (b *Book) Next(now time.Time, limit int) []Target {
	if now.Before(b.idle) {
		return nil
	}
	b.forget(now)
	due, next := b.missing(now)
	slices.SortFunc(due, func(x, y *entry) int {
		return cmp.Or(x.due.Compare(y.due), cmp.Compare(x.addr, y.addr), cmp.Compare(x.peer.Node, y.peer.Node))
	})
	var out []Target
	tried := map[string]bool{}
	for _, e := range due {
		if len(out) >= min(limit, b.cfg.PerTick) {
			break
		}
		e.due = now.Add(b.wait())
		if !tried[e.addr] {
			tried[e.addr] = true
			out = append(out, Target{Addr: e.addr, Peer: e.peer})
		}
	}
	if b.idle = next; len(due) > 0 {
		b.idle = now
	}
	return out
}

// missing returns the entries that are due, and when the next of the others will
// be: at most Config.Every from now.
func (b *Book) missing(now time.Time) (due []*entry, next time.Time) {
	next = now.Add(b.cfg.Every)
	look := func(e *entry) {
		if !e.due.After(now) {
			due = append(due, e)
		} else if e.due.Before(next) {
			next = e.due
		}
	}
	present := make(map[string]bool, len(b.nodes))
	for _, e := range b.nodes { // in any order: what is due is sorted by the caller
		if e.present {
			present[e.addr] = true
		} else {
			look(e)
		}
	}
	for _, s := range b.seeds { // in any order: what is due is sorted by the caller
		found := b.nodes[s.peer.Node]
		met := found != nil && found.present && found.peer == s.peer
		if !present[s.addr] && !met {
			look(s)
		}
	}
	return due, next
}

// Found records which peer answered at a seed's address; it may listen elsewhere.
func (b *Book) Found(seed string, p transport.Peer) {
	if s := b.seeds[seed]; s != nil {
		s.peer = p
	}
}

// Missing returns the number of known peers that are not in contact.
func (b *Book) Missing() int {
	n := 0
	for _, e := range b.nodes { // in any order: it counts
		if !e.present {
			n++
		}
	}
	return n
}

// Len returns the number of peers in the book.
func (b *Book) Len() int { return len(b.nodes) }

// wait returns Config.Every with jitter.
func (b *Book) wait() time.Duration {
	return time.Duration(float64(b.cfg.Every) * (1 - jitter + 2*jitter*b.rng.Float64()))
}

// forget drops the peers that stayed missing for too long.
func (b *Book) forget(now time.Time) {
	for name, e := range b.nodes { // in any order: each stands alone
		if !e.present && now.Sub(e.seen) > b.cfg.ForgetAfter {
			delete(b.nodes, name)
		}
	}
}

// trim makes room when the book is beyond its limit. Peers in contact stay: they
// are bounded by what the caller can connect to.
func (b *Book) trim() {
	for len(b.nodes) > b.cfg.Limit {
		var oldest *entry
		for _, e := range b.nodes { // in any order: the smallest of all is looked for
			if e.present {
				continue
			}
			if oldest == nil || e.seen.Before(oldest.seen) || (e.seen.Equal(oldest.seen) && e.peer.Node < oldest.peer.Node) {
				oldest = e
			}
		}
		if oldest == nil {
			return
		}
		delete(b.nodes, oldest.peer.Node)
	}
}
