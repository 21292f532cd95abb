package propertytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// law is something that every replicated data type owes.
type law[S, Op, D any] struct {
	name, text string
	needs      bool // the type has what the law is about
	check      func(ty *Type[S, Op, D], h past[Op]) string
}

// laws returns the laws in the order in which they are checked. Each check replays
// a history and returns what is wrong; "" when nothing is.
func (ty *Type[S, Op, D]) laws() []law[S, Op, D] {
	deltas, codec := ty.MergeDelta != nil, ty.Encode != nil && ty.Decode != nil
	return []law[S, Op, D]{
		{"Idempotent", "a state merged into itself stays as it is", true, idempotent[S, Op, D]},
		{"Commutative", "of two states it does not matter which is merged into which", true, commutative[S, Op, D]},
		{"Associative", "of three states it does not matter which two are merged first", true, associative[S, Op, D]},
		{"Inflationary", "an operation loses nothing that was there: merging the state before it changes nothing",
			true, inflationary[S, Op, D]},
		{"DeltaEqualsApply", "merging an operation's delta does what the operation did", deltas, deltaEqualsApply[S, Op, D]},
		{"DeltaReorder", "deltas may come in any order", deltas, deltaReorder[S, Op, D]},
		{"DeltaDup", "a delta may come again, also much later", deltas, deltaDup[S, Op, D]},
		{"DeltaLostThenState", "a state makes up for any deltas that were lost", deltas, deltaLost[S, Op, D]},
		{"FullVsDelta", "all deltas say what all states say", deltas, fullVsDelta[S, Op, D]},
		{"CodecRoundTrip", "a state that is encoded and decoded is the same, and goes on the same", codec, roundTrip[S, Op, D]},
		{"DecodeGarbage", "what Encode never made is refused or harmless, and never a panic", codec, garbage[S, Op, D]},
		{"ModelEqual", "every replica shows what the model shows", ty.Model != nil && ty.Value != nil, modelEqual[S, Op, D]},
		{"NoAliasing", "nothing that is done with a state or a delta changes another one", true, noAliasing[S, Op, D]},
		{"Converges", "replicas that were cut off agree once they have merged each other", true, converges[S, Op, D]},
	}
}

// Laws holds a user's own replicated data type against the laws of convergent
// types, each in a subtest of its name. A law about something that the type does
// not have, such as a codec, is left out.
//
// States are made by random histories on replicas with unique names, through a
// network that loses, repeats and reorders deltas and falls apart; so they are the
// states that can be reached. A failure prints the shortest history that was found.
// The histories are the same in every run; -rapid.checks makes more of them, and
// -rapid.seed others.
func Laws[S, Op, D any](t *testing.T, ty Type[S, Op, D]) {
	t.Helper()
	if name := ty.missing(); name != "" {
		t.Fatalf("propertytest: Type.%s is nil", name)
	}
	for _, l := range ty.laws() {
		if !l.needs {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			if f := l.search(&ty); f != nil {
				t.Fatal(f.Error())
			}
		})
	}
}

// CheckLaws is as Laws without a test: it returns the laws that are broken.
func CheckLaws[S, Op, D any](ty Type[S, Op, D]) []*Finding {
	if name := ty.missing(); name != "" {
		return []*Finding{{Law: "Complete", Text: "the required functions are there", Seen: "Type." + name + " is nil"}}
	}
	var found []*Finding
	for _, l := range ty.laws() {
		if !l.needs {
			continue
		}
		if f := l.search(&ty); f != nil {
			found = append(found, f)
		}
	}
	return found
}

// LawsProperty returns a property for rapid.Check and, through rapid.MakeFuzz, for
// a fuzz target: it draws a history and holds it against all laws.
func LawsProperty[S, Op, D any](ty Type[S, Op, D]) func(*rapid.T) {
	return func(t *rapid.T) {
		h := drawHistory(t, &ty)
		for _, l := range ty.laws() {
			if l.needs && l.fails(&ty, h) != "" {
				t.Fatal(l.finding(&ty, h).Error())
			}
		}
	}
}

// histories is how many histories a law is held against when checks is 100.
const histories = 400

func (l law[S, Op, D]) search(ty *Type[S, Op, D]) *Finding {
	gen := rapid.Custom(func(t *rapid.T) past[Op] { return drawHistory(t, ty) })
	for seed := range cases(histories) {
		if h := seeded(gen, seed); l.fails(ty, h) != "" {
			return l.finding(ty, h)
		}
	}
	return nil
}

func (l law[S, Op, D]) fails(ty *Type[S, Op, D], h past[Op]) string {
	return guarded(func() string { return l.check(ty, h) })
}

// finding shrinks a history that breaks the law.
func (l law[S, Op, D]) finding(ty *Type[S, Op, D], h past[Op]) *Finding {
	h = h.shrink(func(h past[Op]) bool { return l.fails(ty, h) != "" })
	return &Finding{Law: l.name, Text: l.text, Story: h.lines(), Seen: l.fails(ty, h)}
}

// differ returns a sentence when two states that should be equal are not.
func differ[S, Op, D any](ty *Type[S, Op, D], what string, got S, than string, want S) string {
	if ty.Equal(got, want) {
		return ""
	}
	return fmt.Sprintf("%s shows %s; %s shows %s", what, ty.show(got), than, ty.show(want))
}

func idempotent[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, s := range w.states {
		name := replicaName(i)
		if seen := differ(ty, name+" merged into itself", ty.Merge(s, s), name, s); seen != "" {
			return seen
		}
	}
	return ""
}

func commutative[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, a := range w.states {
		for j, b := range w.states[:i] {
			x, y := replicaName(i), replicaName(j)
			if seen := differ(ty, y+" merged into "+x, ty.Merge(a, b), x+" merged into "+y, ty.Merge(b, a)); seen != "" {
				return seen
			}
		}
	}
	return ""
}

func associative[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, a := range w.states {
		for j, b := range w.states {
			for k, c := range w.states {
				left, right := ty.Merge(ty.Merge(a, b), c), ty.Merge(a, ty.Merge(b, c))
				x, y, z := replicaName(i), replicaName(j), replicaName(k)
				seen := differ(ty, fmt.Sprintf("(%s+%s)+%s", x, y, z), left, fmt.Sprintf("%s+(%s+%s)", x, y, z), right)
				if seen != "" {
					return seen
				}
			}
		}
	}
	return ""
}

// eachStep replays a history and looks at the replica of every operation before
// and after it.
func eachStep[S, Op, D any](ty *Type[S, Op, D], h past[Op], look func(before, after S, d D) string) string {
	w := newWorld(ty, h.replicas)
	for _, s := range h.steps {
		before := w.states[s.to]
		w.play(s)
		if s.do != operate {
			continue
		}
		if seen := look(before, w.states[s.to], w.deltas[s.id]); seen != "" {
			return seen
		}
	}
	return ""
}

func inflationary[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	return eachStep(ty, h, func(before, after S, _ D) string {
		return differ(ty, "the state after the last operation, with the one before it merged in,",
			ty.Merge(after, before), "the operation alone", after)
	})
}

func deltaEqualsApply[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	return eachStep(ty, h, func(before, after S, d D) string {
		got, err := ty.MergeDelta(before, d)
		if err != nil {
			return fmt.Sprintf("the delta of the last operation is refused where it was made: %v", err)
		}
		return differ(ty, "the delta", got, "the operation", after)
	})
}

// feed gives a replica that has seen nothing deltas in an order. What it refuses
// comes again, until nothing more is taken.
func (w *world[S, Op, D]) feed(name string, order []int) S {
	s := w.ty.New(name)
	for taken := true; taken && len(order) > 0; {
		taken = false
		var refused []int
		for _, id := range order {
			next, err := w.ty.MergeDelta(s, w.deltas[id])
			if err != nil {
				refused = append(refused, id)
				continue
			}
			s, taken = next, true
		}
		order = refused
	}
	return s
}

// orders returns some orders of the operations: backward, and some drawn from a
// seed that is always the same.
func orders(ids []int) [][]int {
	back := slices.Clone(ids)
	slices.Reverse(back)
	all := [][]int{back}
	rng := rand.New(rand.NewPCG(uint64(len(ids)), 7))
	for range 3 {
		mixed := slices.Clone(ids)
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		all = append(all, mixed)
	}
	return all
}

func deltaReorder[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	want := w.feed("y", w.ids())
	for _, order := range orders(w.ids()) {
		seen := differ(ty, "a reader that gets the deltas "+h.naming(order), w.feed("z", order), "one that gets them in order", want)
		if seen != "" {
			return seen
		}
	}
	return ""
}

func deltaDup[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	ids := w.ids()
	once, twice := w.feed("y", ids), w.feed("z", slices.Concat(ids, ids))
	if seen := differ(ty, "a reader that gets all deltas twice", twice, "one that gets them once", once); seen != "" {
		return seen
	}
	for i, s := range w.states {
		for _, e := range w.visible(i) {
			next, err := ty.MergeDelta(s, w.deltas[e.ID])
			if err != nil {
				continue
			}
			if seen := differ(ty, replicaName(i)+" with a delta that it has seen", next, replicaName(i), s); seen != "" {
				return seen
			}
		}
	}
	return ""
}

// whole returns all states merged into a replica that has seen nothing.
func (w *world[S, Op, D]) whole(s S) S {
	for _, o := range w.states {
		s = w.ty.Merge(s, o)
	}
	return s
}

func deltaLost[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	want := w.whole(ty.New("y"))
	for skip := range 3 {
		var got []int
		for i, id := range w.ids() {
			if i%3 != skip {
				got = append(got, id)
			}
		}
		seen := differ(ty, "a reader that missed deltas and then merged every state", w.whole(w.feed("z", got)),
			"one that merged the states", want)
		if seen != "" {
			return seen
		}
	}
	return ""
}

func fullVsDelta[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	return differ(ty, "a reader that got all deltas", w.feed("z", w.ids()), "one that merged all states", w.whole(ty.New("y")))
}

func modelEqual[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for i, s := range w.states {
		got, want := fmt.Sprintf("%+v", ty.Value(s)), fmt.Sprintf("%+v", ty.Model(w.visible(i)))
		if got != want {
			return fmt.Sprintf("%s shows %s; the model shows %s", replicaName(i), got, want)
		}
	}
	return ""
}

// converges lets all replicas merge all, twice, and wants them equal and what the
// model says.
func converges[S, Op, D any](ty *Type[S, Op, D], h past[Op]) string {
	w := replay(ty, h)
	for range 2 {
		for to := range w.states {
			for from := range w.states {
				w.play(step[Op]{do: join, to: to, from: from})
			}
		}
	}
	for i, s := range w.states[1:] {
		if seen := differ(ty, "in the end "+replicaName(i+1), s, replicaName(0), w.states[0]); seen != "" {
			return seen
		}
	}
	if ty.Model == nil || ty.Value == nil {
		return ""
	}
	got, want := ty.show(w.states[0]), fmt.Sprintf("%+v", ty.Model(w.events))
	if got != want {
		return fmt.Sprintf("in the end all show %s; the model shows %s", got, want)
	}
	return ""
}
