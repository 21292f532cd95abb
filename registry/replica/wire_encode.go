package replica

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
	"github.com/rollcall-dev/rollcall/resolve"
)

// A frame is one byte that says its kind and then msgpack values, without names:
// both ends run the same version. Numbers of one origin are written as
// differences, so that a dot costs one to three bytes.

// encoder builds frames. Its memory is used again from frame to frame.
type encoder struct {
	buf bytes.Buffer
	mp  *msgpack.Encoder
}

func (e *encoder) start(k kindOf) {
	if e.mp == nil {
		e.mp = msgpack.NewEncoder(&e.buf)
	}
	e.buf.Reset()
	e.buf.WriteByte(byte(k))
}

// finish returns the frame in memory of its own: it is shared among peers.
func (e *encoder) finish() []byte { return bytes.Clone(e.buf.Bytes()) }

// Writing to a bytes.Buffer does not fail, so these have no errors to report.
func (e *encoder) uint(v uint64)      { _ = e.mp.EncodeUint(v) }
func (e *encoder) int(v int64)        { _ = e.mp.EncodeInt(v) }
func (e *encoder) text(v string)      { _ = e.mp.EncodeString(v) }
func (e *encoder) bytes(v []byte)     { _ = e.mp.EncodeBytes(v) }
func (e *encoder) bool(v bool)        { _ = e.mp.EncodeBool(v) }
func (e *encoder) fixed(v uint64)     { _ = e.mp.EncodeUint64(v) }
func (e *encoder) small(v uint32)     { _ = e.mp.EncodeUint32(v) }
func (e *encoder) stamp(v crdt.Stamp) { e.uint(uint64(v)) }

func (e *encoder) replica(r crdt.Replica) {
	e.text(r.Node)
	e.uint(r.Epoch)
}

func (e *encoder) identity(i identity) {
	e.replica(i.id)
	e.text(i.label)
	e.uint(i.id.Epoch - i.run)
}

func (e *encoder) dot(d crdt.Dot) {
	e.replica(d.Replica)
	e.uint(d.Seq)
}

func (e *encoder) pid(p resolve.PID) {
	e.text(p.Node)
	e.uint(p.Epoch)
	e.uint(p.Serial)
}

func (e *encoder) hello(h hello) []byte {
	e.start(isHello)
	e.uint(h.Version)
	e.fixed(h.Policy)
	e.text(h.PolicyName)
	e.uint(h.Epoch)
	e.text(h.Label)
	e.bool(h.Serving)
	e.bool(h.Want)
	e.uint(h.KnownEpoch)
	e.int(h.Clock)
	return e.finish()
}

// delta encodes as many records of this node as fit in a frame, at least one,
// and returns how many.
func (e *encoder) delta(o *origin, records []crdt.Record[*Entry]) ([]byte, int) {
	n, size := 0, 0
	for n < len(records) {
		size += recordSize(records[n])
		if n > 0 && size > maxDelta {
			break
		}
		n++
	}
	e.start(isDelta)
	e.identity(o.identity)
	e.uint(records[0].Seq)
	e.uint(uint64(n))
	for _, r := range records[:n] {
		e.record(r)
	}
	return e.finish(), n
}

func recordSize(r crdt.Record[*Entry]) int {
	size := 16 + 9*len(r.Removed)
	if r.Adds {
		size += entrySize(r.Elem)
	}
	return size
}

// entrySize bounds the size in bytes of an entry in a frame from above, but for
// long lists of superseded claims, which are rare.
func entrySize(e *Entry) int { return len(e.key) + len(e.value) + 56 }

func (e *encoder) record(r crdt.Record[*Entry]) {
	head := uint64(len(r.Removed)) << 1
	if r.Adds {
		head |= 1
	}
	e.uint(head)
	e.uint(uint64(r.Note))
	e.gaps(0, r.Removed)
	if r.Adds {
		e.entry(r.Seq, r.Elem)
	}
}

// gaps writes ascending numbers above from as differences.
func (e *encoder) gaps(from uint64, seqs []uint64) {
	for _, seq := range seqs {
		e.uint(seq - from)
		from = seq
	}
}

// Bits of an entry's flags.
const (
	flagGroup = 1 << iota
	flagValue
	flagBorn     // was updated since its birth
	flagPriority // has a priority
	flagEpochs   // outlived an epoch of its node
	flagOver     // supersedes other claims
	flagsEnd
)

func (e *encoder) entry(seq uint64, en *Entry) {
	x := en.extra
	if x == nil {
		x = &extra{}
	}
	flags := flagIf(en.kind == Group, flagGroup) | flagIf(len(en.value) > 0, flagValue) |
		flagIf(en.bornSeq != seq, flagBorn) | flagIf(x.priority != 0, flagPriority) |
		flagIf(x.pidEpoch != 0 || x.bornEpoch != 0, flagEpochs) | flagIf(len(x.supersedes) > 0, flagOver)
	e.uint(flags)
	e.text(en.key)
	e.uint(en.serial)
	e.stamp(en.birth)
	e.uint(uint64(en.seen))
	if flags&flagValue != 0 {
		e.bytes(en.value)
	}
	if flags&flagBorn != 0 {
		e.uint(en.bornSeq)
	}
	if flags&flagPriority != 0 {
		e.int(x.priority)
	}
	if flags&flagEpochs != 0 {
		e.uint(x.pidEpoch)
		e.uint(x.bornEpoch)
	}
	if flags&flagOver != 0 {
		e.uint(uint64(len(x.supersedes)))
		for _, d := range x.supersedes {
			e.dot(d)
		}
	}
}

func flagIf(set bool, flag uint64) uint64 {
	if set {
		return flag
	}
	return 0
}

func (e *encoder) digest(d uint64) []byte {
	e.start(isDigest)
	e.fixed(d)
	return e.finish()
}

func (e *encoder) same() []byte {
	e.start(isSame)
	return e.finish()
}

func (e *encoder) vector(reply bool, positions []position) []byte {
	e.start(isVector)
	e.bool(reply)
	e.uint(uint64(len(positions)))
	for _, p := range positions {
		e.identity(p.identity)
		e.uint(p.version)
		e.fixed(p.sum)
	}
	return e.finish()
}

func (e *encoder) pull(q pullMsg) []byte {
	e.start(isPull)
	e.replica(q.id)
	e.uint(q.after)
	e.uint(q.upto)
	e.bool(q.last)
	e.fixed(q.sum)
	return e.finish()
}

func (e *encoder) adds(a addsMsg, items []crdt.Item[*Entry]) []byte {
	e.start(isAdds)
	e.identity(a.identity)
	e.uint(a.lo)
	e.uint(a.hi)
	e.uint(a.version)
	e.bool(a.last)
	e.bool(a.done)
	e.uint(uint64(len(items)))
	from := a.lo
	for _, it := range items {
		e.uint(it.Seq - from)
		e.entry(it.Seq, it.Elem)
		from = it.Seq
	}
	return e.finish()
}

func (e *encoder) ranges(r ranges) []byte {
	e.start(isRanges)
	e.replica(r.id)
	e.uint(r.version)
	e.fixed(r.salt)
	e.uint(uint64(len(r.parts)))
	from := uint64(0)
	for _, p := range r.parts {
		e.uint(p.lo - from)
		e.uint(p.hi - p.lo)
		e.bool(p.listed)
		if p.listed {
			e.uint(uint64(len(p.seqs)))
			e.gaps(p.lo, p.seqs)
		} else {
			e.small(p.print)
		}
		from = p.hi
	}
	return e.finish()
}

func (e *encoder) drops(d dropsMsg) []byte {
	e.start(isDrops)
	e.replica(d.id)
	e.uint(d.version)
	e.uint(uint64(len(d.seqs)))
	e.gaps(0, d.seqs)
	return e.finish()
}

func (e *encoder) neighbor(op overlay.Op) []byte {
	e.start(isNeighbor)
	e.uint(uint64(op))
	return e.finish()
}

func (e *encoder) tree(t treeMsg) []byte {
	e.start(isTree)
	e.replica(t.id)
	e.bool(t.graft)
	return e.finish()
}

func (e *encoder) have(positions []position) []byte {
	e.start(isHave)
	e.uint(uint64(len(positions)))
	for _, p := range positions {
		e.identity(p.identity)
		e.uint(p.version)
	}
	return e.finish()
}

// claims encodes as many claims as fit in a frame, at least one, and returns how
// many.
func (e *encoder) claims(claims []claimMsg) ([]byte, int) {
	n := fitting(len(claims), func(i int) int { return len(claims[i].Name) + 40 })
	e.start(isClaim)
	e.uint(uint64(n))
	for _, c := range claims[:n] {
		e.claim(c)
	}
	return e.finish(), n
}

// fitting returns how many of n things, of which size bounds the sizes in bytes,
// fit in a frame; at least one.
func fitting(n int, size func(i int) int) int {
	total := 0
	for i := range n {
		if total += size(i); i > 0 && total > maxDelta {
			return i
		}
	}
	return n
}

func (e *encoder) release(c claimMsg) []byte {
	e.start(isRelease)
	e.claim(c)
	return e.finish()
}

func (e *encoder) claim(c claimMsg) {
	e.uint(c.Nonce)
	e.text(c.Name)
	e.uint(c.Holder.Epoch)
	e.uint(c.Holder.Serial)
	e.bool(c.Final)
}

// answers encodes as many answers as fit in a frame, at least one, and returns how
// many.
func (e *encoder) answers(answers []answer) ([]byte, int) {
	n := fitting(len(answers), func(i int) int {
		h := answers[i].Holder
		return len(h.Name) + len(h.Label) + len(h.Value) + 3*len(h.Holder.Node) + 96
	})
	e.start(isAnswer)
	e.uint(uint64(n))
	for _, a := range answers[:n] {
		e.answer(a)
	}
	return e.finish(), n
}

func (e *encoder) answer(a answer) {
	e.uint(a.Nonce)
	e.uint(uint64(a.Kind))
	e.stamp(a.Stamp)
	switch c := a.Holder; a.Kind {
	case granted:
		e.text(c.Name)
		e.pid(c.Holder)
	case taken:
		e.text(c.Name)
		e.dot(c.Dot)
		e.pid(c.Holder)
		e.stamp(c.Birth)
		e.dot(c.Born)
		e.int(c.Priority)
		e.uint(uint64(c.Seen))
		e.text(c.Label)
		e.bytes(c.Value)
	}
}
