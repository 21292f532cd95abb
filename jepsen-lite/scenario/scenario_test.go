package scenario

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// contract is every line of the language.
const contract = `scenario horde-186
source elixir-horde/horde 186
nodes n1 n2 n3 n4
seed 7
limit 1m0s
policy first-writer
claims optimistic
net latency=1ms..20ms loss=1% dup=1% reorder=1%
at 1s n1 register user/42 as p1
at 1s n1 register user/43 as p1 optimistic value=V priority=3
at 1s n1 join room as p1 value=V
at 2s cut {n1 n2} | {n3 n4}
at 2s cut n1 - n2
at 2s oneway n1 -> n2
at 2s isolate n3
at 2s loss n1 - n2 50%
at 2s latency n1 - n2 5ms..2s
at 2s blackhole n1 - n2 1400
at 2s hold n1 - n2
at 2s release n1 - n2
at 2s replay n1 -> n2 5s
at 2s bridge n1
at 2s ring
at 2s suspect n1 of n2
at 3s n3 register user/42 as p2 => taken p1
at 3s n1 reregister user/42 as p3 => ok
at 3s n1 update user/42 value=V
at 4s n1 unregister user/42
at 4s n1 leave room as p1
at 4s n1 exit p1
at 5s pause n3 for 4s
at 5s skew n2 1m30s
at 5s drift n2 2%
at 6s kill n4
at 7s start n4
at 7s stop n4
at 8s expect holder user/42 == p1 on n1 n2
at 9s heal n1 - n2
at 9s heal
at 9s repeat 20 every 500ms: cut {n1} | {n2 n3} ; heal
at 9s repeat 2 every 1s: n1 join room as p1 ; n1 leave room as p1
at 9s bulk n1 register user/{1..10000} as w optimistic
expect converged within 5s
expect holder user/42 == p2
expect holder user/42 in p1|p2
expect holder user/42 == none
expect members room == {p1 p2}
expect groups == {room}
expect count names == 10001
expect count names == 0..1
expect lost p1 exactly 1
expect alive p2
expect dead p1
expect value user/42 == V
expect traffic after heal < 65536B
expect state entries == 1
`

func TestContractReadsBack(t *testing.T) {
	s, err := Parse(strings.NewReader(contract))
	require.NoError(t, err)
	require.Equal(t, contract, s.String())
}

func TestFaultsNameTheLineAndWhatWasExpected(t *testing.T) {
	for text, want := range map[string]string{
		"":                                        "scenario NAME",
		"nodes n1":                                `line 1: "nodes" where "scenario"`,
		"scenario x":                              "no nodes",
		"scenario x\nnodes n1\nfoo":               `line 3: "foo"`,
		"scenario x\nnodes n1\nat soon heal":      "line 3: \"soon\" where a time",
		"scenario x\nnodes n1\nat 1s n1 fly":      "line 3: \"n1 fly\"",
		"scenario x\nnodes n1\nat 1s cut n1 n2":   `line 3: "n2" where "-"`,
		"scenario x\nnodes n1\nat 1s heal n1 - ":  "the line ends where a node",
		"scenario x\nnodes n1\npolicy best":       "best",
		"scenario x\nnodes n1\nexpect luck":       `line 3: "luck"`,
		"scenario x\nnodes n1\nat 1s heal now":    "line 3",
		"scenario x\nnodes n1\nnet loss=1":        `"1" where a loss`,
		"scenario x\nnodes n1\nat 1s pause n1 4s": `line 3: "4s" where "for"`,
	} {
		_, err := Parse(strings.NewReader(text))
		require.ErrorIs(t, err, ErrScenario, text)
		require.ErrorContains(t, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(contract)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(strings.NewReader(text))
		if err != nil {
			require.ErrorIs(t, err, ErrScenario)
			return
		}
		again, err := Parse(strings.NewReader(s.String()))
		require.NoError(t, err, s.String())
		require.Equal(t, s.String(), again.String())
	})
}
