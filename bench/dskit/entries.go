package main

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/grafana/dskit/kv/memberlist"
)

// entries is a value of the KV: names, and when each was set. The later time
// stays.
type entries struct {
	Set map[string]int64
}

func newEntries() *entries { return &entries{Set: map[string]int64{}} }

// Merge takes what is newer in other and returns it, or nil when nothing is.
func (e *entries) Merge(other memberlist.Mergeable, _ bool) (memberlist.Mergeable, error) {
	if other == nil {
		return nil, nil
	}
	o, ok := other.(*entries)
	if !ok {
		return nil, fmt.Errorf("dskit: cannot merge %T", other)
	}
	change := newEntries()
	if o != nil {
		for name, at := range o.Set {
			if had, ok := e.Set[name]; !ok || at > had {
				e.Set[name], change.Set[name] = at, at
			}
		}
	}
	if len(change.Set) == 0 {
		return nil, nil
	}
	return change, nil
}

// MergeContent returns the names.
func (e *entries) MergeContent() []string {
	names := make([]string, 0, len(e.Set))
	for name := range e.Set {
		names = append(names, name)
	}
	return names
}

// RemoveTombstones does nothing: there are none.
func (e *entries) RemoveTombstones(time.Time) (total, removed int) { return 0, 0 }

// Clone returns a deep copy.
func (e *entries) Clone() memberlist.Mergeable { return &entries{Set: maps.Clone(e.Set)} }

// codec encodes entries with encoding/gob.
type codec struct{}

// CodecID returns the codec's name.
func (codec) CodecID() string { return "entries" }

// Encode encodes a value.
func (codec) Encode(v any) ([]byte, error) {
	e, ok := v.(*entries)
	if !ok {
		return nil, errors.New("dskit: no entries")
	}
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(e)
	return b.Bytes(), err
}

// Decode decodes a value.
func (codec) Decode(b []byte) (any, error) {
	e := newEntries()
	return e, gob.NewDecoder(bytes.NewReader(b)).Decode(e)
}
