package propertytest

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/rollcall-dev/rollcall/"

// source is one file of the module.
type source struct {
	dir  string // from the root of the module
	name string
	test bool
	file *ast.File
	fset *token.FileSet
	text []byte
}

func (s *source) path() string { return filepath.Join(s.dir, s.name) }

func (s *source) at(n ast.Node) string {
	return s.path() + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// sources parses all files of this module, and none of the nested ones.
func sources(t *testing.T) []*source {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	var all []*source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != root {
				return filepath.SkipDir
			}
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		all = append(all, &source{dir, d.Name(), strings.HasSuffix(path, "_test.go"), file, fset, text})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(all), 50, "the walk found the source")
	return all
}

// mayImport says which packages of this module each package may import in code
// that is not a test: the arrows of the house, which run down only.
func mayImport() map[string][]string {
	return map[string][]string{
		"crdt":                    {},
		"crdt/wire":               {"crdt"},
		"resolve":                 {"crdt"},
		"resolve/resolvetest":     {"resolve", "crdt"},
		"registry/overlay":        {},
		"registry/replica":        {"registry/overlay", "resolve", "crdt"},
		"registry":                {"registry/replica", "resolve", "crdt", "transport"},
		"transport":               {},
		"transport/memory":        {"transport"},
		"transport/rejoin":        {"transport"},
		"transport/gossip":        {"transport", "transport/rejoin"},
		"transport/transporttest": {"transport"},
		"property_test": {
			"crdt", "resolve", "resolve/resolvetest", "registry/replica", "jepsen-lite/history", "jepsen-lite/scenario",
			"jepsen-lite/sim",
		},
		"property_test/mutants": {},
		"jepsen-lite/history":   {},
		"jepsen-lite/scenario":  {"resolve"},
		"jepsen-lite/scenarios": {},
		"jepsen-lite/nemesis":   {"jepsen-lite/scenario"},
		"jepsen-lite/check":     {"jepsen-lite/history", "resolve", "crdt"},
		"jepsen-lite/report":    {"jepsen-lite/history", "jepsen-lite/check"},
		"jepsen-lite/sim": {
			"jepsen-lite/history", "jepsen-lite/scenario", "jepsen-lite/check", "jepsen-lite/nemesis",
			"registry/replica", "resolve", "crdt", "transport", "transport/rejoin",
		},
		"jepsen-lite": {
			"jepsen-lite/history", "jepsen-lite/scenario", "jepsen-lite/check", "jepsen-lite/nemesis", "jepsen-lite/report",
			"jepsen-lite/scenarios", "jepsen-lite/sim",
		},
		"docs": {},
	}
}

func TestImportsRunDown(t *testing.T) {
	allowed := mayImport()
	for _, s := range sources(t) {
		may, known := allowed[s.dir]
		require.True(t, known, "%s: a package that the house does not know: add it to mayImport and docs/architecture.md", s.path())
		for _, spec := range s.file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			checkOutside(t, s, path)
			inner, ours := strings.CutPrefix(path, module)
			if ours && !s.test {
				require.Contains(t, may, inner, "%s imports %s", s.at(spec), inner)
			}
		}
	}
}

// checkOutside holds who may import what is not ours.
func checkOutside(t *testing.T, s *source, path string) {
	t.Helper()
	switch {
	case strings.HasPrefix(path, "github.com/hashicorp/memberlist"), strings.HasPrefix(path, "github.com/hashicorp/yamux"):
		require.Equal(t, "transport/gossip", s.dir, "%s: memberlist and yamux belong to transport/gossip alone", s.path())
	case strings.HasPrefix(path, "github.com/vmihailenco/msgpack"):
		require.True(t, strings.Contains(s.name, "wire") || s.dir == "crdt/wire", "%s: msgpack belongs to the wire files", s.path())
	case path == "pgregory.net/rapid":
		require.True(t, s.test || s.dir == "property_test", "%s: rapid belongs to tests", s.path())
	case strings.HasPrefix(path, "github.com/stretchr/testify"), strings.HasPrefix(path, "go.uber.org/goleak"):
		require.True(t, s.test || strings.HasSuffix(s.dir, "test"), "%s: test libraries belong to tests", s.path())
	case path == "github.com/anishathalye/porcupine":
		require.Equal(t, "jepsen-lite/check", s.dir, "%s: porcupine belongs to the checkers", s.path())
	case strings.HasPrefix(path, "github.com/puzpuzpuz/xsync"):
		require.Equal(t, "registry", s.dir, "%s: the concurrent map belongs to registry", s.path())
	case strings.Contains(strings.Split(path, "/")[0], "."):
		require.True(t, strings.HasPrefix(path, module), "%s imports %s: a new dependency needs an ADR", s.path(), path)
	}
	if s.dir == "crdt" && !s.test {
		require.NotContains(t, strings.Split(path, "/")[0], ".", "%s: crdt stands on the standard library alone", s.path())
	}
}

// pure lists the packages that start no goroutine, read no clock, touch no global
// randomness and open nothing, with the files that are excepted.
func pure() map[string][]string {
	return map[string][]string{
		"crdt": nil, "crdt/wire": nil, "registry/overlay": nil, "registry/replica": nil, "transport/rejoin": nil,
		"resolve": {"guard.go"}, // limits the time of a user's policy
	}
}

func TestPurePackages(t *testing.T) {
	forbidden := map[string]string{
		"sync": "owns no lock", "sync/atomic": "owns no lock", "net": "opens no socket", "os": "does no I/O",
		"context": "waits for nothing", "log": "does not log", "log/slog": "does not log", "math/rand": "draws from its own source",
		"crypto/rand": "draws from its own source", "runtime": "does not look at the machine", "unsafe": "is safe",
	}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
	for _, s := range sources(t) {
		excepted, isPure := pure()[s.dir]
		if !isPure || s.test || slices.Contains(excepted, s.name) {
			continue
		}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			require.Empty(t, forbidden[path], "%s imports %s, but a pure package %s", s.at(spec), path, forbidden[path])
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				require.Fail(t, "a pure package starts no goroutine", s.at(n))
			case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
				require.Fail(t, "a pure package has no channels", s.at(n))
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				require.False(t, x.Name == "time" && slices.Contains(clock, n.Sel.Name), "%s reads the clock", s.at(n))
				global := x.Name == "rand" && !slices.Contains([]string{"New", "NewPCG", "Rand", "PCG", "Source"}, n.Sel.Name)
				require.False(t, global, "%s draws from the global source", s.at(n))
			}
			return true
		})
	}
}

// TestMapOrderIsAccountedFor wants a word on every loop over a map in the pure
// packages: the loop's line, or the one before it, says "order".
func TestMapOrderIsAccountedFor(t *testing.T) {
	fset := token.NewFileSet()
	checker := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	for dir := range pure() {
		var files []*ast.File
		paths, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		require.NoError(t, err)
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		_, err = checker.Check(module+dir, fset, files, info)
		require.NoError(t, err)
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if loop, ok := n.(*ast.RangeStmt); ok && isMap(info.TypeOf(loop.X)) {
					requireWord(t, fset.Position(loop.Pos()))
				}
				return true
			})
		}
	}
}

func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

func requireWord(t *testing.T, at token.Position) {
	t.Helper()
	text, err := os.ReadFile(at.Filename)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	word := lines[at.Line-1] + lines[at.Line-2]
	require.True(t, strings.Contains(word, "order"), "%s walks a map: say why its order does not show", at)
}

// Sizes beyond which code is cut up: a function fits on a screen.
const (
	maxFunction = 70
	maxFile     = 600
)

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		lines := strings.Count(string(s.text), "\n")
		require.LessOrEqual(t, lines, maxFile, "%s has too many lines", s.path())
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			length := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			require.LessOrEqual(t, length, maxFunction, "%s: %s has too many lines", s.at(f), f.Name.Name)
		}
	}
}

func TestComments(t *testing.T) {
	comments := map[string]int{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if s.file.Doc != nil {
			require.Equal(t, "doc.go", s.name, "%s: the package comment belongs in doc.go", s.path())
			comments[s.dir]++
		} else {
			comments[s.dir] += 0
		}
		checkDocumented(t, s)
	}
	for dir, n := range comments {
		require.Equal(t, 1, n, "%s has %d package comments", dir, n)
	}
}

// checkDocumented wants a comment on every exported name but the methods of
// types that are not exported.
func checkDocumented(t *testing.T, s *source) {
	t.Helper()
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				require.Fail(t, "an exported function without a comment", "%s: %s", s.at(d), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if name, doc := specDoc(spec); ast.IsExported(name) && doc == nil && d.Doc == nil {
					require.Fail(t, "an exported name without a comment", "%s: %s", s.at(spec), name)
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

func specDoc(spec ast.Spec) (string, *ast.CommentGroup) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return spec.Name.Name, spec.Doc
	case *ast.ValueSpec:
		doc := spec.Doc
		if doc == nil {
			doc = spec.Comment
		}
		return spec.Names[0].Name, doc
	}
	return "", nil
}

func TestNoStateOutsideOfValues(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, word := range []string{"util", "common", "helper"} {
			require.NotContains(t, s.path(), word, "a name that says nothing")
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				require.NotEqual(t, "init", f.Name.Name, "%s: no init", s.at(f))
			}
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || embeds(g) {
				continue
			}
			for _, spec := range g.Specs {
				name := spec.(*ast.ValueSpec).Names[0].Name
				sentinel := name == "_" || strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")
				require.True(t, sentinel, "%s: %s: no package variable but sentinel errors", s.at(spec), name)
			}
		}
	}
}

// embeds reports whether a declaration is of files in the program: they never
// change, and go:embed has no other place for them.
func embeds(g *ast.GenDecl) bool {
	return g.Doc != nil && slices.ContainsFunc(g.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

func TestTestsDoNotSleepOnTheRealClock(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test || s.name == "bench_test.go" || strings.Contains(string(s.text), "synctest.Test(") {
			continue
		}
		for i, line := range strings.Split(string(s.text), "\n") {
			sleeps := strings.Contains(line, "time."+"Sleep(")
			require.False(t, sleeps && !strings.Contains(line, "// real clock:"),
				"%s:%d sleeps on the real clock: use synctest, or say why after \"// real clock:\"", s.path(), i+1)
		}
	}
}
