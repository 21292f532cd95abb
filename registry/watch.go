package registry

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Subject says what a Watch is about. Make it with OfName, OfPrefix, OfGroup or
// Everything.
type Subject struct {
	kind   Kind
	key    string
	prefix bool
	all    bool
}

// OfName watches one name.
func OfName(name string) Subject { return Subject{kind: NameKind, key: name} }

// OfPrefix watches the names that begin with a prefix; all names when it is
// empty.
func OfPrefix(prefix string) Subject { return Subject{kind: NameKind, key: prefix, prefix: true} }

// OfGroup watches the members of one group.
func OfGroup(group string) Subject { return Subject{kind: GroupKind, key: group} }

// Everything watches all names and groups.
func Everything() Subject { return Subject{all: true} }

func (s Subject) covers(kind Kind, key string) bool {
	switch {
	case s.all:
		return true
	case kind != s.kind:
		return false
	case s.prefix:
		return strings.HasPrefix(key, s.key)
	}
	return key == s.key
}

// Entry is a registration or a membership in an event.
type Entry struct {
	// Kind says which it is.
	Kind Kind
	// Key is the name or the group.
	Key string
	// PID is the process.
	PID PID
	// Value is the metadata. It is shared: do not modify it.
	Value []byte
	// Fence is the registration's fence, or when the member joined.
	Fence Fence
}

// Event is what a Watch delivers: a snapshot, or one change.
type Event struct {
	// Seq numbers the events of a watch from 1, without holes.
	Seq uint64
	// Snapshot says that this event is a snapshot: Entries is all that the subject
	// shows, in the order of kinds, keys and PIDs. It is the first event, and comes
	// again when the reader was too slow: then Missed changes are not delivered one
	// by one, and the snapshot takes their place.
	Snapshot bool
	Entries  []Entry
	Missed   int

	// Kind, Key and Reason say what changed, and why.
	Kind   Kind
	Key    string
	Reason Reason
	// Old and New are what was shown before and after; their PID is zero where
	// nothing was. For a name, both set means that it went from one to the other;
	// for a group, that a member's value changed.
	Old, New Entry
}

// Watch delivers a snapshot of its subject and then every change, in the order
// in which this node saw them.
//
// Invariant: snapshot plus the queued changes is what the subject shows, unless
// resync is set.
type Watch struct {
	reg     *Registry
	subject Subject
	limit   int
	news    chan struct{}

	mu     sync.Mutex
	queue  []Event
	resync bool
	missed int
	seq    uint64
	closed bool
}

// Watch begins to watch a subject. Close it when it is not needed any more. It
// returns ErrClosed after Close.
func (r *Registry) Watch(subject Subject) (*Watch, error) {
	w := &Watch{reg: r, subject: subject, limit: r.cfg.WatchBuffer, news: make(chan struct{}, 1), resync: true}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return nil, ErrClosed
	}
	r.watches[w] = struct{}{}
	w.signal()
	return w, nil
}

// Next returns the next event and waits for it. It returns ErrClosed when the
// watch or the registry is closed, and the context's error when ctx ends.
func (w *Watch) Next(ctx context.Context) (Event, error) {
	for {
		if e, ok, err := w.take(); ok || err != nil {
			return e, err
		}
		select {
		case <-w.news:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		}
	}
}

// All returns the events until ctx ends or the watch is closed. It may be walked
// once.
func (w *Watch) All(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			e, err := w.Next(ctx)
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	w.reg.mu.Lock()
	delete(w.reg.watches, w)
	w.reg.mu.Unlock()
	w.end()
}

func (w *Watch) end() {
	w.mu.Lock()
	w.closed = true
	w.queue = nil
	w.mu.Unlock()
	w.signal()
}

func (w *Watch) signal() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// take returns the next event if there is one.
func (w *Watch) take() (e Event, ok bool, err error) {
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		w.signal()
		return e, false, ErrClosed
	case !w.resync && len(w.queue) == 0:
		w.mu.Unlock()
		return e, false, nil
	case !w.resync:
		e = w.queue[0]
		w.queue = w.queue[1:]
		w.seq++
		e.Seq = w.seq
		w.mu.Unlock()
		return e, true, nil
	}
	w.mu.Unlock()
	return w.snapshot(), true, nil
}

// snapshot starts over: it reads what the subject shows and empties the queue in
// one step, so that no change is in both or in neither.
func (w *Watch) snapshot() Event {
	r := w.reg
	r.mu.Lock()
	defer r.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	e := Event{Seq: w.seq, Snapshot: true, Entries: r.entriesOf(w.subject), Missed: w.missed}
	w.resync, w.missed, w.queue = false, 0, nil
	return e
}

// offer queues a change. A reader that is too slow starts over from a snapshot:
// it never misses a change without being told.
func (w *Watch) offer(c replica.Change) {
	if !w.subject.covers(c.Kind, c.Key) {
		return
	}
	w.mu.Lock()
	switch {
	case w.resync:
		if w.seq > 0 {
			w.missed++
		}
	case len(w.queue) >= w.limit:
		w.resync, w.missed, w.queue = true, len(w.queue)+1, nil
	default:
		w.queue = append(w.queue, Event{
			Kind: c.Kind, Key: c.Key, Reason: c.Reason, Old: entryOf(c.Old), New: entryOf(c.New),
		})
	}
	w.mu.Unlock()
	w.signal()
}

func entryOf(e *replica.Entry) Entry {
	if e == nil {
		return Entry{}
	}
	return Entry{Kind: e.Kind(), Key: e.Key(), PID: e.PID(), Value: e.Value(), Fence: Fence(e.Birth())}
}

// entriesOf returns what a subject shows. It is called with mu held.
func (r *Registry) entriesOf(s Subject) []Entry {
	var entries []Entry
	if s.kind == NameKind && !s.prefix && !s.all {
		if e, ok := r.names.Load(s.key); ok {
			entries = append(entries, entryOf(e))
		}
		return entries
	}
	if s.kind == NameKind || s.all {
		r.names.Range(func(name string, e *replica.Entry) bool {
			if s.covers(NameKind, name) {
				entries = append(entries, entryOf(e))
			}
			return true
		})
	}
	if s.kind == GroupKind {
		for _, e := range r.machine.Members(nil, s.key) {
			entries = append(entries, entryOf(e))
		}
	} else if s.all {
		for _, g := range r.machine.Groups() {
			for _, e := range r.machine.Members(nil, g.Name) {
				entries = append(entries, entryOf(e))
			}
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return a.PID.Compare(b.PID)
	})
	return entries
}

// closeWatches ends all watches. It is called with mu held.
func (r *Registry) closeWatches() {
	for w := range r.watches {
		w.end()
	}
	clear(r.watches)
}
