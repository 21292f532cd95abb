//go:build linux

package hosts

import "github.com/vishvananda/netns"

// fabric joins hosts.
type fabric interface {
	// join gives every host its device, which is still down and has no address.
	join(all []*Host) error
	// supports returns an error that wraps ErrUnsupported when a link cannot be as
	// the state says.
	supports(State) error
	// set changes links, all at one moment or, with an error, none.
	set(before, after map[Link]State) error
	// close gives up what is not in a namespace.
	close() error
}

// newFabric returns what joins hosts of a kind that is available: a proxy would
// come in here.
func newFabric(h *Hosts) fabric {
	if h.cfg.Kind == Tap {
		return &tap{hosts: h}
	}
	return &bridge{hosts: h, ns: netns.None()}
}
