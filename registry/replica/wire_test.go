package replica

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/overlay"
	"github.com/rollcall-dev/rollcall/resolve"
)

func drawEntry(t *rapid.T, seq uint64) *Entry {
	text := rapid.StringN(1, -1, MaxKey)
	e := &Entry{
		seq: seq, kind: Kind(rapid.IntRange(0, 1).Draw(t, "kind")), key: text.Draw(t, "key"),
		serial: rapid.Uint64Min(1).Draw(t, "serial"), birth: crdt.Stamp(rapid.Uint64Max(uint64(crdt.MaxStamp)).Draw(t, "birth")),
		bornSeq: rapid.SampledFrom([]uint64{seq, 1}).Draw(t, "born"), seen: rapid.Uint32().Draw(t, "seen"),
	}
	if rapid.Bool().Draw(t, "value") {
		e.value = rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "bytes")
	}
	if rapid.Bool().Draw(t, "extra") {
		e.extra = &extra{
			priority: rapid.Int64().Draw(t, "priority"), pidEpoch: rapid.Uint64().Draw(t, "pidEpoch"), bornEpoch: 3,
		}
		if rapid.Bool().Draw(t, "over") {
			e.extra.supersedes = []crdt.Dot{{Replica: crdt.Replica{Node: text.Draw(t, "node"), Epoch: 1}, Seq: 9}}
		}
	}
	return e
}

func TestDeltaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &origin{identity: identity{crdt.Replica{Node: "n", Epoch: 7}, "zone", 3}}
		first := rapid.Uint64Range(10_000, 1<<40).Draw(t, "first")
		var records []crdt.Record[*Entry]
		for i := range rapid.IntRange(1, 8).Draw(t, "records") {
			r := crdt.Record[*Entry]{Seq: first + uint64(i), Note: uint8(rapid.IntRange(0, int(reasons)-1).Draw(t, "note")), Removed: []uint64{}}
			for s, n := uint64(0), rapid.IntRange(0, 5).Draw(t, "removed"); n > 0; n-- {
				s += rapid.Uint64Range(1, 1000).Draw(t, "gap")
				r.Removed = append(r.Removed, s)
			}
			if r.Adds = rapid.Bool().Draw(t, "adds"); r.Adds {
				r.Elem = drawEntry(t, r.Seq)
			}
			records = append(records, r)
		}
		var enc encoder
		frame, n := enc.delta(o, records)
		require.Equal(t, len(records), n)
		msg, err := decode(frame)
		require.NoError(t, err)
		require.Equal(t, delta{identity: o.identity, records: records}, msg)
	})
}

func TestMessagesRoundTrip(t *testing.T) {
	id := crdt.Replica{Node: "node", Epoch: 1 << 40}
	claim := resolve.Claim{
		Name: "k", Dot: crdt.Dot{Replica: id, Seq: 4}, Holder: resolve.PID{Node: "node", Epoch: 5, Serial: 6}, Birth: 77,
		Born: crdt.Dot{Replica: id, Seq: 3}, Priority: -2, Seen: 9, Label: "l", Value: []byte("v"),
	}
	nodeless := resolve.PID{Epoch: 5, Serial: 6}
	for _, msg := range []any{
		hello{Version: 1, Policy: 1 << 63, PolicyName: "p", Epoch: 3, Label: "l", Serving: true, Want: true, KnownEpoch: 8, Clock: -5},
		digestMsg(1 << 60), sameMsg{},
		vectorMsg{reply: true, positions: []position{{identity{id, "l", 5}, 5, 6}, {identity{id, "", id.Epoch}, 0, 0}}},
		pullMsg{id: id, after: 5, upto: 9, last: true, sum: 11},
		addsMsg{identity: identity{id, "l", id.Epoch}, lo: 4, hi: 99, version: 120, last: true, items: []crdt.Item[*Entry]{
			{Seq: 5, Elem: &Entry{seq: 5, key: "k", serial: 1, bornSeq: 5}}, {Seq: 99, Elem: &Entry{seq: 99, key: "k", serial: 1, bornSeq: 2}},
		}},
		ranges{id: id, version: 100, salt: 5, parts: []part{
			{lo: 0, hi: 10, print: 1 << 31}, {lo: 10, hi: 20, listed: true, seqs: []uint64{11, 20}}, {lo: 30, hi: 40, listed: true, seqs: []uint64{}},
		}},
		dropsMsg{id: id, version: 7, seqs: []uint64{1, 5, 7}},
		claimsMsg{{Nonce: 4, Name: "k", Holder: nodeless, Final: true}, {Nonce: 5, Name: "l", Holder: nodeless}},
		releaseMsg{Name: "k", Holder: nodeless},
		neighborMsg(overlay.Leave), treeMsg{id, true}, haveMsg{{identity: identity{id, "l", 5}, version: 9}, {identity: identity{id, "", id.Epoch}, version: 1}},
		answersMsg{{Nonce: 9, Kind: taken, Holder: claim}, {Nonce: 10, Kind: moved}},
	} {
		frame := encodeAny(msg)
		got, err := decode(frame)
		require.NoError(t, err, "%T", msg)
		require.Equal(t, msg, got)
		for cut := range frame {
			_, err := decode(frame[:cut])
			require.ErrorIs(t, err, ErrFrame, "%T cut to %d bytes", msg, cut)
		}
		_, err = decode(append(bytes.Clone(frame), 0))
		require.ErrorIs(t, err, ErrFrame, "%T with a byte too many", msg)
	}
}

func encodeAny(msg any) []byte {
	var e encoder
	switch m := msg.(type) {
	case hello:
		return e.hello(m)
	case digestMsg:
		return e.digest(uint64(m))
	case sameMsg:
		return e.same()
	case vectorMsg:
		return e.vector(m.reply, m.positions)
	case pullMsg:
		return e.pull(m)
	case addsMsg:
		return e.adds(m, m.items)
	case ranges:
		return e.ranges(m)
	case dropsMsg:
		return e.drops(m)
	case claimsMsg:
		frame, _ := e.claims(m)
		return frame
	case releaseMsg:
		return e.release(claimMsg(m))
	case neighborMsg:
		return e.neighbor(overlay.Op(m))
	case haveMsg:
		return e.have(m)
	case treeMsg:
		return e.tree(m)
	case answersMsg:
		frame, _ := e.answers(m)
		return frame
	}
	return nil
}

func TestFramesStayWithinTheLimit(t *testing.T) {
	c, a, b, _ := three(t)
	key, value := strings.Repeat("k", MaxKey-2), bytes.Repeat([]byte("v"), MaxValue)
	c.cutLink("n1", "n2")
	for i := range 6 {
		_, err := a.m.Join(c.reading(), a.spawn(), key+string(rune('0'+i)), value)
		require.NoError(t, err)
	}
	a.m.Flush()
	var fx Effects
	a.m.Take(&fx)
	for _, s := range fx.Sends {
		require.LessOrEqual(t, len(s.Frame), MaxFrame)
	}
	c.heal()
	c.run(3 * time.Second)
	require.Len(t, b.m.Groups(), 6)
	c.requireAgreement()
}

func TestMassDeathFitsInFrames(t *testing.T) {
	c, a, b, _ := three(t)
	serial := a.spawn()
	for i := range 30_000 {
		_, err, done := a.m.Register(c.reading(), Register{Serial: serial, Name: "k" + time.Duration(i).String(), Optimistic: true})
		require.True(t, done)
		require.NoError(t, err)
	}
	c.collect(a)
	c.settle()
	require.Equal(t, 30_000, b.m.Names())
	for a.m.Exit(c.reading(), serial) {
	}
	a.m.Flush()
	var fx Effects
	a.m.Take(&fx)
	require.LessOrEqual(t, len(fx.Sends), 2*(30_000/maxRemoved+1))
	for _, s := range fx.Sends {
		require.LessOrEqual(t, len(s.Frame), MaxFrame)
		c.queue = append(c.queue, flight{a.self, s.To, s.Frame})
	}
	c.settle()
	require.Zero(t, b.m.Names())
	c.requireAgreement()
}

func FuzzStep(f *testing.F) {
	c, a, b, _ := three(f)
	c.register(a, "k", again)
	c.join(b, "g")
	for _, n := range []*node{a, b} {
		n.m.Tick(c.reading())
	}
	var e encoder
	frame, _ := e.delta(a.m.self, []crdt.Record[*Entry]{{Seq: 9, Adds: true, Elem: &Entry{seq: 9, key: "x", serial: 3}, Removed: []uint64{1, 2}}})
	f.Add(frame)
	f.Add(e.hello(hello{Version: 1}))
	f.Add(e.vector(false, a.m.vector()))
	f.Add(e.ranges(ranges{id: a.m.self.id, version: 3, parts: []part{{lo: 0, hi: 3, listed: true, seqs: []uint64{1}}}}))
	f.Add(e.pull(pullMsg{id: a.m.self.id, last: true}))
	claims, _ := e.claims([]claimMsg{{Name: "k", Holder: resolve.PID{Serial: 1}}})
	f.Add(claims)
	f.Fuzz(func(t *testing.T, frame []byte) {
		cfg := Config{Self: Peer{"n1", 1}, Joins: true}
		m, err := New(cfg, c.reading())
		require.NoError(t, err)
		peer := Peer{"n2", 2}
		m.PeerUp(c.reading(), peer, "")
		m.LinkUp(c.reading(), peer)
		require.NoError(t, m.Step(c.reading(), peer, e.hello(hello{Version: wireVersion, Policy: m.PolicyPrint(), Epoch: 2})))
		if err := m.Step(c.reading(), peer, frame); err != nil {
			require.ErrorIs(t, err, ErrFrame)
			require.Equal(t, uint64(1), m.Counters().FramesRefused)
		}
		m.Tick(c.reading())
		m.Flush()
	})
}
