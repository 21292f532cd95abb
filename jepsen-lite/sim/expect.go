package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// outcome records the end of a registration and holds it against what was wanted.
func (c *Cluster) outcome(n *node, k *call, e *replica.Entry, err error) {
	rec := history.Record{
		Type: history.Ok, F: k.f, Op: k.op, Client: c.watchID(n), Node: n.name, Run: n.run,
		Process: k.process, Name: k.name, Mode: k.mode,
	}
	got := "ok"
	var taken *replica.TakenError
	switch {
	case err == nil:
		rec.Fence = uint64(e.Birth())
	case errors.As(err, &taken):
		rec.Holder = c.byPID[taken.Holder.Holder]
		got = "taken " + rec.Holder
	default:
		got = "refused"
	}
	if err != nil {
		rec.Type, rec.Error = history.Fail, err.Error()
	}
	c.add(rec)
	if k.want != "" && got != k.want && !(k.want == "taken" && strings.HasPrefix(got, "taken")) {
		c.fail(k.line, fmt.Sprintf("%s %s as %s: wanted %s, came to %s (%v)", k.f, k.name, k.process, k.want, got, err), false)
	}
}

// check holds an expectation against what is.
func (c *Cluster) check(e *scenario.Expect) {
	nodes := c.up()
	if len(e.On) > 0 {
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return !slices.Contains(e.On, n.name) })
	}
	var wrong string
	switch e.Subject {
	case scenario.Converged:
		c.checkConverged(e)
		return
	case scenario.LostOf:
		if n := c.lost[e.Key]; n < e.Lo || n > e.Hi {
			wrong = fmt.Sprintf("%s was told %d times", e.Key, n)
		}
	case scenario.AliveIs, scenario.DeadIs:
		p, ok := c.procs[e.Key]
		if alive := ok && p.alive; alive != (e.Subject == scenario.AliveIs) {
			wrong = fmt.Sprintf("alive: %v", alive)
		}
	case scenario.TrafficIs:
		if spent := c.agreeB - c.healByte; c.agreedAt > 0 && spent >= int64(e.Lo) {
			wrong = fmt.Sprintf("%d bytes flowed", spent)
		}
	default:
		for _, n := range nodes {
			if w := c.checkOn(n, e); w != "" {
				wrong = n.name + ": " + w
				break
			}
		}
	}
	if wrong != "" {
		c.fail(e.Line, fmt.Sprintf("expected %s; %s", e, wrong), false)
	}
}

func (c *Cluster) checkConverged(e *scenario.Expect) {
	switch {
	case c.agreedAt == 0:
		c.fail(e.Line, fmt.Sprintf("expected %s; %s", e, c.disagreement()), true)
	case c.agreedAt-c.lastStep > int64(e.Within):
		c.fail(e.Line, fmt.Sprintf("expected %s; it took %v", e, time.Duration(c.agreedAt-c.lastStep)), true)
	}
}

// checkOn holds an expectation against one node's view; empty when it holds.
func (c *Cluster) checkOn(n *node, e *scenario.Expect) string {
	switch e.Subject {
	case scenario.HolderOf:
		holder := "none"
		if h, ok := c.holder(n, e.Key); ok {
			holder = c.byPID[h.PID()]
		}
		if !slices.Contains(strings.Split(e.Want, "|"), holder) {
			return "holder is " + holder
		}
	case scenario.ValueOf:
		if h, ok := c.holder(n, e.Key); !ok || string(h.Value()) != e.Want {
			return "value differs"
		}
	case scenario.MembersOf:
		var members []string
		for _, m := range n.m.Members(nil, e.Key) {
			members = append(members, c.byPID[m.PID()])
		}
		slices.Sort(members)
		if !slices.Equal(members, e.Set) {
			return fmt.Sprintf("members are %v", members)
		}
	case scenario.GroupsAre:
		var groups []string
		for _, g := range n.m.Groups() {
			groups = append(groups, g.Name)
		}
		if !slices.Equal(groups, e.Set) {
			return fmt.Sprintf("groups are %v", groups)
		}
	case scenario.CountOf:
		count := n.m.Names()
		if e.Key == "groups" {
			count = len(n.m.Groups())
		}
		if count < e.Lo || count > e.Hi {
			return fmt.Sprintf("there are %d", count)
		}
	case scenario.StateIs:
		entries, extra := n.m.Footprint()
		if sum := entries + extra; sum < e.Lo || sum > e.Hi {
			return fmt.Sprintf("it keeps %d entries and %d frames out of order", entries, extra)
		}
	}
	return ""
}
