package registry

import (
	"time"

	"github.com/rollcall-dev/rollcall/registry/replica"
)

// wall returns the wall clock's time: that of t, unless a clock was configured.
func (r *Registry) wall(t time.Time) int64 {
	if r.cfg.ownClock {
		return r.cfg.Now().UnixNano()
	}
	return t.UnixNano()
}

// log tells the operator of a notice.
func (r *Registry) log(n replica.Notice) {
	l := r.cfg.Logger.With("node", r.cfg.Node)
	switch n.Kind {
	case replica.NodeReachable:
		l.Info("rollcall: node is reachable", "peer", n.Node, "addr", n.Text)
	case replica.NodeUnreachable:
		l.Info("rollcall: node is not reachable", "peer", n.Node, "reason", n.Text)
	case replica.Healed:
		l.Info("rollcall: a split has healed", "peers", n.Heal.Nodes, "length", n.Heal.Length(),
			"conflicts", len(n.Heal.Conflicts))
	case replica.Refused:
		l.Error("rollcall: node refused", "peer", n.Node, "reason", n.Text)
	case replica.ClockStepped, replica.ClockAdjusted:
		l.Warn("rollcall: clock corrected", "by", n.Amount, "reason", n.Text)
	case replica.Reborn, replica.Duplicate:
		l.Warn("rollcall: node name seen with a later epoch", "reason", n.Text)
	case replica.Serving:
		l.Debug("rollcall: first sync done")
	}
}
