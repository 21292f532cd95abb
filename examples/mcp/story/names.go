package story

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// names is the act in which the servers register.
func (t *tale) names() stage.Act {
	return stage.Act{
		Title: "Six MCP servers take their names",
		Intro: "Each server is a process of the registry: something with an identity and a lifetime. It registers a name, " +
			"with its URL as the value, and joins a group. A name has one holder in the whole cluster; a group has many members. " +
			"<n1.4711.2> below is the second process of this run of n1.",
		Steps: []stage.Step{
			{Name: "six servers register and join their groups", Run: t.serveAll},
			{Name: "a second calculator is refused", Run: t.refuseDuplicate},
		},
	}
}

// serveAll spreads the six servers over the nodes and waits until every node
// knows all of them.
func (t *tale) serveAll(ctx context.Context, say stage.Say) (string, error) {
	nodes := t.all()
	for i, kind := range servers.Catalog() {
		node := nodes[i%len(nodes)]
		if err := t.serve(ctx, node, kind.Name); err != nil {
			return "", err
		}
		say("%-10s on %s, %s, %-20s %s", kind.Name, node.Name, t.holders[kind.Name].Value, kind.Group, kind.Does)
	}
	if err := until(ctx, func(ctx context.Context) error { return t.agreed(ctx, nodes) }); err != nil {
		return "", err
	}
	return "every node knows all six names and all three groups", nil
}

// refuseDuplicate lets another node try to register a name that is taken.
func (t *tale) refuseDuplicate(ctx context.Context, say stage.Say) (string, error) {
	return t.refused(ctx, say, t.n2, "calculator")
}

// refused lets a node try to register the name of a server that is held, and
// checks that it is told by whom.
func (t *tale) refused(ctx context.Context, say stage.Say, node *conductor.Node, server string) (string, error) {
	second, err := node.Serve(ctx, server)
	if err != nil {
		return "", err
	}
	say("%s asks for the name %q for its process %s", node.Name, server, second.PID)
	_, err = node.Register(ctx, server, second.PID)
	if err == nil {
		return "", fmt.Errorf("the name %q was given to a second process", server)
	}
	fault, ok := errors.AsType[*wire.Fault](err)
	if !ok || fault.Taken == nil {
		return "", fmt.Errorf("refused without a holder: %w", err)
	}
	say("the answer: %s", fault.Text)
	if want := t.holders[server]; fault.Taken.PID != want.PID || fault.Taken.Value != want.Value {
		return "", fmt.Errorf("the holder given is %s at %q, not %s at %q", fault.Taken.PID, fault.Taken.Value, want.PID, want.Value)
	}
	if err := node.StopProcess(ctx, second.PID); err != nil {
		return "", err
	}
	return fmt.Sprintf("refused, and told who holds the name: %s on %s", fault.Taken.PID, fault.Taken.Node), nil
}
