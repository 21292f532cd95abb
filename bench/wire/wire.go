package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Args are the arguments of a request. They are taken one after the other; what
// is missing or malformed is told by Err.
type Args struct {
	words []string
	err   error
}

// NewArgs returns arguments to take from words.
func NewArgs(words ...string) *Args { return &Args{words: words} }

// Word takes a word.
func (a *Args) Word() string {
	if len(a.words) == 0 {
		a.err = firstOf(a.err, errors.New("wire: an argument is missing"))
		return ""
	}
	w := a.words[0]
	a.words = a.words[1:]
	return w
}

// Int takes an integer.
func (a *Args) Int() int {
	n, err := strconv.Atoi(a.Word())
	a.err = firstOf(a.err, err)
	return n
}

// Rest takes all words that are left.
func (a *Args) Rest() []string {
	rest := a.words
	a.words = nil
	return rest
}

// Err returns what was wrong with the arguments that were taken.
func (a *Args) Err() error { return a.err }

// firstOf returns the first error that is not nil.
func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// Verb does what a request asks for.
type Verb func(ctx context.Context, args *Args) ([]int64, error)

// Serve answers requests until in ends, each in a goroutine of its own. The
// context of the verbs ends with it, and Serve waits for none of them.
func Serve(ctx context.Context, in io.Reader, out io.Writer, verbs map[string]Verb) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var mu sync.Mutex
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		go func() {
			reply := answer(ctx, words, verbs)
			mu.Lock()
			defer mu.Unlock()
			// Nobody reads any more once the benchmark is gone; then in ends too.
			_, _ = io.WriteString(out, reply)
		}()
	}
}

// answer returns the line that answers a request.
func answer(ctx context.Context, words []string, verbs map[string]Verb) string {
	verb, ok := verbs[words[1]]
	if !ok {
		return fmt.Sprintf("%s error unknown verb %q\n", words[0], words[1])
	}
	args := NewArgs(words[2:]...)
	numbers, err := verb(ctx, args)
	if err = errors.Join(args.Err(), err); err != nil {
		return fmt.Sprintf("%s error %s\n", words[0], strings.Join(strings.Fields(err.Error()), " "))
	}
	line := append([]byte(words[0]), " ok"...)
	for _, n := range numbers {
		line = strconv.AppendInt(append(line, ' '), n, 10)
	}
	return string(append(line, '\n'))
}

// ErrGone is returned by Ask when the program has ended, or ends before it has
// answered.
var ErrGone = errors.New("wire: the program is gone")

// Client asks one program.
//
// Invariant: each request under way has a channel in waits until it is answered,
// given up, or the program is gone.
type Client struct {
	out io.Writer

	mu    sync.Mutex
	next  int
	waits map[string]chan reply
	gone  bool
}

type reply struct {
	numbers []int64
	err     error
}

// NewClient returns a client that writes requests to out. Receive must run.
func NewClient(out io.Writer) *Client {
	return &Client{out: out, waits: map[string]chan reply{}}
}

// Receive takes replies until in ends, and fails all that is then under way.
func (c *Client) Receive(in io.Reader) error {
	lines := bufio.NewReaderSize(in, 1<<16)
	var err error
	for err == nil {
		var line string
		if line, err = lines.ReadString('\n'); err == nil {
			err = c.take(strings.TrimSpace(line))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for _, wait := range c.waits {
		wait <- reply{err: ErrGone}
	}
	clear(c.waits)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// take hands a reply to who waits for it.
func (c *Client) take(line string) error {
	id, rest, _ := strings.Cut(line, " ")
	state, rest, _ := strings.Cut(rest, " ")
	var r reply
	switch state {
	case "ok":
		for word := range strings.FieldsSeq(rest) {
			n, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return fmt.Errorf("wire: a reply with %q: %w", word, err)
			}
			r.numbers = append(r.numbers, n)
		}
	case "error":
		r.err = errors.New(rest)
	default:
		return fmt.Errorf("wire: no reply: %q", line)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait, ok := c.waits[id]; ok {
		delete(c.waits, id)
		wait <- r
	}
	return nil
}

// Ask sends a request and waits for its answer. Arguments are words and
// integers; a list of words counts as each of them.
func (c *Client) Ask(ctx context.Context, verb string, args ...any) ([]int64, error) {
	wait := make(chan reply, 1)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return nil, ErrGone
	}
	c.next++
	id := strconv.Itoa(c.next)
	c.waits[id] = wait
	_, err := io.WriteString(c.out, request(id, verb, args))
	c.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	select {
	case r := <-wait:
		return r.numbers, r.err
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waits, id)
		c.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

func request(id, verb string, args []any) string {
	words := []string{id, verb}
	for _, a := range args {
		if list, ok := a.([]string); ok {
			words = append(words, list...)
			continue
		}
		words = append(words, fmt.Sprint(a))
	}
	return strings.Join(words, " ") + "\n"
}
