//go:build linux

package hosts

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// records is where each run keeps a list of what it made.
const records = "/run/rollcall-live"

// record is the file of a run: a line for each thing that was made. It is locked
// while the run lives, and the kernel unlocks it however the run ends.
type record struct {
	run  string // prefix-xxxxxxxx
	file *os.File
}

// newRecord begins a run. The file has its name only once it is locked, so nobody
// takes it for one that was left behind.
func newRecord(prefix string) (*record, error) {
	if err := os.MkdirAll(records, 0o755); err != nil {
		return nil, fmt.Errorf("hosts: make room for records: %w", err)
	}
	var word [4]byte
	_, _ = rand.Read(word[:]) // never fails
	r := &record{run: prefix + "-" + hex.EncodeToString(word[:])}
	file, err := os.OpenFile(r.path()+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("hosts: begin a record: %w", err)
	}
	r.file = file
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("hosts: lock a record: %w", err), file.Close(), os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), r.path()); err != nil {
		return nil, errors.Join(fmt.Errorf("hosts: name a record: %w", err), file.Close(), os.Remove(file.Name()))
	}
	return r, r.add("owner", os.Getpid())
}

func (r *record) path() string { return filepath.Join(records, r.run) }

// add notes something before it is made.
func (r *record) add(what string, which any) error {
	if _, err := fmt.Fprintln(r.file, what, which); err != nil {
		return fmt.Errorf("hosts: record %s %v: %w", what, which, err)
	}
	return nil
}

// close ends the run.
func (r *record) close() error {
	return errors.Join(os.Remove(r.path()), r.file.Close())
}

// abandoned reports whether a run has ended, and gives back its record, locked, if
// it left one.
func abandoned(run string) (*record, bool, error) {
	file, err := os.OpenFile(filepath.Join(records, run), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("hosts: open the record of run %s: %w", run, err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &record{run, file}, true, nil
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("hosts: lock the record of run %s: %w", run, err)
}

// unborn is how old a record without its name may be: a run that has not given it
// by then was killed.
const unborn = time.Minute

// recordsOf returns the runs under a prefix that have a record. It removes those
// records that were never given their name.
func recordsOf(prefix string, now time.Time) ([]string, error) {
	entries, err := os.ReadDir(records)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("hosts: list records: %w", err)
	}
	var runs []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix+"-") {
			continue
		}
		if !strings.HasSuffix(e.Name(), ".new") {
			runs = append(runs, e.Name())
		} else if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > unborn {
			_ = os.Remove(filepath.Join(records, e.Name()))
		}
	}
	return runs, nil
}
