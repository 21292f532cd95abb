package resolve

import "cmp"

// random is the order of RandomExit and RandomNotify.
type random struct {
	name string
	key  digest
	loss Loss
}

// RandomExit lets an arbitrary claim win and ends the processes of the others,
// as random_exit_name of Erlang's global does. The choice is not drawn: a hash
// of the claim's Name and Born dot, keyed with seed, orders the claims, so every
// node of the cluster makes the same choice, no clock has a say in it, and over
// many names each node wins its share.
//
// All nodes of a cluster use the same seed; "" is the default. A different seed
// makes different choices. It is no secret, because it is part of the policy's
// name, and the hash is no defence against a program that chooses its dots so
// that it wins. The name is "random-exit", or "random-exit=" and the seed when
// there is one.
func RandomExit(seed string) Policy { return newRandom("random-exit", seed, Exit) }

// RandomNotify chooses as RandomExit does, leaves the losing processes running
// without the name and tells them, as random_notify_name of Erlang's global
// does. With the same seed both choose the same winners. The name is
// "random-notify", or "random-notify=" and the seed when there is one.
func RandomNotify(seed string) Policy { return newRandom("random-notify", seed, Notify) }

func newRandom(name, seed string, loss Loss) random {
	if seed != "" {
		name += "=" + escape(seed)
	}
	return random{name: name, key: newDigest().text(seed), loss: loss}
}

func (r random) Name() string { return r.name }

func (r random) Compare(a, b Claim) int {
	if c := cmp.Compare(r.score(&a), r.score(&b)); c != 0 {
		return c
	}
	return a.Born.Compare(b.Born)
}

func (r random) Loss() Loss { return r.loss }

func (r random) trusted() bool { return true }

// score returns what orders a claim. It depends on nothing that can change
// while the claim lives.
func (r random) score(c *Claim) uint64 {
	d := r.key.text(c.Name).text(c.Born.Replica.Node)
	return d.word(c.Born.Replica.Epoch).word(c.Born.Seq).sum()
}
