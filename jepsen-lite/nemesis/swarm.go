package nemesis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
)

// ErrProfile is wrapped by the error of ParseProfile.
var ErrProfile = errors.New("nemesis: unknown profile")

// Profile says which kinds of faults a generated scenario may have.
type Profile string

// The profiles.
const (
	// Mixed draws from all kinds of faults; each seed has only some of them. One
	// seed in lastingOneIn has a lasting schedule.
	Mixed Profile = "mixed"
	// Quiet has no faults at all.
	Quiet Profile = "quiet"
	// Partitions cuts links in all shapes and lets nodes suspect each other.
	Partitions Profile = "partitions"
	// Crashes kills, stops, starts and pauses nodes, and lets new ones join.
	Crashes Profile = "crashes"
	// Clocks lets wall clocks jump and clocks run fast, beside cuts and kills.
	Clocks Profile = "clocks"
	// Lossy loses, repeats, reorders, delays, holds and replays frames, beside cuts.
	Lossy Profile = "lossy"
	// Lasting has few faults that last: a bridge, a ring, a line, a star, a split,
	// each for half a minute, and few operations between long quiet times. What is
	// promised only for the time after a bound is put to the test here.
	Lasting Profile = "lasting"
)

// Profiles returns all profiles, the default first.
func Profiles() []Profile {
	return []Profile{Mixed, Quiet, Partitions, Crashes, Clocks, Lossy, Lasting}
}

// ParseProfile returns the profile of a name. Its error wraps ErrProfile and
// lists the profiles there are.
func ParseProfile(name string) (Profile, error) {
	if p := Profile(name); slices.Contains(Profiles(), p) {
		return p, nil
	}
	return "", fmt.Errorf("%w: %q; there are %v", ErrProfile, name, Profiles())
}

// Limits of what is generated.
const (
	// MaxNodes is the highest number of nodes that a scenario begins with.
	MaxNodes = 7
	// MaxLate is the highest number of nodes that join later.
	MaxLate = 2
	// lastingOneIn is how many seeds of Mixed there are for each with a lasting
	// schedule.
	lastingOneIn = 4
)

// Options are what a caller may decide about a generated scenario.
type Options struct {
	// Profile is the kinds of faults; default Mixed.
	Profile Profile
	// Nodes is the number of nodes at the beginning, from 1 to MaxNodes; default
	// drawn from 2 to MaxNodes.
	Nodes int
}

// Swarm is what a seed draws before anything else: how large the cluster is, how
// the network behaves, and which kinds of trouble there are at all. A run in which
// most kinds are absent finds what a run with everything at once hides.
type Swarm struct {
	Profile    Profile
	Nodes      int
	Late       int // nodes that may join later
	Policy     string
	Optimistic bool
	Forget     time.Duration // 0 for the default
	Net        scenario.Net
	Length     time.Duration // of the chaos
	Names      int
	Groups     int
	Every      time.Duration // mean time between two operations
	Faults     []string      // the kinds that are on
	Each       time.Duration // mean time between two faults
	Heal       int           // percent of faults that mend something instead
	Pauses     bool          // there are quiet periods
	Bulk       bool          // there are registrations of many names
	Core       int           // percent of nodes that live in the end, on average

	// Lasting says that the schedule has few faults that last: Each is for how long,
	// Stretches how many there are, and Calm the time before the first.
	Lasting   bool
	Stretches int
	Calm      time.Duration
}

// DrawSwarm returns what a seed draws first.
func DrawSwarm(seed uint64, o Options) Swarm {
	d := newDice(seed)
	w := Swarm{Profile: o.Profile, Nodes: o.Nodes}
	if w.Profile == "" {
		w.Profile = Mixed
	}
	if w.Nodes == 0 {
		w.Nodes = draw(d, "nodes", []weighted[int]{{2, 2}, {6, 3}, {4, 4}, {4, 5}, {2, 6}, {2, 7}})
	}
	w.drawCluster(d)
	w.drawNet(d)
	w.drawFaults(d)
	if w.Lasting = w.Profile == Lasting || w.Profile == Mixed && d.below("lasting", lastingOneIn) == 0; w.Lasting {
		w.drawLasting(d, o)
	}
	return w
}

func (w *Swarm) drawCluster(d *dice) {
	w.Policy = "last-writer"
	if d.chance("policy other", 60) {
		w.Policy = pick(d, "policy", "first-writer", "random-exit", "random-notify", "notify-all", "priority",
			"majority", "prefer=n1", "notify(last-writer)", "exit(first-writer)")
	}
	w.Optimistic = d.chance("optimistic", 40)
	if d.chance("forget short", 15) {
		w.Forget = d.span("forget", 6*time.Second, 15*time.Second, time.Second)
	}
	w.Length = d.span("length", 20*time.Second, 60*time.Second, time.Second)
	w.Names = draw(d, "names", []weighted[int]{{4, 1}, {3, 2}, {2, 4}})
	w.Groups = d.from("groups", 1, 3)
	w.Every = pick(d, "every", 100*time.Millisecond, 300*time.Millisecond, time.Second, 2*time.Second)
	w.Bulk = d.chance("bulk", 15)
	if w.Core = pick(d, "core", 40, 70, 100); w.Profile == Quiet {
		w.Core = 100
	}
}

func (w *Swarm) drawNet(d *dice) {
	w.Net.Low = time.Millisecond
	w.Net.High = draw(d, "latency", []weighted[time.Duration]{
		{3, time.Millisecond}, {4, 20 * time.Millisecond}, {2, 100 * time.Millisecond}, {1, 400 * time.Millisecond},
	})
	if w.Profile == Quiet {
		return
	}
	percent := func(kind string, chance, high int) float64 {
		if !d.chance(kind+" on", chance) {
			return 0
		}
		return float64(d.from(kind, 1, high)) / 100
	}
	w.Net.Loss = percent("loss", 30, 5)
	w.Net.Dup = percent("dup", 30, 10)
	w.Net.Reorder = percent("reorder", 30, 20)
}

func (w *Swarm) drawFaults(d *dice) {
	w.Each = pick(d, "each", 500*time.Millisecond, 2*time.Second, 4*time.Second, 8*time.Second)
	w.Heal = pick(d, "heal", 20, 40, 60)
	w.Pauses = d.chance("pauses", 40)
	for _, k := range kinds() {
		if slices.Contains(k.profiles, w.Profile) && d.chance("fault "+k.name, k.chance) {
			w.Faults = append(w.Faults, k.name)
		}
	}
	if len(w.Faults) == 0 && w.Profile != Quiet {
		w.Faults = []string{"cut"}
	}
	if slices.Contains(w.Faults, "late") {
		w.Late = d.from("late nodes", 1, MaxLate)
	}
}

// List returns the options as names and values, in the order in which they are
// shown.
func (w Swarm) List() [][2]string {
	return [][2]string{
		{"profile", string(w.Profile)},
		{"nodes", fmt.Sprint(w.Nodes)},
		{"late", fmt.Sprint(w.Late)},
		{"policy", w.Policy},
		{"optimistic", fmt.Sprint(w.Optimistic)},
		{"forget", w.Forget.String()},
		{"net", strings.TrimPrefix(w.Net.String(), "net ")},
		{"length", w.Length.String()},
		{"names", fmt.Sprint(w.Names)},
		{"groups", fmt.Sprint(w.Groups)},
		{"operation every", w.Every.String()},
		{"fault every", w.Each.String()},
		{"mends", fmt.Sprintf("%d%%", w.Heal)},
		{"faults", strings.Join(w.Faults, " ")},
		{"quiet periods", fmt.Sprint(w.Pauses)},
		{"bulk", fmt.Sprint(w.Bulk)},
		{"core", fmt.Sprintf("%d%%", w.Core)},
		{"lasting", fmt.Sprint(w.Lasting)},
	}
}
