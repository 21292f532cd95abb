package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/node"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/story"
)

// nodeCommand is the sub-command with which the program starts itself as a node.
const nodeCommand = "node"

// logLines is how many lines of each node's log are shown after a failure.
const logLines = 25

func main() {
	if len(os.Args) == 2 && os.Args[1] == nodeCommand {
		os.Exit(node.Main(os.Stdin, os.Stdout, os.Stderr))
	}
	asJSON := flag.Bool("json", false, "print the outcome as one JSON object instead of the transcript")
	flag.Parse()
	os.Exit(conduct(*asJSON))
}

// conduct plays the story and returns the program's exit code: 0 when all held,
// 1 when not, 2 when the story could not begin.
func conduct(asJSON bool) int {
	// A standard output that nobody reads any more ends the story as an interrupt
	// does, so that the nodes are stopped and the logs removed in that case too.
	read, unread := signal.NotifyContext(context.Background(), syscall.SIGPIPE)
	defer unread()
	ctx, stop := signal.NotifyContext(read, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second interrupt ends the program at once; the nodes end with it.
	context.AfterFunc(ctx, stop)

	report, err := play(ctx, asJSON)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	if asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
			return 2
		}
	}
	if !report.Held {
		return 1
	}
	return 0
}

// play plays the story with nodes of its own and returns the report. No node is
// left when it returns.
func play(ctx context.Context, asJSON bool) (report stage.Report, err error) {
	self, err := os.Executable()
	if err != nil {
		return report, err
	}
	cluster, err := conductor.New(func(string) *exec.Cmd { return exec.Command(self, nodeCommand) })
	if err != nil {
		return report, err
	}
	defer func() { _ = cluster.Close() }()

	transcript := stage.NewTranscript(os.Stdout, stage.Colour(os.Stdout))
	if asJSON {
		transcript = stage.NewTranscript(io.Discard, false)
	}
	transcript.Heading(story.Title, story.Intro)
	report = stage.Play(ctx, story.Acts(cluster), transcript)
	transcript.Table(report)
	if report.Held || ctx.Err() != nil {
		return report, cluster.Discard()
	}
	fmt.Fprintf(os.Stderr, "\nThe last lines of each node's log; all of it is in %s\n%s", cluster.LogDir(), cluster.Logs(logLines))
	return report, nil
}
