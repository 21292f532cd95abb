// Package servers holds six small MCP servers, written with the official SDK and
// reachable over streamable HTTP, and the client calls that prove them alive.
//
// # Usage
//
// Open listens, so that the address is known; Serve answers until its context
// ends. The two halves fit a process of the registry: its name is registered
// with URL as the value, and its life is the call of Serve.
//
//	calculator, err := servers.Open("calculator")
//	process, err := reg.Spawn(ctx, func(ctx context.Context, _ *registry.Process) error {
//		return calculator.Serve(ctx)
//	})
//
// # Concurrency
//
// Every function may be called from any goroutine.
//
// # Failure
//
// A server whose Serve has returned refuses connections: a client with an old
// address gets an error at once.
package servers
