package docs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every block that begins with ```go in README.md, docs/*.md and docs/adr/*.md is
// compiled. It is one of these:
//
//   - a file: it begins with "package" and is compiled as it stands. A program
//     that a block of ```text follows is also run, must print that text, and must
//     end when it has, or when it is interrupted then;
//   - declarations: functions, types, constants, variables;
//   - a fragment, which is all else: the body of a function with the parameters
//     ctx, reg and p, a context, a registry and a process of it, that returns an
//     error. What the fragment declares it must use.
//
// In the last two the imports of known packages are added. Nothing is written
// into the module: the files are shown to the go command through an overlay.

// snippet is one block of Go in a page.
type snippet struct {
	page   string // from the root of the module
	line   int    // of its first line
	code   string
	output string // what the program prints; empty when it is not to be run
}

func (s snippet) at() string { return fmt.Sprintf("%s:%d", s.page, s.line) }

const module = "github.com/rollcall-dev/rollcall/"

// known are the packages that fragments may use without an import.
func known() map[string]string {
	paths := map[string]string{}
	for _, path := range []string{
		"context", "errors", "fmt", "log", "log/slog", "os", "os/signal", "slices", "strings", "sync", "testing",
		"testing/synctest", "time", "github.com/stretchr/testify/require", module + "crdt", module + "registry",
		module + "resolve", module + "resolve/resolvetest", module + "transport", module + "transport/gossip",
		module + "transport/memory", module + "transport/transporttest",
	} {
		paths[path[strings.LastIndexByte(path, '/')+1:]] = path
	}
	return paths
}

func TestSnippetsCompile(t *testing.T) {
	all := snippets(t)
	require.NotEmpty(t, all, "no page has a block of Go: the walk is broken")
	for _, s := range all {
		tidy, err := format.Source([]byte(s.code))
		require.NoError(t, err, "%s is no Go", s.at())
		require.Equal(t, string(tidy), s.code, "%s is not as gofmt has it", s.at())
	}
	overlay, dirs := layOut(t, all)
	args := append([]string{"build", "-overlay", overlay, "-o", os.DevNull}, dirs...)
	out, err := goCommand(t, args...)
	require.NoError(t, err, "a block of Go does not compile; the lines are those of the page:\n%s", out)
}

func TestProgramsPrintWhatThePageSays(t *testing.T) {
	all := snippets(t)
	overlay, dirs := layOut(t, all)
	ran := 0
	for i, s := range all {
		if s.output == "" {
			continue
		}
		ran++
		program := filepath.Join(t.TempDir(), "program")
		out, err := goCommand(t, "build", "-overlay", overlay, "-o", program, dirs[i])
		require.NoError(t, err, "%s does not build:\n%s", s.at(), out)
		require.Equal(t, s.output, runUntilPrinted(t, s, program), s.at())
	}
	require.Positive(t, ran, "no program of a page is run")
}

// runUntilPrinted runs a program, interrupts it when it has printed as much as the
// page says, and returns what it printed. It must end well.
func runUntilPrinted(t *testing.T, s snippet, program string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	printed := make([]byte, len(s.output))
	n, _ := io.ReadFull(out, printed) // less is a difference that the caller sees
	_ = cmd.Process.Signal(os.Interrupt)
	rest, _ := io.ReadAll(out)
	require.NoError(t, cmd.Wait(), s.at())
	return string(printed[:n]) + string(rest)
}

// TestLinksLeadSomewhere follows the links within the module, to a heading where
// they name one.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	fenced := regexp.MustCompile("(?s)```.*?```")
	followed := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			followed++
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))
			}
			there, err := os.ReadFile(target)
			if info, e := os.Stat(target); e == nil && info.IsDir() {
				continue
			}
			require.NoError(t, err, "%s links to %s", page, m[0])
			if m[2] != "" {
				require.Contains(t, anchors(string(there)), m[2], "%s links to %s", page, m[0])
			}
		}
	}
	require.Greater(t, followed, 30, "the pages have links")
}

// anchors returns the anchors that the headings of a page have on the usual sites.
func anchors(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		heading = regexp.MustCompile("[^a-z0-9 _-]").ReplaceAllString(heading, "")
		all = append(all, "#"+strings.ReplaceAll(heading, " ", "-"))
	}
	return all
}

// TestAFaultyBlockIsFound shows that the check would fail, and where.
func TestAFaultyBlockIsFound(t *testing.T) {
	for name, s := range map[string]snippet{
		"no such method":  {page: "x.md", line: 41, code: "reg.Rename(ctx)\n"},
		"unused variable": {page: "x.md", line: 41, code: "h := 1\n"},
		"no such package": {page: "x.md", line: 41, code: "nowhere.Do()\n"},
	} {
		overlay, dirs := layOut(t, []snippet{s})
		out, err := goCommand(t, "build", "-overlay", overlay, "-o", os.DevNull, dirs[0])
		require.Error(t, err, name)
		require.Contains(t, out, "x.md:41", name)
	}
}

// pages returns the paths of all pages.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{filepath.Join("..", "README.md"), filepath.Join("..", "CONTRIBUTING.md")}
	for _, pattern := range []string{"*.md", filepath.Join("adr", "*.md")} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		all = append(all, found...)
	}
	return all
}

// snippets reads the blocks of all pages.
func snippets(t *testing.T) []snippet {
	t.Helper()
	var all []snippet
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		name, err := filepath.Rel("..", filepath.Join("..", "docs", page))
		require.NoError(t, err)
		all = append(all, blocks(filepath.ToSlash(name), string(text))...)
	}
	return all
}

// blocks cuts the blocks of Go out of a page.
func blocks(page, text string) []snippet {
	var all []snippet
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		kind, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "```")
		if !ok {
			continue
		}
		first := i + 1
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
		}
		body := strings.Join(lines[first:min(i, len(lines))], "")
		switch {
		case kind == "go":
			all = append(all, snippet{page: page, line: first + 1, code: body})
		case kind == "text" && len(all) > 0 && isProgram(all[len(all)-1].code) && nothingBetween(lines, all[len(all)-1], first-1):
			all[len(all)-1].output = body
		}
	}
	return all
}

func isProgram(code string) bool { return strings.HasPrefix(code, "package main") }

// nothingBetween reports whether only empty lines lie between a block and the
// line with the index next.
func nothingBetween(lines []string, s snippet, next int) bool {
	end := s.line - 1 + strings.Count(s.code, "\n") + 1
	return strings.TrimSpace(strings.Join(lines[end:next], "")) == ""
}

// layOut makes a package of each snippet, in directories that exist in the
// overlay alone, and returns the overlay's file and the directories.
func layOut(t *testing.T, all []snippet) (overlay string, dirs []string) {
	t.Helper()
	tmp := t.TempDir()
	here, err := os.Getwd()
	require.NoError(t, err)
	replace := map[string]string{}
	for i, s := range all {
		dir := fmt.Sprintf("snippet%03d", i+1)
		path := filepath.Join(tmp, dir+".go")
		require.NoError(t, os.WriteFile(path, []byte(wrap(t, s)), 0o600))
		replace[filepath.Join(here, "testdata", dir, "snippet.go")] = path
		dirs = append(dirs, "./testdata/"+dir)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	overlay = filepath.Join(tmp, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	return overlay, dirs
}

// wrap makes a file of a snippet. Faults are reported at the page's lines.
func wrap(t *testing.T, s snippet) string {
	t.Helper()
	line := fmt.Sprintf("//line %s:%d\n", s.page, s.line)
	if strings.HasPrefix(s.code, "package ") {
		return line + s.code
	}
	body := line + s.code
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package snippet\n"+s.code, 0); err != nil {
		body = "func fragment(ctx context.Context, reg *registry.Registry, p *registry.Process) error {\n{\n" +
			body + "\n}\nreturn nil\n}\n"
	}
	return "package snippet\n" + imports(t, s, body) + body
}

// imports returns the imports that a body needs.
func imports(t *testing.T, s snippet, body string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package snippet\n"+body, 0)
	require.NoError(t, err, "%s is no Go", s.at())
	needed := map[string]bool{}
	paths := known()
	for _, free := range file.Unresolved {
		if path, ok := paths[free.Name]; ok && isQualifier(file, free) {
			needed[path] = true
		}
	}
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintf(&b, "import %q\n", path)
	}
	return b.String()
}

// isQualifier reports whether an identifier stands before a dot.
func isQualifier(file *ast.File, id *ast.Ident) (found bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.X == id {
			found = true
		}
		return !found
	})
	return found
}

// goCommand runs the go command in this directory.
func goCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	return string(out), err
}
