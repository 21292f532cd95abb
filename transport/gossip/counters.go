package gossip

import (
	"sync/atomic"

	"github.com/rollcall-dev/rollcall/transport"
)

// counter is one of the figures that Counters returns. The counters of lanes are
// in the order of transport.Lane.
type counter int

const (
	framesSent     counter = iota
	framesReceived         = framesSent + counter(transport.Lanes)
	bytesSent              = framesReceived + counter(transport.Lanes)
	bytesReceived          = bytesSent + counter(transport.Lanes)
	droppedFull            = bytesReceived + counter(transport.Lanes)
	droppedBroken          = droppedFull + counter(transport.Lanes)
)

const (
	linksMade = droppedBroken + 1 + iota
	linksBroken
	linksReplaced
	peersGone
	peersLeft
	refusedCluster
	refusedKey
	refusedVersion
	refusedPeer
	refusedDuplicate
	refusedHalfOpen
	refusedBusy
	garbage
	rejoinAttempts
	rejoinSuccesses
	linksDialled
	mergeAttempts
	mergeFailures
	streamsOpened
	streamsAccepted
	streamsRefused
	packetsSent
	packetsReceived
	faultDropped
	counterCount
)

// counterNames returns the public names, in the order of the constants.
func counterNames() [counterCount]string {
	names := [counterCount]string{
		droppedBroken:    "dropped_broken",
		linksMade:        "links_made",
		linksBroken:      "links_broken",
		linksReplaced:    "links_replaced",
		peersGone:        "peers_gone",
		peersLeft:        "peers_left",
		refusedCluster:   "refused_cluster",
		refusedKey:       "refused_key",
		refusedVersion:   "refused_version",
		refusedPeer:      "refused_peer",
		refusedDuplicate: "refused_duplicate",
		refusedHalfOpen:  "refused_half_open",
		refusedBusy:      "refused_busy",
		garbage:          "garbage",
		rejoinAttempts:   "rejoin_attempts",
		rejoinSuccesses:  "rejoin_successes",
		linksDialled:     "links_dialled",
		mergeAttempts:    "merge_attempts",
		mergeFailures:    "merge_failures",
		streamsOpened:    "streams_opened",
		streamsAccepted:  "streams_accepted",
		streamsRefused:   "streams_refused",
		packetsSent:      "packets_sent",
		packetsReceived:  "packets_received",
		faultDropped:     "fault_dropped",
	}
	for lane := range transport.Lanes {
		names[framesSent+counter(lane)] = "frames_sent_" + lane.String()
		names[framesReceived+counter(lane)] = "frames_received_" + lane.String()
		names[bytesSent+counter(lane)] = "bytes_sent_" + lane.String()
		names[bytesReceived+counter(lane)] = "bytes_received_" + lane.String()
		names[droppedFull+counter(lane)] = "dropped_full_" + lane.String()
	}
	return names
}

// counters holds the figures of one transport.
//
// Invariant: every figure only grows.
type counters struct {
	n [counterCount]atomic.Uint64
}

// add counts n more.
func (c *counters) add(which counter, n int) { c.n[which].Add(uint64(n)) }

// snapshot returns all figures by name.
func (c *counters) snapshot() map[string]uint64 {
	out := make(map[string]uint64, counterCount)
	for i, name := range counterNames() {
		out[name] = c.n[i].Load()
	}
	return out
}
