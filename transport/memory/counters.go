package memory

import "sync/atomic"

// counters counts what one transport did.
type counters struct {
	framesSent, framesReceived, framesLost, refused atomic.Uint64
	bytesSent, bytesReceived                        atomic.Uint64
	streamsOpened, streamsAccepted, streamsBroken   atomic.Uint64
}

// Counters returns what this transport has counted:
//
//   - frames_sent, bytes_sent: what Send queued;
//   - frames_received, bytes_received: what was handed to Receive;
//   - frames_lost: frames to this node that waited when their link broke;
//   - frames_refused: what Send refused with an error about the link or the queue;
//   - streams_opened, streams_accepted: streams by the end that this node has;
//   - streams_broken: streams to this node that their link broke.
func (t *Transport) Counters() map[string]uint64 {
	return map[string]uint64{
		"frames_sent":      t.count.framesSent.Load(),
		"bytes_sent":       t.count.bytesSent.Load(),
		"frames_received":  t.count.framesReceived.Load(),
		"bytes_received":   t.count.bytesReceived.Load(),
		"frames_lost":      t.count.framesLost.Load(),
		"frames_refused":   t.count.refused.Load(),
		"streams_opened":   t.count.streamsOpened.Load(),
		"streams_accepted": t.count.streamsAccepted.Load(),
		"streams_broken":   t.count.streamsBroken.Load(),
	}
}
