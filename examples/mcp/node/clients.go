package node

import (
	"context"
	"strconv"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
	"github.com/rollcall-dev/rollcall/registry"
)

// operation is the message that a process of the demo understands.
type operation struct {
	Name string
	A, B float64
}

// call sends an operation to the holder of a name, wherever that is.
func (n *node) call(ctx context.Context, args wire.CallArgs) (wire.Answer, error) {
	reg, err := n.opened()
	if err != nil {
		return wire.Answer{}, err
	}
	return timed(func() (string, error) {
		request := operation{Name: args.Operation, A: args.A, B: args.B}
		result, err := registry.Call[operation, float64](ctx, reg, registry.Name(args.Name), request)
		return strconv.FormatFloat(result, 'g', -1, 64), err
	})
}

// tool sends tools/call to an MCP server.
func (n *node) tool(ctx context.Context, args wire.ToolArgs) (wire.Answer, error) {
	return timed(func() (string, error) { return servers.CallTool(ctx, args.URL, args.Tool, args.Arguments) })
}

// read sends resources/read to an MCP server.
func (n *node) read(ctx context.Context, args wire.ReadArgs) (wire.Answer, error) {
	return timed(func() (string, error) { return servers.ReadResource(ctx, args.URL, args.URI) })
}

// prompt sends prompts/get to an MCP server.
func (n *node) prompt(ctx context.Context, args wire.PromptArgs) (wire.Answer, error) {
	return timed(func() (string, error) { return servers.GetPrompt(ctx, args.URL, args.Prompt, args.Arguments) })
}

// timed returns what ask returns and how long that took.
func timed(ask func() (string, error)) (wire.Answer, error) {
	began := time.Now()
	text, err := ask()
	return wire.Answer{Text: text, Micros: time.Since(began).Microseconds()}, err
}
