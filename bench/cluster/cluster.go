package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/bench/conductor"
)

// pollEvery is how often it is looked at whether a cluster has formed.
const pollEvery = 20 * time.Millisecond

// Cluster is some nodes of one kind.
//
// Invariant: nodes and addresses are of the same length; a node that was killed
// stays in them, so that numbers keep their meaning.
type Cluster struct {
	// Kind is what the nodes are.
	Kind Kind

	stage     *Stage
	label     string
	env       []string
	args      []string
	crew      *conductor.Crew
	nodes     []*conductor.Program
	addresses []string
}

// Close kills all nodes.
func (c *Cluster) Close() { c.crew.Close() }

// start starts a program.
func (c *Cluster) start(name string, alone bool) error {
	command := c.stage.command(c.Kind, c.label, name, alone, c.args)
	command.Env = append(command.Env, c.env...)
	p, err := c.crew.Start(name, command)
	if err != nil {
		return err
	}
	c.nodes = append(c.nodes, p)
	c.addresses = append(c.addresses, "")
	return nil
}

// join makes a program that was started a node; all but the first are told of
// the first.
func (c *Cluster) join(ctx context.Context, i int) error {
	var seeds []string
	for _, a := range c.addresses {
		if a != "" {
			seeds = []string{a}
			break
		}
	}
	name := c.nodes[i].Name
	ports, err := c.nodes[i].Ask(ctx, "open", name, c.label, seeds)
	if err != nil {
		return err
	}
	c.addresses[i] = c.stage.address(c.Kind, c.label, name, ports[0])
	return nil
}

// Launch starts a program that is to become a node and returns its number; Join
// makes it one.
func (c *Cluster) Launch(ctx context.Context) (int, error) {
	i := len(c.nodes)
	if err := c.start(fmt.Sprintf("n%d", i+1), false); err != nil {
		return 0, err
	}
	// An answer says that the program runs; that the verb is unknown does not matter.
	_, _ = c.nodes[i].Ask(ctx, "hello")
	return i, ctx.Err()
}

// Join makes a program that was launched a node.
func (c *Cluster) Join(ctx context.Context, i int) error { return c.join(ctx, i) }

// Add starts one more node and returns its number when the given nodes and it
// reach each other.
func (c *Cluster) Add(ctx context.Context, others ...int) (int, error) {
	i, err := c.Launch(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.Join(ctx, i); err != nil {
		return 0, err
	}
	return i, c.AwaitReached(ctx, len(others)+1, append([]int{i}, others...)...)
}

// Node returns the program of a node.
func (c *Cluster) Node(i int) *conductor.Program { return c.nodes[i] }

// Forget kills a node and no longer gives its address to nodes that join.
func (c *Cluster) Forget(i int) {
	c.nodes[i].Kill()
	c.addresses[i] = ""
}

// all returns the numbers of all nodes.
func (c *Cluster) all() []int {
	numbers := make([]int, len(c.nodes))
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// Ask asks one node.
func (c *Cluster) Ask(ctx context.Context, node int, verb string, args ...any) ([]int64, error) {
	return c.nodes[node].Ask(ctx, verb, args...)
}

// AskAll asks some nodes at the same time and returns their answers in their
// order, or the first error.
func (c *Cluster) AskAll(ctx context.Context, nodes []int, verb string, args ...any) ([][]int64, error) {
	answers, errs := make([][]int64, len(nodes)), make([]error, len(nodes))
	var asking sync.WaitGroup
	for k, i := range nodes {
		asking.Go(func() { answers[k], errs[k] = c.Ask(ctx, i, verb, args...) })
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// AwaitReached waits until each of the given nodes reaches exactly so many.
func (c *Cluster) AwaitReached(ctx context.Context, want int, nodes ...int) error {
	for {
		answers, err := c.AskAll(ctx, nodes, "reached")
		if err != nil {
			return err
		}
		formed := true
		for _, a := range answers {
			formed = formed && a[0] == int64(want)
		}
		if formed {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("cluster: %s: nodes reach %v, want %d: %w", c.Kind, answers, want, context.Cause(ctx))
		}
	}
}

// Cut cuts two sides off from each other, in both directions.
func (c *Cluster) Cut(ctx context.Context, a, b []int) error {
	var cutting sync.WaitGroup
	errs := make([]error, 2)
	for k, sides := range [2][2][]int{{a, b}, {b, a}} {
		var others []string
		for _, i := range sides[1] {
			others = append(others, c.addresses[i])
		}
		cutting.Go(func() { _, errs[k] = c.AskAll(ctx, sides[0], "cut", others) })
	}
	cutting.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Mend ends all cuts. Nodes of Erlang do not connect again by themselves, so one
// of the first side then connects to one of the second, as an operator would.
func (c *Cluster) Mend(ctx context.Context, a, b []int) error {
	if _, err := c.AskAll(ctx, append(append([]int(nil), a...), b...), "mend"); err != nil {
		return err
	}
	if c.Kind != Global && c.Kind != PG {
		return nil
	}
	_, err := c.Ask(ctx, a[0], "ping", c.addresses[b[0]])
	return err
}

// Address returns where a node is found.
func (c *Cluster) Address(i int) string { return c.addresses[i] }
