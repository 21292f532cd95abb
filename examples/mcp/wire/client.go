package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Client is the conductor's end of the pipes to one node.
//
// Invariant: an id is in waiting from before its request is written until its
// reply arrived, its caller gave up or the node ended.
type Client struct {
	node string

	// writing keeps lines whole.
	writing sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan reply
	gone    bool
}

// NewClient returns a client which writes requests to out. Replies flow while
// Receive runs.
func NewClient(node string, out io.Writer) *Client {
	return &Client{node: node, out: out, waiting: map[uint64]chan reply{}}
}

// Receive hands each reply to the call that waits for it, until in ends; then it
// fails all calls, open and future, with ErrGone. It is called once.
func (c *Client) Receive(in io.Reader) error {
	defer c.end()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var r reply
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("wire: a line of %s is no reply: %w", c.node, err)
		}
		if waiter := c.take(r.ID); waiter != nil {
			waiter <- r
		}
	}
	return lines.Err()
}

// Ask sends a command and waits for its result. It returns a *Fault when the
// command failed, ErrGone when the node ended, and the context's error. The
// context's deadline bounds the command on the node too.
func Ask[Result any](ctx context.Context, c *Client, do string, args any) (Result, error) {
	var result Result
	r, err := c.ask(ctx, do, args)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(r.Result, &result); err != nil {
		return result, fmt.Errorf("%s: %s: result: %w", c.node, do, err)
	}
	return result, nil
}

// ask sends one request and returns its reply, which is not a fault.
func (c *Client) ask(ctx context.Context, do string, args any) (reply, error) {
	encoded, err := json.Marshal(args)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %s: arguments: %w", c.node, do, err)
	}
	id, waiter := c.wait()
	if waiter == nil {
		return reply{}, fmt.Errorf("%s: %s: %w", c.node, do, ErrGone)
	}
	defer c.take(id)
	line := request{ID: id, Do: do, Args: encoded}
	if deadline, ok := ctx.Deadline(); ok {
		line.WithinMillis = max(1, time.Until(deadline).Milliseconds())
	}
	if err := c.write(line); err != nil {
		return reply{}, fmt.Errorf("%s: %s: %w", c.node, do, errors.Join(ErrGone, err))
	}
	select {
	case r, ok := <-waiter:
		if !ok {
			return reply{}, fmt.Errorf("%s: %s: %w", c.node, do, ErrGone)
		}
		if r.Fault != nil {
			r.Fault.Node, r.Fault.Do = c.node, do
			return reply{}, r.Fault
		}
		return r, nil
	case <-ctx.Done():
		return reply{}, fmt.Errorf("%s: %s: %w", c.node, do, context.Cause(ctx))
	}
}

// write sends one line.
func (c *Client) write(line request) error {
	encoded, err := json.Marshal(line)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.out.Write(append(encoded, '\n'))
	return err
}

// wait makes an id and the channel for its reply; nil when the node is gone.
func (c *Client) wait() (uint64, chan reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return 0, nil
	}
	c.last++
	waiter := make(chan reply, 1)
	c.waiting[c.last] = waiter
	return c.last, waiter
}

// take removes and returns who waits for an id; nil when nobody does.
func (c *Client) take(id uint64) chan reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiter := c.waiting[id]
	delete(c.waiting, id)
	return waiter
}

// end fails everybody who waits.
func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for id, waiter := range c.waiting {
		close(waiter)
		delete(c.waiting, id)
	}
}
