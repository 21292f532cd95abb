package sim

import (
	"math/bits"

	"github.com/rollcall-dev/rollcall/crdt"
)

// kind says what an event is, or what a decision is about. The names are part of
// every draw and of the trace: a run is a function of them.
type kind uint8

// Events between two nodes come first, then the decisions about two nodes alone.
const (
	ofFrame kind = iota
	ofReleased
	ofSilence
	ofDetect
	ofHangup
	ofCrash
	ofContact
	ofRefute
	ofIntro

	ofLoss
	ofDup
	ofLatency
	ofReorder
	ofLate

	ofTick
	ofResume
	ofPhase
	ofMachine
	ofBook
	ofRun

	ofSettle
	ofSample
	ofViews
	ofMerge
	ofExit // and from here on those of the scenario's steps
)

const (
	pairEvents = ofIntro + 1
	pairKinds  = ofLate + 1
	nodeKinds  = ofRun + 1 - ofTick
)

func kindNames() []string {
	return []string{
		"frame", "released", "silence", "detect", "hangup", "crash", "contact", "refute", "intro",
		"loss", "dup", "latency", "reorder", "late",
		"tick", "resume", "phase", "machine", "book", "run",
		"settle", "sample", "views", "merge", "exit",
	}
}

// dice is where all decisions of a run come from: a hash of the seed, of what is
// decided, of the nodes it is about and of how often it was decided before. The
// counts are kept with the pairs and the nodes; the few others in drawn.
type dice struct {
	seed  uint64
	faces []face // by kind
	steps map[string]kind
	drawn map[source]uint64
}

// face is a kind, hashed.
type face struct {
	name uint64 // alone
	draw uint64 // with the seed, of a decision
	tie  uint64 // with the seed, of the place among the events of one moment
}

// source says what a decision is about, where no pair and no node counts it.
type source struct {
	kind  kind
	tie   bool
	about [2]uint64
}

func newDice(seed uint64) dice {
	d := dice{seed: seed, steps: map[string]kind{}, drawn: map[source]uint64{}}
	for _, name := range kindNames() {
		d.name(name)
	}
	return d
}

func (d *dice) name(name string) {
	d.faces = append(d.faces, face{hashText(name), hash(d.seed, hashText(name)), hash(d.seed, hashText("tie "+name))})
}

// step returns the kind of a step's name.
func (d *dice) step(name string) kind {
	k, ok := d.steps[name]
	if !ok {
		k = kind(len(d.faces))
		d.steps[name] = k
		d.name(name)
	}
	return k
}

// roll returns 64 random bits: the next of those that belong to a base and to the
// hash of what they are about.
func roll(base, about uint64, n *uint32) uint64 {
	word := hash(hash(base, about), uint64(*n))
	*n++
	return word
}

// rollFor is roll for what neither a pair nor a node counts.
func (d *dice) rollFor(s source) uint64 {
	n := d.drawn[s]
	d.drawn[s] = n + 1
	base := d.faces[s.kind].draw
	if s.tie {
		base = d.faces[s.kind].tie
	}
	return hash(hash(base, hash(s.about[0], s.about[1])), n)
}

// drawOf returns the next 64 random bits for a decision about two nodes.
func (c *Cluster) drawOf(k kind, p *pair) uint64 {
	return roll(c.dice.faces[k].draw, p.names, &p.drawn[k])
}

// chance draws whether something of a probability happens.
func (c *Cluster) chance(probability float64, k kind, p *pair) bool {
	return probability > 0 && float64(c.drawOf(k, p)>>11)/(1<<53) < probability
}

// delay draws a time from low to high, in nanoseconds, where there is a choice.
func (c *Cluster) delay(low, high int64, k kind, p *pair) int64 {
	if high <= low {
		return low
	}
	return between(low, high, c.drawOf(k, p))
}

// drawAt returns the next 64 random bits for a decision about one node.
func (c *Cluster) drawAt(k kind, n *node) uint64 {
	return roll(c.dice.faces[k].draw, n.alone, &n.drawn[k-ofTick])
}

// between returns a time from low to high, in nanoseconds.
func between(low, high int64, word uint64) int64 { return low + int64(word%uint64(high-low+1)) }

// hashText returns the hash of a text.
func hashText(text string) uint64 { return crdt.Key{}.HashString(text) }

// hash returns crdt.Key{}.Hash(a, b). It is SipHash-2-4 under the zero key with its
// state in registers: of a run of a small cluster hashes were the largest part.
func hash(a, b uint64) uint64 {
	v0, v1, v2, v3 := sipRounds(0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573^a)
	v0, v1, v2, v3 = sipRounds(v0^a, v1, v2, v3^b)
	v0, v1, v2, v3 = sipRounds(v0^b, v1, v2, v3^16<<56)
	v0, v1, v2, v3 = sipRounds(v0^16<<56, v1, v2^0xff, v3)
	v0, v1, v2, v3 = sipRounds(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// sipRounds does two rounds.
func sipRounds(v0, v1, v2, v3 uint64) (a, b, c, d uint64) {
	for range 2 {
		v0 += v1
		v2 += v3
		v1 = bits.RotateLeft64(v1, 13) ^ v0
		v3 = bits.RotateLeft64(v3, 16) ^ v2
		v0 = bits.RotateLeft64(v0, 32)
		v2 += v1
		v0 += v3
		v1 = bits.RotateLeft64(v1, 17) ^ v2
		v3 = bits.RotateLeft64(v3, 21) ^ v0
		v2 = bits.RotateLeft64(v2, 32)
	}
	return v0, v1, v2, v3
}

// trace is a running hash of everything that happened.
type trace struct {
	hash  uint64
	steps int
	marks []uint64 // the hash after each step, kept only when asked for
	keep  bool

	last     []byte // the frame that was folded last
	lastHash uint64
}

func (t *trace) fold(word uint64) { t.hash = hash(t.hash, word) }

// frame folds a frame. One that goes to many is hashed once.
func (t *trace) frame(f []byte) {
	if len(f) != len(t.last) || len(f) > 0 && &f[0] != &t.last[0] {
		t.last, t.lastHash = f, hashText(string(f))
	}
	t.fold(t.lastHash)
}

func (t *trace) step(at int64, name uint64, about [2]uint64) {
	t.steps++
	t.fold(uint64(at))
	t.fold(name)
	t.fold(about[0])
	t.fold(about[1])
	if t.keep {
		t.marks = append(t.marks, t.hash)
	}
}
