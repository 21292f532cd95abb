package history_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// full is a record in which every field is set.
func full() history.Record {
	return history.Record{
		At: 1_500_000_000, Type: history.Ok, F: history.View, Op: 3, Client: 2, Node: "n1", Run: 1,
		Process: "p1", Name: "user/42 <&>", Group: "room", Value: "v\n\"ü", Mode: history.Arbitrated, Holder: "p2", Fence: 1 << 63, Error: "taken",
		Members: []string{"p1", "p2"}, Names: map[string]history.Shown{"k": {Process: "p1", Value: "v", Fence: 7}},
		Groups: map[string][]history.Shown{"g": {{Process: "p1"}, {Process: "p2", Fence: 2}}}, Digest: "00ff", Watch: 4, Seq: 9, Missed: 1,
		Kind: "name", Key: "k", Reason: "registered", Old: &history.Shown{Process: "p1"}, New: &history.Shown{Process: "p2", Value: "v"},
		Winner: "p2", Claims: []history.Claim{{Process: "p1", Birth: 1, Node: "n1", Epoch: 2, Seq: 3, Priority: -4, Seen: 5, Label: "eu"}},
		Rule: "last-writer", About: "n2", Closed: []history.Link{{From: "n1", To: "n2"}}, Degraded: []history.Link{{From: "n2", To: "n1"}},
		Verified: true, Text: "cut n1 - n2", Bytes: 1 << 40, Frames: 12, Entries: 3, Extra: 1,
	}
}

func recorded(records ...history.Record) *history.History {
	r := history.NewRecorder(history.Header{
		Name: "test", Policy: "last-writer", Seed: 1 << 63, Nodes: []string{"n1", "n2"}, Bound: 1, Detect: 2, Claim: 3, Budget: 4,
	})
	for _, rec := range records {
		r.Add(rec)
	}
	return r.History()
}

func written(t testing.TB, h *history.History) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	h := recorded(full(), history.Record{Type: history.Info, F: history.Settled}, full())
	text := written(t, h)
	require.Equal(t, 4, strings.Count(text, "\n"), "a header and three records, one line each")
	got, err := history.Read(strings.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, h, got)
	require.Equal(t, text, written(t, got), "the same bytes again")
	require.Equal(t, history.FormatVersion, got.Header.Format)
	for i, r := range got.Records {
		require.Equal(t, i, r.Index)
	}
}

func TestRoundTripOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) history.Record {
			return history.Record{
				At: rapid.Int64().Draw(t, "at"), Type: history.Info, F: history.Lost, Name: rapid.String().Draw(t, "name"),
				Value: rapid.String().Draw(t, "value"), Fence: rapid.Uint64().Draw(t, "fence"),
			}
		}), 0, 5).Draw(t, "records")
		h := recorded(records...)
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, h))
		got, err := history.Read(&b)
		require.NoError(t, err)
		require.Equal(t, len(h.Records), len(got.Records))
		for i := range h.Records {
			require.Equal(t, h.Records[i], got.Records[i])
		}
	})
}

func TestLastLineCutOff(t *testing.T) {
	h := recorded(full(), full(), full())
	text := written(t, h)
	header := strings.Index(text, "\n") + 1
	for cut := header; cut < len(text); cut++ {
		got, err := history.Read(strings.NewReader(text[:cut]))
		require.NoError(t, err, "cut at byte %d", cut)
		require.Equal(t, strings.Count(text[:cut], "\n")-1, len(got.Records), "cut at byte %d", cut)
	}
	for cut := range header - 1 {
		_, err := history.Read(strings.NewReader(text[:cut]))
		require.ErrorContains(t, err, "line 1", "cut at byte %d of the header", cut)
	}
}

func TestGarbageIsAnErrorWithItsLine(t *testing.T) {
	good := written(t, recorded(full(), full()))
	lines := strings.SplitAfter(good, "\n")
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "line 1"},
		{"no header", lines[1], "line 1"},
		{"not JSON at the start", "hello\n" + good, "line 1"},
		{"another format", strings.Replace(good, `"format":1`, `"format":99`, 1), "want format 1, not 99"},
		{"not JSON in the middle", lines[0] + lines[1] + "hello\n" + lines[2], "line 3"},
		{"an empty line", lines[0] + "\n" + lines[1], "line 2"},
		{"a field of another type", lines[0] + `{"i":"zero"}` + "\n", "line 2"},
		{"two records on a line", lines[0] + strings.TrimSpace(lines[1]) + lines[2], "line 2"},
		{"a record that broke off in the middle", lines[0] + lines[1][:40] + "\n" + lines[2], "line 2"},
	} {
		_, err := history.Read(strings.NewReader(c.text))
		require.ErrorContains(t, err, c.want, c.name)
	}
}

// broken is a writer or reader that fails after some bytes.
type broken struct{ left int }

var errBroken = errors.New("broken")

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBroken
	}
	n := min(b.left, len(p))
	b.left -= n
	for i := range n {
		p[i] = ' '
	}
	return n, nil
}

func TestErrorsOfTheFileAreReturned(t *testing.T) {
	require.ErrorIs(t, history.Write(&broken{left: 10}, recorded(full())), errBroken)
	_, err := history.Read(&broken{left: 10})
	require.ErrorIs(t, err, errBroken)
}

func TestRecorderIsForManyGoroutines(t *testing.T) {
	r := history.NewRecorder(history.Header{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				r.Add(history.Record{Op: r.NextOp()})
				r.History()
			}
		})
	}
	wg.Wait()
	h := r.History()
	require.Len(t, h.Records, 800)
	seen := map[int]bool{}
	for i, rec := range h.Records {
		require.Equal(t, i, rec.Index)
		require.False(t, seen[rec.Op], "operation %d twice", rec.Op)
		seen[rec.Op] = true
	}
}

func TestHistoryIsASnapshot(t *testing.T) {
	r := history.NewRecorder(history.Header{})
	r.Add(history.Record{Node: "n1"})
	h := r.History()
	r.Add(history.Record{Node: "n2"})
	require.Len(t, h.Records, 1)
	require.Len(t, append(h.Records, history.Record{Node: "mine"}), 2)
	require.Equal(t, "n2", r.History().Records[1].Node, "appending to a snapshot does not reach the recorder")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"format\":1}\n{\"i\":0}\n"))
	f.Add([]byte("{\"format\":1,\"name\":\"x\"}\n{\"i\":0,\"names\":{\"k\":{\"process\":\"p\"}}}\n{"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := history.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, h))
		again, err := history.Read(&b)
		require.NoError(t, err)
		require.Equal(t, len(h.Records), len(again.Records))
	})
}

func BenchmarkRead(b *testing.B) {
	records := make([]history.Record, 1000)
	for i := range records {
		records[i] = full()
	}
	text := written(b, recorded(records...))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := history.Read(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
