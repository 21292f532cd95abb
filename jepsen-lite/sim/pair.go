package sim

import (
	"github.com/rollcall-dev/rollcall/jepsen-lite/scenario"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// pair is one node as seen from another: the link there, what this end's transport
// thinks of the other, and how often each decision about the two was made. There
// are a million of them in a cluster of a thousand nodes, so a pair holds no
// pointer, and what few have is kept beside it.
//
// Invariant: linked and lost paths are those of the connection to the run; what
// is said of an earlier run counts no more.
type pair struct {
	names   uint64 // hash of both names, for draws
	arrived [lanes]int64
	run     uint64 // of the other node, as this end knows it; 0 for not at all
	gen     uint64 // of the connection
	broken  uint32 // counts the times the link's path was lost, to cancel what heals first
	away    uint32 // counts the times no path led there

	closed  bool // the link carries nothing
	held    bool // frames wait
	own     bool // the link has conditions of its own
	touched bool // a step spoke of the link
	kept    bool // its frames are kept for replay
	up      bool // the other is a member
	linked  bool // and there is a connection to it
	lostL   bool // the path of the link is lost now
	lostP   bool // no path leads there now

	ties  [pairEvents]uint32
	drawn [pairKinds]uint32
}

// reset begins with another run of the other node; 0 for none.
func (p *pair) reset(run uint64) {
	p.run, p.up, p.linked, p.lostL, p.lostP = run, false, false, false, false
}

// lanes is the number of lanes that keep their order each.
const lanes = int(replica.Bulk) + 1

// conditions are how a link carries frames.
type conditions struct {
	loss    float64
	dup     float64
	reorder float64
	low     int64
	high    int64
	size    int // frames above it vanish; 0 for no limit
}

func conditionsOf(n scenario.Net) conditions {
	return conditions{loss: n.Loss, dup: n.Dup, reorder: n.Reorder, low: int64(n.Low), high: int64(n.High)}
}

// sent is a frame that is kept for replay.
type sent struct {
	at    int64
	from  replica.Peer
	frame []byte
}

// maxSent bounds what a link keeps for replay.
const maxSent = 4096

// place makes room for all nodes that the scenario ever speaks of.
func (c *Cluster) place() {
	for _, name := range c.scenario.Nodes {
		c.placeNode(name)
	}
	c.placeSteps(c.scenario.Steps)
	c.pairs = make([]pair, len(c.all)*len(c.all))
	for _, a := range c.all {
		for _, b := range c.all {
			c.pair(a, b).names = hash(a.hash, b.hash)
		}
	}
	c.keepForReplay(c.scenario.Steps)
}

// pair returns what one node is to another.
func (c *Cluster) pair(from, to *node) *pair { return &c.pairs[from.index*len(c.all)+to.index] }

func (c *Cluster) placeNode(name string) {
	if name == "" || c.nodes[name] != nil {
		return
	}
	n := &node{name: name, index: len(c.all), hash: hashText(name)}
	n.alone = hash(n.hash, c.nobody)
	c.nodes[name] = n
	c.all = append(c.all, n)
}

func (c *Cluster) placeSteps(steps []scenario.Step) {
	for i := range steps {
		s := &steps[i]
		c.placeNode(s.Node)
		c.placeNode(s.A)
		c.placeNode(s.B)
		for _, side := range s.Sides {
			for _, name := range side {
				c.placeNode(name)
			}
		}
		c.placeSteps(s.Inner)
	}
}

func (c *Cluster) keepForReplay(steps []scenario.Step) {
	for i := range steps {
		s := &steps[i]
		if s.Verb == scenario.Replay {
			c.pair(c.nodes[s.A], c.nodes[s.B]).kept = true
		}
		c.keepForReplay(s.Inner)
	}
}
