package story

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// sample is what the word counter is asked to count, and sampleWords what it has
// to find.
const (
	sample      = "both halves work on, and one of them is right"
	sampleWords = 10
)

// replacement is the act in which a server dies and another takes its name.
func (t *tale) replacement() stage.Act {
	return stage.Act{
		Title: "A server dies and is replaced",
		Intro: "The end of a process removes all that it registered, on all nodes, without anybody's help. Another process " +
			"which waits for the name gets it, and a client which waits for a holder finds the new one.",
		Steps: []stage.Step{
			{Name: "a client finds the replacement", Run: t.replaceWordStats},
		},
	}
}

// replaceWordStats ends the word counter on n2 while another on n3 stands by and
// a client on n1 waits.
func (t *tale) replaceWordStats(ctx context.Context, say stage.Say) (string, error) {
	old := t.holders["wordstats"]
	standby, err := t.n3.Serve(ctx, "wordstats")
	if err != nil {
		return "", err
	}
	say("%s on n3 stands by for the name \"wordstats\"; a client on n1 waits for a new holder", standby.PID)
	took, found := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := t.n3.TakeOver(ctx, "wordstats", standby.PID)
		took <- err
	}()
	var seen wire.Holder
	go func() {
		var err error
		seen, err = t.n1.Await(ctx, "wordstats", old.PID)
		found <- err
	}()

	ended := time.Now()
	if err := old.node.StopProcess(ctx, old.PID); err != nil {
		return "", err
	}
	say("%s on n2, which holds it, ends", old.PID)
	if err := <-found; err != nil {
		return "", err
	}
	after := time.Since(ended)
	if err := <-took; err != nil {
		return "", err
	}
	if seen.PID != standby.PID {
		return "", fmt.Errorf("n1 found %s, not %s", seen.PID, standby.PID)
	}
	if err := t.n3.Join(ctx, groupOf("wordstats"), standby.PID); err != nil {
		return "", err
	}
	t.holders["wordstats"] = holder{node: t.n3, Process: standby}
	if err := t.countsAt(ctx, say, t.n1); err != nil {
		return "", err
	}
	return fmt.Sprintf("the client had the new holder %s after the end of the old one", stage.Span(after)), nil
}

// crash is the act in which a node is killed.
func (t *tale) crash() stage.Act {
	return stage.Act{
		Title: "A node is killed",
		Intro: "SIGKILL leaves no time to say goodbye. The other nodes notice that the connection broke and that nobody " +
			"listens there any more, and hide all that the node had registered: its names are free again.",
		Steps: []stage.Step{
			{Name: "the names of a killed node are gone", Limit: detection, Run: t.killThird},
			{Name: "others take the names over", Run: t.takeOver},
		},
	}
}

// killThird kills n3 and waits until the others show none of its names.
func (t *tale) killThird(ctx context.Context, say stage.Say) (string, error) {
	lost := t.heldBy(t.n3)
	say("n3 (process %d) holds %s and gets SIGKILL", t.n3.Process, strings.Join(lost, ", "))
	killed := time.Now()
	if err := t.n3.Kill(); err != nil {
		return "", err
	}
	err := until(ctx, func(ctx context.Context) error {
		for _, name := range lost {
			err := each([]*conductor.Node{t.n1, t.n2}, func(n *conductor.Node) error { return shows(ctx, n, name, "") })
			if err != nil {
				return err
			}
		}
		return sees(ctx, []*conductor.Node{t.n1, t.n2}, "n1", "n2")
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("n1 and n2 hide its %d names %s after the kill", len(lost), since(killed)), nil
}

// takeOver starts the servers of the killed node on the others, and calls one.
func (t *tale) takeOver(ctx context.Context, say stage.Say) (string, error) {
	others := []*conductor.Node{t.n1, t.n2}
	lost := t.heldBy(t.n3)
	for i, name := range lost {
		node := others[i%len(others)]
		if err := t.serve(ctx, node, name); err != nil {
			return "", err
		}
		say("%-10s on %s, %s", name, node.Name, t.holders[name].Value)
	}
	if err := until(ctx, func(ctx context.Context) error { return t.agreed(ctx, others) }); err != nil {
		return "", err
	}
	for _, node := range others {
		if err := t.countsAt(ctx, say, node); err != nil {
			return "", err
		}
	}
	return "n1 and n2 hold all six names, and tools/call works", nil
}

// heldBy returns the names that a node holds in the order of the catalogue.
func (t *tale) heldBy(node *conductor.Node) []string {
	var names []string
	for _, name := range catalogue() {
		if t.holders[name].node == node {
			names = append(names, name)
		}
	}
	return names
}

// countsAt lets a node look the word counter up and send it tools/call.
func (t *tale) countsAt(ctx context.Context, say stage.Say, node *conductor.Node) error {
	found, err := node.Whereis(ctx, "wordstats")
	if err != nil {
		return err
	}
	if want := t.holders["wordstats"].PID; found.Holder.PID != want {
		return fmt.Errorf("%s found %s for \"wordstats\", not %s", node.Name, orNobody(found.Holder.PID), want)
	}
	answer, err := node.Tool(ctx, found.Holder.Value, "count", map[string]any{"text": sample})
	if err != nil {
		return err
	}
	var counts servers.Counts
	if err := json.Unmarshal([]byte(answer.Text), &counts); err != nil || counts.Words != sampleWords {
		return fmt.Errorf("count answered %s, which is not %d words", answer.Text, sampleWords)
	}
	say("%s calls the tool \"count\" of \"wordstats\" on %s: %d words", node.Name, found.Holder.Node, counts.Words)
	return nil
}
