package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// belief is the time in which a process believed that it held a name: from the
// registration to the moment at which it asked to give the name up, was told that it
// lost it, or ended.
type belief struct {
	process, node string
	from, to      int64
	end           string // why it ended; empty at the end of the run
	sure          bool   // false when nobody knows whether the registration happened
}

// notice is a process being told that it lost a name.
type notice struct {
	at                      int64
	process, winner, reason string
}

// named is which process a node named from a moment on: an index of
// contested.processes, or nobody.
type named struct {
	at      int64
	process int
}

const nobody = -1

// contested is a name that several processes believed to hold at one time, or that
// somebody lost.
type contested struct {
	name      string
	beliefs   []belief
	told      []notice
	processes []string
	lanes     [][]named // by lane
	overlap   int64     // how long it had more than one believer
	violated  bool      // a finding is about it
}

// contests finds the contested names: those that findings are about come first,
// then those that were contested longest. Lanes are filled for the first limit
// names only; the others are dropped and counted.
func contests(m *model, limit int) (shown []*contested, dropped int) {
	b := &believers{by: map[string]*contested{}, home: map[string]string{}, holds: map[string][]string{}}
	for i := range m.run.History.Records {
		b.read(&m.run.History.Records[i])
	}
	violated := m.namesOfFindings()
	var all []*contested
	for _, name := range b.order {
		c := b.by[name]
		c.close(m.end)
		c.violated = violated[name]
		if c.overlap > 0 || len(c.told) > 0 {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *contested) int {
		if a.violated != b.violated {
			if a.violated {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.overlap, a.overlap), natural(a.name, b.name))
	})
	if len(all) > limit {
		all, dropped = all[:limit], len(all)-limit
	}
	for _, c := range all {
		c.setProcesses()
		c.lanes = make([][]named, len(m.nodes))
	}
	fillLanes(m, all)
	return all, dropped
}

// namesOfFindings returns the names that failing findings are about.
func (m *model) namesOfFindings() map[string]bool {
	names := map[string]bool{}
	for _, r := range m.results {
		if r.Verdict != check.Fail {
			continue
		}
		for _, f := range r.Findings {
			rec, ok := m.record(f.Index)
			if !ok {
				continue
			}
			names[rec.Name] = rec.Name != ""
			if rec.Kind == "name" {
				names[rec.Key] = true
			}
		}
	}
	return names
}

// believers collects the beliefs of all names.
type believers struct {
	by    map[string]*contested
	order []string            // names as they first appear
	home  map[string]string   // the node of each process
	holds map[string][]string // the names of each process, ended beliefs included
	lives []string            // processes with beliefs, as they first appear
}

func (b *believers) name(name string) *contested {
	c := b.by[name]
	if c == nil {
		c = &contested{name: name}
		b.by[name] = c
		b.order = append(b.order, name)
	}
	return c
}

func (b *believers) read(r *history.Record) {
	switch r.F {
	case history.Spawn:
		b.home[r.Process] = r.Node
	case history.Register, history.Reregister:
		if r.Type == history.Ok || r.Type == history.Info {
			b.begin(r)
		}
	case history.Unregister:
		if r.Type == history.Invoke {
			b.name(r.Name).finish(r.Process, r.At, "unregistered")
		}
	case history.Lost:
		c := b.name(r.Name)
		c.told = append(c.told, notice{r.At, r.Process, r.Winner, r.Reason})
		c.finish(r.Process, r.At, "told")
	case history.Exit:
		b.ended(r.Process, r.At, "ended")
	case history.NodeDown:
		for _, p := range slices.Clone(b.lives) {
			if b.home[p] == r.Node {
				b.ended(p, r.At, "node down")
			}
		}
	}
}

func (b *believers) begin(r *history.Record) {
	if r.Name == "" || r.Process == "" {
		return
	}
	if _, known := b.holds[r.Process]; !known {
		b.lives = append(b.lives, r.Process)
	}
	if _, known := b.home[r.Process]; !known {
		b.home[r.Process] = r.Node
	}
	c := b.name(r.Name)
	if c.believes(r.Process) {
		return
	}
	c.beliefs = append(c.beliefs, belief{r.Process, b.home[r.Process], r.At, r.At - 1, "", r.Type == history.Ok})
	b.holds[r.Process] = append(b.holds[r.Process], r.Name)
}

func (b *believers) ended(process string, at int64, why string) {
	for _, name := range b.holds[process] {
		b.by[name].finish(process, at, why)
	}
	delete(b.holds, process)
	b.lives = slices.DeleteFunc(b.lives, func(p string) bool { return p == process })
}

// believes says whether a process has an open belief.
func (c *contested) believes(process string) bool {
	return slices.ContainsFunc(c.beliefs, func(l belief) bool { return l.process == process && l.to < l.from })
}

// finish ends the open beliefs of a process. A belief is open while its to lies
// before its from.
func (c *contested) finish(process string, at int64, why string) {
	for i := range c.beliefs {
		if l := &c.beliefs[i]; l.process == process && l.to < l.from {
			l.to, l.end = at, why
		}
	}
}

// close ends what is still open with the run and adds up how long the name had
// more than one believer.
func (c *contested) close(end int64) {
	type edge struct {
		at   int64
		step int
	}
	var edges []edge
	for i := range c.beliefs {
		l := &c.beliefs[i]
		if l.to < l.from {
			l.to = end
		}
		if l.sure {
			edges = append(edges, edge{l.from, 1}, edge{l.to, -1})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step))
	})
	held := 0
	for i, e := range edges {
		held += e.step
		if held > 1 && i+1 < len(edges) {
			c.overlap += edges[i+1].at - e.at
		}
	}
}

func (c *contested) setProcesses() {
	for _, b := range c.beliefs {
		c.process(b.process)
	}
	for _, t := range c.told {
		c.process(t.process)
		c.process(t.winner)
	}
}

// process returns the number of a process of the name; a process that was not
// seen before gets the next one.
func (c *contested) process(id string) int {
	if id == "" {
		return nobody
	}
	n := slices.Index(c.processes, id)
	if n < 0 {
		n = len(c.processes)
		c.processes = append(c.processes, id)
	}
	return n
}

// fillLanes reads which process each node named, from all that nodes told.
func fillLanes(m *model, all []*contested) {
	by := map[string]*contested{}
	for _, c := range all {
		by[c.name] = c
	}
	for i := range m.run.History.Records {
		r := &m.run.History.Records[i]
		lane, known := m.lane[r.Node]
		if !known {
			continue
		}
		switch {
		case r.F == history.NodeDown:
			for _, c := range all {
				c.see(lane, r.At, "")
			}
		case r.F == history.Snapshot, r.F == history.View && r.Type == history.Ok:
			for _, c := range all {
				c.see(lane, r.At, r.Names[c.name].Process)
			}
		case r.F == history.Event && r.Kind != "group" && by[r.Key] != nil:
			holder := ""
			if r.New != nil {
				holder = r.New.Process
			}
			by[r.Key].see(lane, r.At, holder)
		case by[r.Name] == nil:
		case r.F == history.Lookup && r.Type == history.Ok:
			by[r.Name].see(lane, r.At, r.Holder)
		case r.F == history.Conflict:
			by[r.Name].see(lane, r.At, r.Winner)
		case (r.F == history.Register || r.F == history.Reregister) && r.Type == history.Ok:
			by[r.Name].see(lane, r.At, r.Process)
		}
	}
}

func (c *contested) see(lane int, at int64, holder string) {
	p, l := c.process(holder), c.lanes[lane]
	if n := len(l); n > 0 && l[n-1].process == p || n == 0 && p == nobody {
		return
	}
	c.lanes[lane] = append(l, named{at, p})
}

// sentence says who believed, and for how long.
func (b *belief) sentence(end int64) string {
	words := []string{b.process}
	if b.node != "" {
		words = append(words, "on", b.node)
	}
	words = append(words, "from", clock(b.from), "to")
	switch {
	case b.end != "":
		words = append(words, clock(b.to)+":", b.end)
	case b.to >= end:
		words = append(words, "the end")
	}
	if !b.sure {
		words = append(words, "(nobody knows whether it registered)")
	}
	return strings.Join(words, " ")
}

// sentence says who was told what.
func (t *notice) sentence() string {
	s := clock(t.at) + " " + t.process + " was told that it lost"
	if t.winner != "" {
		s += " to " + t.winner
	}
	if t.reason != "" {
		s += ": " + t.reason
	}
	return s
}
