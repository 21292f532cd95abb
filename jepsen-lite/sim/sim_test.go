package sim

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

func parse(t testing.TB, text string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse(strings.NewReader(text))
	require.NoError(t, err)
	return s
}

func run(t testing.TB, text string) *Result {
	t.Helper()
	r, err := Run(parse(t, text), Options{})
	require.NoError(t, err)
	return r
}

const splitBrain = `scenario split-brain
nodes n1 n2 n3
net latency=1ms..5ms
at 1s n1 join room as a
at 2s cut {n1 n2} | {n3}
at 12s n1 register k as p1 => ok
at 13s n3 register k as p2 => ok
at 13s n3 join room as b
at 15s expect holder k == p1 on n1 n2
at 15s expect holder k == p2 on n3
at 15s expect members room == {a} on n1 n2
at 40s heal
expect converged within 3s
expect holder k == p2
expect lost p1 exactly 1
expect lost p2 exactly 0
expect dead p1
expect alive p2
expect members room == {a b}
`

func TestSplitBrain(t *testing.T) {
	r := run(t, splitBrain)
	t.Log(r.Line())
	require.Empty(t, r.Failures)
	require.True(t, r.Agreed)
	require.NotEmpty(t, r.History.Records)
}

func TestSameScenarioSameTrace(t *testing.T) {
	a, b := run(t, splitBrain), run(t, splitBrain)
	require.Equal(t, a.Hash, b.Hash)
	require.Equal(t, a.Steps, b.Steps)
	other := run(t, strings.Replace(splitBrain, "nodes n1 n2 n3", "nodes n1 n2 n3\nseed 9", 1))
	require.NotEqual(t, a.Hash, other.Hash)
}

func TestScaleOneThousandNodes(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("takes minutes; make scale runs it")
	}
	var b strings.Builder
	b.WriteString("scenario thousand\nnodes")
	sides := [3][]string{}
	for i := range 1000 {
		name := "n" + strings.Repeat("0", 3-len(itoa(i))) + itoa(i)
		b.WriteString(" " + name)
		sides[i%3] = append(sides[i%3], name)
	}
	b.WriteString("\nlimit 60s\nat 5s bulk n000 register k{1..10000} as w optimistic\nat 8s cut")
	for i, s := range sides {
		if i > 0 {
			b.WriteString(" |")
		}
		b.WriteString(" {" + strings.Join(s, " ") + "}")
	}
	b.WriteString("\nat 20s n001 register split as p1 optimistic\nat 20s n002 register split as p2 optimistic\nat 25s heal\nexpect converged within 10s\nexpect count names == 10001\n")
	begun := time.Now()
	r, err := Run(parse(t, b.String()), Options{Quiet: true})
	require.NoError(t, err)
	t.Logf("%s in %v", r.Line(), time.Since(begun))
	require.Empty(t, r.Failures)
}

func itoa(i int) string {
	return strings.TrimLeft(string([]byte{byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)}), "0")
}
