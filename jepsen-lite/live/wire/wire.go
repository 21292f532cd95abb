package wire

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// Pair names a directed link.
type Pair struct{ From, To string }

// Address is a hardware address of Ethernet.
type Address [6]byte

// group reports whether a frame for the address is for many.
func (a Address) group() bool { return a[0]&1 != 0 }

// MaxFrame is the size in bytes of the largest frame that is carried.
const MaxFrame = 64 << 10

// header is the size of the header of a frame.
const header = 14

// Switch carries frames between ports.
//
// Invariant: there is a link from each port to each other.
type Switch struct {
	begun time.Time
	seed  uint64
	wake  chan struct{} // the first arrival may be another
	done  chan struct{}
	ends  sync.WaitGroup

	mu      sync.Mutex
	ports   map[string]*port
	at      map[Address]*port
	links   map[Pair]*link.Link
	flying  queue
	order   uint64
	strayed int64
	faults  []error
	closed  bool
}

// port is where a host is connected.
type port struct {
	name string
	mac  Address
	io.ReadWriteCloser
}

// New returns a switch without ports. All chance on its links comes from the seed.
func New(seed uint64) *Switch {
	s := &Switch{
		begun: time.Now(), seed: seed, wake: make(chan struct{}, 1), done: make(chan struct{}),
		ports: map[string]*port{}, at: map[Address]*port{}, links: map[Pair]*link.Link{},
	}
	s.ends.Add(1)
	go s.deliver()
	return s
}

// Attach connects a port, over links that carry everything at once. The switch
// closes the port in the end. It fails when the name or the address is taken.
func (s *Switch) Attach(name string, mac Address, device io.ReadWriteCloser) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.ports[name] != nil || s.at[mac] != nil:
		return fmt.Errorf("wire: port %s or its address %x is there already", name, mac)
	case mac.group():
		return fmt.Errorf("wire: the address %x of port %s is one of a group", mac, name)
	}
	p := &port{name, mac, device}
	for other := range s.ports {
		s.links[Pair{name, other}] = link.New(s.seed, name, other)
		s.links[Pair{other, name}] = link.New(s.seed, other, name)
	}
	s.ports[name], s.at[mac] = p, p
	s.ends.Add(1)
	go s.read(p)
	return nil
}

// Set changes how links carry frames, all of them at one moment or, with an
// error, none.
func (s *Switch) Set(changes map[Pair]link.Conditions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	for pair, c := range changes {
		if s.links[pair] == nil {
			return fmt.Errorf("wire: there is no link from %s to %s", pair.From, pair.To)
		}
		if err := c.Validate(); err != nil {
			return fmt.Errorf("wire: from %s to %s: %w", pair.From, pair.To, err)
		}
	}
	now := time.Since(s.begun)
	for pair, c := range changes {
		s.send(pair, s.links[pair].Set(now, c))
	}
	return nil
}

// Conditions returns how a link carries frames; the zero value for a link that is
// not there.
func (s *Switch) Conditions(pair Pair) link.Conditions {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.links[pair]; l != nil {
		return l.Conditions()
	}
	return link.Conditions{}
}

// Stats returns what became of the frames of every link.
func (s *Switch) Stats() map[Pair]link.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[Pair]link.Stats, len(s.links))
	for pair, l := range s.links {
		all[pair] = l.Stats()
	}
	return all
}

// Strayed returns how many frames were for an address that no port has, or too
// short to have one.
func (s *Switch) Strayed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strayed
}

// Close ends the switch and closes all ports. It returns what ended ports before,
// joined. Further calls do nothing.
func (s *Switch) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	for _, p := range s.ports {
		if err := p.Close(); err != nil {
			s.faults = append(s.faults, fmt.Errorf("wire: close port %s: %w", p.name, err))
		}
	}
	s.mu.Unlock()
	s.ends.Wait()
	return errors.Join(s.faults...)
}

// fail notes what ended a port.
func (s *Switch) fail(p *port, what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		s.faults = append(s.faults, fmt.Errorf("wire: %s port %s: %w", what, p.name, err))
	}
}

// read puts what comes out of a port on its way.
func (s *Switch) read(p *port) {
	defer s.ends.Done()
	buffer := make([]byte, MaxFrame)
	for {
		n, err := p.Read(buffer)
		if err != nil {
			s.fail(p, "read from", err)
			return
		}
		s.route(p, append([]byte(nil), buffer[:n]...))
	}
}

func (s *Switch) route(from *port, frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(frame) < header {
		s.strayed++
		return
	}
	now := time.Since(s.begun)
	offer := func(to *port) {
		pair := Pair{from.name, to.name}
		s.send(pair, s.links[pair].Offer(now, frame))
	}
	to := Address(frame)
	switch other := s.at[to]; {
	case to.group():
		for _, p := range s.ports {
			if p != from {
				offer(p)
			}
		}
	case other == nil || other == from:
		s.strayed++
	default:
		offer(other)
	}
}

// send puts arrivals into the queue; s.mu is held.
func (s *Switch) send(pair Pair, all []link.Arrival) {
	for _, a := range all {
		s.order++
		heap.Push(&s.flying, flight{a, pair, s.order})
	}
	if len(all) == 0 {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver hands over each frame when its time has come.
func (s *Switch) deliver() {
	defer s.ends.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f, wait := s.next()
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-s.done:
				return
			case <-s.wake:
			case <-timer.C:
			}
			continue
		}
		if f.to == nil {
			continue
		}
		if _, err := f.to.Write(f.frame); err != nil {
			s.fail(f.to, "write to", err)
		}
	}
}

// landing is a frame that is to be written.
type landing struct {
	to    *port
	frame []byte
}

// next takes the first frame whose time has come, without a port if its link was
// closed meanwhile; or says how long there is to wait.
func (s *Switch) next() (landing, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.flying) == 0 {
		return landing{}, time.Hour
	}
	if wait := s.flying[0].At - time.Since(s.begun); wait > 0 {
		return landing{}, wait
	}
	f := heap.Pop(&s.flying).(flight)
	if !s.links[f.pair].Arrive(f.Frame) {
		return landing{}, 0
	}
	return landing{s.ports[f.pair.To], f.Frame}, 0
}

// flight is a frame on its way.
type flight struct {
	link.Arrival
	pair  Pair
	order uint64 // frames of one moment arrive as they were sent
}

// queue is a heap of flights, the first arrival on top.
type queue []flight

// Len is for package heap.
func (q queue) Len() int { return len(q) }

// Less is for package heap.
func (q queue) Less(i, j int) bool {
	if q[i].At != q[j].At {
		return q[i].At < q[j].At
	}
	return q[i].order < q[j].order
}

// Swap is for package heap.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for package heap.
func (q *queue) Push(x any) { *q = append(*q, x.(flight)) }

// Pop is for package heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	f := (*q)[last]
	(*q)[last] = flight{}
	*q = (*q)[:last]
	return f
}
