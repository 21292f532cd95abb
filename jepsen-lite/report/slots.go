package report

import "slices"

// lifetimes returns for each digest when it was first and last the state of a
// node. A digest that no span has keeps last before first.
func lifetimes(spans [][]span, digests int, end int64) (first, last []int64) {
	first, last = make([]int64, digests), make([]int64, digests)
	for i := range first {
		first[i], last[i] = end+1, end
	}
	for _, l := range spans {
		for i, s := range l {
			if s.digest == down {
				continue
			}
			until := end
			if i+1 < len(l) {
				until = l[i+1].from
			}
			if first[s.digest] > end {
				first[s.digest], last[s.digest] = s.from, until
			}
			first[s.digest] = min(first[s.digest], s.from)
			last[s.digest] = max(last[s.digest], until)
		}
	}
	return first, last
}

// slots gives each digest one of n colours or letters. Two digests share a slot
// only when there are more than n; then the slot is taken that fell out of use
// longest ago, so that two states of one moment look different as long as n allows
// it. The second result is the number of digests that had to take a slot in use.
func slots(spans [][]span, digests int, end int64, n int) (slot []int, clashes int) {
	first, last := lifetimes(spans, digests, end)
	order := make([]int, 0, digests)
	for d := range digests {
		if first[d] <= last[d] {
			order = append(order, d)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case first[a] < first[b]:
			return -1
		case first[a] > first[b]:
			return 1
		}
		return 0
	})
	slot = make([]int, digests)
	until := make([]int64, 0, n) // when each slot used so far falls out of use
	for _, d := range order {
		if len(until) < n {
			slot[d] = len(until)
			until = append(until, last[d])
			continue
		}
		free := 0
		for i := range until {
			if until[i] < until[free] {
				free = i
			}
		}
		if until[free] > first[d] {
			clashes++
		}
		slot[d], until[free] = free, max(until[free], last[d])
	}
	return slot, clashes
}

// thin drops changes that a picture cannot show until at most limit are left: of
// several changes of a lane in one slice of time the last one stays. Slices near
// the centre are a sixteenth as wide. It returns the width of a slice, 0 when
// nothing was dropped.
func thin(spans [][]span, begin, end, centre int64, limit int) (kept [][]span, width int64) {
	count := 0
	for _, l := range spans {
		count += len(l)
	}
	if count <= limit {
		return spans, 0
	}
	near := (end - begin) / 50
	for width = max(1, (end-begin)>>14); ; width *= 2 {
		kept, count = make([][]span, len(spans)), 0
		for i, l := range spans {
			kept[i] = thinLane(l, begin, width, centre-near, centre+near)
			count += len(kept[i])
		}
		if count <= limit || width > end-begin {
			return kept, width
		}
	}
}

func thinLane(l []span, begin, width, fineFrom, fineTo int64) []span {
	slice := func(at int64) int64 {
		if at >= fineFrom && at <= fineTo {
			return -1 - (at-begin)/max(1, width/16)
		}
		return (at - begin) / width
	}
	var kept []span
	for i, s := range l {
		if i+1 < len(l) && slice(l[i+1].from) == slice(s.from) {
			continue
		}
		kept = appendSpan(kept, s)
	}
	return kept
}

// thinPoints keeps at most limit points of a step function: of each slice of time
// the highest and the last.
func thinPoints(points []point, begin, end int64, limit int) []point {
	if len(points) <= limit {
		return points
	}
	width := (end-begin)/int64(max(1, limit/2)) + 1
	var kept []point
	for i := 0; i < len(points); {
		j, top := i, i
		for ; j < len(points) && (points[j].at-begin)/width == (points[i].at-begin)/width; j++ {
			if points[j].value > points[top].value {
				top = j
			}
		}
		if top != j-1 {
			kept = append(kept, points[top])
		}
		kept = append(kept, points[j-1])
		i = j
	}
	return kept
}
