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

// Command carries out one request on a node.
type Command func(ctx context.Context, args json.RawMessage) (any, error)

// Typed makes a Command of a function with arguments and a result of its own.
func Typed[Args, Result any](do func(context.Context, Args) (Result, error)) Command {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args Args
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		return do(ctx, args)
	}
}

// TakenError is what a command returns for a name that has a holder: the holder
// travels with the fault.
type TakenError struct {
	Holder Holder
	Err    error
}

// Error returns the text of the error inside.
func (e *TakenError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e *TakenError) Unwrap() error { return e.Err }

// Serve carries out the requests that it reads, each in a goroutine of its own,
// until in ends or ctx does. It then cancels the commands that still run and
// waits for them.
func Serve(ctx context.Context, in io.Reader, out io.Writer, commands map[string]Command) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()

	var writing sync.Mutex
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for ctx.Err() == nil && lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("wire: a line is no request: %w", err)
		}
		running.Go(func() {
			line := answer(ctx, r, commands)
			writing.Lock()
			defer writing.Unlock()
			// A conductor that is gone needs no reply: the end of in says so.
			_, _ = out.Write(append(line, '\n'))
		})
	}
	return lines.Err()
}

// answer carries out one request and returns the line of its reply.
func answer(ctx context.Context, r request, commands map[string]Command) []byte {
	if r.WithinMillis > 0 {
		bounded, cancel := context.WithTimeout(ctx, time.Duration(r.WithinMillis)*time.Millisecond)
		defer cancel()
		ctx = bounded
	}
	result, err := carryOut(ctx, r, commands)
	if err != nil {
		return encode(reply{ID: r.ID, Fault: fault(err)})
	}
	return encode(reply{ID: r.ID, Result: result})
}

// carryOut runs the command of a request and encodes its result.
func carryOut(ctx context.Context, r request, commands map[string]Command) (json.RawMessage, error) {
	command, ok := commands[r.Do]
	if !ok {
		return nil, fmt.Errorf("no command %q", r.Do)
	}
	result, err := command(ctx, r.Args)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

// fault makes an error fit to travel.
func fault(err error) *Fault {
	f := &Fault{Text: err.Error()}
	if taken, ok := errors.AsType[*TakenError](err); ok {
		f.Taken = &taken.Holder
	}
	return f
}

// encode returns the line of a reply. A reply is made of strings, numbers and
// JSON that was encoded before, so that it always encodes.
func encode(r reply) []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("wire: reply %d does not encode: %v", r.ID, err))
	}
	return line
}
