package stage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
)

// holds is a step that holds.
func holds(name, detail string) stage.Step {
	return stage.Step{Name: name, Run: func(_ context.Context, say stage.Say) (string, error) {
		say("%s is on its way", name)
		return detail, nil
	}}
}

// fails is a step that does not hold.
func fails(name string, err error) stage.Step {
	return stage.Step{Name: name, Run: func(context.Context, stage.Say) (string, error) { return "", err }}
}

func TestAStoryThatHolds(t *testing.T) {
	var out bytes.Buffer
	transcript := stage.NewTranscript(&out, false)
	report := stage.Play(t.Context(), []stage.Act{
		{Title: "A beginning", Intro: "Once upon a time.", Steps: []stage.Step{holds("one", "it is there")}},
		{Title: "An end", Steps: []stage.Step{holds("two", "it is gone")}},
	}, transcript)
	transcript.Table(report)

	require.True(t, report.Held)
	require.Len(t, report.Steps, 2)
	require.Equal(t, "it is there", report.Steps[0].Detail)
	for _, want := range []string{"Act 1. A beginning", "Once upon a time.", "one is on its way", "✓ it is there", "Act 2. An end", "Everything held: 2 of 2 steps"} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "\x1b", "a plain transcript has no colour")
}

func TestTheFirstFailureEndsTheStoryButForCleaningUp(t *testing.T) {
	var out bytes.Buffer
	transcript := stage.NewTranscript(&out, true)
	cleaned := false
	cleaning := holds("clean", "all is clean")
	cleaning.Always = true
	cleaning.Run = func(context.Context, stage.Say) (string, error) { cleaned = true; return "all is clean", nil }
	report := stage.Play(t.Context(), []stage.Act{{Steps: []stage.Step{
		fails("bad", errors.New("it broke")), holds("later", "never"), cleaning,
	}}}, transcript)
	transcript.Table(report)

	require.False(t, report.Held)
	require.True(t, cleaned)
	require.Equal(t, "it broke", report.Steps[0].Detail)
	require.False(t, report.Steps[1].Held)
	require.Contains(t, report.Steps[1].Detail, "not played")
	require.True(t, report.Steps[2].Held)
	require.Contains(t, out.String(), "NOT everything held: 1 of 3 steps")
	require.Contains(t, out.String(), "\x1b[31m")
}

func TestAStepThatTakesTooLongDoesNotHold(t *testing.T) {
	report := stage.Play(t.Context(), []stage.Act{{Steps: []stage.Step{{
		Name: "slow", Limit: 5 * time.Millisecond,
		Run: func(ctx context.Context, _ stage.Say) (string, error) {
			<-ctx.Done()
			return "", context.Cause(ctx)
		},
	}}}}, stage.NewTranscript(&bytes.Buffer{}, false))
	require.False(t, report.Held)
	require.Contains(t, report.Steps[0].Detail, "longer than 5ms")
	require.GreaterOrEqual(t, report.Steps[0].Millis, 5.0)
}

func TestAnInterruptedStoryStillCleansUp(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	wait := func(ctx context.Context, _ stage.Say) (string, error) { return "", ctx.Err() }
	report := stage.Play(ctx, []stage.Act{{Steps: []stage.Step{
		{Name: "work", Run: wait}, {Name: "clean", Run: wait, Always: true},
	}}}, stage.NewTranscript(&bytes.Buffer{}, false))
	require.False(t, report.Held)
	require.False(t, report.Steps[0].Held)
	require.True(t, report.Steps[1].Held)
}

func TestTheReportIsTheDocumentedObject(t *testing.T) {
	encoded, err := json.Marshal(stage.Report{Held: true, Steps: []stage.Outcome{{Name: "one", Held: true, Millis: 1.25, Detail: "it is there"}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"held": true, "steps": [{"name": "one", "held": true, "ms": 1.25, "detail": "it is there"}]}`, string(encoded))

	encoded, err = json.Marshal(stage.Play(t.Context(), nil, stage.NewTranscript(&bytes.Buffer{}, false)))
	require.NoError(t, err)
	require.JSONEq(t, `{"held": true, "steps": []}`, string(encoded), "no steps are a list, not null")
}

func TestAFileIsNotColoured(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/transcript")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	require.False(t, stage.Colour(file))

	t.Setenv("NO_COLOR", "1")
	require.False(t, stage.Colour(os.Stdout))
}
