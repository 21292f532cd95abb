package gossip

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// identity is the public key that a cluster key stands for on registry
// connections. Its zero value stands for none.
type identity [ed25519.PublicKeySize]byte

// errNotDerived is why a certificate of another key is refused.
var errNotDerived = errors.New("gossip: the certificate is not derived from a key of this cluster")

// keys holds the cluster's keys: for memberlist as its key ring, for registry
// connections as certificates.
//
// A key of the cluster yields an Ed25519 key pair through HKDF (RFC 5869): who
// has the key can sign with it, nobody else can. Both sides of a TLS 1.3
// connection show such a certificate and demand one of the other side.
//
// Invariant: certs[i] and ids[i] are derived from secrets[i]; the first is used
// for sending; ring holds the same keys.
type keys struct {
	user    *tls.Config
	ring    *memberlist.Keyring
	mu      sync.Mutex
	secrets [][]byte
	certs   []*tls.Certificate
	ids     []identity
}

// newKeys derives what the keys of a configuration stand for.
func newKeys(cfg Config) (*keys, error) {
	k := &keys{user: cfg.TLS}
	if len(cfg.Keys) == 0 {
		return k, nil
	}
	ring, err := memberlist.NewKeyring(cfg.Keys, cfg.Keys[0])
	if err != nil {
		return nil, fmt.Errorf("gossip: key ring: %w", err)
	}
	k.ring = ring
	for _, secret := range cfg.Keys {
		if err := k.addLocked(secret); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// secured reports whether registry connections use TLS.
func (k *keys) secured() bool { return k.user != nil || k.ring != nil }

// add accepts a further key.
func (k *keys) add(secret []byte) error {
	if err := checkKey(secret); err != nil {
		return fmt.Errorf("gossip: AddKey: %w", err)
	}
	if k.ring == nil {
		return errors.New("gossip: AddKey: the cluster runs without a key; start the nodes with Config.Key to use one")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ring.AddKey(slices.Clone(secret)); err != nil {
		return fmt.Errorf("gossip: AddKey: %w", err)
	}
	return k.addLocked(secret)
}

func (k *keys) addLocked(secret []byte) error {
	if k.index(secret) >= 0 {
		return nil
	}
	cert, id, err := derive(secret)
	if err != nil {
		return err
	}
	k.secrets = append(k.secrets, slices.Clone(secret))
	k.certs = append(k.certs, cert)
	k.ids = append(k.ids, id)
	return nil
}

// use sends with a key that was added before.
func (k *keys) use(secret []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := k.index(secret)
	if i < 0 {
		return errors.New("gossip: UseKey: the key was not added")
	}
	if err := k.ring.UseKey(secret); err != nil {
		return fmt.Errorf("gossip: UseKey: %w", err)
	}
	k.secrets[0], k.secrets[i] = k.secrets[i], k.secrets[0]
	k.certs[0], k.certs[i] = k.certs[i], k.certs[0]
	k.ids[0], k.ids[i] = k.ids[i], k.ids[0]
	return nil
}

// remove no longer accepts a key, and returns whose links are to be closed.
func (k *keys) remove(secret []byte) (identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := k.index(secret)
	if i < 0 {
		return identity{}, errors.New("gossip: RemoveKey: there is no such key")
	}
	if i == 0 {
		return identity{}, errors.New("gossip: RemoveKey: the key is in use; call UseKey with another one first")
	}
	if err := k.removeFromRing(secret); err != nil {
		return identity{}, fmt.Errorf("gossip: RemoveKey: %w", err)
	}
	id := k.ids[i]
	k.secrets = slices.Delete(k.secrets, i, i+1)
	k.certs = slices.Delete(k.certs, i, i+1)
	k.ids = slices.Delete(k.ids, i, i+1)
	return id, nil
}

// removeFromRing takes a key out of memberlist's ring. The ring closes the gap in
// the very array that its readers go through without a lock; only where the key is
// the last one is there no gap. Using each key behind it for a moment makes it so.
func (k *keys) removeFromRing(secret []byte) error {
	all := k.ring.GetKeys()
	at := slices.IndexFunc(all, func(s []byte) bool { return slices.Equal(s, secret) })
	for _, behind := range all[at+1:] {
		if err := k.ring.UseKey(behind); err != nil {
			return err
		}
	}
	if err := k.ring.RemoveKey(secret); err != nil {
		return err
	}
	return k.ring.UseKey(k.secrets[0])
}

// index returns the place of a key, -1 when it is not there.
func (k *keys) index(secret []byte) int {
	return slices.IndexFunc(k.secrets, func(s []byte) bool { return slices.Equal(s, secret) })
}

// derive returns the certificate and the identity of a key.
func derive(secret []byte) (*tls.Certificate, identity, error) {
	seed, err := hkdf.Key(sha256.New, secret, nil, "rollcall registry link identity 1", ed25519.SeedSize)
	if err != nil {
		return nil, identity{}, fmt.Errorf("gossip: deriving the certificate: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "rollcall"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		return nil, identity{}, fmt.Errorf("gossip: deriving the certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, identity(public), nil
}

// primary returns the certificate to show.
func (k *keys) primary() *tls.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.certs[0]
}

// check accepts a peer whose certificate is derived from one of the keys.
func (k *keys) check(s tls.ConnectionState) error {
	id, ok := identityOf(s)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !ok || !slices.Contains(k.ids, id) {
		return errNotDerived
	}
	return nil
}

// identityOf returns the identity that a peer proved.
func identityOf(s tls.ConnectionState) (identity, bool) {
	if len(s.PeerCertificates) == 0 {
		return identity{}, false
	}
	public, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return identity{}, false
	}
	return identity(public), true
}

// config returns the settings of one connection.
func (k *keys) config() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequireAnyClientCert,
		// The chain is not verified: check demands something narrower.
		InsecureSkipVerify:   true,
		VerifyConnection:     k.check,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.primary(), nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return k.primary(), nil },
	}
}

// dialled secures a connection that this node dialled.
func (k *keys) dialled(c net.Conn, addr string) *tls.Conn {
	if k.user == nil {
		return tls.Client(c, k.config())
	}
	cfg := k.user
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	return tls.Client(c, cfg)
}

// accepted secures a connection that this node accepted.
func (k *keys) accepted(c net.Conn) *tls.Conn {
	if k.user == nil {
		return tls.Server(c, k.config())
	}
	return tls.Server(c, k.user)
}

// securedConn closes the connection below at once. tls.Conn would first wait up
// to five seconds for a peer that does not read.
type securedConn struct {
	*tls.Conn
	below net.Conn
}

// Close closes the connection without the farewell of TLS; whoever needs to tell
// an end from a cut has a frame for it.
func (c *securedConn) Close() error { return c.below.Close() }
