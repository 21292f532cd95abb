package link

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const ms = time.Millisecond

// frame returns a frame of a size that is told from others by its last byte.
func frame(size, mark int) []byte {
	f := make([]byte, size)
	f[size-1] = byte(mark)
	return f
}

// packet returns a frame of Ethernet with an IPv4 packet of a protocol.
func packet(protocol byte) []byte {
	f := make([]byte, 60)
	f[12], f[14], f[23] = 0x08, 0x45, protocol
	return f
}

func TestFramesPassAtOnceByDefault(t *testing.T) {
	l := New(1, "a", "b")
	f := frame(60, 1)
	require.Equal(t, []Arrival{{7 * ms, f}}, l.Offer(7*ms, f))
	require.Equal(t, Count{1, 60}, l.Stats().Underway)
	require.True(t, l.Arrive(f))
	require.Equal(t, Stats{Offered: Count{1, 60}, Delivered: Count{1, 60}}, l.Stats())
}

func TestConditionsDrop(t *testing.T) {
	for _, test := range []struct {
		name  string
		c     Conditions
		frame []byte
		want  Reason
		drops bool
	}{
		{"closed", Conditions{Closed: true}, frame(60, 1), Cut, true},
		{"certain loss", Conditions{Loss: 1}, frame(60, 1), Lost, true},
		{"size at the limit", Conditions{Size: 60}, frame(60, 1), 0, false},
		{"size above the limit", Conditions{Size: 60}, frame(61, 1), Large, true},
		{"udp", Conditions{NoUDP: true}, packet(protocolUDP), UDP, true},
		{"tcp passes where udp does not", Conditions{NoUDP: true}, packet(protocolTCP), 0, false},
		{"tcp", Conditions{NoTCP: true}, packet(protocolTCP), TCP, true},
		{"udp passes where tcp does not", Conditions{NoTCP: true}, packet(protocolUDP), 0, false},
		{"what is not IPv4 has no protocol", Conditions{NoTCP: true, NoUDP: true}, frame(60, protocolTCP), 0, false},
		{"a frame without a packet", Conditions{NoTCP: true, NoUDP: true}, frame(3, 1), 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := New(1, "a", "b")
			l.Set(0, test.c)
			arrivals := l.Offer(0, test.frame)
			require.Equal(t, test.drops, len(arrivals) == 0)
			if test.drops {
				require.EqualValues(t, 1, l.Stats().Dropped[test.want].Frames)
			}
		})
	}
}

func TestDelayIsWithinItsBoundsAndKeepsTheOrder(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Low: 10 * ms, High: 30 * ms})
	var before, least, most time.Duration = 0, time.Hour, 0
	for i := range 1000 {
		now := time.Duration(i) * 100 * ms
		all := l.Offer(now, frame(60, i))
		require.Len(t, all, 1)
		took := all[0].At - now
		least, most = min(least, took), max(most, took)
		require.GreaterOrEqual(t, all[0].At, before)
		before = all[0].At
	}
	require.True(t, least >= 10*ms && least < 11*ms, least)
	require.True(t, most <= 30*ms && most > 29*ms, most)

	burst := New(1, "a", "b")
	burst.Set(0, Conditions{High: 30 * ms})
	for i := range 100 {
		all := burst.Offer(0, frame(60, i))
		require.GreaterOrEqual(t, all[0].At, burst.last)
	}
}

func TestChancesAreWhatTheySay(t *testing.T) {
	const n = 20_000
	l := New(7, "a", "b")
	l.Set(0, Conditions{Loss: 0.1, Dup: 0.2, Reorder: 0.3, High: 10 * ms})
	late := 0
	for i := range n {
		now := time.Duration(i) * time.Second
		for _, a := range l.Offer(now, frame(60, 1)) {
			if a.At-now > 10*ms {
				late++
			}
			require.True(t, l.Arrive(a.Frame))
		}
	}
	s := l.Stats()
	about := func(got int64, p, of float64) {
		t.Helper()
		require.InDelta(t, p*of, float64(got), 5*math.Sqrt(of*p*(1-p)))
	}
	about(s.Dropped[Lost].Frames, 0.1, n)
	about(s.Copied.Frames, 0.2, 0.9*n)
	require.Greater(t, late, n/10, "what is reordered is late")
}

func TestReorderNeedsNoDelay(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Reorder: 0.5})
	var all []Arrival
	for i := range 100 {
		all = append(all, l.Offer(0, frame(60, i))...)
	}
	require.False(t, slices.IsSortedFunc(all, func(a, b Arrival) int { return int(a.At - b.At) }))
}

func TestRateMakesFramesWaitInABoundedQueue(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Rate: 1000, Queue: 300})
	for _, at := range []time.Duration{100 * ms, 200 * ms, 300 * ms} {
		require.Equal(t, at, l.Offer(0, frame(100, 1))[0].At)
	}
	require.Empty(t, l.Offer(0, frame(100, 1)), "the queue is full")
	require.EqualValues(t, 1, l.Stats().Dropped[Full].Frames)
	require.Equal(t, 400*ms, l.Offer(100*ms, frame(100, 1))[0].At, "what left made room")

	idle := New(1, "a", "b")
	idle.Set(0, Conditions{Rate: 1000, Queue: 10})
	require.Len(t, idle.Offer(0, frame(100, 1)), 1, "a frame that waits for nothing needs no room")
}

func TestHeldFramesArriveInOrderWhenReleased(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Held: true, High: 10 * ms})
	for i := range 3 {
		require.Empty(t, l.Offer(0, frame(60, i)))
	}
	require.EqualValues(t, 3, l.Stats().Underway.Frames)
	all := l.Set(5*time.Second, Conditions{High: 10 * ms})
	require.Len(t, all, 3)
	for i, a := range all {
		require.Equal(t, 5*time.Second, a.At)
		require.EqualValues(t, i, a.Frame[59])
	}
	require.GreaterOrEqual(t, l.Offer(5*time.Second, frame(60, 4))[0].At, 5*time.Second)
	require.Empty(t, l.Set(6*time.Second, Conditions{}), "they are released once")
}

func TestHoldIsBounded(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Held: true, Dup: 1})
	for i := range MaxHeld {
		l.Offer(0, frame(60, i))
	}
	require.EqualValues(t, MaxHeld, l.Stats().Underway.Frames)
	require.EqualValues(t, MaxHeld/2, l.Stats().Dropped[Stale].Frames, "each of the others is there twice")
	require.Len(t, l.Set(0, Conditions{}), MaxHeld)
}

func TestWhatIsUnderwayIsBounded(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{Low: time.Hour, High: time.Hour})
	f := frame(60, 1)
	for range MaxUnderway {
		require.Len(t, l.Offer(0, f), 1)
	}
	require.Empty(t, l.Offer(0, f))
	require.EqualValues(t, 1, l.Stats().Dropped[Stale].Frames)
	require.True(t, l.Arrive(f))
	require.Len(t, l.Offer(0, f), 1, "what arrived made room")
}

func TestCutLosesWhatIsInFlightAndHeld(t *testing.T) {
	l := New(1, "a", "b")
	l.Set(0, Conditions{High: 10 * ms})
	inFlight := l.Offer(0, frame(60, 1))
	l.Set(0, Conditions{Held: true})
	l.Offer(0, frame(60, 2))
	require.Empty(t, l.Set(ms, Conditions{Closed: true}))
	require.False(t, l.Arrive(inFlight[0].Frame))
	require.Empty(t, l.Set(2*ms, Conditions{}))
	s := l.Stats()
	require.EqualValues(t, 2, s.Dropped[Cut].Frames)
	require.Zero(t, s.Underway)
}

func TestFaultyConditionsAreNamed(t *testing.T) {
	require.NoError(t, Conditions{}.Validate())
	err := Conditions{Low: 2, High: 1, Loss: 1.5, Dup: math.NaN(), Size: -1}.Validate()
	for _, word := range []string{"delay", "loss", "dup", "size"} {
		require.ErrorContains(t, err, word)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range Reasons {
		require.NotEmpty(t, r.String())
		require.False(t, seen[r.String()])
		seen[r.String()] = true
	}
	require.Equal(t, "Reason(7)", Reasons.String())
}

func drawConditions(t *rapid.T) Conditions {
	low := time.Duration(rapid.IntRange(0, 50).Draw(t, "low")) * ms
	return Conditions{
		Low: low, High: low + time.Duration(rapid.IntRange(0, 50).Draw(t, "more"))*ms,
		Loss: rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "loss"), Dup: rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "dup"),
		Reorder: rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "reorder"), Size: rapid.SampledFrom([]int{0, 100}).Draw(t, "size"),
		Rate: rapid.SampledFrom([]int64{0, 5000}).Draw(t, "rate"), NoUDP: rapid.Bool().Draw(t, "no udp"),
		Held: rapid.IntRange(0, 3).Draw(t, "held") == 0, Closed: rapid.IntRange(0, 3).Draw(t, "closed") == 0,
	}
}

// TestNoFrameIsForgotten plays random stories and holds the invariant of Link: no
// arrival lies in the past, every frame is counted once, and the same story has
// the same end.
func TestNoFrameIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		l, same := New(seed, "a", "b"), New(seed, "a", "b")
		now := time.Duration(0)
		var flying []Arrival
		add := func(all, again []Arrival) {
			require.Equal(t, all, again)
			for _, a := range all {
				require.GreaterOrEqual(t, a.At, now)
			}
			flying = append(flying, all...)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 40).Draw(t, "pause")) * ms
			flying = slices.DeleteFunc(flying, func(a Arrival) bool {
				if a.At > now {
					return false
				}
				require.Equal(t, l.Arrive(a.Frame), same.Arrive(a.Frame))
				return true
			})
			if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
				c := drawConditions(t)
				add(l.Set(now, c), same.Set(now, c))
			} else {
				f := packet(rapid.SampledFrom([]byte{protocolTCP, protocolUDP}).Draw(t, "protocol"))
				f = append(f, make([]byte, rapid.IntRange(0, 90).Draw(t, "size"))...)
				add(l.Offer(now, f), same.Offer(now, f))
			}
			s := l.Stats()
			require.Equal(t, s, same.Stats())
			sum := s.Delivered.Bytes + s.Underway.Bytes
			for _, d := range s.Dropped {
				sum += d.Bytes
			}
			require.Equal(t, s.Offered.Bytes+s.Copied.Bytes, sum)
			require.EqualValues(t, len(flying)+len(l.held), s.Underway.Frames)
		}
	})
}
