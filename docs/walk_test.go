package docs_test

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the commands of docs/testing.md print into the page")

// walkDir is where the commands of the walk write.
const walkDir = "bin/walk"

// command is a block of shell in a page, with the block of text after it.
type command struct {
	line   int // the line after the fence, from 0
	code   string
	output string
	from   int // the lines of the output; from is 0 when there is none
	to     int
}

// walk returns the commands of a page.
func walk(t *testing.T, lines []string) []command {
	t.Helper()
	var all []command
	for i := 0; i < len(lines); i++ {
		kind, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "```")
		if !ok {
			continue
		}
		first := i + 1
		for i++; lines[i] != "```\n"; i++ {
		}
		body := strings.Join(lines[first:i], "")
		switch last := len(all) - 1; kind {
		case "sh":
			all = append(all, command{line: first, code: body})
		case "text":
			require.Zero(t, all[last].from, "line %d: one block of text for each of shell", first)
			all[last].output, all[last].from, all[last].to = body, first, i
		}
	}
	return all
}

// TestWalk runs the commands of docs/testing.md, each as it would be pasted, and
// wants them to print what the page says. Numbers, hashes and the width of columns
// change with every change of the library, so they are not compared; "go test
// ./docs -run Walk -update" writes them anew.
func TestWalk(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulator several times")
	}
	text, err := os.ReadFile("testing.md")
	require.NoError(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	all := walk(t, lines)
	require.Greater(t, len(all), 8)
	dir := t.TempDir()
	printed := make([]string, len(all))
	for i, c := range all {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(c.code, walkDir, dir))
		cmd.Dir = ".."
		out, err := cmd.CombinedOutput()
		printed[i] = strings.ReplaceAll(string(out), dir, walkDir)
		if err != nil {
			require.Contains(t, []int{1, 2}, cmd.ProcessState.ExitCode(), "docs/testing.md:%d: %v\n%s", c.line+1, err, out)
		}
		if *update {
			continue
		}
		require.Equal(t, masked(c.output), masked(printed[i]), "docs/testing.md:%d\n%s", c.line+1, c.code)
	}
	if !*update {
		return
	}
	for i := len(all) - 1; i >= 0; i-- {
		if c := all[i]; c.from > 0 {
			lines = append(lines[:c.from], append([]string{printed[i]}, lines[c.to:]...)...)
		}
	}
	require.NoError(t, os.WriteFile("testing.md", []byte(strings.Join(lines, "")), 0o600))
}

// masked leaves out what changes with every change of the library: numbers with
// their units, hashes, the letters of states, and how wide columns are.
func masked(text string) string {
	for _, m := range [][2]string{
		{`\b[0-9a-f]{16}\b`, "hash"}, {`(?m)^[0-9]+c[0-9]+$`, "line"}, {`(?m)^( +n[0-9]+ +)[A-Za-z.~+]{40,}$`, "${1}states"},
		{`\b[0-9][0-9,]*(\.[0-9]+)?(ms|µs|ns|s|m|h)?\b`, "0"}, {`[0-9]{40,}`, "0"}, {`=+`, "="}, {`-+`, "-"}, {`[ \t]+`, " "},
	} {
		text = regexp.MustCompile(m[0]).ReplaceAllString(text, m[1])
	}
	return text
}
