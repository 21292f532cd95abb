package resolvetest

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
)

// field numbers what a draft says of a claim.
type field int

const (
	node field = iota
	epoch
	serial
	seq
	birth
	priority
	seen
	label
	value
	update
	fields
)

// draft is a claim as indexes into pools. Lower is simpler, so a claim is
// simplified by lowering its indexes.
type draft [fields]int

// only returns the simplest draft with that value in one field.
func only(f field, value int) draft {
	var d draft
	d[f] = value
	return d
}

// sketch is a set of claims to one name. No two of its drafts have the same
// node, epoch and seq, which make up the Born dot.
type sketch struct {
	name   int
	drafts []draft
}

// clone returns a copy that shares nothing with s.
func (s sketch) clone() sketch { return sketch{name: s.name, drafts: slices.Clone(s.drafts)} }

// valid reports whether all claims of s are different.
func (s sketch) valid() bool {
	for i, d := range s.drafts {
		for _, e := range s.drafts[:i] {
			if d[node] == e[node] && d[epoch] == e[epoch] && d[seq] == e[seq] {
				return false
			}
		}
	}
	return true
}

// pools holds the values from which claims are made: the first are the simplest,
// then come those of the samples, then extremes.
type pools struct {
	names      []string
	nodes      []string
	epochs     []uint64
	serials    []uint64
	seqs       []uint64
	births     []crdt.Stamp
	priorities []int64
	seens      []uint32
	labels     []string
	values     []string
	// updates says how far the Dot of a claim is ahead of its Born dot.
	updates []uint64
	// common is the number of values, from the first, that are drawn most.
	common [fields]int
}

// newPools returns the pools with the values of the samples.
func newPools(samples []resolve.Claim) pools {
	// The clock of a synctest bubble starts in 2000, so these births are recent
	// there and old elsewhere.
	bubble := crdt.StampAt(946684800000, 0)
	p := pools{
		names:      []string{"k"},
		nodes:      []string{"n1", "n2", "n3"},
		epochs:     []uint64{1, 2, 3},
		serials:    []uint64{1, 2, 3},
		seqs:       []uint64{1, 2, 3, 4, 5, 6, 7},
		births:     []crdt.Stamp{1, 2, 3},
		priorities: []int64{0, 1, 2},
		seens:      []uint32{1, 2, 3},
		labels:     []string{"", "eu", "us", "ap"},
		values:     []string{"", "a", "b"},
		updates:    []uint64{0, 1, 2},
	}
	for _, c := range samples {
		p.names = include(p.names, c.Name)
		p.nodes = include(p.nodes, nodeOf(c))
		p.epochs = include(p.epochs, c.Holder.Epoch)
		p.births = include(p.births, c.Birth)
		p.priorities = include(p.priorities, c.Priority)
		p.seens = include(p.seens, c.Seen)
		p.labels = include(p.labels, c.Label)
		p.values = include(p.values, string(c.Value))
	}
	for f := range fields {
		p.common[f] = p.size(f)
	}
	long := strings.Repeat("x", 255)
	p.names = include(p.names, "", long)
	p.nodes = include(p.nodes, "N1", "n10", long)
	p.epochs = include(p.epochs, 1<<32, math.MaxUint64)
	p.serials = include(p.serials, math.MaxUint64)
	p.seqs = include(p.seqs, 1<<32, math.MaxUint64-1000)
	p.births = include(p.births, 0, bubble, bubble+30_000<<16, crdt.MaxStamp)
	p.priorities = include(p.priorities, -1, math.MaxInt64, math.MinInt64)
	p.seens = include(p.seens, 0, math.MaxUint32)
	p.labels = include(p.labels, "EU", long)
	p.values = include(p.values, "\x00", strings.Repeat("v", 300))
	p.updates = include(p.updates, 1000)
	return p
}

// include returns pool with those of the values that were not in it.
func include[V comparable](pool []V, values ...V) []V {
	for _, v := range values {
		if !slices.Contains(pool, v) {
			pool = append(pool, v)
		}
	}
	return pool
}

// nodeOf returns the node of a sample, which may lack a Holder or a Born dot.
func nodeOf(c resolve.Claim) string {
	if c.Holder.Node == "" {
		return c.Born.Replica.Node
	}
	return c.Holder.Node
}

// size returns how many values a field has.
func (p pools) size(f field) int {
	return [fields]int{
		node: len(p.nodes), epoch: len(p.epochs), serial: len(p.serials), seq: len(p.seqs),
		birth: len(p.births), priority: len(p.priorities), seen: len(p.seens),
		label: len(p.labels), value: len(p.values), update: len(p.updates),
	}[f]
}

// draft returns the draft of a sample; its place among the samples stands for
// its dot.
func (p pools) draft(c resolve.Claim, place int) draft {
	return draft{
		node:     slices.Index(p.nodes, nodeOf(c)),
		epoch:    slices.Index(p.epochs, c.Holder.Epoch),
		serial:   place % p.size(serial),
		seq:      place % p.size(seq),
		birth:    slices.Index(p.births, c.Birth),
		priority: slices.Index(p.priorities, c.Priority),
		seen:     slices.Index(p.seens, c.Seen),
		label:    slices.Index(p.labels, c.Label),
		value:    slices.Index(p.values, string(c.Value)),
	}
}

// claims returns the claims of a sketch. They share nothing with the pools or
// with other claims.
func (p pools) claims(s sketch) []resolve.Claim {
	claims := make([]resolve.Claim, len(s.drafts))
	for i, d := range s.drafts {
		claims[i] = p.claim(p.names[s.name], d)
	}
	return claims
}

// claim returns the claim of a draft. An empty value is nil.
func (p pools) claim(name string, d draft) resolve.Claim {
	replica := crdt.Replica{Node: p.nodes[d[node]], Epoch: p.epochs[d[epoch]]}
	born := crdt.Dot{Replica: replica, Seq: p.seqs[d[seq]]}
	c := resolve.Claim{
		Name:     name,
		Dot:      crdt.Dot{Replica: replica, Seq: born.Seq + p.updates[d[update]]},
		Holder:   resolve.PID{Node: replica.Node, Epoch: replica.Epoch, Serial: p.serials[d[serial]]},
		Birth:    p.births[d[birth]],
		Born:     born,
		Priority: p.priorities[d[priority]],
		Seen:     p.seens[d[seen]],
		Label:    p.labels[d[label]],
	}
	if text := p.values[d[value]]; text != "" {
		c.Value = []byte(text)
	}
	return c
}

// copies returns claims that are equal and share no memory.
func copies(claims []resolve.Claim) []resolve.Claim {
	out := slices.Clone(claims)
	for i := range out {
		out[i].Value = bytes.Clone(out[i].Value)
	}
	return out
}
