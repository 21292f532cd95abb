package crdt_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-dev/rollcall/crdt"
)

// Two replicas work apart: one removes a member, the other adds it again. The
// removal covers only the addition that its maker had seen.
func ExampleORSet() {
	berlin := crdt.NewORSet[string](crdt.Replica{Node: "berlin", Epoch: 1})
	tokyo := crdt.NewORSet[string](crdt.Replica{Node: "tokyo", Epoch: 1})
	berlin.Add("alice")
	berlin.Add("bob")
	tokyo.Merge(berlin.State())

	// The network is cut.
	removed := tokyo.Clear()
	added := berlin.Add("alice")

	// It heals.
	fmt.Println("berlin:", berlin.Merge(removed))
	fmt.Println("tokyo: ", tokyo.Merge(added))
	fmt.Println(slices.Collect(berlin.All()), slices.Collect(tokyo.All()), berlin.Equal(tokyo))
	// Output:
	// berlin: {[] [bob]}
	// tokyo:  {[alice] []}
	// [alice] [alice] true
}

// The delta of a removal has no addition. Its context is what is removed.
func ExampleORSet_Remove() {
	set := crdt.NewORSet[string](crdt.Replica{Node: "a", Epoch: 1})
	set.Add("x")
	set.Add("y")
	delta := set.Remove("x")
	fmt.Println(delta.Len(), delta.Context())
	fmt.Println(set.Remove("nobody").IsEmpty())
	// Output:
	// 0 {a@1:1}
	// true
}

// Merge tells what changed, once.
func ExampleORSet_Merge() {
	a := crdt.NewORSet[string](crdt.Replica{Node: "a", Epoch: 1})
	b := crdt.NewORSet[string](crdt.Replica{Node: "b", Epoch: 1})
	delta := a.Add("x")
	change := b.Merge(delta)
	fmt.Println(change.Added, change.Removed)
	fmt.Println(b.Merge(delta).IsEmpty())
	fmt.Println(b.Merge(a.Add("x")).IsEmpty(), "- x was there already")
	// Output:
	// [x] []
	// true
	// true - x was there already
}

// A sender that batches joins deltas: what was added and removed meanwhile is
// not sent at all, only that it was seen.
func ExampleDelta_Join() {
	set := crdt.NewORSet[string](crdt.Replica{Node: "a", Epoch: 1})
	batch := set.Add("x")
	batch = batch.Join(set.Add("y"))
	batch = batch.Join(set.Remove("x"))
	for dot, element := range batch.All() {
		fmt.Println(element, "at", dot)
	}
	fmt.Println("speaks of", batch.Context())
	// Output:
	// y at a@1:2
	// speaks of {a@1:1-2}
}

// A context keeps the gap that a late dot leaves, and is compact without it.
func ExampleContext() {
	a := crdt.Replica{Node: "a", Epoch: 1}
	var seen crdt.Context
	seen.Add(crdt.Dot{Replica: a, Seq: 1})
	seen.Add(crdt.Dot{Replica: a, Seq: 3})
	fmt.Println(seen.String(), "version", seen.Version(a), "size", seen.Size(), "next", seen.Next(a))
	seen.Add(crdt.Dot{Replica: a, Seq: 2})
	fmt.Println(seen.String(), "version", seen.Version(a), "size", seen.Size(), "next", seen.Next(a))
	// Output:
	// {a@1:1,3} version 1 size 2 next a@1:4
	// {a@1:1-3} version 3 size 1 next a@1:4
}

func ExampleContext_All() {
	var seen crdt.Context
	seen.AddRange(crdt.Replica{Node: "b", Epoch: 7}, 1, 4)
	seen.AddRange(crdt.Replica{Node: "a", Epoch: 1}, 1, 2)
	seen.AddRange(crdt.Replica{Node: "a", Epoch: 1}, 6, 9)
	for replica, run := range seen.All() {
		fmt.Println(replica, run.Lo, run.Hi)
	}
	// Output:
	// a@1 1 2
	// a@1 6 9
	// b@7 1 4
}

// Of two assignments at the same stamp the dot decides, on every replica alike.
func ExampleLWWRegister() {
	at := crdt.StampAt(1_000, 0)
	var here, there crdt.LWWRegister[string]
	fromHere, _ := here.Set("red", at, crdt.Dot{Replica: crdt.Replica{Node: "a", Epoch: 1}, Seq: 1})
	fromThere, _ := there.Set("blue", at, crdt.Dot{Replica: crdt.Replica{Node: "b", Epoch: 1}, Seq: 1})

	was, changed := here.Merge(fromThere)
	fmt.Println(here.Value, changed, "was", was.Value)
	_, changed = there.Merge(fromHere)
	fmt.Println(there.Value, changed)
	// Output:
	// blue true was red
	// blue false
}

func ExamplePNCounter() {
	a := crdt.NewPNCounter(crdt.Replica{Node: "a", Epoch: 1})
	b := crdt.NewPNCounter(crdt.Replica{Node: "b", Epoch: 1})
	if _, err := a.Add(5); err != nil {
		fmt.Println(err)
	}
	delta, err := b.Add(-2)
	if err != nil {
		fmt.Println(err)
	}
	by, _ := a.Merge(delta)
	fmt.Println(a.Value(), by)
	_, changed := a.Merge(delta) // comes twice
	fmt.Println(a.Value(), changed)
	// Output:
	// 3 -2
	// 3 false
}

// A stamp from a node whose clock runs ahead is observed, so that what happens
// here afterwards has a higher stamp. The stamps go on from there until time has
// caught up.
func ExampleClock() {
	clock, err := crdt.NewClock(crdt.ClockConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	reading := crdt.Reading{Wall: 1_000 * int64(time.Millisecond)}
	fmt.Println(clock.Now(reading))
	fmt.Println(clock.Now(reading))
	if err := clock.Observe(reading, crdt.StampAt(5_000, 0)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(clock.Now(reading))
	fmt.Println(errors.Is(clock.Observe(reading, crdt.MaxStamp+1), crdt.ErrStamp))
	// Output:
	// 1000.0
	// 1000.1
	// 5000.1
	// true
}

// Somebody sets the wall clock back by an hour. The stamps do not notice.
func ExampleClock_Step() {
	clock, err := crdt.NewClock(crdt.ClockConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	const hour, second = int64(time.Hour), int64(time.Second)
	fmt.Println(clock.Now(crdt.Reading{Wall: 2 * hour, Mono: 0}))
	fmt.Println(clock.Now(crdt.Reading{Wall: hour + second, Mono: second}))
	fmt.Println(clock.Step())
	fmt.Println(clock.Step())
	// Output:
	// 7200000.0
	// 7201000.0
	// -1h0m0s true
	// 0s false
}

// A node joins with a clock that is ten minutes ahead, and corrects it before it
// makes its first stamp.
func ExampleClock_Adjust() {
	clock, err := crdt.NewClock(crdt.ClockConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	reading := crdt.Reading{Wall: int64(20 * time.Minute)}
	cluster := int64(10 * time.Minute)
	fmt.Println(clock.Adjust(reading, cluster))
	fmt.Println(clock.Now(reading), clock.Offset())
	// Output:
	// -10m0s true
	// 600000.0 -10m0s
}

func ExampleDot() {
	first := crdt.Dot{Replica: crdt.Replica{Node: "a", Epoch: 1}, Seq: 10}
	restarted := crdt.Dot{Replica: crdt.Replica{Node: "a", Epoch: 2}, Seq: 1}
	fmt.Println(first, restarted, first.Compare(restarted))
	// Output: a@1:10 a@2:1 -1
}

func ExampleStamp() {
	s := crdt.StampAt(1_500, 3)
	fmt.Println(s, s.Millis(), s.Logic(), s.Time().Format(time.RFC3339Nano))
	// Output: 1500.3 1500 3 1970-01-01T00:00:01.5Z
}
