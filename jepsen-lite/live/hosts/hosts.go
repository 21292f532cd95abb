//go:build linux

package hosts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Hosts are the hosts of one run and the links between them.
//
// Invariant: state has what Set was last told of each link.
type Hosts struct {
	cfg     Config
	record  *record
	starter *starter
	fabric  fabric
	all     []*Host
	byName  map[string]*Host
	close   func() error
	unbind  func() bool
	over    context.Context // ends when the hosts are closed
	end     context.CancelFunc
	volleys atomic.Uint64

	setting sync.Mutex     // held while links change, and before mu
	doing   sync.WaitGroup // calls of Host.Do

	mu        sync.Mutex
	processes map[*Process]struct{}
	state     map[Link]State
	closed    bool
}

// Host is one host: a network namespace with an address.
type Host struct {
	hosts  *Hosts
	name   string
	index  int
	addr   netip.Addr
	ns     netns.NsHandle
	device int // number of the network device
	prober *prober
	muted  *filter // made when first needed, under Hosts.setting
}

// Open makes hosts that all reach each other, and checks that they do. First it
// cleans up after runs that were killed. When the context ends, the hosts are
// closed, as by Close.
func Open(ctx context.Context, cfg Config) (*Hosts, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := Available(cfg.Kind); err != nil {
		return nil, err
	}
	if _, err := Clean(cfg.Prefix); err != nil {
		return nil, fmt.Errorf("hosts: clean up after an earlier run: %w", err)
	}
	h := &Hosts{
		cfg: cfg, byName: map[string]*Host{}, processes: map[*Process]struct{}{}, state: map[Link]State{},
		starter: newStarter(),
	}
	h.over, h.end = context.WithCancel(context.Background())
	h.close = sync.OnceValue(h.tearDown)
	if err := h.setUp(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.mu.Lock()
	h.unbind = context.AfterFunc(ctx, func() { _ = h.close() })
	h.mu.Unlock()
	return h, nil
}

func (h *Hosts) setUp(ctx context.Context) error {
	var err error
	if h.record, err = newRecord(h.cfg.Prefix); err != nil {
		return err
	}
	h.fabric = newFabric(h)
	for i, name := range h.cfg.Nodes {
		host := &Host{
			hosts: h, name: name, index: i, ns: netns.None(),
			addr: netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}),
		}
		h.all = append(h.all, host)
		h.byName[name] = host
		if host.ns, err = h.namespace("-" + name); err != nil {
			return err
		}
	}
	if err := h.fabric.join(h.all); err != nil {
		return err
	}
	for _, host := range h.all {
		if err := host.configure(); err != nil {
			return err
		}
	}
	for _, host := range h.all {
		if host.prober, err = newProber(host); err != nil {
			return err
		}
	}
	if err := h.Set(with(h.calm(), h.Links())); err != nil {
		return err
	}
	return h.Verify(ctx)
}

// namespace makes a namespace of this run.
func (h *Hosts) namespace(suffix string) (netns.NsHandle, error) {
	name := h.record.run + suffix
	if err := h.record.add("namespace", name); err != nil {
		return netns.None(), err
	}
	h.cfg.Logger.Info("namespace made", "name", name)
	return makeNamespace(name)
}

// Close kills all processes, waits for them, and removes everything that was made.
// Further calls do nothing and return the same.
func (h *Hosts) Close() error {
	h.mu.Lock()
	unbind := h.unbind
	h.mu.Unlock()
	if unbind != nil {
		unbind()
	}
	return h.close()
}

func (h *Hosts) tearDown() error {
	h.mu.Lock()
	h.closed = true
	h.end()
	processes := slices.Collect(maps.Keys(h.processes))
	h.mu.Unlock()
	var faults []error
	for _, p := range processes {
		faults = append(faults, p.Kill())
	}
	for _, host := range h.all { // children too: they may hold a pipe that Wait reads
		if host.ns.IsOpen() {
			faults = append(faults, killWithin(filepath.Join(namespaces, h.record.run+"-"+host.name)))
		}
	}
	for _, p := range processes {
		_ = p.Wait() // that it was killed is no fault
	}
	h.starter.close()
	h.doing.Wait()
	h.setting.Lock()
	defer h.setting.Unlock()
	for _, host := range h.all {
		if host.prober != nil {
			host.prober.close()
		}
	}
	if h.fabric != nil {
		faults = append(faults, h.fabric.close())
	}
	for _, host := range h.all {
		if host.ns.IsOpen() {
			faults = append(faults, host.ns.Close())
		}
	}
	return errors.Join(append(faults, h.forget())...)
}

// forget removes the namespaces and then the record of them.
func (h *Hosts) forget() error {
	if h.record == nil {
		return nil
	}
	runs, err := namespacesOf(h.cfg.Prefix)
	faults := []error{err}
	for _, name := range runs[h.record.run] {
		faults = append(faults, removeNamespace(name))
		h.cfg.Logger.Info("namespace removed", "name", name)
	}
	if err := errors.Join(faults...); err != nil {
		return errors.Join(err, h.record.file.Close()) // the next run cleans up
	}
	return h.record.close()
}

// All returns the hosts, in the order of Config.Nodes.
func (h *Hosts) All() []*Host { return slices.Clone(h.all) }

// Host returns a host by its name; nil when there is none.
func (h *Hosts) Host(name string) *Host { return h.byName[name] }

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Addr returns the host's address, which the other hosts reach it at.
func (h *Host) Addr() netip.Addr { return h.addr }

// Do runs f on a thread in the host's network namespace, to open sockets there.
// Goroutines that f starts are not in it. Close waits until f returns.
func (h *Host) Do(f func() error) error {
	h.hosts.mu.Lock()
	if h.hosts.closed {
		h.hosts.mu.Unlock()
		return ErrClosed
	}
	h.hosts.doing.Add(1)
	h.hosts.mu.Unlock()
	defer h.hosts.doing.Done()
	return within(h.ns, f)
}

// hardware is the address of a host's device.
func (h *Host) hardware() [6]byte { return [6]byte{0x02, 0x72, 0x63, 0, 0, byte(h.index + 1)} }

// configure gives a host its addresses and tells it those of the others. Nobody
// has to ask for a hardware address then, so no link behaves otherwise than it was
// set because a question or an answer was lost, and a heal counts at once.
func (h *Host) configure() error {
	in, err := netlink.NewHandleAt(h.ns)
	if err != nil {
		return fmt.Errorf("hosts: configure %s: %w", h.name, err)
	}
	defer in.Close()
	steps := []func() error{
		func() error { return h.up(in, "lo") },
		func() error {
			device, err := in.LinkByIndex(h.device)
			if err != nil {
				return err
			}
			mac := h.hardware()
			if err := in.LinkSetHardwareAddr(device, mac[:]); err != nil {
				return err
			}
			addr, err := netlink.ParseAddr(h.addr.String() + "/24")
			if err != nil {
				return err
			}
			if err := in.AddrAdd(device, addr); err != nil {
				return err
			}
			return in.LinkSetUp(device)
		},
		func() error { return h.meet(in) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("hosts: configure %s: %w", h.name, err)
		}
	}
	return nil
}

func (h *Host) up(in *netlink.Handle, name string) error {
	device, err := in.LinkByName(name)
	if err != nil {
		return err
	}
	return in.LinkSetUp(device)
}

// meet tells a host the hardware addresses of all others.
func (h *Host) meet(in *netlink.Handle) error {
	for _, other := range h.hosts.all {
		if other == h {
			continue
		}
		mac := other.hardware()
		err := in.NeighAdd(&netlink.Neigh{
			LinkIndex: h.device, State: netlink.NUD_PERMANENT, IP: other.addr.AsSlice(), HardwareAddr: mac[:],
		})
		if err != nil {
			return err
		}
	}
	return nil
}
