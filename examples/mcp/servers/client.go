package servers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ErrTool is wrapped by the error of CallTool when the tool was reached and
// refused: the text is the tool's own.
var ErrTool = errors.New("the tool refused")

// CallTool connects to the server at url, sends one tools/call and returns the
// text of the answer.
func CallTool(ctx context.Context, url, tool string, arguments map[string]any) (string, error) {
	return inSession(ctx, url, func(session *mcp.ClientSession) (string, error) {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
		if err != nil {
			return "", err
		}
		text := textOf(result.Content...)
		if result.IsError {
			return "", fmt.Errorf("%w: %s", ErrTool, text)
		}
		return text, nil
	})
}

// ReadResource connects to the server at url, sends one resources/read and
// returns the text of the resource.
func ReadResource(ctx context.Context, url, uri string) (string, error) {
	return inSession(ctx, url, func(session *mcp.ClientSession) (string, error) {
		result, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri})
		if err != nil {
			return "", err
		}
		texts := make([]string, 0, len(result.Contents))
		for _, content := range result.Contents {
			texts = append(texts, content.Text)
		}
		return strings.Join(texts, "\n"), nil
	})
}

// GetPrompt connects to the server at url, sends one prompts/get and returns
// the text of the messages.
func GetPrompt(ctx context.Context, url, prompt string, arguments map[string]string) (string, error) {
	return inSession(ctx, url, func(session *mcp.ClientSession) (string, error) {
		result, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: prompt, Arguments: arguments})
		if err != nil {
			return "", err
		}
		contents := make([]mcp.Content, 0, len(result.Messages))
		for _, message := range result.Messages {
			contents = append(contents, message.Content)
		}
		return textOf(contents...), nil
	})
}

// inSession connects, lets do work in the session, and closes it.
func inSession(ctx context.Context, url string, do func(*mcp.ClientSession) (string, error)) (string, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "rollcall-demo", Version: "1.0.0"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: url,
		// One request and its answer need no stream of the server's own.
		DisableStandaloneSSE: true,
		MaxRetries:           -1,
	}, nil)
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", url, err)
	}
	text, err := do(session)
	return text, errors.Join(err, session.Close())
}

// textOf joins the texts among contents.
func textOf(contents ...mcp.Content) string {
	var texts []string
	for _, content := range contents {
		if text, ok := content.(*mcp.TextContent); ok {
			texts = append(texts, text.Text)
		}
	}
	return strings.Join(texts, "\n")
}
