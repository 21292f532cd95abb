// Package link is the law of one directed link: what becomes of each frame that
// is offered to it.
//
// # Usage
//
//	l := link.New(seed, "n1", "n2")
//	l.Set(now, link.Conditions{Low: 20 * time.Millisecond, High: 30 * time.Millisecond, Loss: 0.05})
//	for _, a := range l.Offer(now, frame) {
//		// at a.At: if l.Arrive(a.Frame), hand it over
//	}
//
// The words are those of the scenario language, so a story means the same here
// and in the simulator: latency, loss, dup, reorder, blackhole, hold, release and
// cut, to which frames of real networks add the rate and the drops of one
// protocol.
//
// # Guarantees
//
// The package starts no goroutine, reads no clock and has no randomness but a
// hash of the seed, the two names, the kind of the decision and how often it was
// made: the same frames at the same times fare the same, and a decision of one
// kind or one link moves no other.
//
// Frames keep their order, unless they are copies or are reordered. What is in
// flight when the link is closed is lost.
//
// Every frame is counted: those offered and the copies made are those delivered,
// dropped for a reason, or still on their way.
//
// # Concurrency
//
// A Link is for one goroutine at a time.
package link
