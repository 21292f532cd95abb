package resolve

// withLoss is a policy with the loss of its choice.
//
// Invariant: policy is no withLoss, and its loss is another than loss.
type withLoss struct {
	policy Policy
	loss   Loss
	name   string
}

// WithLoss returns p with another fate for the losers; the order stays. The
// name tells both, such as "notify(last-writer)", because a cluster must agree
// on both. WithLoss takes the place of an earlier WithLoss, and a policy that
// has the loss already is returned as it is. A nil policy stands for LastWriter.
//
// WithLoss calls p.Name and p.Loss once each, at once.
func WithLoss(p Policy, loss Loss) Policy {
	p = orDefault(p)
	if w, ok := p.(withLoss); ok {
		p = w.policy
	}
	if p.Loss() == loss {
		return p
	}
	return withLoss{policy: p, loss: loss, name: loss.String() + "(" + p.Name() + ")"}
}

func (w withLoss) Name() string { return w.name }

func (w withLoss) Compare(a, b Claim) int { return w.policy.Compare(a, b) }

func (w withLoss) Loss() Loss { return w.loss }

func (w withLoss) trusted() bool { return Trusted(w.policy) }

// notifyAll is the policy of NotifyAll.
type notifyAll struct{}

// NotifyAll lets nobody win, as notify_all_name of Erlang's global does: while
// more than one claim lives the name is contested and has no holder, every
// claimant is told of its rivals, and the claimants withdraw as they see fit.
// The last one left becomes the holder. Nothing is withdrawn by the library, so
// a name whose claimants do nothing stays contested.
//
// Judge never asks its order, which is that of LastWriter. The name is
// "notify-all" and the loss Keep.
func NotifyAll() Policy { return notifyAll{} }

func (notifyAll) Name() string { return "notify-all" }

func (notifyAll) Compare(a, b Claim) int { return compareWriters(&a, &b) }

func (notifyAll) Loss() Loss { return Keep }

func (notifyAll) trusted() bool { return true }
