package servers

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// glossaryScheme is what the URI of each term starts with.
const glossaryScheme = "glossary:///"

// glossary returns the words that a reader of the demo meets, explained.
func glossary() map[string]string {
	return map[string]string{
		"node":     "A program that opened a registry. Nodes find each other and share what they know.",
		"process":  "Something on a node with an identity and a lifetime. Its end removes all that it registered, on all nodes.",
		"claim":    "A process holding a name. Two live claims to one name are a conflict.",
		"group":    "A set of processes under one name. Unlike a name, a group is shared.",
		"netsplit": "The network parts the nodes into halves which cannot reach each other. Both halves work on.",
		"heal":     "The end of a netsplit. Every node names the same winner for every name, and the losers are told, once.",
	}
}

// newGlossary returns a server with one resource for each term, an index of
// them, and a template for those who know what they look for.
func newGlossary() *mcp.Server {
	server := newServer("glossary", "Glossary")
	server.AddResource(&mcp.Resource{
		URI: glossaryScheme + "index", Name: "index", MIMEType: "text/plain",
		Description: "All terms, one on a line.",
	}, readTerm)
	for _, term := range slices.Sorted(maps.Keys(glossary())) {
		server.AddResource(&mcp.Resource{
			URI: glossaryScheme + term, Name: term, MIMEType: "text/plain",
			Description: "What " + term + " means.",
		}, readTerm)
	}
	server.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: glossaryScheme + "{term}", Name: "term", MIMEType: "text/plain",
		Description: "What a term means.",
	}, readTerm)
	return server
}

// readTerm answers resources/read.
func readTerm(_ context.Context, request *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	uri := request.Params.URI
	term := strings.TrimPrefix(uri, glossaryScheme)
	terms := glossary()
	text, ok := terms[term]
	if term == "index" {
		text, ok = strings.Join(slices.Sorted(maps.Keys(terms)), "\n"), true
	}
	if !ok {
		return nil, mcp.ResourceNotFoundError(uri)
	}
	return textResource(uri, "text/plain", text), nil
}

// textResource returns the result of a read that found one text.
func textResource(uri, mimeType, text string) *mcp.ReadResourceResult {
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: uri, MIMEType: mimeType, Text: text}}}
}
