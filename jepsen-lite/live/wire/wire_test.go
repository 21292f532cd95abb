package wire

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device is a port without a kernel: what a host sends goes into out, what it is
// given comes from in.
type device struct {
	out, in chan []byte
	over    chan struct{}
	bad     error // of every Write
}

func newDevice() *device {
	return &device{out: make(chan []byte), in: make(chan []byte, 1000), over: make(chan struct{})}
}

func (d *device) Read(p []byte) (int, error) {
	select {
	case f := <-d.out:
		return copy(p, f), nil
	case <-d.over:
		return 0, io.EOF
	}
}

func (d *device) Write(p []byte) (int, error) {
	if d.bad != nil {
		return 0, d.bad
	}
	d.in <- append([]byte(nil), p...)
	return len(p), nil
}

func (d *device) Close() error { close(d.over); return nil }

func address(n byte) Address { return Address{2, 0, 0, 0, 0, n} }

// frame returns a frame for an address.
func frame(to Address, mark byte) []byte {
	f := make([]byte, 60)
	copy(f, to[:])
	f[59] = mark
	return f
}

func three(t *testing.T) (*Switch, [3]*device) {
	s := New(1)
	t.Cleanup(func() { _ = s.Close() })
	var all [3]*device
	for i := range all {
		all[i] = newDevice()
		require.NoError(t, s.Attach(string(rune('a'+i)), address(byte(i)), all[i]))
	}
	return s, all
}

func (d *device) requireMark(t *testing.T, mark byte) {
	t.Helper()
	select {
	case f := <-d.in:
		require.Equal(t, mark, f[59])
	case <-time.After(5 * time.Second):
		require.Fail(t, "no frame came")
	}
}

func TestFramesGoWhereTheirAddressIs(t *testing.T) {
	s, ports := three(t)
	ports[0].out <- frame(address(1), 1)
	ports[1].requireMark(t, 1)
	ports[1].out <- frame(Address{255, 255, 255, 255, 255, 255}, 2)
	ports[0].requireMark(t, 2)
	ports[2].requireMark(t, 2)
	ports[0].out <- frame(address(9), 3)
	ports[0].out <- frame(address(0), 3)
	ports[0].out <- []byte{1, 2}
	ports[0].out <- frame(address(2), 4)
	ports[2].requireMark(t, 4)
	require.EqualValues(t, 3, s.Strayed())
	require.Empty(t, ports[1].in)
	require.EqualValues(t, 60, s.Stats()[Pair{"a", "b"}].Delivered.Bytes)
}

func TestLinksApplyTheirConditions(t *testing.T) {
	s, ports := three(t)
	require.NoError(t, s.Set(map[Pair]link.Conditions{
		{"a", "b"}: {Closed: true}, {"a", "c"}: {Low: 50 * time.Millisecond, High: 50 * time.Millisecond},
	}))
	require.True(t, s.Conditions(Pair{"a", "b"}).Closed)
	begun := time.Now()
	ports[0].out <- frame(address(1), 1)
	ports[0].out <- frame(address(2), 2)
	ports[1].out <- frame(address(0), 3)
	ports[0].requireMark(t, 3)
	ports[2].requireMark(t, 2)
	require.GreaterOrEqual(t, time.Since(begun), 50*time.Millisecond)
	require.Empty(t, ports[1].in)
	require.EqualValues(t, 1, s.Stats()[Pair{"a", "b"}].Dropped[link.Cut].Frames)

	require.NoError(t, s.Set(map[Pair]link.Conditions{{"a", "b"}: {}}))
	ports[0].out <- frame(address(1), 4)
	ports[1].requireMark(t, 4)
}

func TestACutLosesWhatIsInFlight(t *testing.T) {
	s, ports := three(t)
	hour := link.Conditions{Low: time.Hour, High: time.Hour}
	require.NoError(t, s.Set(map[Pair]link.Conditions{{"a", "b"}: hour, {"a", "c"}: {Held: true}}))
	ports[0].out <- frame(address(1), 1)
	ports[0].out <- frame(address(2), 2)
	require.Eventually(t, func() bool { return s.Stats()[Pair{"a", "c"}].Underway.Frames == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, s.Set(map[Pair]link.Conditions{{"a", "b"}: {Closed: true}, {"a", "c"}: {}}))
	ports[2].requireMark(t, 2)
	require.EqualValues(t, 1, s.Stats()[Pair{"a", "b"}].Underway.Frames, "what will be lost is lost when it would arrive")
}

func TestSetChangesAllOrNothing(t *testing.T) {
	s, _ := three(t)
	require.Error(t, s.Set(map[Pair]link.Conditions{{"a", "b"}: {Closed: true}, {"a", "x"}: {}}))
	require.Error(t, s.Set(map[Pair]link.Conditions{{"a", "b"}: {Closed: true}, {"a", "c"}: {Loss: 2}}))
	require.Zero(t, s.Conditions(Pair{"a", "b"}))
	require.Zero(t, s.Conditions(Pair{"a", "x"}))
}

func TestPortsHaveNamesAndAddressesOfTheirOwn(t *testing.T) {
	s, _ := three(t)
	require.Error(t, s.Attach("a", address(9), newDevice()))
	require.Error(t, s.Attach("d", address(1), newDevice()))
	require.Error(t, s.Attach("d", Address{1}, newDevice()))
}

func TestAPortThatFailsIsNamedAtTheEnd(t *testing.T) {
	s, ports := three(t)
	ports[1].bad = errors.New("broken")
	ports[0].out <- frame(address(1), 1)
	ports[0].out <- frame(address(2), 2)
	ports[2].requireMark(t, 2)
	require.ErrorContains(t, s.Close(), "write to port b: broken")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Set(nil), ErrClosed)
	require.ErrorIs(t, s.Attach("d", address(9), newDevice()), ErrClosed)
}
