package memory

import "time"

const (
	// DefaultQueueFrames is the default of Config.QueueFrames: enough for a burst
	// of small frames, and few enough that a stuck peer is noticed.
	DefaultQueueFrames = 4096
	// DefaultQueueBytes is the default of Config.QueueBytes: 128 frames of the
	// largest size.
	DefaultQueueBytes = 16 << 20
	// DefaultStreamWindow is the default of Config.StreamWindow, the usual window
	// of a multiplexed TCP stream.
	DefaultStreamWindow = 256 << 10
	// DefaultStreams is the default of Config.Streams.
	DefaultStreams = 1024
)

// Config says how a network behaves. The zero value is a perfect network: no
// delay, and a node that cannot be reached is known to be gone at once.
type Config struct {
	// Latency is how long a frame or a piece of a stream is on its way. Links go
	// up and down without it. Default 0.
	Latency time.Duration
	// Detect is how long after the last path to a peer is gone PeerDown comes;
	// LinkDown comes at once. A path that returns sooner leaves the peer up. A peer
	// that leaves or restarts goes down without it. Default 0: at once.
	Detect time.Duration
	// NoRelay makes a peer go down as soon as its link does. By default a peer
	// stays up, without a link, while a path through other linked nodes exists, as
	// with SWIM's indirect probes.
	NoRelay bool
	// QueueFrames is how many frames may wait, for each direction of a link and
	// each lane, until Send returns ErrQueueFull. Zero or less means
	// DefaultQueueFrames.
	QueueFrames int
	// QueueBytes is how many bytes may wait, for each direction of a link and each
	// lane, until Send returns ErrQueueFull. An empty lane takes any frame. Zero or
	// less means DefaultQueueBytes.
	QueueBytes int
	// StreamWindow is how many bytes may wait in each direction of a stream until
	// Write blocks. Zero or less means DefaultStreamWindow.
	StreamWindow int
	// Streams is how many streams that one node opened to one peer may be open at
	// a time; Open returns ErrQueueFull beyond. Zero or less means DefaultStreams.
	Streams int
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	c.Latency = max(c.Latency, 0)
	c.Detect = max(c.Detect, 0)
	if c.QueueFrames <= 0 {
		c.QueueFrames = DefaultQueueFrames
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = DefaultQueueBytes
	}
	if c.StreamWindow <= 0 {
		c.StreamWindow = DefaultStreamWindow
	}
	if c.Streams <= 0 {
		c.Streams = DefaultStreams
	}
	return c
}
