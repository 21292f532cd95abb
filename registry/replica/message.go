package replica

import (
	"fmt"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
	"github.com/rollcall-dev/rollcall/resolve"
)

// wireVersion is the version of the protocol. Nodes of different versions refuse
// each other.
const wireVersion = 1

// MaxFrame is the size limit in bytes of a frame that Step takes and that the
// machine sends.
const MaxFrame = 128 << 10

// FirstFree is the lowest first byte of a frame that is not the machine's:
// frames that begin with it or a higher byte are for others to use.
const FirstFree = 64

// kindOf is the first byte of a frame.
type kindOf byte

const (
	isHello kindOf = iota + 1
	isDelta
	isDigest
	isSame
	isVector
	isPull
	isAdds
	isRanges
	isDrops
	isClaim
	isAnswer
	isRelease
	isNeighbor
	isHave
	isTree
)

// String returns the kind's name, for counters and traces.
func (k kindOf) String() string {
	names := [...]string{
		"", "hello", "delta", "digest", "same", "vector", "pull", "adds", "ranges", "drops", "claim", "answer", "release",
		"neighbor", "have", "tree",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// FrameKind names the kind of a frame, for traces and counters; "unknown" when it
// is not the machine's.
func FrameKind(frame []byte) string {
	if len(frame) == 0 || frame[0] == 0 {
		return "unknown"
	}
	return kindOf(frame[0]).String()
}

// hello introduces a node on a link.
type hello struct {
	Version    uint64
	Policy     uint64
	PolicyName string
	Epoch      uint64
	Label      string
	Serving    bool
	Want       bool   // the receiver's Hello is asked for
	KnownEpoch uint64 // the lowest epoch of the receiver's name that the sender accepts
	Clock      int64  // the sender's time in nanoseconds since the Unix epoch
}

// claimMsg asks a home for a name, or gives a granted one back.
type claimMsg struct {
	Nonce  uint64
	Name   string
	Holder resolve.PID // a process of the sender, whose node is not written
	Final  bool        // decide, even if another node should be home
}

type pullMsg struct {
	id          crdt.Replica
	after, upto uint64
	last        bool
	sum         uint64 // fingerprint of what lives at or below after, when last
}

// addsMsg states what lives in (lo, hi] of an incarnation.
type addsMsg struct {
	identity
	lo, hi  uint64
	version uint64
	last    bool // the last chunk of this answer; there is more
	done    bool // the last chunk of the fetch
	items   []crdt.Item[*Entry]
}

// dropsMsg states which numbers the sender covers and does not have.
type dropsMsg struct {
	id      crdt.Replica
	version uint64
	seqs    []uint64
}

// Step takes a frame from a peer. It returns an error that is ErrFrame when the
// frame is malformed; nothing changed then but a counter. Frames of peers that
// have not introduced themselves, and those that are over, are ignored.
func (m *Machine) Step(now crdt.Reading, from Peer, frame []byte) error {
	m.begin(now)
	defer m.end()
	m.count.FramesIn++
	p := m.peer(from)
	if p == nil || !p.linked {
		m.count.Stale++
		return nil
	}
	m.frame = frame
	msg, err := decode(frame)
	if err != nil {
		m.count.FramesRefused++
		return fmt.Errorf("from %s: %w", from.Node, err)
	}
	if h, ok := msg.(hello); ok {
		m.onHello(p, h)
		return nil
	}
	if !p.greeted {
		m.count.Stale++
		return nil
	}
	m.dispatch(p, msg)
	return nil
}

func (m *Machine) dispatch(p *peer, msg any) {
	switch msg := msg.(type) {
	case delta:
		m.onDelta(p, msg)
	case digestMsg:
		m.onDigest(p, uint64(msg))
	case sameMsg:
		m.onSame(p)
	case vectorMsg:
		m.onVector(p, msg.reply, msg.positions)
	case pullMsg:
		m.onPull(p, msg)
	case addsMsg:
		m.onAdds(p, msg)
	case ranges:
		m.onRanges(p, msg)
	case dropsMsg:
		m.onDrops(msg)
	case claimsMsg:
		m.onClaims(p, msg)
	case releaseMsg:
		m.onRelease(p, claimMsg(msg))
	case answersMsg:
		m.onAnswers(p, msg)
	case neighborMsg:
		m.tree.Receive(p.id, overlay.Op(msg))
		m.sendNeighbors()
	case haveMsg:
		m.onHave(p, msg)
	case treeMsg:
		m.onTree(p, msg)
	}
}

type (
	digestMsg uint64
	sameMsg   struct{}
	vectorMsg struct {
		reply     bool
		positions []position
	}
	claimsMsg  []claimMsg
	answersMsg []answer
	// neighborMsg is an overlay.Op.
	neighborMsg overlay.Op
	// haveMsg says how far its sender is with some incarnations; the fingerprints
	// are not set.
	haveMsg []position
	// treeMsg says that the sender has made its end of a link eager or lazy for what
	// an incarnation says.
	treeMsg struct {
		id    crdt.Replica
		graft bool
	}
	releaseMsg claimMsg
)
