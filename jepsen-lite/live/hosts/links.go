//go:build linux

package hosts

import (
	"fmt"
	"slices"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// Link is one direction between two hosts.
type Link struct{ From, To string }

// String returns the link as the scenario language writes it.
func (l Link) String() string { return l.From + " -> " + l.To }

// State says how a link is. The zero value carries everything.
type State struct {
	// Conditions say what becomes of frames on their way. Bridges know Closed
	// alone.
	link.Conditions
	// Mute refuses packets in the sender's own host: it is told, as by a firewall
	// of its own (sending fails with EPERM), which a cut network never does. So it
	// is a fault of its own and no stand-in for Closed.
	Mute bool
}

// passes reports whether anything gets through.
func (s State) passes() bool { return !s.Closed && !s.Held && !s.Mute && s.Loss < 1 }

// Both returns both directions between two hosts.
func Both(a, b string) []Link { return []Link{{a, b}, {b, a}} }

// Split returns the links between hosts on different sides, both directions.
func Split(sides ...[]string) []Link {
	var all []Link
	for i, side := range sides {
		for _, other := range sides[i+1:] {
			for _, a := range side {
				for _, b := range other {
					all = append(all, Both(a, b)...)
				}
			}
		}
	}
	return all
}

// Links returns all links between the hosts, in order.
func (h *Hosts) Links() []Link {
	var all []Link
	for _, a := range h.cfg.Nodes {
		for _, b := range h.cfg.Nodes {
			if a != b {
				all = append(all, Link{a, b})
			}
		}
	}
	return all
}

// Isolate returns all links from and to a host.
func (h *Hosts) Isolate(name string) []Link {
	return slices.DeleteFunc(h.Links(), func(l Link) bool { return l.From != name && l.To != name })
}

// State returns how a link was last set.
func (h *Hosts) State(l Link) State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state[l]
}

// Set changes links. What is set on them replaces what was set before; links that
// are not named stay as they are. Conditions of all links change at one moment;
// Mute, which each sender applies itself, one host after the other. With an error
// nothing has changed, unless it says so. Set does not check that links behave as
// they were set; Verify does.
func (h *Hosts) Set(changes map[Link]State) error {
	h.setting.Lock()
	defer h.setting.Unlock()
	h.mu.Lock()
	closed := h.closed
	before := make(map[Link]State, len(changes))
	for l := range changes {
		before[l] = h.state[l]
	}
	h.mu.Unlock()
	if closed {
		return ErrClosed
	}
	for l, s := range changes {
		if h.byName[l.From] == nil || h.byName[l.To] == nil || l.From == l.To {
			return fmt.Errorf("hosts: there is no link %v", l)
		}
		if err := s.Validate(); err != nil {
			return fmt.Errorf("hosts: link %v: %w", l, err)
		}
		if err := h.fabric.supports(s); err != nil {
			return fmt.Errorf("hosts: link %v: %w", l, err)
		}
	}
	if err := h.fabric.set(before, changes); err != nil {
		return err
	}
	h.mu.Lock()
	for l, s := range changes {
		h.state[l] = s
	}
	h.mu.Unlock()
	return h.mute(before, changes)
}

// mute applies State.Mute.
func (h *Hosts) mute(before, after map[Link]State) error {
	for _, host := range h.all {
		var add, drop []*Host
		for l, s := range after {
			switch {
			case l.From != host.name || s.Mute == before[l].Mute:
			case s.Mute:
				add = append(add, h.byName[l.To])
			default:
				drop = append(drop, h.byName[l.To])
			}
		}
		if len(add)+len(drop) == 0 {
			continue
		}
		if err := host.silence(add, drop); err != nil {
			return fmt.Errorf("hosts: conditions are set, but %s is not muted as said: %w", host.name, err)
		}
	}
	return nil
}

// calm is how links are where nothing else was said.
func (h *Hosts) calm() State { return State{Conditions: h.cfg.Net} }

// with returns one state for many links.
func with(s State, links []Link) map[Link]State {
	all := make(map[Link]State, len(links))
	for _, l := range links {
		all[l] = s
	}
	return all
}
