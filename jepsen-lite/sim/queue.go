package sim

// event is something that happens at a time, as the queue sees it. Events of one
// moment come in the order of a keyed hash, so that orders are explored and not
// fixed by accident.
type event struct {
	at   int64
	tie  uint64
	seq  uint64
	slot uint32 // where its deed is kept
}

func (e *event) before(o *event) bool {
	if e.at != o.at {
		return e.at < o.at
	}
	if e.tie != o.tie {
		return e.tie < o.tie
	}
	return e.seq < o.seq
}

// deed is what happens. Which fields mean something depends on the kind; what
// happens seldom is a function.
type deed struct {
	kind kind
	// about is what the trace calls the nodes that it is about.
	about   [2]uint64
	from    *node
	to      *node
	fromRun uint64
	toRun   uint64
	run     int    // how often the node on which it happens had been started
	mark    uint64 // of the connection, or of the loss of a path
	frame   []byte
	do      func()
}

// queue holds the events to come: a heap in which each has four children, as
// fewer levels cost fewer misses. Deeds do not move with their events.
//
// Invariant: no event is before its parent; free lists the deeds that no event
// has.
type queue struct {
	events []event
	deeds  []deed
	free   []uint32
}

const fanOut = 4

func (q *queue) len() int { return len(q.events) }

// next returns when the first event happens.
func (q *queue) next() int64 { return q.events[0].at }

func (q *queue) push(at int64, tie, seq uint64, d deed) {
	slot := uint32(len(q.deeds))
	if n := len(q.free); n > 0 {
		slot = q.free[n-1]
		q.free = q.free[:n-1]
		q.deeds[slot] = d
	} else {
		q.deeds = append(q.deeds, d)
	}
	e := event{at, tie, seq, slot}
	i := len(q.events)
	q.events = append(q.events, e)
	for i > 0 {
		parent := (i - 1) / fanOut
		if !e.before(&q.events[parent]) {
			break
		}
		q.events[i] = q.events[parent]
		i = parent
	}
	q.events[i] = e
}

// pop takes the first event out.
func (q *queue) pop() deed {
	slot := q.events[0].slot
	d := q.deeds[slot]
	q.deeds[slot] = deed{}
	q.free = append(q.free, slot)
	last := len(q.events) - 1
	e := q.events[last]
	q.events = q.events[:last]
	if last > 0 {
		q.sink(e)
	}
	return d
}

// sink puts an event in at the top, from where it goes down to its place.
func (q *queue) sink(e event) {
	i, n := 0, len(q.events)
	for {
		least := i*fanOut + 1
		if least >= n {
			break
		}
		for child := least + 1; child < min(i*fanOut+1+fanOut, n); child++ {
			if q.events[child].before(&q.events[least]) {
				least = child
			}
		}
		if !q.events[least].before(&e) {
			break
		}
		q.events[i] = q.events[least]
		i = least
	}
	q.events[i] = e
}

// post puts an event in the queue.
func (c *Cluster) post(delay int64, tie uint64, d deed) {
	c.events++
	c.queue.push(c.now+max(delay, 0), tie, c.events, d)
}

// laterOf posts an event between two nodes.
func (c *Cluster) laterOf(delay int64, k kind, from, to *node, run int, mark uint64) {
	p := c.pair(from, to)
	c.post(delay, roll(c.dice.faces[k].tie, p.names, &p.ties[k]), deed{
		kind: k, about: [2]uint64{from.hash, to.hash}, from: from, to: to,
		fromRun: from.self.Run, toRun: to.self.Run, run: run, mark: mark,
	})
}

// laterAt posts an event of one node.
func (c *Cluster) laterAt(delay int64, k kind, n *node, run int, do func()) {
	c.post(delay, roll(c.dice.faces[k].tie, n.alone, &n.ties[k-ofTick]), deed{
		kind: k, about: [2]uint64{n.hash, c.nobody}, to: n, run: run, do: do,
	})
}

// later posts any other event.
func (c *Cluster) later(delay int64, k kind, about [2]uint64, do func()) {
	c.post(delay, c.dice.rollFor(source{k, true, about}), deed{kind: k, about: about, do: do})
}

// always posts an event that is about no node.
func (c *Cluster) always(delay int64, k kind, do func()) {
	c.later(delay, k, [2]uint64{c.nobody, c.nobody}, do)
}
