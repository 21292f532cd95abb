package registry

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// A counter is a group whose members' values are numbers: each process counts for
// itself, and the total is over the processes that live on nodes that can be
// reached. What a process counted goes with it.

// counterSize is the size in bytes of a number as a member's value.
const counterSize = 8

// Add adds to the process's part of a counter and returns its new part; it joins
// the process to the group of that name when it is not in it. Take it out with
// Leave. It returns ErrValue when the process is in the group with a value that
// is no number, and what Join returns.
func (r *Registry) Add(ctx context.Context, counter string, p *Process, n int64) (int64, error) {
	if err := r.usable(ctx, p); err != nil {
		return 0, err
	}
	var err error
	part := n
	r.do(func(m *replica.Machine, now crdt.Reading) {
		for _, e := range m.Entries(p.pid.Serial) {
			if e.Kind() != GroupKind || e.Key() != counter {
				continue
			}
			had, ok := countOf(e.Value())
			if !ok {
				err = ErrValue
				return
			}
			part += had
		}
		_, err = m.Join(now, p.pid.Serial, counter, binary.BigEndian.AppendUint64(nil, uint64(part)))
	})
	if err != nil {
		return 0, fmt.Errorf("registry: add to %q: %w", counter, err)
	}
	return part, nil
}

// Total returns the sum of a counter's parts, and how many processes have one.
// Members whose value is no number are left out.
func (r *Registry) Total(counter string) (sum int64, parts int) {
	for _, m := range r.Members(counter) {
		if n, ok := countOf(m.Value); ok {
			sum += n
			parts++
		}
	}
	return sum, parts
}

func countOf(value []byte) (int64, bool) {
	if len(value) != counterSize {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(value)), true
}
