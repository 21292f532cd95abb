package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// outcome is how an operation ended.
type outcome int

const (
	outcomeOk outcome = iota
	outcomeFail
	outcomeInfo
	outcomeOpen // the run ended first
)

// operation is what a client asked of a node.
type operation struct {
	invoke, done int // places in the history; done is -1 while open
	from, to     int64
	node         string
	view         bool
	outcome      outcome
	row          int // among the rows of its node, so that operations do not overlap
}

// isOperation says whether a record belongs to a client's operation.
func isOperation(f history.Func) bool {
	switch f {
	case history.Register, history.Reregister, history.Unregister, history.Update, history.Join,
		history.Leave, history.Lookup, history.Members, history.View:
		return true
	}
	return false
}

// operations pairs the records of operations, in the order in which they began.
func operations(h *history.History, end int64) []operation {
	var all []operation
	open := map[int]int{}
	for i := range h.Records {
		r := &h.Records[i]
		if !isOperation(r.F) {
			continue
		}
		if r.Type == history.Invoke {
			open[r.Op] = len(all)
			all = append(all, operation{invoke: i, done: -1, from: r.At, to: end, node: r.Node, view: r.F == history.View, outcome: outcomeOpen})
			continue
		}
		n, known := open[r.Op]
		if !known {
			n = len(all)
			all = append(all, operation{invoke: i, from: r.At, node: r.Node, view: r.F == history.View})
		}
		delete(open, r.Op)
		all[n].done, all[n].to = i, r.At
		all[n].outcome = outcomeInfo
		switch r.Type {
		case history.Ok:
			all[n].outcome = outcomeOk
		case history.Fail:
			all[n].outcome = outcomeFail
		}
	}
	return all
}

// describe says in the words of the scenario language what an operation was and
// what came of it.
func describe(h *history.History, o *operation) string {
	r := &h.Records[o.invoke]
	words := []string{string(r.F)}
	for _, word := range []string{r.Name, r.Group} {
		if word != "" {
			words = append(words, word)
		}
	}
	if r.Process != "" {
		words = append(words, "as", r.Process)
	}
	if r.Value != "" {
		words = append(words, "value="+r.Value)
	}
	if r.Mode != "" {
		words = append(words, r.Mode)
	}
	return clip(strings.Join(words, " ")+" => "+answer(h, o), maxOperationText)
}

const maxOperationText = 200

// answer says what came of an operation.
func answer(h *history.History, o *operation) string {
	if o.outcome == outcomeOpen {
		return "never answered"
	}
	r := &h.Records[o.done]
	words := []string{[]string{"ok", "fail", "unknown"}[o.outcome]}
	switch {
	case r.F == history.Lookup && o.outcome == outcomeOk && r.Holder == "":
		words = append(words, "nobody")
	case r.F == history.Lookup && o.outcome == outcomeOk:
		words = append(words, r.Holder)
	case r.Holder != "":
		words = append(words, "held by", r.Holder)
	}
	if r.F == history.Members && o.outcome == outcomeOk {
		words = append(words, strconv.Itoa(len(r.Members))+" members")
	}
	if r.F == history.View && o.outcome == outcomeOk {
		words = append(words, strconv.Itoa(len(r.Names))+" names,", strconv.Itoa(len(r.Groups))+" groups")
	}
	if r.Error != "" {
		words = append(words, "("+r.Error+")")
	}
	return strings.Join(words, " ")
}

// withoutViews leaves out the views that were answered, but for those that a finding
// names: a run that looks at every node twice a second has hardly anything else. It
// returns how many it left out.
func withoutViews(all []operation, named map[int]bool) (rest []operation, left int) {
	for _, o := range all {
		if o.view && o.outcome == outcomeOk && !named[o.invoke] && !named[o.done] {
			left++
			continue
		}
		rest = append(rest, o)
	}
	return rest, left
}

// excerpt is a part of the operations, and what lies outside.
type excerpt struct {
	all           []operation
	before, after int
	from, to      int64
}

// around keeps at most limit operations in one piece around a moment, more of them
// before than after, and those that a finding names wherever they are.
func around(all []operation, centre int64, limit int, named map[int]bool) excerpt {
	if len(all) <= limit {
		return excerpt{all: all}
	}
	at, _ := slices.BinarySearchFunc(all, centre, func(o operation, t int64) int { return cmp.Compare(o.from, t) })
	first := min(max(0, at-limit*2/3), len(all)-limit)
	last := first + limit
	e := excerpt{before: first, after: len(all) - last}
	if limit > 0 {
		e.from, e.to = all[first].from, all[last-1].from
	}
	for i := range all {
		isNamed := named[all[i].invoke] || named[all[i].done]
		switch {
		case i >= first && i < last:
			e.all = append(e.all, all[i])
		case isNamed && i < first:
			e.before--
			e.all = append(e.all, all[i])
		case isNamed:
			e.after--
			e.all = append(e.all, all[i])
		}
	}
	return e
}

// maxRows is the number of rows in which a node's overlapping operations are
// drawn; more than that overlap in the last one.
func maxRows(nodes int) int {
	if nodes > 30 {
		return 2
	}
	return 4
}

// arrange gives operations of one node that overlap different rows. It returns the
// number of rows of each node.
func arrange(all []operation, nodes int, lane func(string) int) []int {
	busy := make([][]int64, nodes)
	for i := range all {
		o := &all[i]
		n := lane(o.node)
		o.row = slices.IndexFunc(busy[n], func(until int64) bool { return until <= o.from })
		switch {
		case o.row < 0 && len(busy[n]) < maxRows(nodes):
			o.row = len(busy[n])
			busy[n] = append(busy[n], o.to)
		case o.row < 0:
			o.row = maxRows(nodes) - 1
			busy[n][o.row] = max(busy[n][o.row], o.to)
		default:
			busy[n][o.row] = o.to
		}
	}
	rows := make([]int, nodes)
	for n := range busy {
		rows[n] = len(busy[n])
	}
	return rows
}
