package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The groups that the servers join, one for each of the three things that an
// MCP server can offer.
const (
	ToolGroup     = "mcp_tool_servers"
	ResourceGroup = "mcp_resource_servers"
	PromptGroup   = "mcp_prompt_servers"
)

// ErrUnknown is returned by Open for a name that is not in the catalogue.
// Nothing was opened.
var ErrUnknown = errors.New("servers: no server of this name")

// Kind describes one of the six servers.
type Kind struct {
	// Name is the name under which the server is registered.
	Name string
	// Group is the group that the server joins.
	Group string
	// Does says in a few words what the server is good for.
	Does string

	build func() *mcp.Server
}

// Catalog returns the six kinds: two servers for each group.
func Catalog() []Kind {
	return []Kind{
		{Name: "calculator", Group: ToolGroup, Does: "add, subtract, multiply, divide", build: newCalculator},
		{Name: "wordstats", Group: ToolGroup, Does: "counts the words of a text", build: newWordStats},
		{Name: "glossary", Group: ResourceGroup, Does: "explains the words of this demo", build: newGlossary},
		{Name: "runtime", Group: ResourceGroup, Does: "facts about the program it runs in", build: newRuntime},
		{Name: "reviewer", Group: PromptGroup, Does: "asks for the review of a change", build: newReviewer},
		{Name: "postmortem", Group: PromptGroup, Does: "asks for the report of an incident", build: newPostmortem},
	}
}

// Server is one MCP server with its own listener on the loopback interface.
//
// Invariant: the listener is open from Open until Serve returns.
type Server struct {
	// Kind is what the server is.
	Kind Kind
	// URL is where clients reach it.
	URL string

	listener net.Listener
}

// Open makes the server of a name and listens on a free port of 127.0.0.1.
// Clients are answered once Serve runs. Open returns ErrUnknown for a name that
// is not in the catalogue, and the listener's error.
func Open(name string) (*Server, error) {
	for _, kind := range Catalog() {
		if kind.Name != name {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("listen for %s: %w", name, err)
		}
		url := fmt.Sprintf("http://%s/mcp", listener.Addr())
		return &Server{Kind: kind, URL: url, listener: listener}, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
}

// Close gives up a server whose Serve was never called.
func (s *Server) Close() error { return s.listener.Close() }

// Serve answers clients until ctx ends, then drops every connection and returns
// the cause of the end. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	server := s.Kind.build()
	streamable := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	mux := http.NewServeMux()
	mux.Handle("/mcp", streamable)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	stop := context.AfterFunc(ctx, func() { _ = web.Close() })
	defer stop()
	err := web.Serve(s.listener)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("serve %s: %w", s.Kind.Name, err)
}

// newServer returns an MCP server that offers nothing yet.
func newServer(name, title string) *mcp.Server {
	return mcp.NewServer(&mcp.Implementation{Name: name, Title: title, Version: "1.0.0"}, nil)
}
