package propertytest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// Laws of a run in the simulator, after which all nodes are up and reach each
// other.
const (
	lawAgree    = "NodesAgree"
	lawOnce     = "LoserToldOnce"
	lawSurvivor = "SomebodySurvives"
	lawBelief   = "HolderBelieves"
	lawGroups   = "MembersAreThoseThatLive"
)

func lawTexts() map[string]string {
	return map[string]string{
		lawAgree:    "when the network is whole again all nodes show the same",
		lawOnce:     "a process that loses a name is told once, and no other is",
		lawSurvivor: "of the processes that claim a name one keeps it",
		lawBelief:   "a name shows the one process that believes to hold it, with its value",
		lawGroups:   "a group shows the processes that joined and live, with their values",
	}
}

// verdict is what is wrong with a run; the zero verdict says nothing is.
type verdict struct{ law, seen string }

// books is what an all-knowing observer of a run knows: the table of claims and
// members as the processes themselves see it. Agreement alone would not find what
// was lost everywhere.
type books struct {
	keep   bool                         // the policy lets all claims stand
	names  map[string]map[string]string // name -> believer -> value
	groups map[string]map[string]string // group -> member -> value
	told   map[[2]string]int            // process, name: how often told of the loss
	rivals map[[2]string]bool           // process, name: told that it is contested
	// excused are the names of which every claimant may lose: one was given up by a
	// claimant, which can still beat another whose node has not heard of that, or was
	// re-pointed, because a Reregister beats what it saw and the policy the rest, so
	// that three claims can beat each other in a circle.
	excused map[string]bool
	claimed map[string]bool           // names that somebody held
	views   map[string]history.Record // the last of each node
	up      map[string]bool
	wrong   []verdict
}

// judge holds the history of a run against the books that it makes of it.
func judge(h *history.History, keep bool) verdict {
	b := &books{
		keep: keep, names: map[string]map[string]string{}, groups: map[string]map[string]string{}, told: map[[2]string]int{},
		rivals:  map[[2]string]bool{},
		excused: map[string]bool{}, claimed: map[string]bool{}, views: map[string]history.Record{}, up: map[string]bool{},
	}
	values := map[int]string{}
	for _, r := range h.Records {
		if r.Type == history.Invoke {
			values[r.Op] = r.Value
			continue
		}
		b.note(r, values[r.Op])
	}
	b.close()
	if len(b.wrong) == 0 {
		return verdict{}
	}
	return b.wrong[0]
}

func (b *books) fail(law, format string, args ...any) {
	b.wrong = append(b.wrong, verdict{law, fmt.Sprintf(format, args...)})
}

func put(m map[string]map[string]string, key, process, value string) {
	if m[key] == nil {
		m[key] = map[string]string{}
	}
	m[key][process] = value
}

// note takes a record in; value is what the operation was invoked with.
func (b *books) note(r history.Record, value string) {
	switch {
	case r.F == history.NodeUp:
		b.up[r.Node] = true
	case r.F == history.NodeDown:
		b.up[r.Node] = false
	case r.F == history.Exit:
		b.end(r.Process)
	case r.F == history.Lost:
		b.lose(r)
	case r.Type != history.Ok:
	case r.F == history.Register || r.F == history.Reregister:
		b.claimed[r.Name] = true
		b.excused[r.Name] = b.excused[r.Name] || r.F == history.Reregister
		b.told[[2]string{r.Process, r.Name}] = 0
		put(b.names, r.Name, r.Process, value)
	case r.F == history.Update:
		put(b.names, r.Name, r.Process, value)
	case r.F == history.Unregister:
		delete(b.names[r.Name], r.Process)
		b.excused[r.Name] = true
	case r.F == history.Join:
		put(b.groups, r.Group, r.Process, value)
	case r.F == history.Leave:
		delete(b.groups[r.Group], r.Process)
	case r.F == history.View:
		b.views[r.Node] = r
	}
}

// end takes a process out of everything.
func (b *books) end(process string) {
	for name, believers := range b.names { // each for itself, so in any order
		if _, ok := believers[process]; ok {
			delete(believers, process)
			b.excused[name] = true
		}
	}
	for _, members := range b.groups { // each for itself, so in any order
		delete(members, process)
	}
}

// lose takes in that a process was told that it lost.
func (b *books) lose(r history.Record) {
	key := [2]string{r.Process, r.Name}
	if b.keep && r.Reason == "contested" {
		b.rivals[key] = true
		return
	}
	b.told[key]++
	_, believed := b.names[r.Name][r.Process]
	switch {
	case b.told[key] > 1:
		b.fail(lawOnce, "%s was told %d times that it lost %s", r.Process, b.told[key], r.Name)
	case !believed:
		b.fail(lawOnce, "%s was told that it lost %s, which it did not hold", r.Process, r.Name)
	case r.Winner == "":
		b.fail(lawSurvivor, "%s lost %s and nobody won it: %s", r.Process, r.Name, r.Reason)
	}
	delete(b.names[r.Name], r.Process)
}

// close holds what the nodes show in the end against the books.
func (b *books) close() {
	var nodes []string
	for _, n := range slices.Sorted(maps.Keys(b.up)) {
		if b.up[n] {
			nodes = append(nodes, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		if len(b.names[name]) == 0 && b.claimed[name] && !b.excused[name] {
			b.fail(lawSurvivor, "every claimant of %s lost it", name)
		}
	}
	for _, n := range nodes {
		b.holdNames(n)
		b.holdGroups(n)
	}
	for _, n := range nodes[min(1, len(nodes)):] {
		if a, o := show(b.views[nodes[0]]), show(b.views[n]); a != o {
			b.fail(lawAgree, "%s shows %s\n%s shows %s", nodes[0], a, n, o)
		}
	}
}

// holdNames compares what a node shows of names with who believes to hold them.
func (b *books) holdNames(node string) {
	shown := b.views[node].Names
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		believers := slices.Sorted(maps.Keys(b.names[name]))
		holder, held := shown[name]
		switch {
		case len(believers) > 1 && !b.keep:
			b.fail(lawOnce, "%v all believe to hold %s: nobody told the losers", believers, name)
		case len(believers) > 1 && held:
			b.fail(lawBelief, "%s shows %s for %s, which %v contest", node, holder.Process, name, believers)
		case len(believers) > 1:
			for _, p := range believers {
				if !b.rivals[[2]string{p, name}] {
					b.fail(lawOnce, "%s was not told that %s is contested", p, name)
				}
			}
		case len(believers) == 1 && (holder.Process != believers[0] || holder.Value != b.names[name][believers[0]]):
			b.fail(lawBelief, "%s shows %q with %q for %s, which %s holds with %q", node, holder.Process, holder.Value, name,
				believers[0], b.names[name][believers[0]])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if len(b.names[name]) == 0 {
			b.fail(lawBelief, "%s shows %s for %s, which nobody holds", node, shown[name].Process, name)
		}
	}
}

// holdGroups compares what a node shows of groups with who is in them.
func (b *books) holdGroups(node string) {
	for _, group := range slices.Sorted(maps.Keys(b.groups)) {
		want := fmt.Sprint(b.groups[group])
		shown := map[string]string{}
		for _, m := range b.views[node].Groups[group] {
			shown[m.Process] = m.Value
		}
		if got := fmt.Sprint(shown); got != want || len(shown) != len(b.views[node].Groups[group]) {
			b.fail(lawGroups, "%s shows %s in %s, and %s are", node, got, group, want)
		}
	}
}

// show returns all that a view shows, in one line.
func show(v history.Record) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(v.Names)) {
		s := v.Names[name]
		parts = append(parts, fmt.Sprintf("%s=%s(%s)", name, s.Process, s.Value))
	}
	for _, group := range slices.Sorted(maps.Keys(v.Groups)) {
		members := map[string]string{}
		for _, m := range v.Groups[group] {
			members[m.Process] = m.Value
		}
		parts = append(parts, fmt.Sprintf("%s=%v", group, members))
	}
	return fmt.Sprint(parts)
}
