//go:build linux

package hosts

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// bridge joins hosts by a bridge in a namespace of its own, the hub. Cuts are made
// where the bridge forwards: the sender notices nothing, the receiver gets
// nothing, and one transaction changes any number of links. Drops at the input of
// each receiver would look the same, but take a transaction for each: between two
// of them a fast sender gets several packets through to the second host after the
// first was cut off.
type bridge struct {
	hosts  *Hosts
	ns     netns.NsHandle
	filter *filter
}

func (b *bridge) join(all []*Host) error {
	var err error
	if b.ns, err = b.hosts.namespace(""); err != nil {
		return err
	}
	hub, err := netlink.NewHandleAt(b.ns)
	if err != nil {
		return fmt.Errorf("hosts: reach the hub: %w", err)
	}
	defer hub.Close()
	prefix := b.hosts.cfg.Prefix
	middle := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs()}
	middle.Name = prefix
	snooping := false // learns about groups, of which there are none
	middle.MulticastSnooping = &snooping
	if err := hub.LinkAdd(middle); err != nil {
		return fmt.Errorf("hosts: make a bridge: %w", err)
	}
	for _, host := range all {
		if err := plug(hub, middle, host, prefix); err != nil {
			return fmt.Errorf("hosts: connect %s to the bridge: %w", host.name, err)
		}
	}
	if err := hub.LinkSetUp(middle); err != nil {
		return fmt.Errorf("hosts: start the bridge: %w", err)
	}
	b.filter, err = newFilter(b.ns, prefix, forwarded())
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: bridge: the nftables of this kernel do not filter bridges: %w", ErrUnavailable, err)
	}
	return err
}

// plug connects a host to the bridge by a pair of devices.
func plug(hub *netlink.Handle, middle netlink.Link, host *Host, prefix string) error {
	pair := netlink.NewVeth(netlink.NewLinkAttrs())
	pair.Name, pair.PeerName = prefix+"-p"+strconv.Itoa(host.index), prefix+"-n"+strconv.Itoa(host.index)
	pair.PeerNamespace = netlink.NsFd(host.ns)
	if err := hub.LinkAdd(pair); err != nil {
		return err
	}
	port, err := hub.LinkByName(pair.Name)
	if err != nil {
		return err
	}
	if err := hub.LinkSetMaster(port, middle); err != nil {
		return err
	}
	if err := hub.LinkSetUp(port); err != nil {
		return err
	}
	return host.find(pair.PeerName)
}

// find looks up a host's device by its name.
func (h *Host) find(name string) error {
	in, err := netlink.NewHandleAt(h.ns)
	if err != nil {
		return err
	}
	defer in.Close()
	device, err := in.LinkByName(name)
	if err != nil {
		return err
	}
	h.device = device.Attrs().Index
	return nil
}

func (b *bridge) supports(s State) error {
	if s.Conditions != (link.Conditions{Closed: s.Closed}) {
		return fmt.Errorf("%w: a bridge carries everything or nothing; tap does the rest", ErrUnsupported)
	}
	return nil
}

func (b *bridge) set(before, after map[Link]State) error {
	var cut, heal [][]byte
	for l, s := range after {
		switch {
		case s.Closed == before[l].Closed:
		case s.Closed:
			cut = append(cut, b.hosts.key(l))
		default:
			heal = append(heal, b.hosts.key(l))
		}
	}
	return b.filter.change(cut, heal)
}

func (b *bridge) close() error {
	if b.ns.IsOpen() {
		return b.ns.Close()
	}
	return nil
}
