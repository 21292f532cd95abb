package story

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
)

const (
	// workers is the group which processes of both sides join during the split.
	workers = "workers"
	// scheduler is a name which nobody held before the split.
	scheduler = "scheduler"
	// apart is how long one claim is made after the other, so that the clocks
	// leave no doubt which one is the later.
	apart = 20 * time.Millisecond
	// quiet is how long after the heal nobody but the losers may be told.
	quiet = 2500 * time.Millisecond
)

// split is what both sides did during the netsplit: who claims which name, and
// who joined the workers.
type split struct {
	// began is when the cut began.
	began time.Time
	// agreed is when all nodes showed the winners after it.
	agreed time.Time
	// winners and losers hold for each name the process that has to win by the
	// default rule, which is that the last writer wins, and the one that has to lose.
	winners, losers map[string]holder
	workers         []string
}

// netsplit is the act in which the network is cut in two.
func (t *tale) netsplit() stage.Act {
	return stage.Act{
		Title: "The network is cut in two",
		Intro: "Now n3 is started again and then cut off: whatever n1 and n2 send to n3 is lost, and the other way round. Neither " +
			"side can tell a cut from a crash, and both work on. So both sides can give the same name away, and here they do.",
		Steps: []stage.Step{
			{Name: "the third node is back", Limit: detection, Run: t.restartThird},
			{Name: "n1 and n2 are cut off from n3", Limit: detection, Run: t.cut},
			{Name: "both sides register the same names", Run: t.registerOnBothSides},
			{Name: "look-ups work on both sides", Run: t.lookUpOnBothSides},
		},
	}
}

// restartThird starts n3 again and waits until it knows what the others know.
func (t *tale) restartThird(ctx context.Context, say stage.Say) (string, error) {
	began := time.Now()
	node, err := t.cluster.Start(ctx, "n3", t.n1.Addr, t.n2.Addr)
	if err != nil {
		return "", err
	}
	t.n3 = node
	say("n3 is process %d now and listens at %s", node.Process, node.Addr)
	err = until(ctx, func(ctx context.Context) error {
		if err := sees(ctx, t.all(), "n1", "n2", "n3"); err != nil {
			return err
		}
		return t.agreed(ctx, t.all())
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("n3 knows all six names %s after its start", since(began)), nil
}

// cut blocks the traffic in the transport of each node, and waits until both
// sides have noticed.
func (t *tale) cut(ctx context.Context, say stage.Say) (string, error) {
	say("{n1 n2} | {n3}: each node's transport drops what goes to and comes from the other side")
	t.split = split{began: time.Now()}
	if err := t.n3.Block(ctx, t.n1.Addr, t.n2.Addr); err != nil {
		return "", err
	}
	err := each([]*conductor.Node{t.n1, t.n2}, func(n *conductor.Node) error { return n.Block(ctx, t.n3.Addr) })
	if err != nil {
		return "", err
	}
	say("nobody is told; a node that falls silent is asked again, also through others, until it counts as lost")
	if err := t.awaitDetection(ctx, say); err != nil {
		return "", err
	}
	return fmt.Sprintf("both sides noticed within %s and work on, each on its own", since(t.split.began)), nil
}

// awaitDetection waits until each node sees its own side alone, and says how long
// each of them took.
func (t *tale) awaitDetection(ctx context.Context, say stage.Say) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type finding struct {
		node  *conductor.Node
		side  []string
		after time.Duration
		err   error
	}
	findings := make(chan finding)
	for _, node := range t.all() {
		f := finding{node: node, side: []string{"n1", "n2"}}
		if node == t.n3 {
			f.side = []string{"n3"}
		}
		go func() {
			f.err = until(ctx, func(ctx context.Context) error { return sees(ctx, []*conductor.Node{node}, f.side...) })
			f.after = time.Since(t.split.began)
			findings <- f
		}()
	}
	var faults []error
	for range t.all() {
		f := <-findings
		if f.err != nil {
			faults = append(faults, f.err)
			cancel(errors.New("another node failed"))
			continue
		}
		say("%s noticed after %s: it sees %s", f.node.Name, stage.Span(f.after), strings.Join(f.side, " and "))
	}
	return errors.Join(faults...)
}

// registerOnBothSides makes two names conflict, one for each side to win, and
// lets one process of each node join a group.
func (t *tale) registerOnBothSides(ctx context.Context, say stage.Say) (string, error) {
	early, err := claim(ctx, t.n3, scheduler)
	if err != nil {
		return "", err
	}
	if err := pause(ctx, apart); err != nil {
		return "", err
	}
	late, err := claim(ctx, t.n1, scheduler)
	if err != nil {
		return "", err
	}
	say("%q: n3 registers %s, and later n1 registers %s", scheduler, early.PID, late.PID)

	old := t.holders["calculator"]
	if err := t.serve(ctx, t.n3, "calculator"); err != nil {
		return "", err
	}
	say("\"calculator\": %s on n1 has it; n3 cannot know and registers %s", old.PID, t.holders["calculator"].PID)
	t.split.winners = map[string]holder{scheduler: late, "calculator": t.holders["calculator"]}
	t.split.losers = map[string]holder{scheduler: early, "calculator": old}
	err = each(t.all(), func(n *conductor.Node) error {
		process, err := n.Attend(ctx, "a worker on "+n.Name)
		if err != nil {
			return err
		}
		t.split.workers = append(t.split.workers, process.PID)
		return n.Join(ctx, workers, process.PID)
	})
	if err != nil {
		return "", err
	}
	say("%q: a process of each node joins", workers)
	return "two names have two holders, one on each side", nil
}

// claim starts a process that only lives and gives it a name.
func claim(ctx context.Context, node *conductor.Node, name string) (holder, error) {
	process, err := node.Attend(ctx, "started on "+node.Name)
	if err != nil {
		return holder{}, err
	}
	if _, err := node.Register(ctx, name, process.PID); err != nil {
		return holder{}, err
	}
	return holder{node: node, Process: process}, nil
}

// lookUpOnBothSides checks that each side shows its own holders, and that they
// can be called.
func (t *tale) lookUpOnBothSides(ctx context.Context, say stage.Say) (string, error) {
	left, right := []*conductor.Node{t.n1, t.n2}, []*conductor.Node{t.n3}
	err := until(ctx, func(ctx context.Context) error {
		for _, holders := range []map[string]holder{t.split.winners, t.split.losers} {
			for name, holder := range holders {
				side := left
				if holder.node == t.n3 {
					side = right
				}
				if err := each(side, func(n *conductor.Node) error { return shows(ctx, n, name, holder.PID) }); err != nil {
					return err
				}
			}
		}
		if err := gathered(ctx, left, workers, t.split.workers[:2]); err != nil {
			return err
		}
		return gathered(ctx, right, workers, t.split.workers[2:])
	})
	if err != nil {
		return "", err
	}
	if err := shows(ctx, t.n3, "wordstats", ""); err != nil {
		return "", err
	}
	say("n3 looks \"wordstats\" up: nobody, since its holder on %s cannot be reached", t.holders["wordstats"].node.Name)
	if _, err := addAt(ctx, say, t.n2, t.split.losers["calculator"].PID); err != nil {
		return "", err
	}
	if _, err := addAt(ctx, say, t.n3, t.split.winners["calculator"].PID); err != nil {
		return "", err
	}
	return "each side shows what it reaches; each side's calculator works", nil
}
