package gossip

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/rollcall-dev/rollcall/transport"
)

// wire is a registry connection whose two ends know each other.
type wire struct {
	net.Conn
	below *faultConn
	key   identity
}

// greet dials an address, within a limit for the connection alone, and introduces
// this node. ready is asked just before
// the introduction, when it is clear that somebody listens; its error ends the
// attempt. A refusal is a *RefusedError.
func (t *Transport) greet(ctx context.Context, addr string, limit time.Duration, h hello, ready func() error) (*wire, answer, error) {
	dialCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	fc, err := t.port.dial(dialCtx, addr)
	if err != nil {
		return nil, answer{}, err
	}
	unhook := context.AfterFunc(ctx, func() { _ = fc.Close() })
	defer unhook()
	_ = fc.SetDeadline(time.Now().Add(t.timing.handshake))
	w, a, err := t.introduce(fc, addr, h, ready)
	if err != nil {
		_ = fc.Close()
		return nil, a, err
	}
	_ = fc.SetDeadline(time.Time{})
	return w, a, nil
}

// introduce is the dialler's part of the handshake.
func (t *Transport) introduce(fc *faultConn, addr string, h hello, ready func() error) (*wire, answer, error) {
	w := &wire{Conn: fc, below: fc}
	pre := preamble(t.cfg.Cluster, t.keys.secured())
	if _, err := fc.Write(pre[:]); err != nil {
		return nil, answer{}, err
	}
	var reply [2]byte
	if _, err := io.ReadFull(fc, reply[:]); err != nil {
		return nil, answer{}, fmt.Errorf("gossip: %s did not answer as a registry node: %w", addr, err)
	}
	if reply[0] != magic {
		return nil, answer{}, fmt.Errorf("gossip: %s: %w", addr, errGarbage)
	}
	if code := Refusal(reply[1]); code != accepted {
		return nil, answer{}, &RefusedError{Addr: addr, Why: code}
	}
	if t.keys.secured() {
		if err := w.secure(t.keys.dialled(fc, addr)); err != nil {
			return nil, answer{}, keyFault(err, addr)
		}
	}
	if err := ready(); err != nil {
		return nil, answer{}, err
	}
	if err := writeBlock(w, h.encode()); err != nil {
		return nil, answer{}, err
	}
	body, err := readBlock(w)
	if err != nil {
		if isRemoteAlert(err) {
			err = keyFault(err, addr)
		}
		return nil, answer{}, err
	}
	a, err := decodeAnswer(body)
	if err != nil {
		return nil, answer{}, err
	}
	if !plausible(a.self, a.addr) {
		return nil, answer{}, errGarbage
	}
	if a.code != accepted {
		return nil, a, &RefusedError{Addr: addr, Why: a.code, Peer: a.self, Holder: a.holder}
	}
	return w, a, nil
}

// isRemoteAlert reports whether the other side ended TLS with an alert: in TLS 1.3
// it judges this side's certificate after this side's handshake is over.
func isRemoteAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// keyFault turns the failure of TLS into a refusal, unless it is that of the
// network.
func keyFault(err error, addr string) error {
	if isTimeout(err) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) {
		return err
	}
	return &RefusedError{Addr: addr, Why: WrongKey}
}

// secure puts the wire under TLS.
func (w *wire) secure(c *tls.Conn) error {
	if err := c.Handshake(); err != nil {
		return err
	}
	w.key, _ = identityOf(c.ConnectionState())
	w.Conn = &securedConn{Conn: c, below: w.below}
	return nil
}

// serve is the listener's part: it runs for each registry connection, after its
// first byte.
func (t *Transport) serve(fc *faultConn, leave func()) {
	defer leave()
	_ = fc.SetDeadline(time.Now().Add(t.timing.handshake))
	w, h, err := t.welcome(fc)
	if err != nil {
		t.refuseLog(fc, err)
		_ = fc.Close()
		return
	}
	fc.setPeer(h.addr)
	if err := t.fault.wait(h.addr, time.Now().Add(t.timing.handshake), t.port.done); err != nil {
		_ = fc.Close()
		return
	}
	switch h.purpose {
	case forWho, forCheck:
		_ = writeBlock(w, t.who(h).encode())
		_ = fc.Close()
	case forLink:
		t.acceptLink(w, h)
	case forStreams:
		t.acceptStreams(w, h)
	default:
		t.count.add(garbage, 1)
		_ = fc.Close()
	}
}

// welcome reads the preamble and the hello and refuses strangers.
func (t *Transport) welcome(fc *faultConn) (*wire, hello, error) {
	w := &wire{Conn: fc, below: fc}
	pre := [preambleSize]byte{magic}
	if _, err := io.ReadFull(fc, pre[1:]); err != nil {
		return nil, hello{}, errGarbage
	}
	code := t.judge(pre)
	if _, err := fc.Write([]byte{magic, byte(code)}); err != nil {
		return nil, hello{}, err
	}
	if code != accepted {
		return nil, hello{}, &RefusedError{Addr: fc.RemoteAddr().String(), Why: code}
	}
	if t.keys.secured() {
		if err := w.secure(t.keys.accepted(fc)); err != nil {
			return nil, hello{}, keyFault(err, fc.RemoteAddr().String())
		}
	}
	body, err := readBlock(w)
	if err != nil {
		return nil, hello{}, errGarbage
	}
	h, err := decodeHello(body)
	if err != nil {
		return nil, hello{}, err
	}
	if h.cluster != t.cfg.Cluster {
		code = ForeignCluster
	} else if !plausible(h.from, h.addr) {
		return nil, hello{}, errGarbage
	} else if h.want != (transport.Peer{}) && h.want != t.self {
		code = WrongPeer
	}
	if code != accepted {
		_ = writeBlock(w, answer{code: code, self: t.self, addr: t.port.addr()}.encode())
		return nil, hello{}, &RefusedError{Addr: fc.RemoteAddr().String(), Why: code, Peer: h.from}
	}
	return w, h, nil
}

// plausible reports whether a node can have this name and listen there.
func plausible(p transport.Peer, addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	return err == nil && at.Port() != 0 && checkNode(p.Node) == nil
}

// judge says whether the preamble is this cluster's.
func (t *Transport) judge(pre [preambleSize]byte) Refusal {
	secured := pre[2]&flagSecured != 0
	switch {
	case pre[1] != wireVersion:
		return WrongVersion
	case binary.BigEndian.Uint64(pre[3:]) != clusterHash(t.cfg.Cluster):
		return ForeignCluster
	case secured != t.keys.secured():
		return WrongKey
	}
	return accepted
}

// refuseLog counts a refusal and logs it once per address and minute.
func (t *Transport) refuseLog(fc *faultConn, err error) {
	host, _, _ := net.SplitHostPort(fc.RemoteAddr().String())
	var r *RefusedError
	if !errors.As(err, &r) {
		if errors.Is(err, errGarbage) {
			t.count.add(garbage, 1)
		}
		return
	}
	t.countRefusal(r.Why)
	if r.Why != WrongPeer && r.Why != Crossed && t.notices.due(host+r.Why.String()) {
		t.log.Warn("refused a connection", "from", r.Addr, "why", r.Why.String())
	}
}

// countRefusal counts a refusal, given or received.
func (t *Transport) countRefusal(why Refusal) {
	switch why {
	case ForeignCluster:
		t.count.add(refusedCluster, 1)
	case WrongKey:
		t.count.add(refusedKey, 1)
	case WrongVersion:
		t.count.add(refusedVersion, 1)
	case WrongPeer:
		t.count.add(refusedPeer, 1)
	case DuplicateNode:
		t.count.add(refusedDuplicate, 1)
	case Busy:
		t.count.add(refusedBusy, 1)
	}
}
