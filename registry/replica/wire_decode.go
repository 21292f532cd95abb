package replica

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
	"github.com/rollcall-dev/rollcall/resolve"
)

// reader decodes a frame. The first fault sticks: what is read after it is zero.
type reader struct {
	frame []byte
	src   *bytes.Reader
	mp    *msgpack.Decoder
	err   error
}

// decode returns the message in a frame, or an error that is ErrFrame. Every
// count is held against the bytes that are left before memory is taken for it.
func decode(frame []byte) (any, error) {
	if len(frame) == 0 || len(frame) > MaxFrame {
		return nil, fmt.Errorf("%w: %d bytes", ErrFrame, len(frame))
	}
	src := bytes.NewReader(frame[1:])
	r := &reader{frame: frame[1:], src: src, mp: msgpack.NewDecoder(src)}
	msg := r.message(kindOf(frame[0]))
	if r.err == nil && src.Len() > 0 {
		r.fail("%d bytes too many", src.Len())
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFrame, kindOf(frame[0]), r.err)
	}
	return msg, nil
}

func (r *reader) message(k kindOf) any {
	switch k {
	case isHello:
		return hello{
			Version: r.uint(), Policy: r.uint(), PolicyName: r.text(1 << 10), Epoch: r.uint(), Label: r.text(MaxKey),
			Serving: r.bool(), Want: r.bool(), KnownEpoch: r.uint(), Clock: r.int(),
		}
	case isDelta:
		return r.delta()
	case isDigest:
		return digestMsg(r.uint())
	case isSame:
		return sameMsg{}
	case isVector:
		return r.vector()
	case isPull:
		return pullMsg{id: r.replica(), after: r.uint(), upto: r.uint(), last: r.bool(), sum: r.uint()}
	case isAdds:
		return r.adds()
	case isRanges:
		return r.ranges()
	case isDrops:
		d := dropsMsg{id: r.replica(), version: r.uint()}
		d.seqs = r.gaps(0, r.count())
		return d
	case isClaim:
		var claims claimsMsg
		for n := r.count(); n > 0 && r.err == nil; n-- {
			claims = append(claims, r.claim())
		}
		return claims
	case isRelease:
		return releaseMsg(r.claim())
	case isAnswer:
		var answers answersMsg
		for n := r.count(); n > 0 && r.err == nil; n-- {
			answers = append(answers, r.answer())
		}
		return answers
	case isNeighbor:
		return r.neighbor()
	case isHave:
		return r.have()
	case isTree:
		return treeMsg{r.replica(), r.bool()}
	}
	r.fail("unknown kind")
	return nil
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *reader) uint() uint64 {
	if r.err != nil {
		return 0
	}
	v, err := r.mp.DecodeUint64()
	if err != nil {
		r.err = err
		return 0
	}
	return v
}

func (r *reader) int() int64 {
	if r.err != nil {
		return 0
	}
	v, err := r.mp.DecodeInt64()
	if err != nil {
		r.err = err
		return 0
	}
	return v
}

func (r *reader) bool() bool {
	if r.err != nil {
		return false
	}
	v, err := r.mp.DecodeBool()
	if err != nil {
		r.err = err
	}
	return v
}

// count reads a number of things that take a byte each at least.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(r.src.Len()) {
		r.fail("%d things in %d bytes", n, r.src.Len())
		return 0
	}
	return int(n)
}

// span reads a length and returns that much of the frame, uncopied.
func (r *reader) span(limit int) []byte {
	if r.err != nil {
		return nil
	}
	n, err := r.mp.DecodeBytesLen()
	switch {
	case err != nil:
		r.err = err
	case n < 0:
	case n > limit:
		r.fail("%d bytes where at most %d may be", n, limit)
	case n > r.src.Len():
		r.fail("%d bytes where %d are left", n, r.src.Len())
	default:
		from := len(r.frame) - r.src.Len()
		if _, err := r.src.Seek(int64(n), io.SeekCurrent); err != nil {
			r.err = err
			return nil
		}
		return r.frame[from : from+n]
	}
	return nil
}

func (r *reader) text(limit int) string {
	b := r.span(limit)
	if !utf8.Valid(b) {
		r.fail("text is not UTF-8")
		return ""
	}
	return string(b)
}

func (r *reader) value() []byte { return bytes.Clone(r.span(MaxValue)) }

// gaps reads n ascending numbers above from.
func (r *reader) gaps(from uint64, n int) []uint64 {
	seqs := make([]uint64, 0, n)
	for range n {
		gap := r.uint()
		if gap == 0 || from+gap < from {
			r.fail("numbers do not ascend")
			return nil
		}
		from += gap
		seqs = append(seqs, from)
	}
	return seqs
}

func (r *reader) stamp() crdt.Stamp {
	s := crdt.Stamp(r.uint())
	if !s.Valid() {
		r.fail("stamp %d overflows", uint64(s))
	}
	return s
}

func (r *reader) replica() crdt.Replica {
	id := crdt.Replica{Node: r.text(MaxKey), Epoch: r.uint()}
	if id.Node == "" || id.Epoch == 0 {
		r.fail("incarnation without node or epoch")
	}
	return id
}

func (r *reader) identity() identity {
	i := identity{id: r.replica(), label: r.text(MaxKey)}
	above := r.uint()
	if above >= i.id.Epoch {
		r.fail("epoch below its run")
		return i
	}
	i.run = i.id.Epoch - above
	return i
}

func (r *reader) dot() crdt.Dot { return crdt.Dot{Replica: r.replica(), Seq: r.uint()} }

func (r *reader) pid() resolve.PID {
	return resolve.PID{Node: r.text(MaxKey), Epoch: r.uint(), Serial: r.uint()}
}

func (r *reader) delta() delta {
	d := delta{identity: r.identity()}
	seq, n := r.uint(), r.count()
	if seq == 0 || seq+uint64(n) < seq {
		r.fail("number out of range")
		return d
	}
	d.records = make([]crdt.Record[*Entry], 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		d.records = append(d.records, r.record(seq+uint64(i)))
	}
	return d
}

func (r *reader) record(seq uint64) crdt.Record[*Entry] {
	head, note := r.uint(), r.uint()
	if head>>1 > uint64(r.src.Len()) {
		r.fail("%d removals in %d bytes", head>>1, r.src.Len())
		return crdt.Record[*Entry]{}
	}
	if note >= uint64(reasons) {
		note = uint64(Gone)
	}
	rec := crdt.Record[*Entry]{Seq: seq, Adds: head&1 != 0, Note: uint8(note), Removed: r.gaps(0, int(head>>1))}
	if n := len(rec.Removed); n > 0 && rec.Removed[n-1] >= seq {
		r.fail("a record removes what is later than it")
	}
	if rec.Adds {
		rec.Elem = r.entry(seq)
	}
	return rec
}

// entry reads an entry; its origin is set when it is applied.
func (r *reader) entry(seq uint64) *Entry {
	flags := r.uint()
	e := &Entry{seq: seq, key: r.text(MaxKey), serial: r.uint(), birth: r.stamp(), bornSeq: seq}
	seen := r.uint()
	e.seen = uint32(min(seen, 1<<32-1))
	if flags >= flagsEnd || e.key == "" || e.serial == 0 {
		r.fail("entry without key or process, or from the future")
	}
	if flags&flagGroup != 0 {
		e.kind = Group
	}
	if flags&flagValue != 0 {
		e.value = r.value()
	}
	if flags&flagBorn != 0 {
		e.bornSeq = r.uint()
	}
	if flags&(flagPriority|flagEpochs|flagOver) != 0 {
		e.extra = &extra{}
	}
	if flags&flagPriority != 0 {
		e.extra.priority = r.int()
	}
	if flags&flagEpochs != 0 {
		e.extra.pidEpoch, e.extra.bornEpoch = r.uint(), r.uint()
	}
	if flags&flagOver != 0 {
		n := r.count()
		if n > maxSuperseded {
			r.fail("%d superseded claims where at most %d may be", n, maxSuperseded)
			return e
		}
		for range n {
			e.extra.supersedes = append(e.extra.supersedes, r.dot())
		}
	}
	return e
}

// leastPosition is the size in bytes of the shortest position.
const leastPosition = 15

func (r *reader) vector() vectorMsg {
	v := vectorMsg{reply: r.bool()}
	n := r.count()
	v.positions = make([]position, 0, min(n, r.src.Len()/leastPosition))
	for ; n > 0 && r.err == nil; n-- {
		v.positions = append(v.positions, position{
			identity: r.identity(), version: r.uint(), sum: r.uint(),
		})
	}
	return v
}

func (r *reader) neighbor() neighborMsg {
	op := r.uint()
	if op >= uint64(overlay.Ops) {
		r.fail("unknown op")
		return 0
	}
	return neighborMsg(op)
}

func (r *reader) have() haveMsg {
	var have haveMsg
	for n := r.count(); n > 0 && r.err == nil; n-- {
		have = append(have, position{identity: r.identity(), version: r.uint()})
	}
	return have
}

func (r *reader) adds() addsMsg {
	a := addsMsg{
		identity: r.identity(), lo: r.uint(), hi: r.uint(), version: r.uint(),
		last: r.bool(), done: r.bool(),
	}
	seq := a.lo
	for n := r.count(); n > 0 && r.err == nil; n-- {
		gap := r.uint()
		if gap == 0 || seq+gap < seq || seq+gap > a.hi {
			r.fail("number out of range")
			break
		}
		seq += gap
		a.items = append(a.items, crdt.Item[*Entry]{Seq: seq, Elem: r.entry(seq)})
	}
	return a
}

func (r *reader) ranges() ranges {
	q := ranges{id: r.replica(), version: r.uint(), salt: r.uint()}
	from := uint64(0)
	for n := r.count(); n > 0 && r.err == nil; n-- {
		p := part{lo: from + r.uint()}
		p.hi = p.lo + r.uint()
		if p.lo < from || p.hi < p.lo {
			r.fail("range out of order")
			break
		}
		if p.listed = r.bool(); p.listed {
			p.seqs = r.gaps(p.lo, r.count())
			if k := len(p.seqs); k > 0 && p.seqs[k-1] > p.hi {
				r.fail("number outside its range")
			}
		} else {
			p.print = uint32(min(r.uint(), 1<<32-1))
		}
		from = p.hi
		q.parts = append(q.parts, p)
	}
	return q
}

func (r *reader) claim() claimMsg {
	c := claimMsg{Nonce: r.uint(), Name: r.text(MaxKey)}
	c.Holder.Epoch, c.Holder.Serial, c.Final = r.uint(), r.uint(), r.bool()
	if c.Name == "" {
		r.fail("claim without a name")
	}
	return c
}

func (r *reader) answer() answer {
	a := answer{Nonce: r.uint()}
	kind := r.uint()
	if kind >= uint64(answerKinds) {
		r.fail("unknown answer")
		return a
	}
	a.Kind, a.Stamp = answerKind(kind), r.stamp()
	c := &a.Holder
	switch a.Kind {
	case granted:
		c.Name, c.Holder = r.text(MaxKey), r.pid()
		return a
	case taken:
	default:
		return a
	}
	c.Name = r.text(MaxKey)
	c.Dot = r.looseDot()
	c.Holder = r.pid()
	c.Birth = r.stamp()
	c.Born = r.looseDot()
	c.Priority = r.int()
	c.Seen = uint32(min(r.uint(), 1<<32-1))
	c.Label = r.text(MaxKey)
	c.Value = r.value()
	return a
}

// looseDot reads a dot that may be zero.
func (r *reader) looseDot() crdt.Dot {
	return crdt.Dot{Replica: crdt.Replica{Node: r.text(MaxKey), Epoch: r.uint()}, Seq: r.uint()}
}
