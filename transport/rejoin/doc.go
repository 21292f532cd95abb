// Package rejoin remembers every address at which a cluster was ever met and says
// which of them to try now, so that a split of any length heals by itself.
//
// A failure detector forgets the dead after a while. Two sides that were cut off
// for longer than that never look for each other again, unless something outside
// the detector keeps the addresses and keeps trying. That something is the Book.
//
// # Usage
//
// The caller tells the book whom it met and whom it lost, asks Next at every tick
// and tries what it answers. A try that succeeds is told with Met.
//
//	for _, target := range book.Next(now, free) {
//		go try(target)
//	}
//
// # Guarantees
//
// While an address is missing it is offered about once per Config.Every, as long
// as Config.PerTick times the ticks per Every is no less than the number of
// missing addresses; with more of them each is offered in turn, the one that
// waited longest first. The time since an address was lost plays no part, up to
// Config.ForgetAfter; seeds are never forgotten.
//
// # Concurrency
//
// The book reads no clock, starts no goroutine and draws from the source given to
// it: the same calls give the same answers. One goroutine uses it at a time.
package rejoin
