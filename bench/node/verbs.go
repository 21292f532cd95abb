package node

import (
	"github.com/rollcall-dev/rollcall/bench/resources"
	"github.com/rollcall-dev/rollcall/bench/wire"
)

// verbs returns what the node can do.
func (n *node) verbs() map[string]wire.Verb {
	return map[string]wire.Verb{
		// The node and its cluster.
		"alone":   n.alone,   // a registry without a transport
		"open":    n.open,    // name, cluster, seeds -> port
		"reached": n.reached, // -> nodes that are up
		"cut":     n.cut,     // addresses
		"mend":    n.mend,

		// Names.
		"hold":        n.prepare,    // prefix, holders
		"fill":        n.fill,       // mode, prefix, from, count, holders -> begin, end
		"fill-values": n.fillValues, // prefix, count, bytes of each value
		"sequence":    n.sequence,   // mode, prefix, from, count, gap -> begin, end of each
		"end-each":    n.endEach,    // prefix, gap -> moment of each
		"drop":        n.drop,       // prefix -> begin, end
		"change":      n.change,     // prefix, other prefix, count
		"churn":       n.churn,      // prefix, count -> begin, end
		"count":       n.countNames,
		"await-count": n.awaitCount, // atleast or atmost, count -> moment
		"holder":      n.holderOf,   // prefix, number -> number of the node

		// What is seen, and when.
		"observe":    n.observe,  // up or gone, prefix, from, count
		"observed":   n.observed, // -> moment of each
		"seen":       n.seenNow,  // -> how many
		"gone":       n.gone,     // -> moment when a node was known to be gone
		"view-watch": n.viewWatch,
		"view":       n.viewNow, // -> moment of the last change, digest

		// Reading and groups, timed on the node itself; times are picoseconds.
		"lookup":  n.lookup,  // prefix, count, readers, writers, milliseconds -> time of one
		"join":    n.join,    // group, label, count -> begin, end
		"leave":   n.leave,   // label
		"members": n.members, // group, readers, milliseconds -> time of one

		// Messages.
		"handle":  n.handle,
		"flood":   n.flood,   // milliseconds, bytes, senders -> sent, begin, end
		"handled": n.handles, // -> received, moment of the last

		// Resources.
		"heap": resources.Heap, // -> bytes that live
		"cpu":  resources.CPU,  // -> nanoseconds used
		"sent": n.sent,         // -> bytes sent to other nodes: by rollcall, by memberlist

		// Many nodes in this program.
		"crowd":          n.crowdOpen,     // memory or gossip, nodes -> time to form
		"crowd-fill":     n.crowdFill,     // prefix, count -> begin, moment when all have all
		"crowd-register": n.crowdRegister, // mode, prefix, count -> begin, end of each
		"crowd-carry":    n.crowdCarry,    // prefix, rate, milliseconds -> delivered, due, then delays
		"crowd-split":    n.crowdSplit,    // names on both sides -> time to notice
		"crowd-heal":     n.crowdHeal,     // -> time to agree, bytes sent
		"crowd-sent":     n.crowdSent,     // -> bytes sent
		"crowd-close":    n.crowdClose,
	}
}
