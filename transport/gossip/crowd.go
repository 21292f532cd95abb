package gossip

import (
	"container/list"
	"net"
	"sync"
)

// crowd bounds the connections of one kind. A newcomer beyond the limit makes the
// oldest one close: whoever holds many connections open without a word pushes out
// its own, while one that goes on at once is gone before its turn comes.
//
// Invariant: at most limit connections are in; once closed, none is.
type crowd struct {
	limit   int
	crowded func()
	mu      sync.Mutex
	in      list.List
	closed  bool
}

// newCrowd returns a crowd that calls crowded for each connection pushed out.
func newCrowd(limit int, crowded func()) *crowd {
	return &crowd{limit: limit, crowded: crowded}
}

// enter takes a connection in and returns how it leaves; leaving does not close
// it. A crowd that is closed closes it at once.
func (c *crowd) enter(conn net.Conn) (leave func()) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		_ = conn.Close()
		return func() {}
	}
	var oldest net.Conn
	if c.in.Len() >= c.limit {
		oldest, _ = c.in.Remove(c.in.Front()).(net.Conn)
	}
	place := c.in.PushBack(conn)
	c.mu.Unlock()
	if oldest != nil {
		_ = oldest.Close()
		c.crowded()
	}
	return func() {
		c.mu.Lock()
		c.in.Remove(place)
		c.mu.Unlock()
	}
}

// close closes all connections and whatever enters later.
func (c *crowd) close() {
	c.mu.Lock()
	c.closed = true
	var all []net.Conn
	for e := c.in.Front(); e != nil; e = c.in.Front() {
		all = append(all, c.in.Remove(e).(net.Conn))
	}
	c.mu.Unlock()
	for _, conn := range all {
		_ = conn.Close()
	}
}
