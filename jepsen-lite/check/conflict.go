package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
	"github.com/rollcall-dev/rollcall/resolve"
)

// claimID identifies a claim for ever: the event that made it, or the process
// when the record does not tell that.
func claimID(c *history.Claim) string {
	if c.Seq == 0 {
		return c.Process
	}
	return fmt.Sprintf("%s@%d:%d", c.Node, c.Epoch, c.Seq)
}

// isVerdict reports whether a record tells of the outcome of a conflict.
func isVerdict(r *history.Record) bool {
	return (r.F == history.Lost || r.F == history.Conflict) && len(r.Claims) > 1
}

// better is that one claim to a name beat another one.
type better struct{ name, winner, loser string }

func sameWinner(x *index, f *finder) {
	f.idle = "no conflict was recorded with its claims"
	beats := map[better]int{}
	sets := map[string]int{} // by name and claims: the first record that judged them
	for i := range x.recs {
		r := &x.recs[i]
		if !isVerdict(r) || isReregistered(r.Reason) && r.Winner == "" {
			continue
		}
		f.judge()
		if first, ok := x.sameSet(sets, i, r); ok && (x.recs[first].Winner == "") != (r.Winner == "") {
			f.found(i, "name %s: %s says that %s won (%s), but of the same claims %s said that %s did (%s)",
				r.Name, r.Node, orNobody(r.Winner), x.at(i), x.recs[first].Node, orNobody(x.recs[first].Winner), x.at(first))
			continue
		}
		x.contradicts(f, beats, i, r)
	}
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// sameSet returns the first record that judged the same claims.
func (x *index) sameSet(sets map[string]int, i int, r *history.Record) (first int, ok bool) {
	if isReregistered(r.Reason) {
		return 0, false
	}
	ids := make([]string, len(r.Claims))
	for j := range r.Claims {
		ids[j] = claimID(&r.Claims[j])
	}
	slices.Sort(ids)
	set := r.Name + "\x00" + strings.Join(ids, "\x00")
	if first, ok = sets[set]; !ok {
		sets[set] = i
	}
	return first, ok
}

// contradicts notes whom the winner beat, and looks for a record that said the
// opposite of the same two claims.
func (x *index) contradicts(f *finder, beats map[better]int, i int, r *history.Record) {
	w := slices.IndexFunc(r.Claims, func(c history.Claim) bool { return c.Process == r.Winner })
	if w < 0 {
		return
	}
	winner := claimID(&r.Claims[w])
	told := false
	for j := range r.Claims {
		loser := claimID(&r.Claims[j])
		if loser == winner {
			continue
		}
		if first, ok := beats[better{r.Name, loser, winner}]; ok && !told {
			told = true
			f.found(i, "name %s: %s says that %s beat %s (%s), but %s said the opposite of the same claims (%s)",
				r.Name, r.Node, r.Winner, r.Claims[j].Process, x.at(i), x.recs[first].Node, x.at(first))
		}
		if _, ok := beats[better{r.Name, winner, loser}]; !ok {
			beats[better{r.Name, winner, loser}] = i
		}
	}
}

func rightWinner(x *index, f *finder) {
	f.idle = "no conflict was recorded with its claims"
	if x.policyErr != nil {
		f.lacks("the policy has no text form: %v", x.policyErr)
		return
	}
	for i := range x.recs {
		r := &x.recs[i]
		if !isVerdict(r) || isReregistered(r.Reason) {
			continue
		}
		f.judge()
		x.judgeAgain(f, i, r)
		x.births(f, i, r)
		x.superseded(f, i, r)
	}
}

// judgeAgain applies the policy to the claims of a record.
func (x *index) judgeAgain(f *finder, i int, r *history.Record) {
	claims := make([]resolve.Claim, len(r.Claims))
	for j := range r.Claims {
		claims[j] = claimOf(r.Name, j, &r.Claims[j])
	}
	v := resolve.Judge(x.policy, claims)
	want := ""
	if v.Outcome == resolve.Held {
		want = r.Claims[v.Winner].Process
	}
	if want != r.Winner {
		f.found(i, "name %s: %s says that %s won (%s), but of these claims %s wins by %s",
			r.Name, r.Node, orNobody(r.Winner), x.at(i), orNobody(want), x.policy.Name())
		return
	}
	if r.Rule != "" && r.Rule != x.policy.Name() {
		f.found(i, "name %s: %s decided by the rule %q (%s), but the policy is %q", r.Name, r.Node, r.Rule, x.at(i), x.policy.Name())
	}
}

// claimOf returns a recorded claim as a policy sees it.
func claimOf(name string, place int, c *history.Claim) resolve.Claim {
	born := crdt.Dot{Replica: crdt.Replica{Node: c.Node, Epoch: c.Epoch}, Seq: c.Seq}
	return resolve.Claim{
		Name: name, Dot: born, Born: born, Birth: crdt.Stamp(c.Birth), Priority: c.Priority, Seen: c.Seen, Label: c.Label,
		Holder: resolve.PID{Node: c.Node, Epoch: c.Epoch, Serial: uint64(place + 1)},
	}
}

// births wants that claims were judged with the births that their processes were
// told of as fences.
func (x *index) births(f *finder, i int, r *history.Record) {
	k, known := x.keyIDs[key{false, r.Name}]
	if !known {
		return
	}
	for j := range r.Claims {
		c := &r.Claims[j]
		p := x.pairOf(k, x.procIDOf(c.Process))
		if c.Birth == 0 || p == none || !x.pairs[p].whole || len(x.pairs[p].fences) == 0 {
			continue
		}
		if !x.pairs[p].given(c.Birth) {
			f.found(i, "name %s: %s judged the claim of %s with the birth %d (%s), but it was given %v",
				r.Name, r.Node, c.Process, c.Birth, x.at(i), last(x.pairs[p].fences, 8))
			return
		}
	}
}

// superseded wants that no claim beats a re-registration that replaced it: one that
// was made on a node that must have known the claim.
func (x *index) superseded(f *finder, i int, r *history.Record) {
	k, known := x.keyIDs[key{false, r.Name}]
	if !known {
		return
	}
	p := x.pairOf(k, x.procIDOf(r.Winner))
	w := x.standing(p, i)
	if w == nil {
		return
	}
	for j := range r.Claims {
		l := x.pairOf(k, x.procIDOf(r.Claims[j].Process))
		if l == none || l == p {
			continue
		}
		o := x.latestClaim(l, i)
		if o == nil || o.f != history.Reregister || !o.sure() || w.sure >= o.invoke {
			continue
		}
		id := x.windowAt(o.run, o.invoke, o.done)
		again := x.latestClaim(p, i)
		if id == none || !x.windows[id].has(w.run) || again != nil && again.invoke > o.invoke ||
			x.shares(o.run, w.run, w.sureAt) > o.at {
			continue
		}
		f.found(i, "name %s: %s says that %s beat %s (%s), which had replaced it by a re-registration at %s",
			r.Name, r.Node, r.Winner, r.Claims[j].Process, x.at(i), x.at(o.invoke))
		return
	}
}

// latestClaim returns the registration of a pair that was invoked last before a
// record and may have happened, or nil.
func (x *index) latestClaim(p int32, before int) *op {
	w := x.pairs[p].writes
	for i := len(w) - 1; i >= 0; i-- {
		if o := &x.ops[w[i]]; o.f != history.Update && o.invoke < before {
			return o
		}
	}
	return nil
}

// last returns the last n of a list, or all when there are fewer.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

func losersToldOnce(x *index, f *finder) {
	f.idle = "nobody was told of a loss, and no conflict that somebody must have been told of was recorded"
	for _, i := range x.stray {
		r := &x.recs[i]
		f.found(i, "name %s: %s was told that it lost (%s), but it never claimed the name", r.Name, r.Process, x.at(i))
	}
	for i := range x.stints {
		s := &x.stints[i]
		if len(s.losses) > 0 {
			x.toldOnce(f, s)
		}
		if len(s.rivals) > 0 {
			x.toldOfRivals(f, s)
		}
	}
	for i := range x.recs {
		if r := &x.recs[i]; (r.F == history.Lost || r.F == history.Conflict) && !isContested(r.Reason) && r.Winner != "" {
			x.othersTold(f, i, r)
		}
	}
	if x.keep {
		x.rivalsTold(f)
		return
	}
	x.losersShown(f)
}

// toldOnce holds what a process was told of one claim.
func (x *index) toldOnce(f *finder, s *stint) {
	for n, l := range s.losses {
		i, r := int(l), &x.recs[l]
		f.judge()
		switch named := slices.ContainsFunc(r.Claims, func(c history.Claim) bool { return c.Process == r.Process }); {
		case n > 0:
			f.found(i, "name %s: %s was told again that it lost (%s); it had been told at %s",
				r.Name, r.Process, x.at(i), x.at(int(s.losses[0])))
		case x.strange(i, s):
			f.found(i, "name %s: %s runs on %s, but %s told it that it lost (%s)",
				r.Name, r.Process, x.runName(s.run), r.Node, x.at(i))
		case r.Winner == r.Process:
			f.found(i, "name %s: %s was told that it lost to itself (%s)", r.Name, r.Process, x.at(i))
		case len(r.Claims) > 0 && !named:
			f.found(i, "name %s: %s was told that it lost (%s) a conflict that it was not in", r.Name, r.Process, x.at(i))
		case s.how == given && s.overAt != forever && s.over < i:
			f.found(i, "name %s: %s was told that it lost (%s), but it had given the name up at %s", r.Name, r.Process, x.at(i), x.at(s.over))
		}
	}
}

// strange reports whether a record is of another run than that of a stint.
func (x *index) strange(record int, s *stint) bool {
	r := &x.recs[record]
	if r.Node == "" || s.run == none {
		return false
	}
	return int(x.runAt[record]) != s.run
}

// toldOfRivals wants that each Contested notice tells of a rival that the earlier
// ones did not.
func (x *index) toldOfRivals(f *finder, s *stint) {
	known := map[string]bool{}
	for _, l := range s.rivals {
		i, r := int(l), &x.recs[l]
		f.judge()
		if x.strange(i, s) {
			f.found(i, "name %s: %s runs on %s, but %s told it of its rivals (%s)", r.Name, r.Process, x.runName(s.run), r.Node, x.at(i))
			continue
		}
		news := false
		for j := range r.Claims {
			c := &r.Claims[j]
			if c.Process == r.Process {
				continue
			}
			id := claimID(c)
			about := x.procIDOf(c.Process)
			if known[id] && about != none && x.forgotten(s.run, x.procs[about].run, int(s.rivals[0]), i) {
				known[id] = false
			}
			news = news || !known[id]
			known[id] = true
		}
		if !news && len(r.Claims) > 0 {
			f.found(i, "name %s: %s was told of its rivals (%s), but of each of them it had been told before", r.Name, r.Process, x.at(i))
		}
	}
}

// othersTold wants that the other losers of a conflict that one node knows of are
// told too: within the bound, when their node and the winner's are in one
// component with it and both claims last.
func (x *index) othersTold(f *finder, i int, r *history.Record) {
	k, known := x.keyIDs[key{false, r.Name}]
	id := x.windowAt(int(x.runAt[i]), i, i)
	if !known || id == none {
		return
	}
	w := &x.windows[id]
	by := max(r.At, w.due) + x.bound
	if by > min(w.toAt-1, x.lastAt) {
		return
	}
	winner := x.standing(x.pairOf(k, x.procIDOf(r.Winner)), i)
	if winner == nil || winner.quitAt <= by || !w.has(winner.run) {
		return
	}
	for j := range r.Claims {
		c := &r.Claims[j]
		if c.Process == r.Winner {
			continue
		}
		s := x.standing(x.pairOf(k, x.procIDOf(c.Process)), i)
		if s == nil || !w.has(s.run) {
			continue
		}
		f.judge()
		if s.quitAt > by {
			f.found(i, "name %s: %s lost to %s (%s), but by %s, the bound after that, it had not been told and still believed",
				r.Name, c.Process, r.Winner, x.at(i), when(by))
		}
	}
}

// standing returns the stint of a pair that certainly is at a record, or nil.
func (x *index) standing(p int32, at int) *stint {
	if p == none {
		return nil
	}
	for _, id := range x.pairs[p].stints {
		if s := &x.stints[id]; s.sure != none && s.sure <= at && s.quit > at && s.run != none {
			return s
		}
	}
	return nil
}

// rivalsTold wants, where all claims are kept, that each of two claimants that
// were in one component for the bound has been told of the other.
func (x *index) rivalsTold(f *finder) {
	for k := range x.keys {
		if x.keys[k].group {
			continue
		}
		x.overlaps(k, func(a, b *stint) {
			x.meetings(a, b, func(window int, from int64) bool {
				f.judge()
				x.toldOf(f, a, b, from)
				x.toldOf(f, b, a, from)
				return true
			})
		})
	}
}

func (x *index) toldOf(f *finder, s, rival *stint, by int64) {
	for _, l := range s.rivals {
		for j := range x.recs[l].Claims {
			if x.recs[l].Claims[j].Process == x.procName(rival.proc) {
				return
			}
		}
	}
	f.found(x.recordAt(by), "%s: by %s %s had not been told of its rival %s, though both claims had stood in one component for the bound",
		x.keys[s.key], when(by), x.procName(s.proc), x.procName(rival.proc))
}

// losersShown looks for believers of whom their component shows, after the bound,
// that they have lost, without their having been told.
func (x *index) losersShown(f *finder) {
	for k := range x.keys {
		if x.keys[k].group {
			continue
		}
		x.overlaps(k, func(a, b *stint) {
			x.meetings(a, b, func(window int, from int64) bool {
				until := min(a.quit, b.quit)
				for _, v := range x.viewsW[window] {
					r := &x.reads[v]
					if r.at < from || r.done >= until || !r.covers(k) {
						continue
					}
					loser := a
					switch rows := r.of(k); {
					case len(rows) == 0 || int(rows[0].proc) != a.proc && int(rows[0].proc) != b.proc:
						continue
					case int(rows[0].proc) == a.proc:
						loser = b
					}
					f.found(r.done, "%s: %s shows %s (%s), but the loser, %s on %s, has not been told",
						x.keys[k], x.runName(r.run), x.shows(r.of(k)), x.at(r.done), x.procName(loser.proc), x.runName(loser.run))
					return true
				}
				return false
			})
		})
	}
}
