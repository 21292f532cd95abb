package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
)

// Transport connects one run of a node with its peers over a real network. It
// implements transport.Transport.
//
// Invariant: under mu, nodes holds all that is known of others, book which of
// them to look for; links holds exactly the links that frames may be sent on; no
// call to the handler or to memberlist is made under mu; closing, once true,
// stays so, and from then on no goroutine is started in wg.
type Transport struct {
	cfg     Config
	timing  timing
	log     *slog.Logger
	keys    *keys
	count   counters
	fault   *Fault
	notices *notices
	port    *port

	self    transport.Peer
	handler transport.Handler
	members *members
	links   sync.Map // transport.Peer to *link
	buffers sync.Pool

	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	dials   chan struct{}
	kick    chan struct{}
	addr    atomic.Value
	started atomic.Bool
	closing atomic.Bool

	starting sync.Mutex // held by Start while it works

	mu      sync.Mutex
	ready   bool
	leaving bool
	nodes   map[string]*node
	book    *rejoin.Book
	rng     *rand.Rand
	closed  chan struct{}
}

var _ transport.Transport = (*Transport)(nil)

// maxDials limits the connections that are being dialled at one time.
const maxDials = 128

// New checks a configuration and returns a transport that Start brings to life.
// Its error joins all faults of the configuration.
func New(cfg Config) (*Transport, error) { return newOn(cfg, kernel{}) }

// newOn is New on another network.
func newOn(cfg Config, on network) (*Transport, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	k, err := newKeys(cfg)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	t := &Transport{
		cfg: cfg, timing: cfg.Preset.timing(), log: cfg.Logger, keys: k, notices: newNotices(),
		dials: make(chan struct{}, maxDials), kick: make(chan struct{}, 1),
		nodes: map[string]*node{}, rng: rng, closed: make(chan struct{}),
		book: rejoin.New(rejoin.Config{Every: cfg.Preset.timing().every, ForgetAfter: cfg.ForgetAfter}, rng),
	}
	t.buffers.New = func() any { return new(batch) }
	t.fault = newFault(&t.count)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.port = &port{net: on, fault: t.fault, count: &t.count, log: t.log, foreign: t.notices, label: cfg.Cluster, registry: t.serve}
	return t, nil
}

// checkNode says what is wrong with a node's name.
func checkNode(name string) error {
	switch {
	case name == "":
		return errors.New("gossip: the node has no name")
	case len(name) > MaxNodeName:
		return fmt.Errorf("gossip: the node name has %d bytes, the limit is %d", len(name), MaxNodeName)
	case !utf8.ValidString(name):
		return fmt.Errorf("gossip: the node name %q is not UTF-8", name)
	case strings.ContainsRune(name, '#'):
		return fmt.Errorf("gossip: the node name %q contains '#', which separates the name from the run", name)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("gossip: the node name %q contains a character that cannot be printed", name)
	}
	return nil
}

// Start listens, asks the seeds whether the node's name is free, and takes part.
// It returns transport.ErrStarted, transport.ErrClosed, an error that says which
// address cannot be had and why, a *transport.DuplicateNodeError, or, with
// Config.RequireSeed, an error that lists each seed with its cause.
//
// It waits for the seeds' answers, three seconds at most (WAN: eight); what follows
// from them goes on in the background.
func (t *Transport) Start(self transport.Peer, h transport.Handler) error {
	if err := checkNode(self.Node); err != nil {
		return err
	}
	if t.closing.Load() {
		return transport.ErrClosed
	}
	if !t.started.CompareAndSwap(false, true) {
		return transport.ErrStarted
	}
	if err := t.start(self, h); err != nil {
		_ = t.Close() // it cannot fail
		return err
	}
	return nil
}

// start does the work of Start; Close waits for it.
func (t *Transport) start(self transport.Peer, h transport.Handler) error {
	t.starting.Lock()
	defer t.starting.Unlock()
	if t.closing.Load() {
		return transport.ErrClosed
	}
	t.self, t.handler = self, h
	if err := t.port.open(t.cfg.Bind, t.cfg.Advertise); err != nil {
		return err
	}
	t.addr.Store(t.port.addr())
	found, err := t.askSeeds()
	if err != nil {
		return err
	}
	if t.members, err = newMembers(t); err != nil {
		return err
	}
	t.mu.Lock()
	if t.closing.Load() {
		t.mu.Unlock()
		return transport.ErrClosed
	}
	t.ready = true
	t.wg.Go(t.maintain)
	t.wg.Go(t.merge)
	t.wg.Go(t.members.follow)
	t.mu.Unlock()
	for _, a := range found {
		t.meet(a.self, a.addr)
	}
	return nil
}

// Addr returns the address at which others reach this node, empty before Start.
func (t *Transport) Addr() string {
	addr, _ := t.addr.Load().(string)
	return addr
}

// Send queues a frame for a peer. See transport.Transport.
func (t *Transport) Send(to transport.Peer, lane transport.Lane, frame []byte) error {
	if len(frame) > transport.MaxFrame {
		return transport.ErrTooLarge
	}
	l, ok := t.links.Load(to)
	if !ok {
		if t.closing.Load() || !t.started.Load() {
			return transport.ErrClosed
		}
		return transport.ErrNoLink
	}
	if lane >= transport.Lanes {
		return fmt.Errorf("gossip: there is no lane %d", lane)
	}
	return l.(*link).out.push(lane, frame)
}

// Counters returns the figures that the package documentation names.
func (t *Transport) Counters() map[string]uint64 { return t.count.snapshot() }

// Fault returns the injection of network faults, for demonstrations and tests.
func (t *Transport) Fault() *Fault { return t.fault }

// AddKey accepts a further key. To change keys without an interruption: AddKey on
// every node, then UseKey on every node, then RemoveKey of the old one.
func (t *Transport) AddKey(key []byte) error { return t.keys.add(key) }

// UseKey sends with a key that was added before; the others are still accepted.
func (t *Transport) UseKey(key []byte) error { return t.keys.use(key) }

// RemoveKey no longer accepts a key. Links that were opened with it are closed and
// come back under the key in use.
func (t *Transport) RemoveKey(key []byte) error {
	id, err := t.keys.remove(key)
	if err != nil {
		return err
	}
	t.links.Range(func(_, v any) bool {
		if l := v.(*link); l.wire.key == id {
			t.broken(l, errors.New("gossip: the key of this link was removed"))
		}
		return true
	})
	return nil
}

// Leave tells the peers that this node leaves and waits until they know, or ctx
// ends. From then on the node makes no links any more; what remains is Close.
func (t *Transport) Leave(ctx context.Context) error {
	if !t.started.Load() || t.closing.Load() {
		return transport.ErrClosed
	}
	t.mu.Lock()
	t.leaving = true
	ready := t.ready
	t.mu.Unlock()
	var links []*link
	t.links.Range(func(_, v any) bool {
		links = append(links, v.(*link))
		return true
	})
	for _, l := range links {
		l.out.leave()
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		if ready {
			t.members.leave()
		}
	}()
	for _, l := range links {
		select {
		case <-l.done:
		case <-ctx.Done():
			return fmt.Errorf("gossip: not all peers are known to have heard of the leave: %w", ctx.Err())
		}
	}
	select {
	case <-told:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gossip: the leave was told to linked peers only: %w", ctx.Err())
	}
}

// Close stops at once and waits for every goroutine to end. It must not be called
// from within a handler. memberlist cannot interrupt a probe that waits for an
// answer: where one is under way to a peer that does not answer, Close takes up to
// one probe interval (LAN: one second) longer.
func (t *Transport) Close() error {
	t.mu.Lock()
	first := t.closing.CompareAndSwap(false, true)
	var sessions []*session
	for _, n := range t.nodes {
		for _, p := range n.runs {
			sessions = append(sessions, p.takeSessions()...)
		}
	}
	t.mu.Unlock()
	if !first {
		<-t.closed
		return nil
	}
	defer close(t.closed)
	t.cancel()
	t.starting.Lock()
	defer t.starting.Unlock()
	if t.port.ln != nil {
		t.port.stopListening()
	}
	t.links.Range(func(_, v any) bool {
		t.broken(v.(*link), transport.ErrClosed)
		return true
	})
	for _, s := range sessions {
		s.close()
	}
	if t.members != nil {
		t.members.stop()
	} else if t.port.ln != nil {
		_ = t.port.Shutdown()
	}
	t.wg.Wait()
	return nil
}

// closeGrace is how long Close waits beyond a probe interval for memberlist.
const closeGrace = 2 * time.Second

// SeedError says why no seed could be used. Start returns it when
// Config.RequireSeed is set.
type SeedError struct {
	// Seeds lists the seeds as they were given.
	Seeds []string
	// Causes holds the cause for each of them, in the same order.
	Causes []error
}

// Error lists each seed with its cause.
func (e *SeedError) Error() string {
	var b strings.Builder
	b.WriteString("gossip: no seed answered as a node of this cluster (Config.RequireSeed is set)")
	for i, s := range e.Seeds {
		b.WriteString("; " + s + ": " + e.Causes[i].Error())
	}
	return b.String()
}

// Unwrap gives the causes to errors.Is and errors.As.
func (e *SeedError) Unwrap() []error { return e.Causes }

// memberName returns the name that memberlist knows a run by. A restart is a new
// member, for memberlist takes a quick one for no change at all, and the same
// name at another address for a conflict.
func memberName(p transport.Peer) string { return p.Node + "#" + strconv.FormatUint(p.Run, 16) }

// parseMember is the inverse of memberName.
func parseMember(name string) (transport.Peer, bool) {
	node, run, ok := strings.Cut(name, "#")
	if !ok || checkNode(node) != nil {
		return transport.Peer{}, false
	}
	n, err := strconv.ParseUint(run, 16, 64)
	return transport.Peer{Node: node, Run: n}, err == nil
}
