package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// calls is the act in which clients use what they find.
func (t *tale) calls() stage.Act {
	return stage.Act{
		Title: "Clients find servers and call them",
		Intro: "A look-up is answered from the node's own memory: no message is sent. What it returns is enough to talk to the " +
			"server: its URL for MCP, or the process itself for a message through the registry.",
		Steps: []stage.Step{
			{Name: "tools/call add(5, 3) at the URL found", Run: t.callTool},
			{Name: "the same as a message to the process", Run: t.callProcess},
			{Name: "all nodes agree on all groups", Run: t.compareGroups},
			{Name: "resources/read through a group", Run: t.readResource},
			{Name: "prompts/get through a group", Run: t.getPrompt},
		},
	}
}

// callTool lets n3 find the calculator of n1 and send it an MCP request.
func (t *tale) callTool(ctx context.Context, say stage.Say) (string, error) {
	return addAt(ctx, say, t.n3, t.holders["calculator"].PID)
}

// addAt lets a node look the calculator up, expects a certain process, and sends
// tools/call to its URL.
func addAt(ctx context.Context, say stage.Say, node *conductor.Node, pid string) (string, error) {
	found, err := node.Whereis(ctx, "calculator")
	if err != nil {
		return "", err
	}
	if found.Holder.PID != pid {
		return "", fmt.Errorf("%s found %s for \"calculator\", not %s", node.Name, orNobody(found.Holder.PID), pid)
	}
	say("%s looks \"calculator\" up: %s at %s", node.Name, found.Holder.PID, found.Holder.Value)
	answer, err := node.Tool(ctx, found.Holder.Value, "add", map[string]any{"a": 5, "b": 3})
	if err != nil {
		return "", err
	}
	var sum servers.Number
	if err := json.Unmarshal([]byte(answer.Text), &sum); err != nil || sum.Result != 8 {
		return "", fmt.Errorf("add(5, 3) answered %s", answer.Text)
	}
	return fmt.Sprintf("%s called the calculator on %s: add(5, 3) = 8", node.Name, found.Holder.Node), nil
}

// callProcess lets n3 send the same operation through the registry.
func (t *tale) callProcess(ctx context.Context, say stage.Say) (string, error) {
	say("n3 sends a message to whoever holds \"calculator\": no address, no connection of its own")
	answer, err := t.n3.Call(ctx, "calculator", "add", 5, 3)
	if err != nil {
		return "", err
	}
	if answer.Text != "8" {
		return "", fmt.Errorf("add(5, 3) answered %s", answer.Text)
	}
	return fmt.Sprintf("add(5, 3) = 8, there and back in %d us", answer.Micros), nil
}

// compareGroups prints the groups as each node shows them.
func (t *tale) compareGroups(ctx context.Context, say stage.Say) (string, error) {
	for _, group := range []string{servers.ToolGroup, servers.ResourceGroup, servers.PromptGroup} {
		members, err := t.n1.Members(ctx, group)
		if err != nil {
			return "", err
		}
		var described []string
		for _, member := range members {
			described = append(described, member.PID+" on "+member.Node)
		}
		say("%s: %s", group, strings.Join(described, ", "))
	}
	if err := t.agreed(ctx, t.all()); err != nil {
		return "", err
	}
	return "n1, n2 and n3 show the same members", nil
}

// readResource lets n1 read a resource from whichever member of the group has it.
func (t *tale) readResource(ctx context.Context, say stage.Say) (string, error) {
	return throughGroup(ctx, say, t.n1, servers.ResourceGroup, "glossary:///netsplit",
		func(member wire.Member) (wire.Answer, error) {
			return t.n1.Read(ctx, member.Value, "glossary:///netsplit")
		})
}

// getPrompt lets n2 get a prompt from whichever member of the group has it.
func (t *tale) getPrompt(ctx context.Context, say stage.Say) (string, error) {
	return throughGroup(ctx, say, t.n2, servers.PromptGroup, "the prompt \"postmortem\"",
		func(member wire.Member) (wire.Answer, error) {
			return t.n2.Prompt(ctx, member.Value, "postmortem", map[string]string{
				"service": "the calculator", "symptom": "5 and 3 made 9",
			})
		})
}

// throughGroup asks the members of a group in turn until one has what is wanted.
func throughGroup(
	ctx context.Context, say stage.Say, node *conductor.Node, group, wanted string,
	ask func(wire.Member) (wire.Answer, error),
) (string, error) {
	members, err := node.Members(ctx, group)
	if err != nil {
		return "", err
	}
	var refusals []error
	for _, member := range members {
		answer, err := ask(member)
		if err != nil {
			say("%s asks %s on %s for %s: it has none", node.Name, member.PID, member.Node, wanted)
			refusals = append(refusals, err)
			continue
		}
		say("%s asks %s on %s for %s:", node.Name, member.PID, member.Node, wanted)
		say("  %q", excerpt(answer.Text))
		return fmt.Sprintf("a member on %s answered %s", member.Node, node.Name), nil
	}
	return "", fmt.Errorf("no member of %q has %s: %w", group, wanted, errors.Join(refusals...))
}

// excerpt returns the beginning of a text.
func excerpt(text string) string {
	const most = 84
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "..."
}
