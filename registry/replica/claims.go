package replica

import (
	"slices"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// Register is a call for a name.
type Register struct {
	// ID comes back in the Result, when the call has to ask other nodes.
	ID uint64
	// Serial is the claiming process, of this node.
	Serial uint64
	Name   string
	Value  []byte
	// Priority is for the policy of that name.
	Priority int64
	// Optimistic claims without asking: a local check, and success at once. Of two
	// such claims made at the same time on two nodes, the policy keeps one.
	Optimistic bool
	// Again re-points the name: the claim supersedes those that this node sees.
	Again bool
}

// pending is an arbitrated registration under way.
//
// Invariant: pending[i].slot == i; awaited has exactly those that wait for an
// answer, by the nonce of the claim.
type pending struct {
	call    Register
	slot    int
	until   int64 // give up then
	nonce   uint64
	asked   Peer // whose answer is awaited; zero when none
	sentAt  int64
	firstAt int64 // when the oldest grant in hand was asked for; 0 before one
	granted []home
	passed  []home // homes of earlier views that say they never were
	retryAt int64
	denials int // times that a home said it is not
}

// tooMany is how often a claimant follows homes that disagree about who is home
// before it lets the last one decide: in a component whose views differ for long
// no home is right, and the policy settles what slips through.
const tooMany = 3

// retryPause is how long a claimant waits, in nanoseconds, before it asks again
// when no home could answer.
const retryPause = 50_000_000

// Register claims a name for a process. It returns done when the call is
// answered at once; otherwise a Result with the call's ID follows.
func (m *Machine) Register(now crdt.Reading, c Register) (e *Entry, err error, done bool) {
	m.begin(now)
	defer m.end()
	return m.register(c)
}

// RegisterMany claims many names in one input: the claims that are for one home
// travel in one frame. Each gets a Result.
func (m *Machine) RegisterMany(now crdt.Reading, calls []Register) {
	m.begin(now)
	defer m.end()
	for _, c := range calls {
		if e, err, done := m.register(c); done {
			m.fx.Results = append(m.fx.Results, Result{ID: c.ID, Entry: e, Err: err})
		}
	}
}

func (m *Machine) register(c Register) (e *Entry, err error, done bool) {
	if err := m.check(c.Serial, c.Name, c.Value); err != nil {
		return nil, err, true
	}
	m.align(c.Name)
	if m.cfg.RefuseMinority && 2*m.Reached() <= m.cfg.Expected {
		return nil, ErrMinority, true
	}
	if own := m.ownClaim(c.Serial, c.Name); own != nil && !c.Again {
		if string(own.value) != string(c.Value) {
			own = m.replace(own, c.Value)
		}
		return own, nil, true
	}
	if c.Again {
		return m.claimAgain(c), nil, true
	}
	if err := m.taken(c.Name); err != nil {
		return nil, err, true
	}
	if c.Optimistic || m.soleHome() && !m.reservedForOther(c.Name, m.pid(c.Serial)) {
		return m.claim(c, nil, nil), nil, true
	}
	p := &pending{call: c, until: m.now.Mono + int64(m.cfg.ClaimWait)}
	m.await(p)
	if !m.advance(p) {
		return nil, nil, false
	}
	e, err = m.takeResult()
	return e, err, true
}

// takeResult moves the result of a call that was settled at once out of the
// effects.
func (m *Machine) takeResult() (*Entry, error) {
	last := len(m.fx.Results) - 1
	r := m.fx.Results[last]
	m.fx.Results = m.fx.Results[:last]
	return r.Entry, r.Err
}

// Cancel gives up a registration that is under way; no result follows.
func (m *Machine) Cancel(now crdt.Reading, id uint64) {
	m.begin(now)
	if i := slices.IndexFunc(m.pending, func(p *pending) bool { return p.call.ID == id }); i >= 0 {
		p := m.pending[i]
		m.release(p)
		m.drop(p)
	}
	m.end()
}

func (m *Machine) await(p *pending) {
	p.slot = len(m.pending)
	m.pending = append(m.pending, p)
}

func (m *Machine) drop(p *pending) {
	m.unask(p)
	last := len(m.pending) - 1
	m.pending[p.slot] = m.pending[last]
	m.pending[p.slot].slot = p.slot
	m.pending[last] = nil
	m.pending = m.pending[:last]
}

// unask stops waiting for the answer to a claim.
func (m *Machine) unask(p *pending) {
	if p.asked != (Peer{}) {
		delete(m.awaited, p.nonce)
		p.asked = Peer{}
	}
}

// pid returns the PID of a process of this node.
func (m *Machine) pid(serial uint64) resolve.PID {
	p := resolve.PID{Node: m.self.id.Node, Epoch: m.self.id.Epoch, Serial: serial}
	if proc, ok := m.procs[serial]; ok {
		p.Epoch = proc.epoch
	}
	return p
}

// taken returns a TakenError when a name may not be claimed here.
func (m *Machine) taken(name string) error {
	if holder, ok := m.holding(name); ok {
		return &TakenError{Name: name, Holder: holder}
	}
	return nil
}

// holding returns the claim that keeps others from a name: its holder's, or the
// first of those that contest it.
func (m *Machine) holding(name string) (claim resolve.Claim, ok bool) {
	m.align(name)
	if e, ok := m.cfg.Table.Load(name); ok {
		return e.Claim(), true
	}
	if cs, ok := m.contended[name]; ok && cs.contested {
		return visibleClaims(cs.all)[0].Claim(), true
	}
	return claim, false
}

// claim makes the claim.
func (m *Machine) claim(c Register, replaced []*Entry, over []crdt.Dot) *Entry {
	e := &Entry{
		kind: Name, key: c.Name, value: c.Value, serial: c.Serial,
		birth: m.stamp(), seen: uint32(m.Reached()),
	}
	if c.Priority != 0 || len(over) > 0 {
		e.extra = &extra{priority: c.Priority, supersedes: over}
	}
	why := Registered
	if c.Again && len(replaced)+len(over) > 0 {
		why = Reregistered
	}
	m.add(e, replaced, why)
	return e
}

// claimAgain re-points a name. Claims of this node are replaced in the same
// record; those of others are superseded, with all that they had superseded, so
// that a claim that comes late, from a node that had not heard, loses too.
func (m *Machine) claimAgain(c Register) *Entry {
	var replaced []*Entry
	var over []crdt.Dot
	for _, e := range m.claimsOf(c.Name) {
		if e.local() {
			replaced = append(replaced, e)
		} else if e.origin.up {
			over = append(over, e.Born())
		}
		if e.extra != nil && e.origin.up {
			over = append(over, e.extra.supersedes...)
		}
	}
	e := m.claim(c, replaced, m.compactDots(c.Name, over))
	for _, old := range replaced {
		if old.serial == c.Serial {
			continue
		}
		m.fx.Losses = append(m.fx.Losses, Loss{
			Serial: old.serial, Name: old.key, Reason: Reregistered, Action: resolve.Notify,
			Winner: e.Claim(), Claims: []resolve.Claim{old.Claim(), e.Claim()},
		})
	}
	return e
}

// maxSuperseded bounds the dots that a claim names as superseded: one for each
// node that had a claim to the name and may not have withdrawn it yet.
const maxSuperseded = 64

// compactDots leaves the last birth of each incarnation, and none of those whose
// claims are known to be withdrawn.
func (m *Machine) compactDots(name string, dots []crdt.Dot) []crdt.Dot {
	slices.SortFunc(dots, crdt.Dot.Compare)
	live := m.claimsOf(name)
	var kept []crdt.Dot
	for i, d := range dots {
		if i+1 < len(dots) && dots[i+1].Replica == d.Replica {
			continue
		}
		o := m.known(d.Replica)
		claims := slices.ContainsFunc(live, func(e *Entry) bool { return e.Born() == d })
		if o != nil && o.log.Version() >= d.Seq && !claims {
			continue
		}
		kept = append(kept, d)
	}
	return kept[max(0, len(kept)-maxSuperseded):]
}

// advanceAll moves the registrations on whose time has come.
func (m *Machine) advanceAll() {
	for _, p := range slices.Clone(m.pending) {
		if p.asked == (Peer{}) || m.now.Mono-p.sentAt >= int64(m.cfg.AskWait) {
			m.advance(p)
		}
	}
}

// askAgain moves on the registrations that wait for a peer that is gone.
func (m *Machine) askAgain(gone Peer) {
	for _, p := range slices.Clone(m.pending) {
		if p.asked == gone {
			m.advance(p)
		}
	}
}

// advance asks the next home for a registration, and makes the claim when all
// have granted it. It reports whether the registration is settled.
func (m *Machine) advance(p *pending) bool {
	m.unask(p)
	for {
		switch {
		case !m.lives(p.call.Serial):
			return m.finish(p, nil, ErrNoProcess)
		case m.now.Mono > p.until:
			return m.finish(p, nil, ErrTimeout)
		}
		if err := m.taken(p.call.Name); err != nil {
			return m.finish(p, nil, err)
		}
		if m.now.Mono < p.retryAt {
			return false
		}
		if m.linkMayReturn(p.call.Name) {
			p.retryAt = m.now.Mono + retryPause
			return false
		}
		next, ok := m.nextHome(p)
		if !ok {
			return m.allGranted(p)
		}
		if !next.self {
			m.ask(p, next.peer)
			return false
		}
		if m.hear(p, m.arbitrate(p.call.Name, m.pid(p.call.Serial), true), next) {
			return true
		}
	}
}

// nextHome returns the first home that is still to be asked.
func (m *Machine) nextHome(p *pending) (home, bool) {
	for _, h := range m.homesOf(p.call.Name) {
		if !slices.Contains(p.granted, h) && !slices.Contains(p.passed, h) {
			return h, true
		}
	}
	return home{}, false
}

// allGranted makes the claim, if a grant is in hand that the homes still keep:
// a claimant that was paused past it begins again.
func (m *Machine) allGranted(p *pending) bool {
	if len(p.granted) == 0 {
		p.retryAt = m.now.Mono + retryPause
		return false
	}
	if m.now.Mono-p.firstAt > int64(m.cfg.Reserve)*9/10 {
		p.granted, p.firstAt = nil, 0
		p.retryAt = m.now.Mono + retryPause
		return false
	}
	return m.finish(p, m.claim(p.call, nil, nil), nil)
}

func (m *Machine) ask(p *pending, to Peer) {
	m.nextNonce++
	p.nonce, p.asked, p.sentAt = m.nextNonce, to, m.now.Mono
	m.awaited[p.nonce] = p
	m.count.Claims++
	peer := m.peer(to)
	if len(peer.claims) == 0 {
		m.asking = append(m.asking, peer)
	}
	peer.claims = append(peer.claims, claimMsg{
		Nonce: p.nonce, Name: p.call.Name, Holder: m.pid(p.call.Serial), Final: p.denials >= tooMany,
	})
}

// sendClaims sends what was asked in an input: one frame for each home, as a rule.
func (m *Machine) sendClaims() {
	for _, p := range m.asking {
		for claims := p.claims; len(claims) > 0; {
			frame, n := m.enc.claims(claims)
			m.send(p, Urgent, frame)
			claims = claims[n:]
		}
		clear(p.claims)
		p.claims = p.claims[:0]
	}
	clear(m.asking)
	m.asking = m.asking[:0]
}

// hear takes in a home's answer. It reports whether the registration is settled.
func (m *Machine) hear(p *pending, a answer, from home) bool {
	switch a.Kind {
	case granted:
		if len(p.granted) == 0 {
			p.firstAt = m.now.Mono
			if !from.self {
				p.firstAt = p.sentAt
			}
		}
		p.granted = append(p.granted, from)
	case taken:
		return m.finish(p, nil, &TakenError{Name: p.call.Name, Holder: a.Holder})
	default:
		m.denied(p, from)
	}
	return false
}

// denied takes in that a home says it is none. The home of an earlier view that
// it never had is passed over: whoever else takes it for one hears the same. The
// home of the present view is asked again, when views may agree.
func (m *Machine) denied(p *pending, from home) {
	homes := m.homesOf(p.call.Name)
	if n := len(homes); n > 0 && homes[n-1] != from {
		p.passed = append(p.passed, from)
		return
	}
	p.denials++
	p.passed = nil
	p.retryAt = m.now.Mono + retryPause
}

// finish ends a registration.
func (m *Machine) finish(p *pending, e *Entry, err error) bool {
	if err != nil {
		m.release(p)
	}
	m.drop(p)
	m.fx.Results = append(m.fx.Results, Result{ID: p.call.ID, Entry: e, Err: err})
	return true
}

// release tells the homes that granted the name that it is not wanted.
func (m *Machine) release(p *pending) {
	pid := m.pid(p.call.Serial)
	for _, h := range p.granted {
		if h.self {
			m.unreserve(p.call.Name, pid)
		} else if peer := m.peer(h.peer); peer != nil && peer.ready() {
			m.send(peer, Urgent, m.enc.release(claimMsg{Name: p.call.Name, Holder: pid}))
		}
	}
	p.granted = nil
}

// dropPending forgets the registrations of a process that has ended.
func (m *Machine) dropPending(serial uint64) {
	for _, p := range slices.Clone(m.pending) {
		if p.call.Serial == serial {
			m.finish(p, nil, ErrNoProcess)
		}
	}
}

// onAnswers takes in what a home says to claims.
func (m *Machine) onAnswers(from *peer, answers []answer) {
	for _, a := range answers {
		m.onAnswer(from, a)
	}
}

func (m *Machine) onAnswer(from *peer, a answer) {
	p, ok := m.awaited[a.Nonce]
	switch {
	case ok && p.asked == from.id:
		m.unask(p)
		// The decoder has refused every stamp that is no valid one. What the home
		// has seen and this node has not is earlier than the claim to be made.
		_ = m.clock.Observe(m.now, a.Stamp)
		if !m.hear(p, a, from.home()) {
			m.advance(p)
		}
	case a.Kind == granted && !m.wants(a.Holder):
		m.send(from, Urgent, m.enc.release(claimMsg{Name: a.Holder.Name, Holder: a.Holder.Holder}))
	}
}

// wants reports whether a process of this node still waits for a name, or holds
// it: then a grant that comes late stays with the home until the claim comes.
func (m *Machine) wants(c resolve.Claim) bool {
	return m.ownClaim(c.Holder.Serial, c.Name) != nil || slices.ContainsFunc(m.pending, func(p *pending) bool {
		return p.call.Name == c.Name && p.call.Serial == c.Holder.Serial
	})
}
