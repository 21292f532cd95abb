package crdt

import (
	"errors"
	"fmt"
	"time"
)

const (
	defaultMaxStep   = 500 * time.Millisecond
	defaultMaxOffset = time.Minute
)

// Reading is one reading of a machine's clocks, in nanoseconds, both taken at
// the same moment.
type Reading struct {
	// Wall is the wall clock, since the Unix epoch.
	Wall int64
	// Mono is the monotonic clock, from any origin that is fixed for this run.
	Mono int64
}

// ClockConfig configures a Clock. The zero value is the default.
type ClockConfig struct {
	// MaxStep is how far the wall clock may move against the monotonic clock
	// between two readings. What is beyond is a step, somebody set the clock, and
	// is ignored. Lower values ignore finer corrections, so that the clock
	// drifts away from the wall clock; higher ones follow a wrong setting. 0
	// means 500 ms. It must not be negative.
	MaxStep time.Duration
	// MaxOffset is how far the clock may be from the cluster's time before Adjust
	// corrects it. It should be well above the error with which that time is
	// known. 0 means 1 minute. It must not be negative.
	MaxOffset time.Duration
}

func (c ClockConfig) validate() error {
	var faults []error
	if c.MaxStep < 0 {
		faults = append(faults, fmt.Errorf("crdt: ClockConfig.MaxStep is %v, it must not be negative", c.MaxStep))
	}
	if c.MaxOffset < 0 {
		faults = append(faults, fmt.Errorf("crdt: ClockConfig.MaxOffset is %v, it must not be negative", c.MaxOffset))
	}
	return errors.Join(faults...)
}

// Clock is a hybrid logical clock. It gives out stamps that follow the wall clock
// when that is well, that always grow, and that are above every stamp observed
// before; so an event that may have caused another has the lower stamp.
// (Kulkarni, Demirbas et al., "Logical physical clocks", UB TR 2014-04. In the
// packed form both rules of the paper are one: the next stamp is the higher of
// the physical time and the last stamp plus one. A logical part that overflows
// carries into the milliseconds.)
//
// The clock reads no time itself: each call is given a Reading.
//
// A step of the wall clock does not reach the stamps: it shows as a move against
// the monotonic clock, is ignored and is reported by Step. The clock goes on from
// where it was, with the monotonic clock, until Adjust corrects it. A machine
// that was suspended looks the same on systems whose monotonic clock stands
// still meanwhile: it is then behind, which delays nothing and loses ties.
//
// Invariant: last never falls. The physical time is Wall - shift, and shift
// changes only by steps that are ignored and by Adjust.
type Clock struct {
	maxStep   int64
	maxOffset int64
	started   bool
	gap       int64 // Wall - Mono of the last reading
	shift     int64 // by how much the wall clock is ahead of this clock
	last      Stamp
	step      int64 // sum of the steps ignored and not yet reported
	stepped   bool
}

// NewClock returns a clock. It takes the first reading that it is given as it is.
// It returns an error that names every field of the config that is wrong.
func NewClock(config ClockConfig) (*Clock, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	c := &Clock{maxStep: int64(defaultMaxStep), maxOffset: int64(defaultMaxOffset)}
	if config.MaxStep > 0 {
		c.maxStep = int64(config.MaxStep)
	}
	if config.MaxOffset > 0 {
		c.maxOffset = int64(config.MaxOffset)
	}
	return c, nil
}

// Now returns a new stamp, above every stamp given out or observed before.
func (c *Clock) Now(r Reading) Stamp {
	c.read(r)
	c.last = max(c.last+1, physical(r.Wall-c.shift))
	return c.last
}

// Observe notes a stamp that came from elsewhere: the stamps that Now returns
// from here on are above it. It never changes the stamp, since replicas that
// clamped it would hold different ones. It returns ErrStamp, and changes
// nothing, if the stamp is above MaxStamp; what came with it must then be
// refused as a whole.
func (c *Clock) Observe(r Reading, s Stamp) error {
	if !s.Valid() {
		return fmt.Errorf("%w: %s", ErrStamp, s)
	}
	c.read(r)
	c.last = max(c.last, s)
	return nil
}

// Time returns this clock's physical time in nanoseconds since the Unix epoch:
// the wall clock without the steps that were ignored, and with the corrections.
// It is what nodes compare to find out how far they are apart. Stamps may be
// ahead of it.
func (c *Clock) Time(r Reading) int64 {
	c.read(r)
	return r.Wall - c.shift
}

// Offset returns how far this clock's physical time is ahead of the wall clock;
// negative if it is behind. It is 0 until a step is ignored or Adjust corrects.
func (c *Clock) Offset() time.Duration { return time.Duration(-c.shift) }

// Last returns the highest stamp given out or observed; 0 if there was none.
func (c *Clock) Last() Stamp { return c.last }

// Step returns by how much the wall clock was stepped, forward if positive, since
// Step was last called, and whether it was. Each step is returned once: a caller
// that asks after each reading can raise one event for each step. Steps between
// two calls are added up.
func (c *Clock) Step() (amount time.Duration, ok bool) {
	amount, ok = time.Duration(c.step), c.stepped
	c.step, c.stepped = 0, false
	return amount, ok
}

// Adjust corrects the clock to the cluster's time, in nanoseconds since the Unix
// epoch at the moment of the reading, if the two are more than MaxOffset apart.
// It returns by how much it moved the clock, and whether it did. How the
// cluster's time is found, for instance as the median of the peers' times, is up
// to the caller.
//
// Stamps do not go back: if the clock has given out or observed stamps that are
// ahead of the corrected time, Now counts on from the last of them until time
// catches up. A node therefore adjusts before it makes its first stamp.
func (c *Clock) Adjust(r Reading, cluster int64) (by time.Duration, ok bool) {
	c.read(r)
	ahead := r.Wall - c.shift - cluster
	if -c.maxOffset <= ahead && ahead <= c.maxOffset {
		return 0, false
	}
	c.shift += ahead
	return time.Duration(-ahead), true
}

// read takes a reading in, and with it a step of the wall clock.
func (c *Clock) read(r Reading) {
	gap := r.Wall - r.Mono
	moved := gap - c.gap
	c.gap = gap
	if !c.started {
		c.started = true
		return
	}
	if -c.maxStep <= moved && moved <= c.maxStep {
		return
	}
	c.shift += moved
	c.step += moved
	c.stepped = true
}

// physical returns the stamp of a time in nanoseconds since the Unix epoch. Times
// before the epoch count as the epoch. An int64 of nanoseconds ends in the year
// 2262, far below MaxStamp.
func physical(ns int64) Stamp {
	return StampAt(max(ns, 0)/int64(time.Millisecond), 0)
}
