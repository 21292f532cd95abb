//go:build linux

package hosts

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
	"github.com/rollcall-dev/rollcall/jepsen-lite/live/wire"
)

// tunDevice makes devices whose other end is a descriptor.
const tunDevice = "/dev/net/tun"

// tap joins hosts by a switch in this program.
type tap struct {
	hosts *Hosts
	wire  *wire.Switch
}

func (t *tap) join(all []*Host) error {
	t.wire = wire.New(t.hosts.cfg.Seed)
	for _, host := range all {
		name := t.hosts.cfg.Prefix + "-n" + strconv.Itoa(host.index)
		device, err := openTap(host.ns, name)
		if err != nil {
			return fmt.Errorf("hosts: connect %s to the switch: %w", host.name, err)
		}
		if err := t.wire.Attach(host.name, host.hardware(), port{device}); err != nil {
			return errors.Join(err, device.Close())
		}
		if err := host.find(name); err != nil {
			return fmt.Errorf("hosts: find the device of %s: %w", host.name, err)
		}
	}
	return nil
}

// openTap makes a device in a namespace, which lasts as long as the file is open.
func openTap(ns netns.NsHandle, name string) (*os.File, error) {
	var file *os.File
	err := within(ns, func() error {
		fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", tunDevice, err)
		}
		request, err := unix.NewIfreq(name)
		if err == nil {
			request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
		}
		if err != nil {
			_ = unix.Close(fd)
			return fmt.Errorf("make device %s: %w", name, err)
		}
		file = os.NewFile(uintptr(fd), name)
		return nil
	})
	return file, err
}

// port is the switch's end of a device.
type port struct{ *os.File }

// Write gives the host a frame. A device that is down, or whose host has no room,
// drops it, as a network card does.
func (p port) Write(frame []byte) (int, error) {
	n, err := p.File.Write(frame)
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM) {
		return len(frame), nil
	}
	return n, err
}

func (t *tap) supports(State) error { return nil }

func (t *tap) set(_, after map[Link]State) error {
	changes := make(map[wire.Pair]link.Conditions, len(after))
	for l, s := range after {
		changes[wire.Pair(l)] = s.Conditions
	}
	return t.wire.Set(changes)
}

func (t *tap) close() error {
	if t.wire == nil {
		return nil
	}
	return t.wire.Close()
}

// Stats returns what became of all frames on each link, those of Verify too. Only
// hosts joined by Tap count; of others it is nil.
func (h *Hosts) Stats() map[Link]link.Stats {
	t, ok := h.fabric.(*tap)
	if !ok {
		return nil
	}
	all := map[Link]link.Stats{}
	for pair, s := range t.wire.Stats() {
		all[Link(pair)] = s
	}
	return all
}
