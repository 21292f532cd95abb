package scenario

import "time"

// Scenario is one netsplit story.
type Scenario struct {
	Name   string
	Source string
	Nodes  []string
	Seed   uint64
	Limit  time.Duration // of virtual time
	Policy string
	// Optimistic is the mode of a register that names none.
	Optimistic bool
	// Forget is how long nodes remember one that is gone; 0 for the default.
	Forget time.Duration
	Net    Net
	Steps  []Step
	// Expects are checked at the end.
	Expects []Expect
}

// Net is how every link behaves when nothing else is said.
type Net struct {
	Low, High time.Duration // latency, uniform between the two
	Loss      float64       // probabilities of a frame
	Dup       float64
	Reorder   float64
}

// Verb is what a step does.
type Verb string

// The verbs of clients.
const (
	Register   Verb = "register"
	Reregister Verb = "reregister"
	Update     Verb = "update"
	Unregister Verb = "unregister"
	Join       Verb = "join"
	Leave      Verb = "leave"
	Exit       Verb = "exit"
	Bulk       Verb = "bulk"
	Look       Verb = "look" // every node's view goes into the history
)

// The verbs of the nemesis.
const (
	Cut        Verb = "cut"    // into Sides, or one link A - B
	OneWay     Verb = "oneway" // what A sends to B vanishes
	Isolate    Verb = "isolate"
	Bridge     Verb = "bridge" // two halves that only A reaches both of
	Ring       Verb = "ring"   // each node reaches the next alone
	Line       Verb = "line"
	Star       Verb = "star" // around A
	Majorities Verb = "majorities"
	Heal       Verb = "heal"      // every link, or A - B
	Loss       Verb = "loss"      // A - B, Rate
	Dup        Verb = "dup"       // A - B, Rate
	Reorder    Verb = "reorder"   // A - B, Rate
	Latency    Verb = "latency"   // A - B, Low..High
	Blackhole  Verb = "blackhole" // A - B, frames above Size vanish
	Hold       Verb = "hold"      // A - B, frames wait
	Release    Verb = "release"   // A - B, what waited arrives at once
	Calm       Verb = "calm"      // every link carries every frame, once, in order, in the time of net
	Replay     Verb = "replay"    // A -> B, what was sent within For arrives again
	Pause      Verb = "pause"     // A, for For
	Skew       Verb = "skew"      // A, its wall clock jumps by For
	Drift      Verb = "drift"     // A, its clock runs faster by Rate
	Kill       Verb = "kill"
	Start      Verb = "start"
	Stop       Verb = "stop"    // graceful leave
	Suspect    Verb = "suspect" // A falsely takes B for dead
	RestartAll Verb = "restartall"
	Repeat     Verb = "repeat" // Count times, Every, Inner in turn
	Check      Verb = "expect" // an expectation at that time
)

// Step is something that happens at a time. Which fields mean something depends
// on the verb.
type Step struct {
	At   time.Duration
	Line int // in the file; 0 when it was not read from one
	Verb Verb

	Node    string // of a client's verb
	Key     string // name or group
	Process string
	Value   string
	HasVal  bool
	// Mode is "optimistic" or "arbitrated"; empty for the scenario's default.
	Mode     string
	Priority int64
	Lo, Hi   int    // of bulk
	Want     string // what must come of it: ok, taken, taken P, refused; empty for anything

	A, B      string // nodes of a fault
	Sides     [][]string
	Rate      float64
	Low, High time.Duration
	Size      int
	For       time.Duration
	Count     int
	Every     time.Duration
	Inner     []Step
	Expect    *Expect
}

// Subject says what an expectation is about.
type Subject string

// The subjects.
const (
	Converged Subject = "converged" // within Within of the last event
	HolderOf  Subject = "holder"    // Key == Want
	MembersOf Subject = "members"   // Key == {Set}
	GroupsAre Subject = "groups"    // == {Set}
	CountOf   Subject = "count"     // names or groups == Lo..Hi
	LostOf    Subject = "lost"      // Key exactly Lo..Hi
	AliveIs   Subject = "alive"
	DeadIs    Subject = "dead"
	ValueOf   Subject = "value"   // Key == Want
	TrafficIs Subject = "traffic" // after heal < Lo bytes
	StateIs   Subject = "state"   // entries == Lo..Hi
)

// Expect is something that must hold, at the end or at a step's time.
type Expect struct {
	Line    int
	Subject Subject
	Key     string
	Want    string   // a process, "none", or processes joined by |
	Set     []string // sorted
	Lo, Hi  int
	Within  time.Duration
	On      []string // nodes; empty for every node that is up
}
