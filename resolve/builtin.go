package resolve

import "cmp"

// builtin is implemented by the policies of this package alone: the method is
// not exported, so no other package can have it.
type builtin interface {
	// trusted reports whether all code behind the policy is in this package.
	trusted() bool
}

// Trusted reports whether p is made of the code of this package alone: a
// built-in policy, or one under WithLoss. A trusted policy never panics, answers
// at once and is a strict total order, so it may be judged without a Guard. Func
// is not trusted, because it calls a function of the user's. A nil policy stands
// for LastWriter and is trusted.
func Trusted(p Policy) bool {
	b, ok := orDefault(p).(builtin)
	return ok && b.trusted()
}

// orDefault returns p, or the default policy when there is none.
func orDefault(p Policy) Policy {
	if p == nil {
		return lastWriter{}
	}
	return p
}

// lastWriter is the order of LastWriter.
type lastWriter struct{}

// LastWriter lets the claim with the latest Birth win, and of two with the same
// Birth the one with the higher Born dot. It is the default. The process that
// was registered during a split takes the name over from the one that was cut
// off; a node whose clock runs ahead wins more often than it should. Its name is
// "last-writer" and its loss Exit.
func LastWriter() Policy { return lastWriter{} }

func (lastWriter) Name() string { return "last-writer" }

func (lastWriter) Compare(a, b Claim) int { return compareWriters(&a, &b) }

func (lastWriter) Loss() Loss { return Exit }

func (lastWriter) trusted() bool { return true }

// compareWriters lets the later of two claims win. It takes pointers, which it
// neither keeps nor writes through, so that the policies that end in it do not
// copy the claims once more.
func compareWriters(a, b *Claim) int {
	if c := cmp.Compare(a.Birth, b.Birth); c != 0 {
		return c
	}
	return a.Born.Compare(b.Born)
}

// firstWriter is the order of FirstWriter.
type firstWriter struct{}

// FirstWriter lets the claim with the earliest Birth win, and of two with the
// same Birth the one with the lower Born dot: the reverse of LastWriter. The
// process that held the name before a split keeps it; a node whose clock runs
// behind wins more often than it should. Its name is "first-writer" and its loss
// Exit.
func FirstWriter() Policy { return firstWriter{} }

func (firstWriter) Name() string { return "first-writer" }

func (firstWriter) Compare(a, b Claim) int { return compareWriters(&b, &a) }

func (firstWriter) Loss() Loss { return Exit }

func (firstWriter) trusted() bool { return true }

// priority is the order of Priority.
type priority struct{}

// Priority lets the claim with the highest Priority win, and orders claims of
// the same Priority as LastWriter does. A claim that asked for none has 0, so
// anything positive beats it and anything negative yields to it. The claimants
// of one name should agree on what the figures mean: the policy cannot tell a
// greedy one from an important one. Its name is "priority" and its loss Exit.
func Priority() Policy { return priority{} }

func (priority) Name() string { return "priority" }

func (priority) Compare(a, b Claim) int {
	if c := cmp.Compare(a.Priority, b.Priority); c != 0 {
		return c
	}
	return compareWriters(&a, &b)
}

func (priority) Loss() Loss { return Exit }

func (priority) trusted() bool { return true }

// majority is the order of Majority.
type majority struct{}

// Majority lets the claim win whose node could reach the most nodes when the
// claim was made, and orders claims of the same Seen as LastWriter does. Of two
// claims made on the two sides of a split, that of the larger side wins,
// whatever the clocks say.
//
// Seen is fixed when the claim is made, because an order that changed with the
// view would let the winner flap. So a claim made while the cluster was whole
// beats every claim made in a part of it, also when its node was on the smaller
// side of the split that followed: what was there before the split stays. Its
// name is "majority" and its loss Exit.
func Majority() Policy { return majority{} }

func (majority) Name() string { return "majority" }

func (majority) Compare(a, b Claim) int {
	if c := cmp.Compare(a.Seen, b.Seen); c != 0 {
		return c
	}
	return compareWriters(&a, &b)
}

func (majority) Loss() Loss { return Exit }

func (majority) trusted() bool { return true }
