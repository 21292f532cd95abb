//go:build linux

package hosts

import (
	"errors"
	"os"
	"time"
)

// Clean removes what runs under a prefix left behind when they were killed: their
// processes, and their namespaces with all links and tables in them. The default
// prefix is "". It leaves runs alone that still live. It returns the names of the
// namespaces that it removed, also with an error.
func Clean(prefix string) ([]string, error) {
	if prefix == "" {
		prefix = defaultPrefix
	}
	if err := validPrefix(prefix); err != nil {
		return nil, err
	}
	runs, err := namespacesOf(prefix)
	if err != nil {
		return nil, err
	}
	if runs == nil {
		runs = map[string][]string{}
	}
	recorded, err := recordsOf(prefix, time.Now())
	if err != nil {
		return nil, err
	}
	for _, run := range recorded {
		runs[run] = append([]string(nil), runs[run]...)
	}
	var removed []string
	var faults []error
	for run, names := range runs {
		gone, err := cleanRun(run, names)
		removed = append(removed, gone...)
		faults = append(faults, err)
	}
	return removed, errors.Join(faults...)
}

// cleanRun removes what is left of a run unless it lives. Its record goes last.
func cleanRun(run string, names []string) (removed []string, err error) {
	r, over, err := abandoned(run)
	if err != nil || !over {
		return nil, err
	}
	if r != nil {
		defer func() { _ = r.file.Close() }()
	}
	var faults []error
	for _, name := range names {
		if err := removeNamespace(name); err != nil {
			faults = append(faults, err)
			continue
		}
		removed = append(removed, name)
	}
	if r != nil && len(faults) == 0 {
		if err := os.Remove(r.path()); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return removed, errors.Join(faults...)
}
