package crdt

import (
	"fmt"
	"time"
)

// Stamp is a hybrid logical time: 48 bits of milliseconds since the Unix epoch
// and 16 bits of logic, packed so that integer order is the order of time.
// (Kulkarni et al., "Logical physical clocks", UB TR 2014-04.)
type Stamp uint64

// MaxStamp is the highest stamp that is accepted from elsewhere. It lies half
// the range below the overflow, some 4,000 years ahead; a stamp beyond it is
// garbage and is refused, because merging it would leave no later stamp to mint.
const MaxStamp = Stamp(1) << 63

const logicBits = 16

// StampAt returns the stamp of a wall time in milliseconds since the Unix epoch
// and a logical part.
func StampAt(ms int64, logic uint16) Stamp {
	return Stamp(uint64(ms)<<logicBits | uint64(logic))
}

// Millis returns the physical part in milliseconds since the Unix epoch.
func (s Stamp) Millis() int64 { return int64(s >> logicBits) }

// Logic returns the logical part.
func (s Stamp) Logic() uint16 { return uint16(s) }

// Time returns the physical part as a time in UTC.
func (s Stamp) Time() time.Time { return time.UnixMilli(s.Millis()).UTC() }

// Valid reports whether s may be merged into a clock.
func (s Stamp) Valid() bool { return s <= MaxStamp }

// String returns the stamp as milliseconds.logic.
func (s Stamp) String() string { return fmt.Sprintf("%d.%d", s.Millis(), s.Logic()) }
