package link

import (
	"errors"
	"fmt"
	"time"
)

// Conditions say how a link carries frames. Those of the zero value carry every
// frame at once.
type Conditions struct {
	// Low and High bound the time that a frame takes, which is uniform between
	// the two. Both 0 by default.
	Low, High time.Duration
	// Loss, Dup and Reorder are the probabilities that a frame vanishes, arrives
	// twice, and is late by up to four times High (5 ms at least), overtaken by
	// what follows it.
	Loss, Dup, Reorder float64
	// Size is the size in bytes of the largest frame that passes; 0 for no limit.
	// A frame of Ethernet counts its header of 14 bytes.
	Size int
	// Rate is how many bytes pass in a second; 0 for no limit.
	Rate int64
	// Queue is how many bytes may wait for Rate; what comes on top is dropped.
	// Default 64 KiB.
	Queue int
	// NoUDP and NoTCP drop the packets of one protocol over IPv4 alone.
	NoUDP, NoTCP bool
	// Held makes frames wait until Set is called without it.
	Held bool
	// Closed drops every frame, those in flight and those held too.
	Closed bool
}

// DefaultQueue is the default of Conditions.Queue: half a second at a megabit.
const DefaultQueue = 64 << 10

// Validate reports all faults of the conditions, joined.
func (c Conditions) Validate() error {
	var faults []error
	if c.Low < 0 || c.High < c.Low {
		faults = append(faults, fmt.Errorf("link: a delay of %v..%v", c.Low, c.High))
	}
	for _, p := range []struct {
		name string
		p    float64
	}{{"loss", c.Loss}, {"dup", c.Dup}, {"reorder", c.Reorder}} {
		if !(p.p >= 0 && p.p <= 1) {
			faults = append(faults, fmt.Errorf("link: %s of %v is no probability", p.name, p.p))
		}
	}
	if c.Size < 0 || c.Rate < 0 || c.Queue < 0 {
		faults = append(faults, fmt.Errorf("link: size %d, rate %d, queue %d: none may be negative", c.Size, c.Rate, c.Queue))
	}
	return errors.Join(faults...)
}

// Reason says why a frame was dropped.
type Reason uint8

// The reasons.
const (
	Cut   Reason = iota // the link was closed
	Lost                // by chance
	Large               // above Size
	UDP                 // of a protocol that does not pass
	TCP                 // likewise
	Full                // too much waited for the rate
	Stale               // too many frames were held or on their way
	// Reasons is how many reasons there are.
	Reasons
)

// String returns the reason in one word.
func (r Reason) String() string {
	names := [Reasons]string{"cut", "lost", "large", "udp", "tcp", "full", "stale"}
	if r >= Reasons {
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
	return names[r]
}

// Count is a number of frames and their bytes.
type Count struct{ Frames, Bytes int64 }

func (c *Count) add(frame []byte) {
	c.Frames++
	c.Bytes += int64(len(frame))
}

// Stats is what became of all frames of a link.
type Stats struct {
	Offered   Count
	Copied    Count // made by Dup
	Delivered Count
	Dropped   [Reasons]Count
	Underway  Count // in flight or held
}

// protocolOf returns the protocol of an IPv4 packet in a frame of Ethernet, 0 for
// anything else. A fragment names the protocol of the whole.
func protocolOf(frame []byte) byte {
	const header, protocol = 14, 14 + 9
	if len(frame) < header+20 || frame[12] != 0x08 || frame[13] != 0x00 || frame[header]>>4 != 4 {
		return 0
	}
	return frame[protocol]
}

// Numbers of protocols over IP.
const (
	protocolTCP = 6
	protocolUDP = 17
)
