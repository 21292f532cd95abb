package gossip

import (
	"bytes"
	"log/slog"
	"sync"
	"time"
)

const (
	// noticeEvery is the least time between two log lines about one address.
	noticeEvery = time.Minute
	// maxNotices limits the addresses remembered for that.
	maxNotices = 1024
	// libraryLines limits the warnings of memberlist and yamux that are logged in
	// a second; garbage on the port makes one each.
	libraryLines = 10
)

// notices keeps one subject from filling the log.
//
// Invariant: last has at most maxNotices elements.
type notices struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// newNotices returns notices that has seen nothing.
func newNotices() *notices { return &notices{last: map[string]time.Time{}} }

// due reports whether a subject may be logged now, and notes that it is.
func (n *notices) due(subject string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if t, ok := n.last[subject]; ok && now.Sub(t) < noticeEvery {
		return false
	}
	if len(n.last) >= maxNotices {
		clear(n.last)
	}
	n.last[subject] = now
	return true
}

// libraryLog turns the lines of a library's own log into records: its warnings
// and errors as warnings, the rest as debug. It also counts what can be learnt
// there alone: membership traffic under another key.
//
// Invariant: at most libraryLines warnings in the second that began at since.
type libraryLog struct {
	log   *slog.Logger
	count *counters
	mu    sync.Mutex
	since time.Time
	lines int
}

// Write takes one line.
func (l *libraryLog) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	for _, sign := range []string{"Decrypt packet failed", "No installed keys could decrypt", "encryption is configured but remote state is not encrypted", "remote state is encrypted and encryption is not configured"} {
		if bytes.Contains(text, []byte(sign)) {
			l.count.add(refusedKey, 1)
			break
		}
	}
	loud := bytes.HasPrefix(text, []byte("[WARN]")) || bytes.HasPrefix(text, []byte("[ERR"))
	if loud && l.pass() {
		l.log.Warn("membership library", "line", string(text))
	} else {
		l.log.Debug("membership library", "line", string(text))
	}
	return len(line), nil
}

// pass reports whether a further warning is within the limit.
func (l *libraryLog) pass() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= time.Second {
		l.since, l.lines = now, 0
	}
	l.lines++
	return l.lines <= libraryLines
}
