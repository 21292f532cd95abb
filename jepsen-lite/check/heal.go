package check

import "github.com/rollcall-dev/rollcall/jepsen-lite/history"

// Healing is what came of one heal of the network.
type Healing struct {
	// Index is the record by which the heal had taken effect, and At its time.
	Index int   `json:"index"`
	At    int64 `json:"at"`
	// Text is the heal in the words of the scenario language.
	Text string `json:"text"`
	// Nodes is the number of nodes in the components that the heal formed.
	Nodes int `json:"nodes"`
	// Agreed says that the nodes of each of these components were seen to agree
	// before the topology changed again, and Took how long after the heal.
	Agreed bool  `json:"agreed"`
	Took   int64 `json:"took_ns"`
	// Bytes is what flowed meanwhile, at most: up to the next sum that was recorded.
	// It is 0 when the nodes did not agree or the history has no such sums.
	Bytes int64 `json:"bytes"`
}

// healings returns the heals that formed a component of more than one node; found
// are the agreements of the whole history.
func (x *index) healings(found map[int][2]int) []Healing {
	var all []Healing
	formed := map[int][]int{} // by record: the windows that begin there
	for id := range x.windows {
		if w := &x.windows[id]; len(w.runs) > 1 {
			formed[w.from] = append(formed[w.from], id)
		}
	}
	for i := range x.recs {
		r := &x.recs[i]
		if r.F != history.Heal || r.Type != history.Ok || len(formed[i]) == 0 {
			continue
		}
		h := Healing{Index: i, At: r.At, Text: r.Text, Agreed: true}
		last := i
		for _, id := range formed[i] {
			h.Nodes += len(x.windows[id].runs)
			at, ok := found[id]
			if h.Agreed = h.Agreed && ok; ok {
				last = max(last, at[0])
			}
		}
		if h.Agreed {
			h.Took = x.recs[last].At - r.At
			if to, ok := x.bytesAfter(last); ok {
				h.Bytes = to - x.bytesBefore(i)
			}
		}
		all = append(all, h)
	}
	return all
}
