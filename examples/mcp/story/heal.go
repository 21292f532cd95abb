package story

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/examples/mcp/conductor"
	"github.com/rollcall-dev/rollcall/examples/mcp/stage"
	"github.com/rollcall-dev/rollcall/examples/mcp/wire"
)

// rule is the name of the policy that settles conflicts unless the registry is
// told to use another one.
const rule = "last-writer"

// heal is the act in which the network is whole again.
func (t *tale) heal() stage.Act {
	return stage.Act{
		Title: "The network is whole again",
		Intro: "When the halves meet, two names have two living holders each. Every node picks the same winner from the same " +
			"claims, without a vote. Only the losers are told, by their own node, once. What was not in conflict is merged: nothing " +
			"that lives is lost.",
		Steps: []stage.Step{
			{Name: "all nodes name the same winner", Limit: detection, Run: t.agreeAfterHeal},
			{Name: "Why explains the winner", Run: t.explain},
			{Name: "the groups are whole again", Run: t.checkGroups},
			{Name: "tools/call through the winner", Run: t.callWinner},
			{Name: "every node reports the netsplit", Run: t.checkReports},
			{Name: "exactly the losers were told, once", Run: t.checkTold},
		},
	}
}

// agreeAfterHeal lets the traffic flow and waits until all nodes show the winners.
func (t *tale) agreeAfterHeal(ctx context.Context, say stage.Say) (string, error) {
	healed := time.Now()
	say("the cut lasted %s; now every transport lets everything through", stage.Span(healed.Sub(t.split.began)))
	if err := each(t.all(), func(n *conductor.Node) error { return n.Heal(ctx) }); err != nil {
		return "", err
	}
	if err := until(ctx, func(ctx context.Context) error { return sees(ctx, t.all(), "n1", "n2", "n3") }); err != nil {
		return "", err
	}
	say("every node sees all three again after %s", since(healed))
	err := until(ctx, func(ctx context.Context) error {
		for name, winner := range t.split.winners {
			if err := each(t.all(), func(n *conductor.Node) error { return shows(ctx, n, name, winner.PID) }); err != nil {
				return err
			}
		}
		return alike(ctx, t.all())
	})
	if err != nil {
		return "", err
	}
	t.split.agreed = time.Now()
	for _, name := range t.contested() {
		winner := t.split.winners[name]
		say("%q: n1, n2 and n3 name %s on %s", name, winner.PID, winner.node.Name)
	}
	return fmt.Sprintf("n1, n2 and n3 show the same, %s after the cut ended", stage.Span(t.split.agreed.Sub(healed))), nil
}

// explain prints what Why says on the loser's node, which is where the conflict
// was settled, and checks that the others do not say otherwise. A node which only
// heard of the end of the losing claim has no conflict to explain.
func (t *tale) explain(ctx context.Context, say stage.Say) (string, error) {
	witnesses := 0
	for _, name := range t.contested() {
		settled, err := t.whyConflict(ctx, t.split.losers[name].node, name)
		if err != nil {
			return "", err
		}
		for _, node := range t.all() {
			why, err := node.Why(ctx, name)
			if err != nil {
				return "", err
			}
			if why.Winner != t.split.winners[name].PID || why.Rule != rule {
				return "", fmt.Errorf("%s says that %s holds %q by %q", node.Name, orNobody(why.Winner), name, why.Rule)
			}
			if len(why.Claims) > 1 {
				witnesses++
			}
		}
		say("%q, says %s:", name, t.split.losers[name].node.Name)
		for _, claim := range settled.Claims {
			outcome := "lost"
			if claim.PID == settled.Winner {
				outcome = "won"
			}
			at := time.UnixMilli(claim.UnixMillis).Format("15:04:05.000")
			say("  %-4s  %s, registered on %s at %s", outcome, claim.PID, claim.Node, at)
		}
	}
	say("the rule is %q, the default: who registered last keeps the name", rule)
	say("n1, n2 and n3 were asked for both names: %d of 6 answers show the conflict, none another winner", witnesses)
	return fmt.Sprintf("by the rule %q, on every node", rule), nil
}

// whyConflict waits until a node can explain a conflict.
func (t *tale) whyConflict(ctx context.Context, node *conductor.Node, name string) (wire.Why, error) {
	var why wire.Why
	err := until(ctx, func(ctx context.Context) error {
		var err error
		if why, err = node.Why(ctx, name); err != nil {
			return err
		}
		if len(why.Claims) < 2 {
			return fmt.Errorf("%s knows %d claims of %q", node.Name, len(why.Claims), name)
		}
		return nil
	})
	return why, err
}

// checkGroups waits until all nodes show the members of both sides.
func (t *tale) checkGroups(ctx context.Context, say stage.Say) (string, error) {
	err := until(ctx, func(ctx context.Context) error {
		if err := gathered(ctx, t.all(), workers, t.split.workers); err != nil {
			return err
		}
		return t.agreed(ctx, t.all())
	})
	if err != nil {
		return "", err
	}
	say("%q on every node: %s", workers, strings.Join(t.split.workers, ", "))
	return "every node shows the members of both sides", nil
}

// callWinner lets n1, whose own calculator lost, call the winner.
func (t *tale) callWinner(ctx context.Context, say stage.Say) (string, error) {
	loser := t.split.losers["calculator"]
	if _, err := t.n1.Tool(ctx, loser.Value, "add", map[string]any{"a": 5, "b": 3}); err == nil {
		return "", fmt.Errorf("the calculator that lost still answers at %s", loser.Value)
	}
	say("the process that lost has ended: nobody answers at %s", loser.Value)
	return addAt(ctx, say, t.n1, t.split.winners["calculator"].PID)
}

// checkReports waits until each node has reported the end of the netsplit, which
// it does when nobody has come back for a while, and compares the reports with
// what the story knows.
func (t *tale) checkReports(ctx context.Context, say stage.Say) (string, error) {
	losers := map[string]bool{}
	for _, loser := range t.split.losers {
		losers[loser.PID] = false
	}
	for _, node := range t.all() {
		cutOff := []string{"n3"}
		if node == t.n3 {
			cutOff = []string{"n1", "n2"}
		}
		heal, err := report(ctx, node, cutOff)
		if err != nil {
			return "", err
		}
		lasted := time.Duration(heal.LastedMillis) * time.Millisecond
		if lasted <= 0 || lasted > time.Since(t.split.began) {
			return "", fmt.Errorf("%s reports that it was cut off for %v", node.Name, lasted)
		}
		for _, pid := range heal.Losers {
			if _, lost := losers[pid]; !lost {
				return "", fmt.Errorf("%s reports that %s lost", node.Name, pid)
			}
			losers[pid] = true
		}
		say("%s was without %s for %s; in conflict: %s", node.Name, strings.Join(heal.Nodes, " and "), stage.Span(lasted), orNone(heal.Conflicts))
	}
	for pid, reported := range losers {
		if !reported {
			return "", fmt.Errorf("nobody reports that %s lost", pid)
		}
	}
	say("a node counts from when it noticed")
	return "who was away, for how long, and what was in conflict", nil
}

// report waits until a node has reported the return of all that it was cut off
// from, and returns that as one report.
func report(ctx context.Context, node *conductor.Node, cutOff []string) (wire.Heal, error) {
	var whole wire.Heal
	err := until(ctx, func(ctx context.Context) error {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		whole = wire.Heal{}
		for _, heal := range status.Heals {
			whole.Nodes = append(whole.Nodes, heal.Nodes...)
			whole.LastedMillis = max(whole.LastedMillis, heal.LastedMillis)
			whole.Conflicts = append(whole.Conflicts, heal.Conflicts...)
			whole.Losers = append(whole.Losers, heal.Losers...)
		}
		slices.Sort(whole.Nodes)
		if !slices.Equal(whole.Nodes, cutOff) {
			return fmt.Errorf("%s reports that %v came back, not %v", node.Name, whole.Nodes, cutOff)
		}
		return nil
	})
	return whole, err
}

// checkTold waits until the losers were told, and then that nobody else is.
func (t *tale) checkTold(ctx context.Context, say stage.Say) (string, error) {
	var want []wire.Loss
	for name, loser := range t.split.losers {
		want = append(want, wire.Loss{
			Name: name, PID: loser.PID, Reason: "conflict lost", Winner: t.split.winners[name].PID, Rule: rule,
		})
	}
	slices.SortFunc(want, byName)
	check := func(ctx context.Context) error {
		var told []wire.Loss
		err := each(t.all(), func(n *conductor.Node) error {
			losses, err := n.Told(ctx)
			told = append(told, losses...)
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(told, byName)
		if !slices.Equal(told, want) {
			return fmt.Errorf("told were %v, not %v", told, want)
		}
		return nil
	}
	if err := until(ctx, check); err != nil {
		return "", err
	}
	for _, loss := range want {
		say("%s was told that it lost %q to %s", loss.PID, loss.Name, loss.Winner)
	}
	// That nobody is told later can only be seen by waiting for it.
	if err := pause(ctx, time.Until(t.split.agreed.Add(quiet))); err != nil {
		return "", err
	}
	if err := check(ctx); err != nil {
		return "", err
	}
	say("counted until %s after all agreed", since(t.split.agreed))
	return "the two losers were told, once each, and nobody else was", nil
}

// contested returns the names in conflict, sorted.
func (t *tale) contested() []string { return []string{"calculator", scheduler} }

// byName orders losses.
func byName(a, b wire.Loss) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.PID, b.PID))
}
