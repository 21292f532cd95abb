package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/servers"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

const (
	// Title is the heading of the story.
	Title = "rollcall: names that survive a netsplit"
	// Intro says what the story is about.
	Intro = "Six MCP servers run in three programs. Each has a name that is unique in the whole cluster, and clients find it " +
		"by that name, whatever happens to servers, programs and the network. Each step below is checked, and timed in brackets."
)

// pollEvery is the pause between two looks at a node.
const pollEvery = 5 * time.Millisecond

// detection is how long it may take until a cut is noticed on both sides. A
// silent cut has to outlast the failure detector's suspicion.
const detection = 60 * time.Second

// tale is the state of the story.
//
// Invariant: holders has, for each of the six servers, the process that holds its
// name by what the story has seen to last.
type tale struct {
	cluster    *conductor.Cluster
	n1, n2, n3 *conductor.Node
	holders    map[string]holder
	// split is what both sides did during the netsplit.
	split split
}

// holder is a process that holds a name, and the node it is on.
type holder struct {
	node *conductor.Node
	wire.Process
}

// Acts returns the story, to be played with the nodes of a cluster.
func Acts(cluster *conductor.Cluster) []stage.Act {
	t := &tale{cluster: cluster, holders: map[string]holder{}}
	acts := []stage.Act{
		t.formation(),
		t.names(),
		t.calls(),
		t.replacement(),
		t.crash(),
		t.netsplit(),
		t.heal(),
		t.benchmark(),
		t.leaving(),
	}
	for _, act := range acts {
		for i := range act.Steps {
			act.Steps[i].Run = readable(act.Steps[i].Run)
		}
	}
	return acts
}

// formation is the act in which the nodes find each other.
func (t *tale) formation() stage.Act {
	return stage.Act{
		Title: "Three programs become one cluster",
		Intro: "A node is a program that opened a registry. This demo starts three of them as processes of " +
			"their own on this machine. The second and the third are told the address of the first; from then on they find each other. " +
			"There is no server to install and no leader.",
		Steps: []stage.Step{{Name: "three nodes form a cluster", Run: t.startNodes}},
	}
}

// leaving is the act in which the nodes end.
func (t *tale) leaving() stage.Act {
	return stage.Act{
		Title: "The nodes leave",
		Intro: "Every program that was started has to end: those that leave when they are told, and the one that was killed.",
		Steps: []stage.Step{{Name: "nothing is left running", Always: true, Run: t.endNodes}},
	}
}

// startNodes starts the three nodes and waits until each sees all.
func (t *tale) startNodes(ctx context.Context, say stage.Say) (string, error) {
	began := time.Now()
	for _, start := range []struct {
		name string
		node **conductor.Node
	}{{"n1", &t.n1}, {"n2", &t.n2}, {"n3", &t.n3}} {
		var seeds []string
		if t.n1 != nil {
			seeds = []string{t.n1.Addr}
		}
		node, err := t.cluster.Start(ctx, start.name, seeds...)
		if err != nil {
			return "", err
		}
		*start.node = node
		say("%s is process %d and listens at %s", node.Name, node.Process, node.Addr)
	}
	if err := until(ctx, func(ctx context.Context) error { return sees(ctx, t.all(), "n1", "n2", "n3") }); err != nil {
		return "", err
	}
	return fmt.Sprintf("each node sees all three, %s after the first was started", since(began)), nil
}

// endNodes stops whatever still runs.
func (t *tale) endNodes(_ context.Context, _ stage.Say) (string, error) {
	if err := t.cluster.Close(); err != nil {
		return "", err
	}
	if running := t.cluster.Running(); len(running) > 0 {
		return "", fmt.Errorf("%d nodes still run", len(running))
	}
	return fmt.Sprintf("all %d programs that were started have ended", t.cluster.Started()), nil
}

// all returns the three nodes.
func (t *tale) all() []*conductor.Node { return []*conductor.Node{t.n1, t.n2, t.n3} }

// serve starts a server on a node, gives it its name and lets it join its group.
func (t *tale) serve(ctx context.Context, node *conductor.Node, server string) error {
	process, err := node.Serve(ctx, server)
	if err != nil {
		return err
	}
	if _, err := node.Register(ctx, server, process.PID); err != nil {
		return err
	}
	if err := node.Join(ctx, groupOf(server), process.PID); err != nil {
		return err
	}
	t.holders[server] = holder{node: node, Process: process}
	return nil
}

// agreed returns nil when every given node shows the holders of all six names
// that the story expects, and the members of the three groups, and when all else
// that the nodes show is the same too.
func (t *tale) agreed(ctx context.Context, nodes []*conductor.Node) error {
	members := map[string][]string{}
	for name, holder := range t.holders {
		members[groupOf(name)] = append(members[groupOf(name)], holder.PID)
		for _, node := range nodes {
			if err := shows(ctx, node, name, holder.PID); err != nil {
				return err
			}
		}
	}
	for group, pids := range members {
		if err := gathered(ctx, nodes, group, pids); err != nil {
			return err
		}
	}
	return alike(ctx, nodes)
}

// alike returns nil when all given nodes show exactly the same.
func alike(ctx context.Context, nodes []*conductor.Node) error {
	var first wire.Status
	for i, node := range nodes {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		if i == 0 {
			first = status
		}
		if status.Digest != first.Digest {
			return fmt.Errorf("%s and %s do not show the same", nodes[0].Name, node.Name)
		}
	}
	return nil
}

// catalogue returns the names of the six servers.
func catalogue() []string {
	var names []string
	for _, kind := range servers.Catalog() {
		names = append(names, kind.Name)
	}
	return names
}

// groupOf returns the group that a server joins.
func groupOf(server string) string {
	for _, kind := range servers.Catalog() {
		if kind.Name == server {
			return kind.Group
		}
	}
	return ""
}

// sees returns nil when each node can reach exactly the nodes named, and serves.
func sees(ctx context.Context, nodes []*conductor.Node, names ...string) error {
	for _, node := range nodes {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		if !slices.Equal(status.Nodes, names) {
			return fmt.Errorf("%s sees %v", node.Name, status.Nodes)
		}
		if !status.Serving {
			return fmt.Errorf("%s does not serve yet", node.Name)
		}
	}
	return nil
}

// shows returns nil when the node's view has the name held by the process; an
// empty pid stands for nobody.
func shows(ctx context.Context, node *conductor.Node, name, pid string) error {
	found, err := node.Whereis(ctx, name)
	if err != nil {
		return err
	}
	if found.Holder.PID != pid {
		return fmt.Errorf("%s shows %s for %q", node.Name, orNobody(found.Holder.PID), name)
	}
	return nil
}

// gathered returns nil when every node shows exactly these members of a group.
func gathered(ctx context.Context, nodes []*conductor.Node, group string, pids []string) error {
	want := slices.Sorted(slices.Values(pids))
	for _, node := range nodes {
		members, err := node.Members(ctx, group)
		if err != nil {
			return err
		}
		var got []string
		for _, member := range members {
			got = append(got, member.PID)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s shows [%s] in %q, not [%s]", node.Name, strings.Join(got, " "), group, strings.Join(want, " "))
		}
	}
	return nil
}

// until looks again and again until check finds nothing wrong. When ctx ends it
// returns why, with what was wrong at last.
func until(ctx context.Context, check func(context.Context) error) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, wire.ErrGone) {
			return err
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; at last: %v", context.Cause(ctx), last)
		}
	}
}

// each does something with every node and returns the first error.
func each(nodes []*conductor.Node, do func(*conductor.Node) error) error {
	for _, node := range nodes {
		if err := do(node); err != nil {
			return err
		}
	}
	return nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
