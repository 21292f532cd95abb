package servers

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// newReviewer returns a server with the prompt "review", which asks a model to
// review a change.
func newReviewer() *mcp.Server {
	server := newServer("reviewer", "Reviewer")
	server.AddPrompt(&mcp.Prompt{
		Name:        "review",
		Description: "Asks for the review of a change.",
		Arguments: []*mcp.PromptArgument{
			{Name: "change", Description: "the change to review, as a diff or in words", Required: true},
			{Name: "focus", Description: "what to look at first; correctness if absent"},
		},
	}, func(_ context.Context, request *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		change, err := required(request, "change")
		if err != nil {
			return nil, err
		}
		focus := request.Params.Arguments["focus"]
		if focus == "" {
			focus = "correctness"
		}
		return ask("A review with a focus.", fmt.Sprintf(
			"Review this change. Look at %s first, then at the rest. Name each fault with its line and a way to mend it.\n\n%s",
			focus, change)), nil
	})
	return server
}

// newPostmortem returns a server with the prompt "postmortem", which asks a
// model to write the report of an incident.
func newPostmortem() *mcp.Server {
	server := newServer("postmortem", "Incident reports")
	server.AddPrompt(&mcp.Prompt{
		Name:        "postmortem",
		Description: "Asks for the report of an incident, without blame.",
		Arguments: []*mcp.PromptArgument{
			{Name: "service", Description: "what was affected", Required: true},
			{Name: "symptom", Description: "what its users saw", Required: true},
		},
	}, func(_ context.Context, request *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		service, err := required(request, "service")
		if err != nil {
			return nil, err
		}
		symptom, err := required(request, "symptom")
		if err != nil {
			return nil, err
		}
		return ask("A report without blame.", fmt.Sprintf(
			"Write the report of an incident of %s. Its users saw: %s. "+
				"Give the course of events, the causes, what went well, and what will be done; blame nobody.",
			service, symptom)), nil
	})
	return server
}

// required returns an argument of a prompt, or an error when it is absent.
func required(request *mcp.GetPromptRequest, name string) (string, error) {
	value := request.Params.Arguments[name]
	if value == "" {
		return "", fmt.Errorf("prompt %q needs the argument %q", request.Params.Name, name)
	}
	return value, nil
}

// ask returns a prompt of one message of the user.
func ask(description, text string) *mcp.GetPromptResult {
	return &mcp.GetPromptResult{
		Description: description,
		Messages:    []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: text}}},
	}
}
