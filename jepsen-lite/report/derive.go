package report

import (
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// samplesOf reads the nodes' states from a history: what views and state records
// said, and when nodes went up and down.
func samplesOf(h *history.History) []Sample {
	var all []Sample
	last := map[string]string{}
	for i := range h.Records {
		r := &h.Records[i]
		switch r.F {
		case history.NodeDown:
			delete(last, r.Node)
			all = append(all, Sample{At: r.At, Node: r.Node})
		case history.NodeUp, history.View, history.State:
			if r.F == history.View && r.Type != history.Ok || r.F != history.NodeUp && r.Digest == "" {
				continue
			}
			if old, known := last[r.Node]; known && old == r.Digest {
				continue
			}
			last[r.Node] = r.Digest
			all = append(all, Sample{r.At, r.Node, r.Digest, true})
		}
	}
	return all
}

// faultsOf reads the faults from a history. A fault of the network lasts to the
// next full heal, or to the end of the run.
func faultsOf(h *history.History) []Fault {
	r := &faultReader{nodes: map[string]int{}, invoked: map[int]int64{}}
	for i := range h.Records {
		r.read(&h.Records[i])
	}
	return r.all
}

// faultReader collects faults from records.
type faultReader struct {
	all     []Fault
	network []int          // open faults of the network, indexes of all
	nodes   map[string]int // open faults of nodes, indexes of all
	invoked map[int]int64  // when a fault was begun, by operation
}

func (r *faultReader) read(rec *history.Record) {
	switch rec.F {
	case history.Cut, history.OneWay, history.Degrade, history.Skew:
		r.broke(rec)
	case history.Heal:
		if rec.Type != history.Invoke {
			r.healed(rec)
		}
	case history.NodeDown:
		kind := "kill"
		if strings.Contains(rec.Reason, "left") || strings.Contains(rec.Reason, "leave") || strings.Contains(rec.Reason, "stop") {
			kind = "stop"
		}
		r.nodes[rec.Node] = r.open(rec.At, kind, kind+" "+rec.Node, true)
	case history.Suspect:
		n := r.open(rec.At, "suspect", "suspect "+rec.Node+" of "+rec.About, true)
		r.all[n].To = rec.At
	case history.Pause:
		r.nodes[rec.Node] = r.open(rec.At, "pause", "pause "+rec.Node, true)
	case history.NodeUp, history.Resume:
		if n, known := r.nodes[rec.Node]; known {
			r.all[n].To = rec.At
			delete(r.nodes, rec.Node)
		}
	}
}

// broke reads a record of a fault of the network or of a clock. The first record
// of a fault says when it began, the second what it was.
func (r *faultReader) broke(rec *history.Record) {
	if rec.Type == history.Invoke {
		r.invoked[rec.Op] = rec.At
		return
	}
	from, known := r.invoked[rec.Op]
	if !known {
		from = rec.At
	}
	n := r.open(from, string(rec.F), rec.Text, rec.Verified && rec.Type == history.Ok)
	if rec.F == history.Skew {
		r.all[n].To = from
		return
	}
	r.network = append(r.network, n)
}

// healed ends the faults of the network of which a heal left nothing.
func (r *faultReader) healed(rec *history.Record) {
	var still []int
	for _, n := range r.network {
		left := rec.Closed
		if faultClass(r.all[n].Kind) == "degrade" {
			left = rec.Degraded
		}
		if len(left) > 0 {
			still = append(still, n)
			continue
		}
		r.all[n].To = rec.At
	}
	r.network = still
}

// open adds a fault that has no end yet.
func (r *faultReader) open(from int64, kind, text string, verified bool) int {
	r.all = append(r.all, Fault{From: from, To: from - 1, Kind: kind, Text: text, Verified: verified})
	return len(r.all) - 1
}
