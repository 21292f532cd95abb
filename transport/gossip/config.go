package gossip

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/rejoin"
)

const (
	// DefaultBind is where a node listens when Config.Bind is empty.
	DefaultBind = ":7946"
	// DefaultQueueFrames is the usual limit of frames that wait in one lane of one
	// peer.
	DefaultQueueFrames = 16 << 10
	// DefaultQueueBytes is the usual limit of bytes that wait in one lane of one
	// peer.
	DefaultQueueBytes = 8 << 20
	// MaxNodeName is the limit of a node's name in bytes.
	MaxNodeName = 128
	// MaxCluster is the limit of a cluster's name in bytes.
	MaxCluster = 200
)

// Preset chooses the pace of failure detection and the patience of connections.
type Preset uint8

const (
	// LAN suits round trips of up to some tens of milliseconds, and loopback: a
	// silent cut is noticed after about five seconds.
	LAN Preset = iota
	// WAN suits round trips of up to some hundred milliseconds: a silent cut is
	// noticed after about forty seconds, and links come back within three seconds
	// of a heal.
	WAN
)

// QueueLimits bounds what waits for one slow peer, for each lane on its own. What
// is beyond a limit is refused with transport.ErrQueueFull.
type QueueLimits struct {
	// Frames is the number of frames. Default DefaultQueueFrames.
	Frames int
	// Bytes is the sum of their lengths. Default DefaultQueueBytes. No less than
	// transport.MaxFrame.
	Bytes int
}

// Config says where a node listens, whom it looks for and whom it trusts. The
// zero value of every field is its default.
type Config struct {
	// Bind is the host and port to listen on, for TCP and UDP alike. Port 0 takes
	// a free one; no host means all interfaces. Default DefaultBind.
	Bind string
	// Advertise is the host and port at which others reach this node, where that
	// is not what it binds: behind address translation. Default: the bound
	// address; for all interfaces the first private address of this machine.
	// Port 0 stands for the bound port.
	Advertise string
	// Seeds are addresses of some nodes of the cluster. One that answers is
	// enough; those that do not are tried for ever. A node may be its own seed.
	// Default: none, the node waits to be found.
	Seeds []string
	// RequireSeed makes Start fail when no seed answers as a node of this
	// cluster. Default false: a node may start alone, or before the others.
	RequireSeed bool
	// Cluster names the cluster. Nodes of different clusters refuse each other,
	// those without a name among them. It keeps apart what must not mix by
	// mistake; Key keeps out who must not join. Default: no name.
	Cluster string
	// Key is the cluster's secret, of 16, 24 or 32 random bytes; 32 are advised.
	// With it all traffic is encrypted and only who has it takes part. Default:
	// no key, everything in plain text.
	Key []byte
	// Keys are further keys that are accepted, during a change of keys. When Key
	// is empty the first of them is used for sending.
	Keys [][]byte
	// TLS, where set, secures registry links and streams instead of certificates
	// derived from Key. It serves both sides: it needs Certificates, RootCAs and
	// ClientCAs, and ClientAuth should be tls.RequireAndVerifyClientCert. The
	// membership traffic is still protected by Key alone. Default: derived from
	// the keys.
	TLS *tls.Config
	// Preset is the pace of failure detection. Default LAN.
	Preset Preset
	// ForgetAfter is how long a peer that cannot be reached is looked for. Default
	// 24 hours.
	ForgetAfter time.Duration
	// Queue bounds what waits for a slow peer.
	Queue QueueLimits
	// Logger receives what the operator should know. Default slog.Default.
	Logger *slog.Logger
}

// withDefaults returns the configuration with its defaults in place.
func (c Config) withDefaults() Config {
	c.Bind = cmp.Or(c.Bind, DefaultBind)
	c.ForgetAfter = cmp.Or(c.ForgetAfter, rejoin.DefaultForgetAfter)
	c.Queue.Frames = cmp.Or(c.Queue.Frames, DefaultQueueFrames)
	c.Queue.Bytes = cmp.Or(c.Queue.Bytes, DefaultQueueBytes)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	keys := make([][]byte, 0, len(c.Keys)+1)
	if len(c.Key) > 0 {
		keys = append(keys, slices.Clone(c.Key))
	}
	for _, k := range c.Keys {
		keys = append(keys, slices.Clone(k))
	}
	c.Key, c.Keys = nil, keys
	c.Seeds = slices.Clone(c.Seeds)
	return c
}

// validate returns all that is wrong with a configuration that has its defaults.
func (c Config) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("gossip: "+format, args...)) }
	if err := checkAddr(c.Bind, true); err != nil {
		fault("Config.Bind: %w", err)
	}
	if c.Advertise != "" {
		if err := checkAddr(c.Advertise, true); err != nil {
			fault("Config.Advertise: %w", err)
		} else if host, _, _ := net.SplitHostPort(c.Advertise); host == "" {
			fault("Config.Advertise: %q has no host: others could not connect to it", c.Advertise)
		}
	}
	for i, seed := range c.Seeds {
		if err := checkAddr(seed, false); err != nil {
			fault("Config.Seeds[%d]: %w", i, err)
		}
	}
	if c.RequireSeed && len(c.Seeds) == 0 {
		fault("Config.RequireSeed is set, but Config.Seeds is empty")
	}
	if len(c.Cluster) > MaxCluster {
		fault("Config.Cluster has %d bytes, the limit is %d", len(c.Cluster), MaxCluster)
	}
	for i, k := range c.Keys {
		if err := checkKey(k); err != nil {
			fault("Config.Key or Config.Keys, number %d: %w", i+1, err)
		}
	}
	if c.Preset > WAN {
		fault("Config.Preset is %d: use LAN or WAN", c.Preset)
	}
	if c.ForgetAfter < 0 {
		fault("Config.ForgetAfter is negative")
	}
	if c.Queue.Frames < 1 || c.Queue.Bytes < transport.MaxFrame {
		fault("Config.Queue must allow at least one frame and %d bytes", transport.MaxFrame)
	}
	return errors.Join(faults...)
}

// checkAddr says what is wrong with a host:port.
func checkAddr(addr string, zero bool) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not host:port", addr)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || (n == 0 && !zero) {
		return fmt.Errorf("%q has no port number from 1 to 65535", addr)
	}
	return nil
}

// checkKey says what is wrong with the length of a key.
func checkKey(k []byte) error {
	switch len(k) {
	case 16, 24, 32:
		return nil
	}
	return fmt.Errorf("the key has %d bytes: give it 32 random bytes (or 16 or 24)", len(k))
}

// timing is what a preset comes to.
type timing struct {
	dial      time.Duration // limit of establishing a TCP connection; less than every
	quick     time.Duration // the same where a connection just broke
	every     time.Duration // pace of tries at a missing peer
	handshake time.Duration // limit of everything up to the first frame
	verify    time.Duration // limit of the question whether the holder of a name lives
	silence   time.Duration // a link that hears nothing for so long is broken
	ping      time.Duration // an idle link says so at this pace
}

// timing returns the limits of connections under the preset.
func (p Preset) timing() timing {
	if p == WAN {
		return timing{dial: 1900 * time.Millisecond, quick: 750 * time.Millisecond, every: 2500 * time.Millisecond, handshake: 8 * time.Second, verify: 3 * time.Second, silence: 10 * time.Second, ping: 2 * time.Second}
	}
	return timing{dial: 750 * time.Millisecond, quick: 150 * time.Millisecond, every: rejoin.DefaultEvery, handshake: 3 * time.Second, verify: 700 * time.Millisecond, silence: 3 * time.Second, ping: 500 * time.Millisecond}
}

// memberlist returns memberlist's settings under the preset. It differs from the
// library's own in this:
//
//   - Compression is off: what is left of its traffic is small.
//   - A node's doubt about its own health does not slow its probes down. That
//     guards against false alarms of a starved node; here a peer with a live link
//     stays up whatever memberlist says, and without the slow-down the small side
//     of a split notices as soon as the large one, and no probe outlives Close by
//     more than one interval.
//   - Suspicion ends after its usual time, not up to six times that, for the same
//     reason; a member that died a while ago still counts in memberlist's sums and
//     would double it.
func (p Preset) memberlist() *memberlist.Config {
	mc := memberlist.DefaultLANConfig()
	mc.TCPTimeout = 3 * time.Second
	if p == WAN {
		mc = memberlist.DefaultWANConfig()
		mc.TCPTimeout = 10 * time.Second
	}
	mc.EnableCompression = false
	mc.AwarenessMaxMultiplier = 1
	mc.SuspicionMaxTimeoutMult = 1
	return mc
}
