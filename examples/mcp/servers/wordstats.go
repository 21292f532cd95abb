package servers

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Text is the input of the tool "count".
type Text struct {
	Text string `json:"text" jsonschema:"the text to look at"`
}

// Counts is the output of the tool "count".
type Counts struct {
	Characters int `json:"characters"`
	Words      int `json:"words"`
	Distinct   int `json:"distinct" jsonschema:"the number of different words"`
	Lines      int `json:"lines"`
}

// TextLimit is the input of the tool "frequent".
type TextLimit struct {
	Text  string `json:"text" jsonschema:"the text to look at"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many words to return at most; 5 if absent"`
}

// Frequency says how often a word occurs.
type Frequency struct {
	Word  string `json:"word"`
	Times int    `json:"times"`
}

// Frequencies is the output of the tool "frequent".
type Frequencies struct {
	Words []Frequency `json:"words" jsonschema:"the most frequent word first"`
}

// newWordStats returns a server with the tools "count" and "frequent".
func newWordStats() *mcp.Server {
	server := newServer("wordstats", "Word statistics")
	mcp.AddTool(server, &mcp.Tool{Name: "count", Description: "Counts characters, words and lines of a text."},
		func(_ context.Context, _ *mcp.CallToolRequest, in Text) (*mcp.CallToolResult, Counts, error) {
			return nil, count(in.Text), nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "frequent", Description: "Lists the most frequent words of a text."},
		func(_ context.Context, _ *mcp.CallToolRequest, in TextLimit) (*mcp.CallToolResult, Frequencies, error) {
			return nil, Frequencies{Words: frequent(in.Text, in.Limit)}, nil
		})
	return server
}

// count returns the counts of a text. A last line without an end counts too.
func count(text string) Counts {
	words := split(text)
	lines := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines++
	}
	return Counts{
		Characters: utf8.RuneCountInString(text),
		Words:      len(words),
		Distinct:   len(tally(words)),
		Lines:      lines,
	}
}

// frequent returns the most frequent words, ties in alphabetical order.
func frequent(text string, limit int) []Frequency {
	if limit <= 0 {
		limit = 5
	}
	all := []Frequency{}
	for word, times := range tally(split(text)) {
		all = append(all, Frequency{Word: word, Times: times})
	}
	slices.SortFunc(all, func(a, b Frequency) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Word, b.Word))
	})
	return all[:min(limit, len(all))]
}

// split returns the words of a text in lower case: runs of letters, digits,
// apostrophes and hyphens.
func split(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-'
	})
}

// tally counts each word.
func tally(words []string) map[string]int {
	times := make(map[string]int, len(words))
	for _, word := range words {
		times[word]++
	}
	return times
}
