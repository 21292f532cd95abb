package conductor

import (
	"context"

	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// open opens the node's registry and returns where it listens.
func (n *Node) open(ctx context.Context, cluster string, seeds []string) (string, error) {
	args := wire.OpenArgs{Cluster: cluster, Node: n.Name, Seeds: seeds}
	opened, err := wire.Ask[wire.Opened](ctx, n.client, wire.DoOpen, args)
	return opened.Addr, err
}

// Status says whom the node sees.
func (n *Node) Status(ctx context.Context) (wire.Status, error) {
	return wire.Ask[wire.Status](ctx, n.client, wire.DoStatus, wire.None{})
}

// Serve starts a process on the node that is the MCP server of this name.
func (n *Node) Serve(ctx context.Context, server string) (wire.Process, error) {
	return wire.Ask[wire.Process](ctx, n.client, wire.DoServe, wire.ServeArgs{Server: server})
}

// Attend starts a process on the node that only lives.
func (n *Node) Attend(ctx context.Context, value string) (wire.Process, error) {
	return wire.Ask[wire.Process](ctx, n.client, wire.DoAttend, wire.AttendArgs{Value: value})
}

// StopProcess ends a process of the node.
func (n *Node) StopProcess(ctx context.Context, pid string) error {
	_, err := wire.Ask[wire.None](ctx, n.client, wire.DoStop, wire.ProcessArgs{PID: pid})
	return err
}

// Register gives a process of the node a name. A *wire.Fault with Taken says who
// has it.
func (n *Node) Register(ctx context.Context, name, pid string) (wire.Holder, error) {
	return wire.Ask[wire.Holder](ctx, n.client, wire.DoRegister, wire.RegisterArgs{Name: name, PID: pid})
}

// TakeOver gives a process of the node a name as soon as it is free.
func (n *Node) TakeOver(ctx context.Context, name, pid string) (wire.Holder, error) {
	return wire.Ask[wire.Holder](ctx, n.client, wire.DoTakeOver, wire.RegisterArgs{Name: name, PID: pid})
}

// Whereis looks a name up in the node's view.
func (n *Node) Whereis(ctx context.Context, name string) (wire.Found, error) {
	return wire.Ask[wire.Found](ctx, n.client, wire.DoWhereis, wire.NameArgs{Name: name})
}

// Await waits until the name has a holder in the node's view, other than not.
func (n *Node) Await(ctx context.Context, name, not string) (wire.Holder, error) {
	return wire.Ask[wire.Holder](ctx, n.client, wire.DoAwait, wire.AwaitArgs{Name: name, Not: not})
}

// Join puts a process of the node into a group.
func (n *Node) Join(ctx context.Context, group, pid string) error {
	_, err := wire.Ask[wire.None](ctx, n.client, wire.DoJoin, wire.JoinArgs{Group: group, PID: pid})
	return err
}

// Members lists a group in the node's view.
func (n *Node) Members(ctx context.Context, group string) ([]wire.Member, error) {
	members, err := wire.Ask[wire.Members](ctx, n.client, wire.DoMembers, wire.GroupArgs{Group: group})
	return members.Members, err
}

// Call sends an operation to the holder of a name, through the registry.
func (n *Node) Call(ctx context.Context, name, operation string, a, b float64) (wire.Answer, error) {
	return wire.Ask[wire.Answer](ctx, n.client, wire.DoCall, wire.CallArgs{Name: name, Operation: operation, A: a, B: b})
}

// Tool has the node send tools/call to an MCP server.
func (n *Node) Tool(ctx context.Context, url, tool string, arguments map[string]any) (wire.Answer, error) {
	return wire.Ask[wire.Answer](ctx, n.client, wire.DoTool, wire.ToolArgs{URL: url, Tool: tool, Arguments: arguments})
}

// Read has the node send resources/read to an MCP server.
func (n *Node) Read(ctx context.Context, url, uri string) (wire.Answer, error) {
	return wire.Ask[wire.Answer](ctx, n.client, wire.DoRead, wire.ReadArgs{URL: url, URI: uri})
}

// Prompt has the node send prompts/get to an MCP server.
func (n *Node) Prompt(ctx context.Context, url, prompt string, arguments map[string]string) (wire.Answer, error) {
	return wire.Ask[wire.Answer](ctx, n.client, wire.DoPrompt, wire.PromptArgs{URL: url, Prompt: prompt, Arguments: arguments})
}

// Block cuts the node's traffic with the nodes at the given addresses.
func (n *Node) Block(ctx context.Context, addrs ...string) error {
	_, err := wire.Ask[wire.None](ctx, n.client, wire.DoBlock, wire.BlockArgs{Addrs: addrs})
	return err
}

// Heal lets all of the node's traffic flow again.
func (n *Node) Heal(ctx context.Context) error {
	_, err := wire.Ask[wire.None](ctx, n.client, wire.DoHeal, wire.None{})
	return err
}

// Why explains who holds a name in the node's view.
func (n *Node) Why(ctx context.Context, name string) (wire.Why, error) {
	return wire.Ask[wire.Why](ctx, n.client, wire.DoWhy, wire.NameArgs{Name: name})
}

// Told lists who was told on the node that it lost a name.
func (n *Node) Told(ctx context.Context) ([]wire.Loss, error) {
	told, err := wire.Ask[wire.Told](ctx, n.client, wire.DoTold, wire.None{})
	return told.Losses, err
}

// Bench times calls on the node; far is a name held on another node.
func (n *Node) Bench(ctx context.Context, far string) (wire.Bench, error) {
	return wire.Ask[wire.Bench](ctx, n.client, wire.DoBench, wire.BenchArgs{Far: far})
}

// Spread registers count names one after the other, once another node watches
// them, and says when each began.
func (n *Node) Spread(ctx context.Context, prefix string, count int) ([]int64, error) {
	moments, err := wire.Ask[wire.Moments](ctx, n.client, wire.DoSpread, wire.SpreadArgs{Prefix: prefix, Count: count})
	return moments.UnixNanos, err
}

// Watch watches the names of Spread and says when each appeared.
func (n *Node) Watch(ctx context.Context, prefix string, count int) ([]int64, error) {
	moments, err := wire.Ask[wire.Moments](ctx, n.client, wire.DoWatch, wire.SpreadArgs{Prefix: prefix, Count: count})
	return moments.UnixNanos, err
}
