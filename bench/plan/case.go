package plan

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rollcall-dev/rollcall/bench/cluster"
)

// Ours is the side that is compared with the others.
const Ours = string(cluster.Rollcall)

// Aim is what a figure shall be. All that is set must hold; figures of a row
// without a peer have no ratio.
type Aim struct {
	// Text says it for people.
	Text string
	// Below and AtLeast bound our figure, in the unit of the row.
	Below, AtLeast float64
	// Ratio is how many times better than the peer ours shall be at least.
	Ratio float64
}

// Measure is one figure of a case.
type Measure struct {
	// Key names it in Values.
	Key string
	// Work says what was done, and Unit in what the figure is.
	Work, Unit string
	// More says that more is better; by default less is.
	More bool
	// Aims has the aim against each peer; the one under "" holds for all others.
	Aims map[string]Aim
	// Against is the key of another figure of ours that this one is compared with,
	// and AgainstName says what it is. Then there is no other peer.
	Against, AgainstName string
}

// Values are the figures of one round, by the keys of measures. What a side
// cannot do is left out.
type Values map[string]float64

// Session is a side that was prepared.
type Session struct {
	// Round measures once.
	Round func(ctx context.Context, round int) (Values, error)
	// Close ends all that was started.
	Close func()
}

// Side is rollcall or a peer.
type Side struct {
	// Peer is its name; Ours is rollcall's.
	Peer string
	// Kind is what must be installed for it.
	Kind cluster.Kind
	// Begin prepares it.
	Begin func(ctx context.Context, b *Bench) (*Session, error)
}

// Case is some figures that are measured together.
type Case struct {
	// ID names it in the flag that selects.
	ID string
	// Group is the heading under which its rows stand.
	Group string
	// Measures are its figures.
	Measures []Measure
	// Sides are who is measured, rollcall first.
	Sides []Side
	// Waits says that its rounds take no processor time to speak of, so that they
	// can all run at once.
	Waits bool
	// Slow says that it is left out of a quick run of everything.
	Slow bool
	// Limit is how long one round, or the preparation of a side, may take; default
	// two minutes.
	Limit time.Duration
}

// defaultLimit is Case.Limit where none is set.
const defaultLimit = 2 * time.Minute

func (c Case) limit() time.Duration {
	if c.Limit == 0 {
		return defaultLimit
	}
	return c.Limit
}

// Bench is what cases are measured with.
type Bench struct {
	// Stage starts clusters.
	Stage *cluster.Stage
	// Rounds is how often each side is measured.
	Rounds int
	// Quick makes everything small, to see that it works.
	Quick bool
	// Progress takes lines for people.
	Progress io.Writer
}

// Size returns a number, or a small one for a quick run.
func (b *Bench) Size(full, quick int) int {
	if b.Quick {
		return quick
	}
	return full
}

func (b *Bench) logf(format string, args ...any) {
	fmt.Fprintf(b.Progress, format+"\n", args...) //nolint:errcheck // progress is not worth failing for
}
