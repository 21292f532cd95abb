package resolve_test

import (
	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/resolve"
	"pgregory.net/rapid"
)

// claimOf returns the claim to "k" that is the seq-th event of the first run of
// node, registered at birth.
func claimOf(node string, seq uint64, birth crdt.Stamp) resolve.Claim {
	born := crdt.Dot{Replica: crdt.Replica{Node: node, Epoch: 1}, Seq: seq}
	return resolve.Claim{
		Name:   "k",
		Dot:    born,
		Born:   born,
		Birth:  birth,
		Seen:   1,
		Holder: resolve.PID{Node: node, Epoch: 1, Serial: seq},
	}
}

// builtins returns every built-in policy, some with parameters and with another
// loss.
func builtins() []resolve.Policy {
	return []resolve.Policy{
		resolve.LastWriter(),
		resolve.FirstWriter(),
		resolve.RandomExit(""),
		resolve.RandomExit("a seed, of some (length)"),
		resolve.RandomNotify(""),
		resolve.RandomNotify("7"),
		resolve.NotifyAll(),
		resolve.Priority(),
		resolve.Majority(),
		resolve.Prefer("n2", "eu", "n1"),
		resolve.WithLoss(resolve.LastWriter(), resolve.Notify),
		resolve.WithLoss(resolve.Prefer("eu"), resolve.Keep),
		resolve.WithLoss(resolve.NotifyAll(), resolve.Exit),
	}
}

// drawClaim draws a claim from ranges so small that ties are common.
func drawClaim(t *rapid.T) resolve.Claim {
	node := rapid.SampledFrom([]string{"n1", "n2", "n3"}).Draw(t, "node")
	born := crdt.Dot{
		Replica: crdt.Replica{Node: node, Epoch: rapid.Uint64Range(1, 2).Draw(t, "epoch")},
		Seq:     rapid.Uint64Range(1, 3).Draw(t, "seq"),
	}
	// What is fixed at birth is a function of the Born dot, as it is in life:
	// two versions of a claim differ in Dot and Value alone.
	fixed := func(n uint64) uint64 {
		h := born.Seq*7 + born.Replica.Epoch*31 + uint64(node[1])*13
		return h * 0x9e3779b97f4a7c15 >> 40 % n
	}
	return resolve.Claim{
		Name:     "k",
		Dot:      crdt.Dot{Replica: born.Replica, Seq: born.Seq + rapid.Uint64Range(0, 3).Draw(t, "updates")},
		Born:     born,
		Holder:   resolve.PID{Node: node, Epoch: born.Replica.Epoch, Serial: born.Seq},
		Birth:    crdt.Stamp(fixed(3)),
		Priority: int64(fixed(2)),
		Seen:     uint32(fixed(4)),
		Label:    []string{"", "eu"}[fixed(2)],
		Value:    []byte(rapid.SampledFrom([]string{"", "v", "w"}).Draw(t, "value")),
	}
}
