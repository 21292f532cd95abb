package resolvetest

import (
	"encoding/binary"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// throughWire returns the claim as it comes out of an encoding and a decoding:
// equal in everything that a message carries, in other memory, and without the
// difference between a nil and an empty Value.
func throughWire(c resolve.Claim) resolve.Claim {
	r := reader(appendClaim(nil, c))
	return r.claim()
}

// appendClaim appends the bytes of a claim.
func appendClaim(b []byte, c resolve.Claim) []byte {
	b = appendText(b, c.Name)
	b = appendDot(b, c.Dot)
	b = appendText(b, c.Holder.Node)
	b = binary.AppendUvarint(b, c.Holder.Epoch)
	b = binary.AppendUvarint(b, c.Holder.Serial)
	b = binary.AppendUvarint(b, uint64(c.Birth))
	b = appendDot(b, c.Born)
	b = binary.AppendVarint(b, c.Priority)
	b = binary.AppendUvarint(b, uint64(c.Seen))
	b = appendText(b, c.Label)
	return appendText(b, string(c.Value))
}

func appendDot(b []byte, d crdt.Dot) []byte {
	b = appendText(b, d.Replica.Node)
	b = binary.AppendUvarint(b, d.Replica.Epoch)
	return binary.AppendUvarint(b, d.Seq)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// reader takes claims from what appendClaim wrote.
type reader []byte

func (r *reader) claim() resolve.Claim {
	var c resolve.Claim
	c.Name = r.text()
	c.Dot = r.dot()
	c.Holder = resolve.PID{Node: r.text(), Epoch: r.number(), Serial: r.number()}
	c.Birth = crdt.Stamp(r.number())
	c.Born = r.dot()
	var n int
	c.Priority, n = binary.Varint(*r)
	*r = (*r)[n:]
	c.Seen = uint32(r.number())
	c.Label = r.text()
	c.Value = []byte(r.text())
	return c
}

func (r *reader) dot() crdt.Dot {
	return crdt.Dot{Replica: crdt.Replica{Node: r.text(), Epoch: r.number()}, Seq: r.number()}
}

func (r *reader) number() uint64 {
	x, n := binary.Uvarint(*r)
	*r = (*r)[n:]
	return x
}

func (r *reader) text() string {
	n := r.number()
	s := string((*r)[:n])
	*r = (*r)[n:]
	return s
}
