package gossip

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// testKey returns a key of 32 equal bytes.
func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestKeyRequired(t *testing.T) {
	keyed := startNode(t, "keyed", Config{Key: testKey('a')})
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"no key", Config{}},
		{"another key", Config{Key: testKey('b')}},
		{"a shorter key", Config{Key: testKey('a')[:16]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := keyed.Counters()["refused_key"]
			c.cfg.Seeds = []string{keyed.Addr()}
			stranger := startNode(t, "stranger", c.cfg)
			require.Eventually(t, func() bool { return keyed.Counters()["refused_key"] > before }, 5*time.Second, 5*time.Millisecond)
			require.NotZero(t, stranger.Counters()["refused_key"])
			time.Sleep(400 * time.Millisecond) // real clock: time for what must not happen, on real sockets
			require.Empty(t, keyed.rec.Events(""), "who lacks the key is no member")
			require.Empty(t, stranger.rec.Events(""), "who lacks the key sees nobody")

			c.cfg.RequireSeed = true
			err := tryStart(t, "stranger", c.cfg)
			var refused *RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, WrongKey, refused.Why)
			require.ErrorContains(t, err, keyed.Addr())
			require.ErrorContains(t, err, "Config.Key")
		})
	}
}

func TestKeyRotation(t *testing.T) {
	old, fresh := testKey('o'), testKey('n')
	a := startNode(t, "a", Config{Key: old})
	b := startNode(t, "b", Config{Key: old, Seeds: []string{a.Addr()}})
	c := startNode(t, "c", Config{Key: old, Seeds: []string{a.Addr()}})
	nodes := []*testNode{a, b, c}
	awaitMesh(t, nodes...)

	require.Error(t, a.UseKey(fresh), "a key is added before it is used")
	require.Error(t, a.RemoveKey(old), "the key in use stays")
	require.Error(t, a.AddKey(fresh[:7]))
	for _, step := range []func(n *testNode) error{
		func(n *testNode) error { return n.AddKey(fresh) },
		func(n *testNode) error { return n.UseKey(fresh) },
		func(n *testNode) error { return n.RemoveKey(old) },
	} {
		for _, n := range nodes {
			require.NoError(t, step(n))
			awaitMesh(t, nodes...)
		}
	}
	for _, n := range nodes {
		for _, e := range n.rec.Events("") {
			require.NotEqual(t, transporttest.PeerDown, e.Kind, "nobody goes down during a change of keys")
		}
	}
	require.Error(t, tryStart(t, "late", Config{Key: old, Seeds: []string{a.Addr()}, RequireSeed: true}), "the old key is no use any more")
	d := startNode(t, "d", Config{Key: fresh, Seeds: []string{b.Addr()}, RequireSeed: true})
	awaitMesh(t, append(nodes, d)...)
}

func TestKeysWithoutKey(t *testing.T) {
	n := startNode(t, "a", Config{})
	require.Error(t, n.AddKey(testKey('x')))
	require.Error(t, n.UseKey(testKey('x')))
	require.Error(t, n.RemoveKey(testKey('x')))
}

// TestUserTLS uses certificates of the user's own authority.
func TestUserTLS(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	good := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	a := startNode(t, "a", Config{TLS: good})
	b := startNode(t, "b", Config{TLS: good, Seeds: []string{a.Addr()}, RequireSeed: true})
	awaitMesh(t, a, b)
	stream, err := a.Open(t.Context(), b.self)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	bad := good.Clone()
	bad.Certificates = nil
	err = tryStart(t, "c", Config{TLS: bad, Seeds: []string{a.Addr()}, RequireSeed: true})
	var refused *RefusedError
	require.True(t, errors.As(err, &refused) && refused.Why == WrongKey, "%v", err)
}

func TestDerivedIdentity(t *testing.T) {
	_, a, err := derive(testKey('a'))
	require.NoError(t, err)
	_, again, err := derive(testKey('a'))
	require.NoError(t, err)
	_, b, err := derive(testKey('b'))
	require.NoError(t, err)
	require.Equal(t, a, again)
	require.NotEqual(t, a, b)
	require.NotEqual(t, identity{}, a)
	k, err := newKeys(Config{Keys: [][]byte{testKey('a')}})
	require.NoError(t, err)
	require.ErrorIs(t, k.check(tls.ConnectionState{}), errNotDerived, "no certificate")
}

var _ transport.Transport = (*testNode)(nil)
