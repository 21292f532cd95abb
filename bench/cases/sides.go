package cases

import (
	"context"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/plan"
)

// All returns all cases in the order of the table.
func All() []plan.Case {
	var all []plan.Case
	for _, group := range [][]plan.Case{
		oneNode(), reading(), memoryUse(), threeNodes(), splits(), moreNodes(), goPeers(), largeSizes(), crowds(),
	} {
		all = append(all, group...)
	}
	return all
}

// work is what a side does on its cluster.
type work struct {
	open    func(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error)
	prepare func(ctx context.Context, b *plan.Bench, c *cluster.Cluster) error
	round   func(ctx context.Context, b *plan.Bench, c *cluster.Cluster, round int) (plan.Values, error)
}

// sides makes the same work the sides of a case.
func (w work) sides(kinds ...cluster.Kind) []plan.Side {
	sides := make([]plan.Side, len(kinds))
	for i, kind := range kinds {
		sides[i] = plan.Side{Peer: string(kind), Kind: kind, Begin: func(ctx context.Context, b *plan.Bench) (*plan.Session, error) {
			c, err := w.open(ctx, b, kind)
			if err != nil {
				return nil, err
			}
			if w.prepare != nil {
				if err := w.prepare(ctx, b, c); err != nil {
					c.Close()
					return nil, err
				}
			}
			return &plan.Session{
				Round: func(ctx context.Context, round int) (plan.Values, error) { return w.round(ctx, b, c, round) },
				Close: c.Close,
			}, nil
		}}
	}
	return sides
}

// alone opens one node that takes part in no cluster.
func alone(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
	return b.Stage.Alone(ctx, kind)
}

// nodes returns what opens a cluster of so many nodes.
func nodes(n int) func(context.Context, *plan.Bench, cluster.Kind) (*cluster.Cluster, error) {
	return func(ctx context.Context, b *plan.Bench, kind cluster.Kind) (*cluster.Cluster, error) {
		return b.Stage.Open(ctx, kind, n)
	}
}

// Modes of registration, as the nodes of rollcall know them.
const (
	arbitrated = "arbitrated"
	optimistic = "optimistic"
	many       = "many"
)

// Prefixes of names, of seven letters.
const (
	session = "session"
	other   = "another"
)

// Units, in nanoseconds.
const (
	micro  = 1e3
	milli  = 1e6
	second = 1e9
)

// took returns how long something took that said when it began and ended, in
// nanoseconds.
func took(moments []int64) float64 { return float64(moments[1] - moments[0]) }

// durations returns how long each call of a sequence took, in nanoseconds.
func durations(pairs []int64) []float64 {
	d := make([]float64, len(pairs)/2)
	for i := range d {
		d[i] = float64(pairs[2*i+1] - pairs[2*i])
	}
	return d
}

// delays returns how long after the begin of each call of a sequence something
// was seen by the last who saw it, in nanoseconds.
func delays(pairs []int64, seen ...[]int64) []float64 {
	d := make([]float64, len(pairs)/2)
	for i := range d {
		for _, moments := range seen {
			d[i] = max(d[i], float64(moments[i]-pairs[2*i]))
		}
	}
	return d
}

// latest returns the latest of the moments that some nodes answered with.
func latest(answers [][]int64) (last int64) {
	for _, a := range answers {
		last = max(last, a[0])
	}
	return last
}

// numbers returns the numbers from, from+1 and so on.
func numbers(from, count int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// below is an aim at a figure.
func below(limit float64, text string) plan.Aim { return plan.Aim{Text: text, Below: limit} }

// only is the same aim against each of some peers.
func only(aim plan.Aim, peers ...cluster.Kind) map[string]plan.Aim {
	aims := map[string]plan.Aim{"": aim}
	for _, p := range peers {
		aims[string(p)] = aim
	}
	return aims
}

// with adds an aim against one peer.
func with(aims map[string]plan.Aim, peer cluster.Kind, aim plan.Aim) map[string]plan.Aim {
	aims[string(peer)] = aim
	return aims
}
