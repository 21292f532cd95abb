package servers_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
)

// serve runs a server for the length of a test and returns its URL.
func serve(t *testing.T, name string) string {
	t.Helper()
	server, err := servers.Open(name)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	return server.URL
}

func TestCalculatorAnswersToolsCall(t *testing.T) {
	url := serve(t, "calculator")
	for _, c := range []struct {
		tool string
		a, b float64
		want string
	}{
		{"add", 5, 3, `{"result":8}`},
		{"subtract", 5, 3, `{"result":2}`},
		{"multiply", 5, 3, `{"result":15}`},
		{"divide", 9, 4, `{"result":2.25}`},
	} {
		t.Run(c.tool, func(t *testing.T) {
			text, err := servers.CallTool(t.Context(), url, c.tool, map[string]any{"a": c.a, "b": c.b})
			require.NoError(t, err)
			require.JSONEq(t, c.want, text)
		})
	}
}

func TestCalculatorRefusesWithAReason(t *testing.T) {
	url := serve(t, "calculator")

	_, err := servers.CallTool(t.Context(), url, "divide", map[string]any{"a": 1, "b": 0})
	require.ErrorIs(t, err, servers.ErrTool)
	require.ErrorContains(t, err, servers.ErrDivision.Error())

	_, err = servers.CallTool(t.Context(), url, "add", map[string]any{"a": "five", "b": 3})
	require.Error(t, err, "an operand that is no number is refused by the schema")

	_, err = servers.CallTool(t.Context(), url, "root", map[string]any{"a": 5, "b": 3})
	require.Error(t, err, "a tool that is not there")
}

func TestWordStatsAnswersToolsCall(t *testing.T) {
	url := serve(t, "wordstats")

	text, err := servers.CallTool(t.Context(), url, "count", map[string]any{"text": "Two halves.\nTwo wholes: naïve."})
	require.NoError(t, err)
	require.JSONEq(t, `{"characters":30,"words":5,"distinct":4,"lines":2}`, text)

	text, err = servers.CallTool(t.Context(), url, "frequent", map[string]any{"text": "b a c b a b", "limit": 2})
	require.NoError(t, err)
	require.JSONEq(t, `{"words":[{"word":"b","times":3},{"word":"a","times":2}]}`, text)

	text, err = servers.CallTool(t.Context(), url, "count", map[string]any{"text": ""})
	require.NoError(t, err)
	require.JSONEq(t, `{"characters":0,"words":0,"distinct":0,"lines":0}`, text)
}

func TestGlossaryAnswersResourcesRead(t *testing.T) {
	url := serve(t, "glossary")

	text, err := servers.ReadResource(t.Context(), url, "glossary:///netsplit")
	require.NoError(t, err)
	require.Contains(t, text, "Both halves work on")

	text, err = servers.ReadResource(t.Context(), url, "glossary:///index")
	require.NoError(t, err)
	require.Contains(t, text, "claim\n")

	_, err = servers.ReadResource(t.Context(), url, "glossary:///nothing")
	require.Error(t, err)
}

func TestRuntimeAnswersWithLiveFacts(t *testing.T) {
	url := serve(t, "runtime")

	text, err := servers.ReadResource(t.Context(), url, servers.RuntimeURI)
	require.NoError(t, err)
	var facts servers.Facts
	require.NoError(t, json.Unmarshal([]byte(text), &facts))
	require.Equal(t, os.Getpid(), facts.Process)
	require.Positive(t, facts.Goroutines)
}

func TestPromptServersAnswerPromptsGet(t *testing.T) {
	reviewer, postmortem := serve(t, "reviewer"), serve(t, "postmortem")

	text, err := servers.GetPrompt(t.Context(), reviewer, "review", map[string]string{"change": "-a\n+b"})
	require.NoError(t, err)
	require.Contains(t, text, "correctness")
	require.Contains(t, text, "-a\n+b")

	text, err = servers.GetPrompt(t.Context(), postmortem, "postmortem", map[string]string{"service": "billing", "symptom": "slow pages"})
	require.NoError(t, err)
	require.Contains(t, text, "billing")
	require.Contains(t, text, "slow pages")

	_, err = servers.GetPrompt(t.Context(), reviewer, "review", nil)
	require.ErrorContains(t, err, "change")
}

func TestServerEndsWithItsContextAndSaysWhy(t *testing.T) {
	server, err := servers.Open("calculator")
	require.NoError(t, err)
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	_, err = servers.CallTool(t.Context(), server.URL, "add", map[string]any{"a": 5, "b": 3})
	require.NoError(t, err)

	cause := errors.New("the name was lost")
	stop(cause)
	select {
	case err := <-ended:
		require.ErrorIs(t, err, cause)
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not end with its context")
	}
	_, err = servers.CallTool(t.Context(), server.URL, "add", map[string]any{"a": 5, "b": 3})
	require.Error(t, err, "an ended server refuses connections")
}

func TestOpenRefusesWhatIsNotInTheCatalogue(t *testing.T) {
	_, err := servers.Open("teapot")
	require.ErrorIs(t, err, servers.ErrUnknown)
	require.ErrorContains(t, err, "teapot")
}

func TestCatalogueHasTwoServersForEachGroup(t *testing.T) {
	groups := map[string]int{}
	for _, kind := range servers.Catalog() {
		groups[kind.Group]++
		server, err := servers.Open(kind.Name)
		require.NoError(t, err)
		require.NoError(t, server.Close())
	}
	require.Equal(t, map[string]int{servers.ToolGroup: 2, servers.ResourceGroup: 2, servers.PromptGroup: 2}, groups)
}
