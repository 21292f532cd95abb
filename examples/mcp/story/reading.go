package story

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
)

// run is what a step of the stage runs.
type run = func(ctx context.Context, say stage.Say) (string, error)

// readable makes a step say the identities of processes in short. They are
// written <node.run.number>, and a run has 19 digits, of which the first ones are
// the same for all that was started on one day.
func readable(play run) run {
	pid := regexp.MustCompile(`<(\w+)\.\d+(\d{4})\.(\d+)>`)
	short := func(text string) string { return pid.ReplaceAllString(text, "<$1.$2.$3>") }
	return func(ctx context.Context, say stage.Say) (string, error) {
		detail, err := play(ctx, func(format string, args ...any) { say("%s", short(fmt.Sprintf(format, args...))) })
		if err != nil {
			err = errors.New(short(err.Error()))
		}
		return short(detail), err
	}
}

// orNobody returns a process for people to read.
func orNobody(pid string) string {
	if pid == "" {
		return "nobody"
	}
	return pid
}

// since returns the time since then for people to read.
func since(then time.Time) string { return stage.Span(time.Since(then)) }

// orNone returns a list for people to read.
func orNone(list []string) string {
	if len(list) == 0 {
		return "nothing that it saw"
	}
	return strings.Join(list, ", ")
}
