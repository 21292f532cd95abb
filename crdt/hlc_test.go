package crdt

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newClock(t require.TestingT, config ClockConfig) *Clock {
	c, err := NewClock(config)
	require.NoError(t, err)
	return c
}

// machine is a computer whose clocks the test moves, in milliseconds.
type machine struct {
	wall, mono int64
}

// after lets time pass on both clocks.
func (m *machine) after(ms int64) Reading {
	m.wall += ms
	m.mono += ms
	return m.reading()
}

// step sets the wall clock.
func (m *machine) step(ms int64) Reading {
	m.wall += ms
	return m.reading()
}

func (m *machine) reading() Reading { return Reading{Wall: m.wall * 1e6, Mono: m.mono * 1e6} }

func TestClockFollowsTheWallClock(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1_000_000, mono: 7}
	require.Equal(t, StampAt(1_000_000, 0), c.Now(m.reading()))
	require.Equal(t, StampAt(1_000_000, 1), c.Now(m.reading()))
	require.Equal(t, StampAt(1_000_003, 0), c.Now(m.after(3)))
	require.Equal(t, StampAt(1_000_403, 0), c.Now(m.step(400)), "a small correction is followed")
	require.Equal(t, StampAt(1_000_403, 1), c.Now(m.step(-400)), "but never back")
	require.Equal(t, StampAt(1_000_403, 1), c.Last())
	_, stepped := c.Step()
	require.False(t, stepped)
	require.Zero(t, c.Offset())
}

func TestClockObserves(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1000}
	ahead := StampAt(5000, 3)
	require.NoError(t, c.Observe(m.reading(), ahead))
	require.Equal(t, ahead+1, c.Now(m.after(1)))
	require.NoError(t, c.Observe(m.reading(), StampAt(10, 0)), "an old stamp changes nothing")
	require.Equal(t, ahead+2, c.Now(m.reading()))
	require.Equal(t, StampAt(6001, 0), c.Now(m.after(5000)), "time catches up")
}

func TestClockRefusesGarbage(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1000}
	now := c.Now(m.reading())
	require.ErrorIs(t, c.Observe(m.reading(), MaxStamp+1), ErrStamp)
	require.ErrorIs(t, c.Observe(m.reading(), math.MaxUint64), ErrStamp)
	require.Equal(t, now+1, c.Now(m.reading()), "what is refused leaves no trace")
	require.NoError(t, c.Observe(m.reading(), MaxStamp))
	require.Equal(t, MaxStamp+1, c.Now(m.reading()), "the clock does not wrap around")
}

func TestClockLogicCarriesIntoMilliseconds(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1000}
	last := c.Now(m.reading())
	for range 1 << logicBits {
		next := c.Now(m.reading())
		require.Greater(t, next, last)
		last = next
	}
	require.Equal(t, StampAt(1001, 0), last)
}

func TestClockIgnoresSteps(t *testing.T) {
	for _, step := range []int64{501, -501, 3_600_000, -3_600_000, -2_000_000} {
		c, m := newClock(t, ClockConfig{}), &machine{wall: 1_000_000, mono: 50}
		c.Now(m.reading())
		require.Equal(t, StampAt(1_000_010, 0), c.Now(m.after(10)))
		m.step(step)
		require.Equal(t, StampAt(1_000_020, 0), c.Now(m.after(10)), "step of %d ms", step)
		require.Equal(t, StampAt(1_000_030, 0), c.Now(m.after(10)))

		amount, ok := c.Step()
		require.True(t, ok)
		require.Equal(t, time.Duration(step)*time.Millisecond, amount)
		_, ok = c.Step()
		require.False(t, ok, "a step is reported once")
		c.Now(m.after(10))
		_, ok = c.Step()
		require.False(t, ok)
		require.Equal(t, -time.Duration(step)*time.Millisecond, c.Offset())
		require.Equal(t, int64(1_000_040)*1e6, c.Time(m.reading()))

		// Somebody sets the clock right again: that is a step too.
		c.Now(m.step(-step))
		amount, ok = c.Step()
		require.True(t, ok)
		require.Equal(t, -time.Duration(step)*time.Millisecond, amount)
		require.Zero(t, c.Offset())
	}
}

func TestClockStepBound(t *testing.T) {
	c, m := newClock(t, ClockConfig{MaxStep: 20 * time.Millisecond}), &machine{wall: 1000}
	c.Now(m.reading())
	require.Equal(t, StampAt(1020, 0), c.Now(m.step(20)), "at the bound it is followed")
	require.Equal(t, StampAt(1020, 1), c.Now(m.step(21)), "beyond it is ignored")
	amount, ok := c.Step()
	require.True(t, ok)
	require.Equal(t, 21*time.Millisecond, amount)
}

func TestClockNoticesStepsWhileObserving(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1000}
	c.Now(m.reading())
	require.NoError(t, c.Observe(m.step(9000), 0))
	require.NoError(t, c.Observe(m.step(1000), 0))
	amount, ok := c.Step()
	require.True(t, ok)
	require.Equal(t, 10*time.Second, amount, "steps between two calls are added up")
}

func TestClockAdjusts(t *testing.T) {
	const hour = 3_600_000
	m := &machine{wall: hour + 1000}
	c := newClock(t, ClockConfig{})
	by, ok := c.Adjust(m.reading(), 1000*1e6)
	require.True(t, ok)
	require.Equal(t, -time.Hour, by)
	require.Equal(t, -time.Hour, c.Offset())
	require.Equal(t, StampAt(1000, 0), c.Now(m.reading()))
	require.Equal(t, StampAt(1005, 0), c.Now(m.after(5)))
	_, stepped := c.Step()
	require.False(t, stepped, "a correction is no step")

	by, ok = c.Adjust(m.reading(), (1005+hour)*1e6)
	require.True(t, ok, "a clock that is behind is corrected too")
	require.Equal(t, time.Hour, by)
	require.Zero(t, c.Offset())
}

func TestClockAdjustBound(t *testing.T) {
	for _, c := range []struct {
		config ClockConfig
		ahead  int64
		ok     bool
	}{
		{ClockConfig{}, 60_000, false},
		{ClockConfig{}, 60_001, true},
		{ClockConfig{}, -60_000, false},
		{ClockConfig{}, -60_001, true},
		{ClockConfig{MaxOffset: time.Second}, 1000, false},
		{ClockConfig{MaxOffset: time.Second}, 1001, true},
	} {
		m := &machine{wall: 1_000_000}
		_, ok := newClock(t, c.config).Adjust(m.reading(), (m.wall-c.ahead)*1e6)
		require.Equal(t, c.ok, ok, "%+v", c)
	}
}

func TestClockAdjustNeverTakesStampsBack(t *testing.T) {
	const hour = 3_600_000
	c, m := newClock(t, ClockConfig{}), &machine{wall: hour}
	given := c.Now(m.reading())
	_, ok := c.Adjust(m.reading(), 0)
	require.True(t, ok)
	require.Equal(t, given+1, c.Now(m.after(1)))
	require.Equal(t, given+2, c.Now(m.after(1)))
	require.Equal(t, StampAt(hour+2, 0), c.Now(m.after(hour)), "time has caught up")
}

func TestClockBeforeTheEpoch(t *testing.T) {
	c := newClock(t, ClockConfig{})
	require.Equal(t, Stamp(1), c.Now(Reading{Wall: -5e9}))
	require.Equal(t, Stamp(2), c.Now(Reading{Wall: -4e9, Mono: 1e9}))
}

func TestClockConfigNamesAllFaults(t *testing.T) {
	_, err := NewClock(ClockConfig{MaxStep: -1, MaxOffset: -1})
	require.ErrorContains(t, err, "MaxStep")
	require.ErrorContains(t, err, "MaxOffset")
}

// Whatever the clocks of the machine do, and whatever comes from elsewhere,
// stamps grow, and are above everything observed before.
func TestClockStampsAlwaysGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, last := newClock(t, ClockConfig{}), Stamp(0)
		var r Reading
		for range 100 {
			r.Mono += rapid.Int64Range(0, 1e12).Draw(t, "mono")
			r.Wall = rapid.Int64().Draw(t, "wall")
			switch rapid.IntRange(0, 3).Draw(t, "call") {
			case 0, 1:
				now := c.Now(r)
				require.Greater(t, now, last)
				last = now
			case 2:
				s := Stamp(rapid.Uint64().Draw(t, "stamp"))
				if err := c.Observe(r, s); s.Valid() {
					require.NoError(t, err)
					last = max(last, s)
				} else {
					require.ErrorIs(t, err, ErrStamp)
				}
			case 3:
				c.Adjust(r, rapid.Int64().Draw(t, "cluster"))
			}
			require.Equal(t, last, c.Last())
		}
	})
}

// A step of any size, at any moment, leaves the stamps as they would have been
// without it, and each is reported once with its amount.
func TestClockStampsAreBlindToSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stepped, steady := newClock(t, ClockConfig{}), newClock(t, ClockConfig{})
		m, n := &machine{wall: 1 << 40}, &machine{wall: 1 << 40}
		stepped.Now(m.reading())
		steady.Now(n.reading())
		for range 50 {
			ms := rapid.Int64Range(0, 5000).Draw(t, "ms")
			step := int64(0)
			if rapid.Bool().Draw(t, "steps") {
				step = rapid.SampledFrom([]int64{-1, 1}).Draw(t, "sign") *
					rapid.Int64Range(501, 1<<36).Draw(t, "step")
			}
			m.step(step)
			require.Equal(t, steady.Now(n.after(ms)), stepped.Now(m.after(ms)))
			amount, ok := stepped.Step()
			require.Equal(t, step != 0, ok)
			require.Equal(t, time.Duration(step)*time.Millisecond, amount)
		}
	})
}

func TestClockAllocatesNothing(t *testing.T) {
	c, m := newClock(t, ClockConfig{}), &machine{wall: 1000}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s := c.Now(m.after(1))
		if c.Observe(m.reading(), s+1) != nil {
			panic("refused")
		}
		c.Step()
	}))
}

func BenchmarkClockNow(b *testing.B) {
	c := newClock(b, ClockConfig{})
	r := Reading{Wall: 1e18}
	b.ReportAllocs()
	for b.Loop() {
		r.Wall += 1000
		r.Mono += 1000
		c.Now(r)
	}
}

// BenchmarkClockNowWithTime includes the reading of the machine's clocks.
func BenchmarkClockNowWithTime(b *testing.B) {
	c := newClock(b, ClockConfig{})
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		c.Now(Reading{Wall: now.UnixNano(), Mono: int64(now.Sub(start))})
	}
}

func BenchmarkClockObserve(b *testing.B) {
	c := newClock(b, ClockConfig{})
	r := Reading{Wall: 1e18}
	s := StampAt(1e12, 0)
	b.ReportAllocs()
	for b.Loop() {
		s++
		if c.Observe(r, s) != nil {
			b.Fatal("the stamp was refused")
		}
	}
}
