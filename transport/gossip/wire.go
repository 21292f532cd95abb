package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/rollcall-dev/rollcall/transport"
)

// A registry connection begins like this; all numbers are big-endian.
//
//	dialler   magic, version, flags, 8 bytes of hash of the cluster's name
//	listener  magic, answer code
//	          TLS, where flags say so
//	dialler   length (2 bytes), hello
//	listener  length (2 bytes), answer
//
// On a link frames follow, each with a head of 4 bytes: the type in the first,
// the length in the others.

const (
	// wireVersion is the version of this protocol.
	wireVersion = 1
	// flagSecured says that TLS follows.
	flagSecured = 1
	// preambleSize is the size of what the dialler sends first.
	preambleSize = 11
	// maxHello limits a hello and an answer.
	maxHello = 2048
	// frameHead is the size of what precedes a frame.
	frameHead = 4
)

// Types of frames besides the lanes.
const (
	pingFrame  = 0x10
	leaveFrame = 0x11
)

// purpose says what a connection is for.
type purpose uint8

const (
	// forWho asks who listens here and whether the asker's node name is free.
	forWho purpose = 1 + iota
	// forCheck asks who listens here.
	forCheck
	// forLink offers a link.
	forLink
	// forStreams offers a multiplexed connection for streams.
	forStreams
)

// Refusal says why a node turned another one away.
type Refusal uint8

const (
	accepted Refusal = iota
	// ForeignCluster: the nodes have different cluster names.
	ForeignCluster
	// WrongKey: one side lacks the other's key, or has none.
	WrongKey
	// WrongVersion: the nodes speak different versions of the protocol.
	WrongVersion
	// WrongPeer: another node, or another run of it, listens at that address.
	WrongPeer
	// DuplicateNode: a live node of the same name is linked.
	DuplicateNode
	// Crossed: both sides dialled at once, and the other connection is kept.
	Crossed
	// Leaving: one of the two nodes has left the cluster.
	Leaving
	// Busy: the node is starting or stopping, or at its limit.
	Busy
)

// String returns the refusal in words.
func (r Refusal) String() string {
	switch r {
	case ForeignCluster:
		return "it belongs to another cluster: Config.Cluster differs"
	case WrongKey:
		return "the cluster keys differ: compare Config.Key and Config.Keys"
	case WrongVersion:
		return "it speaks another version of the protocol"
	case WrongPeer:
		return "another node listens there"
	case DuplicateNode:
		return "a live node of the same name is in the cluster"
	case Crossed:
		return "both sides dialled at once"
	case Leaving:
		return "the node has left"
	case Busy:
		return "it is starting, stopping or at its limit"
	}
	return fmt.Sprintf("refusal %d", uint8(r))
}

// RefusedError says that the node at an address turned this one away, or the
// other way round. It is among the causes of a failed Start with RequireSeed.
type RefusedError struct {
	// Addr is the address that was dialled.
	Addr string
	// Why is the reason.
	Why Refusal
	// Peer is who answered, where that is known.
	Peer transport.Peer
	// Holder is where the live node of the same name listens, for DuplicateNode.
	Holder string
}

// Error names the address and the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("gossip: %s refused: %s", e.Addr, e.Why)
}

// errGarbage is the end of a connection that does not speak the protocol.
var errGarbage = errors.New("gossip: not the registry's protocol")

// hello introduces the dialler.
type hello struct {
	purpose purpose
	cluster string
	from    transport.Peer
	addr    string
	want    transport.Peer
}

// answer introduces the listener.
type answer struct {
	code   Refusal
	self   transport.Peer
	addr   string
	holder string
}

// preamble returns what a dialler sends first.
func preamble(cluster string, secured bool) [preambleSize]byte {
	var b [preambleSize]byte
	b[0], b[1] = magic, wireVersion
	if secured {
		b[2] = flagSecured
	}
	binary.BigEndian.PutUint64(b[3:], clusterHash(cluster))
	return b
}

// clusterHash returns a short name of a cluster. It is no secret: it only lets
// two clusters with different keys tell that they are different clusters.
func clusterHash(cluster string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(cluster))
	return h.Sum64()
}

// appendString appends a string of up to 255 bytes with its length.
func appendString(b []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(b, byte(len(s))), s...)
}

// appendPeer appends a peer.
func appendPeer(b []byte, p transport.Peer) []byte {
	return binary.BigEndian.AppendUint64(appendString(b, p.Node), p.Run)
}

// encode returns the hello's bytes.
func (h hello) encode() []byte {
	b := appendString([]byte{byte(h.purpose)}, h.cluster)
	b = appendString(appendPeer(b, h.from), h.addr)
	return appendPeer(b, h.want)
}

// decodeHello is the inverse of encode.
func decodeHello(b []byte) (hello, error) {
	c := cursor{b: b}
	h := hello{purpose: purpose(c.byte()), cluster: c.string(), from: c.peer(), addr: c.string(), want: c.peer()}
	return h, c.end()
}

// encode returns the answer's bytes.
func (a answer) encode() []byte {
	b := appendPeer([]byte{byte(a.code)}, a.self)
	return appendString(appendString(b, a.addr), a.holder)
}

// decodeAnswer is the inverse of encode.
func decodeAnswer(b []byte) (answer, error) {
	c := cursor{b: b}
	a := answer{code: Refusal(c.byte()), self: c.peer(), addr: c.string(), holder: c.string()}
	return a, c.end()
}

// cursor reads fields one after the other and remembers that one was missing.
type cursor struct {
	b   []byte
	bad bool
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if c.bad || len(c.b) < n {
		c.bad = true
		return make([]byte, n)
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte     { return c.take(1)[0] }
func (c *cursor) string() string { return string(c.take(int(c.byte()))) }

func (c *cursor) peer() transport.Peer {
	node := c.string()
	return transport.Peer{Node: node, Run: binary.BigEndian.Uint64(c.take(8))}
}

// end reports whether all was there and nothing is left. A later version of the
// protocol has another version number, not more fields.
func (c *cursor) end() error {
	if c.bad || len(c.b) > 0 {
		return errGarbage
	}
	return nil
}

// writeBlock writes a hello or an answer with its length.
func writeBlock(w io.Writer, body []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...))
	return err
}

// readBlock reads what writeBlock wrote.
func readBlock(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n > maxHello {
		return nil, errGarbage
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}
