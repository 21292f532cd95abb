package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

var (
	update  = flag.Bool("update", false, "write the golden files anew")
	samples = flag.String("samples", "", "a directory to write sample reports to, to look at")
)

func page(t *testing.T, r *Run) string {
	t.Helper()
	b := &bytes.Buffer{}
	require.NoError(t, HTML(b, r))
	return b.String()
}

func text(t *testing.T, r *Run) string {
	t.Helper()
	b := &bytes.Buffer{}
	require.NoError(t, Text(b, r))
	return b.String()
}

// data reads back what the page's script reads.
func data(t *testing.T, page string) *payload {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="data">`)
	require.True(t, ok)
	body, _, ok := strings.Cut(rest, "</script>")
	require.True(t, ok)
	p := &payload{}
	require.NoError(t, json.Unmarshal([]byte(body), p))
	return p
}

// TestSamples writes reports to look at: go test -run Samples -samples DIR.
func TestSamples(t *testing.T) {
	if *samples == "" {
		t.Skip("-samples names no directory")
	}
	for name, r := range map[string]*Run{
		"1": newSynthetic(1, 20, 50), "3": newSynthetic(3, 12, 60), "10": newSynthetic(10, 60, 400),
		"100": newSynthetic(100, 120, 4000), "large": newSynthetic(100, 600, 99_000), "empty": {History: &history.History{}},
		"small": handwritten(),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(*samples, name+".html"), []byte(page(t, r)), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(*samples, name+".txt"), []byte(text(t, r)), 0o600))
	}
}

func TestTextGolden(t *testing.T) {
	got := text(t, handwritten())
	path := filepath.Join("testdata", "handwritten.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test -update writes it anew")
}

func TestTextIsSafeForTerminals(t *testing.T) {
	r := handwritten()
	r.History.Header.Name = "red \x1b[31m\u202e and\nmore"
	r.Replay = "replay\nrm -rf"
	got := text(t, r)
	require.NotContains(t, got, "\x1b")
	require.NotContains(t, got, "\u202e")
	lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
	require.Equal(t, "replay\uFFFDrm -rf", lines[len(lines)-1], "the replay line is one line, and the last")
	for _, l := range lines {
		require.LessOrEqual(t, len([]rune(l)), 2*textWidth)
	}
}

func TestTextLanesAreOneHundredColumns(t *testing.T) {
	m, err := newModel(newSynthetic(100, 40, 100))
	require.NoError(t, err)
	for _, l := range m.stripes() {
		require.LessOrEqual(t, len([]rune(l)), columns+labelled+2)
	}
}

func TestLargestRunFits(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a very large run")
	}
	r := newSynthetic(100, 600, 99_000)
	require.GreaterOrEqual(t, len(r.History.Records), 200_000)
	got := page(t, r)
	require.Less(t, len(got), MaxHTML)
	require.Contains(t, got, "changes of state are drawn")
	require.Contains(t, got, "Drawn are the operations from")
	require.Contains(t, got, "The matrix adds up all kinds")
	p := data(t, got)
	require.Len(t, p.Lanes, 100)
	require.NotEmpty(t, p.Ops)
}

// worst makes every part of a report as large as it can be.
func worst() *Run {
	r := newSynthetic(120, 300, 3000)
	long := strings.Repeat("<&\u2028é", 2000)
	for i := range r.History.Records {
		if r.History.Records[i].F == history.Lookup {
			r.History.Records[i].Name = long
		}
	}
	for i := range r.Messages {
		r.Messages[i].Detail = long
	}
	for range 200 {
		r.Messages = append(r.Messages, r.Messages[:20]...)
		r.Options = append(r.Options, [2]string{long, long})
		r.Faults = append(r.Faults, Fault{1, 2, "cut", long, true})
	}
	for range 60 {
		f := check.Finding{Index: 3, At: 5 * sec, Explain: long}
		r.Check.Results = append(r.Check.Results, check.Result{Check: long, Text: long, Verdict: check.Fail, Count: 900,
			Findings: []check.Finding{f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f}})
	}
	r.Scenario = strings.Repeat(long, 100)
	return r
}

func TestHugeTextsFit(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a very large run")
	}
	got := page(t, worst())
	require.Less(t, len(got), MaxHTML)
	require.Contains(t, got, "findings more not shown")
	require.Contains(t, got, "The end of the scenario is left out")
}

func TestTooLarge(t *testing.T) {
	r := handwritten()
	for range 10_000 {
		r.Check.Results = append(r.Check.Results, check.Result{Check: "c", Text: strings.Repeat("x", 300), Verdict: check.Pass})
	}
	b := &bytes.Buffer{}
	require.ErrorIs(t, HTML(b, r), ErrTooLarge)
	require.Zero(t, b.Len())
}

func TestNothingIsLoaded(t *testing.T) {
	got := page(t, newSynthetic(10, 20, 100))
	for _, m := range regexp.MustCompile(`(?i)\b(?:src|href|action|data|srcset)="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		require.True(t, strings.HasPrefix(m[1], "#"), m[0])
	}
	for _, m := range regexp.MustCompile(`(?i)url\((.)`).FindAllStringSubmatch(got, -1) {
		require.Equal(t, "#", m[1])
	}
	for _, word := range []string{"http:", "https:", "@import", "<link", "<iframe", "<img", "fetch(", "XMLHttpRequest", "WebSocket", "import("} {
		require.NotContains(t, got, word)
	}
	require.Contains(t, got, `content="default-src 'none';`)
}

func TestWhatIsReadIsNeverMarkup(t *testing.T) {
	evil := `</script><script>alert("1")</script><img src=x onerror='alert(2)'>` + "`${x}` \u2028 '\" \\"
	r := handwritten()
	r.History.Header.Name, r.Replay, r.TraceHash, r.Scenario = evil, evil, evil, evil
	r.History.Header.Nodes = append(r.History.Header.Nodes, evil)
	for i := range r.History.Records {
		if r.History.Records[i].Name == "user/42" {
			r.History.Records[i].Name = evil
		}
		if r.History.Records[i].Key == "user/42" {
			r.History.Records[i].Key = evil
		}
	}
	r.Options = [][2]string{{evil, evil}}
	r.Faults = append(r.Faults, Fault{1, 2, "cut", evil, true})
	r.Traffic = append(r.Traffic, LinkTraffic{evil, evil, evil, 1, 1, 1})
	r.Messages = append(r.Messages, Message{From: evil, To: evil, Kind: evil, Detail: evil})
	r.Check.Results[1].Findings[0].Explain = evil
	r.Check.Results[1].Text, r.Check.Results[2].Note = evil, evil
	r.Check.Distributions[0].Name, r.Check.Heals[0].Text = evil, evil
	got := page(t, r)
	require.Equal(t, 2, strings.Count(got, "</script"), "the data and the script, and nothing else")
	require.Equal(t, 2, strings.Count(got, "<script"))
	require.NotContains(t, got, "<img")
	p := data(t, got)
	require.Equal(t, evil, p.Names[0].Name)
	require.Contains(t, p.Nodes, clip(evil, maxName))
	require.Contains(t, p.Ends, clip(evil, maxName))
	require.Contains(t, got, html.EscapeString("</script>"))
}

func TestEveryFindingHasAnAnchor(t *testing.T) {
	r := handwritten()
	r.Check.Results[3].Findings = []check.Finding{{Index: -1, At: 2 * sec, Explain: "a finding of a check that is unknown"}}
	got := page(t, r)
	total, failing := 0, 0
	for _, res := range r.Check.Results {
		total += len(res.Findings)
		if res.Verdict == check.Fail {
			failing += len(res.Findings)
		}
		for _, f := range res.Findings {
			require.Contains(t, got, html.EscapeString(f.Explain))
		}
	}
	require.Equal(t, total, strings.Count(got, `id="finding-`))
	require.Equal(t, total, strings.Count(got, `href="#finding-`))
	p := data(t, got)
	require.Len(t, p.Findings, failing)
	for _, f := range p.Findings {
		require.Equal(t, 1, strings.Count(got, `id="`+f[1].(string)+`"`))
	}
}

func TestFindingsKeepTheirOperations(t *testing.T) {
	r := newSynthetic(3, 10, 20_000)
	first := 0
	for i := range r.History.Records {
		if r.History.Records[i].F == history.Lookup && r.History.Records[i].Type == history.Ok {
			first = i
			break
		}
	}
	r.Check.Results[1].Findings = append(r.Check.Results[1].Findings, check.Finding{Index: first, At: 41 * sec, Explain: "far away"})
	found := false
	for _, o := range data(t, page(t, r)).Ops {
		found = found || o[7].(float64) == float64(first)
	}
	require.True(t, found)
}

func TestSameRunSameBytes(t *testing.T) {
	require.Equal(t, page(t, newSynthetic(12, 30, 500)), page(t, newSynthetic(12, 30, 500)))
	require.Equal(t, text(t, newSynthetic(12, 30, 500)), text(t, newSynthetic(12, 30, 500)))
}

func TestRunsWithLittleInThem(t *testing.T) {
	require.ErrorIs(t, HTML(&bytes.Buffer{}, &Run{}), ErrNoHistory)
	require.ErrorIs(t, Text(&bytes.Buffer{}, &Run{}), ErrNoHistory)
	for _, r := range []*Run{
		{History: &history.History{}},
		{History: &history.History{Header: history.Header{Nodes: []string{"n1"}}}},
		{History: &history.History{}, Check: &check.Report{Verdict: check.Pass}},
		{History: &history.History{}, States: []Sample{{At: 7, Node: "n1", Digest: "a", Up: true}}},
		{History: &history.History{Records: []history.Record{{At: 9, Type: history.Ok, F: history.Register, Op: 4}}}},
		newSynthetic(1, 3, 3),
	} {
		require.NotEmpty(t, page(t, r))
		require.NotEmpty(t, text(t, r))
	}
	require.Contains(t, page(t, &Run{History: &history.History{}}), "Nobody checked this run.")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken")

func TestWriterErrors(t *testing.T) {
	require.ErrorIs(t, HTML(brokenWriter{}, handwritten()), errBroken)
	require.ErrorIs(t, Text(brokenWriter{}, handwritten()), errBroken)
}

// TestContrast holds the contrast of WCAG 2.1: 4.5 for text, 3 for what else
// carries meaning.
func TestContrast(t *testing.T) {
	for theme, css := range map[string]string{"light": lightColours, "dark": darkColours} {
		c := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			c[m[1]] = luminance(t, m[2])
		}
		ratio := func(a, b string) float64 {
			return (math.Max(c[a], c[b]) + 0.05) / (math.Min(c[a], c[b]) + 0.05)
		}
		for _, ink := range []string{"ink", "soft", "link", "pass", "fail", "unknown"} {
			for _, ground := range []string{"bg", "panel"} {
				require.GreaterOrEqual(t, ratio(ink, ground), 4.5, "%s: %s on %s", theme, ink, ground)
			}
		}
		for _, ground := range []string{"fail", "pass", "unknown"} {
			require.GreaterOrEqual(t, ratio("on", ground), 4.5, "%s: a verdict on %s", theme, ground)
			require.GreaterOrEqual(t, ratio(ground, ground+"-bg"), 4.5, "%s: %s on its panel", theme, ground)
		}
		for _, class := range []string{"f-cut", "f-oneway", "f-kill", "f-pause", "f-skew", "f-degrade", "o-0", "o-1", "o-2", "o-3"} {
			require.GreaterOrEqual(t, ratio(class, "panel"), 2.6, "%s: %s", theme, class)
		}
		for i := range colours {
			require.GreaterOrEqual(t, ratio("ink", "s"+strconv.Itoa(i)), 3.0, "%s: ink on state colour %d", theme, i)
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		v := float64(n) / 255
		if v <= 0.03928 {
			sum += weight * v / 12.92
			continue
		}
		sum += weight * math.Pow((v+0.055)/1.055, 2.4)
	}
	return sum
}
