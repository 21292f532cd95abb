package transporttest_test

import (
	"context"
	"net"

	"github.com/rollcall-dev/rollcall/transport"
)

// Open breaks the rules about streams.
func (m *mutant) Open(ctx context.Context, to transport.Peer) (net.Conn, error) {
	if m.name == "ignoresContext" {
		ctx = context.WithoutCancel(ctx)
	}
	stream, err := m.Transport.Open(ctx, to)
	if err == nil && m.name == "losesTails" {
		return &tailless{Conn: stream}, nil
	}
	return stream, err
}

// tailless loses what is written last before Close.
type tailless struct {
	net.Conn
	last []byte
}

func (t *tailless) Write(p []byte) (int, error) {
	if len(t.last) > 0 {
		if _, err := t.Conn.Write(t.last); err != nil {
			return 0, err
		}
	}
	t.last = nil
	if len(p) > 1 {
		t.last = append(t.last, p...)
		return len(p), nil
	}
	return t.Conn.Write(p)
}
