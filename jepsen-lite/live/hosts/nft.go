//go:build linux

package hosts

import (
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// filter is a table of nftables in one namespace with one rule: a packet whose key
// is in the set is dropped. The key is some bytes of the header of IPv4.
//
// Elements are added and deleted one by one, and the set is never flushed: that
// leaves elements behind now and then (google/nftables issue 305).
type filter struct {
	ns    netns.NsHandle
	table *nftables.Table
	set   *nftables.Set
}

// where says what a filter looks at.
type where struct {
	family nftables.TableFamily
	hook   *nftables.ChainHook
	key    nftables.SetDatatype
	offset uint32 // of the key in the header of IPv4
}

// forwarded is what crosses a bridge, by source and destination.
func forwarded() where {
	both := nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeIPAddr)
	return where{nftables.TableFamilyBridge, nftables.ChainHookForward, both, 12}
}

// sending is what a host sends, by destination.
func sending() where {
	return where{nftables.TableFamilyINet, nftables.ChainHookOutput, nftables.TypeIPAddr, 16}
}

// newFilter makes a filter that drops nothing yet.
func newFilter(ns netns.NsHandle, name string, w where) (*filter, error) {
	c, err := nftables.New(nftables.WithNetNSFd(int(ns)))
	if err != nil {
		return nil, fmt.Errorf("hosts: reach nftables: %w", err)
	}
	f := &filter{ns: ns, table: &nftables.Table{Family: w.family, Name: name}}
	f.set = &nftables.Set{
		Table: f.table, Name: "dropped", KeyType: w.key, Concatenation: w.key.Bytes > nftables.TypeIPAddr.Bytes,
	}
	c.AddTable(f.table)
	chain := c.AddChain(&nftables.Chain{
		Name: "drop", Table: f.table, Type: nftables.ChainTypeFilter, Hooknum: w.hook, Priority: nftables.ChainPriorityFilter,
	})
	if err := c.AddSet(f.set, nil); err != nil {
		return nil, fmt.Errorf("hosts: make a set of nftables: %w", err)
	}
	c.AddRule(&nftables.Rule{Table: f.table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.ETH_P_IP >> 8, unix.ETH_P_IP & 0xff}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: w.offset, Len: w.key.Bytes},
		&expr.Lookup{SourceRegister: 1, SetName: f.set.Name, SetID: f.set.ID},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	if err := c.Flush(); err != nil {
		return nil, fmt.Errorf("hosts: make a filter of nftables: %w", err)
	}
	return f, nil
}

// change adds keys to those that are dropped and takes others away, all in one
// transaction of the kernel.
func (f *filter) change(add, remove [][]byte) error {
	if len(add)+len(remove) == 0 {
		return nil
	}
	c, err := nftables.New(nftables.WithNetNSFd(int(f.ns)))
	if err != nil {
		return fmt.Errorf("hosts: reach nftables: %w", err)
	}
	if len(add) > 0 {
		if err := c.SetAddElements(f.set, elements(add)); err != nil {
			return fmt.Errorf("hosts: add to a set of nftables: %w", err)
		}
	}
	if len(remove) > 0 {
		if err := c.SetDeleteElements(f.set, elements(remove)); err != nil {
			return fmt.Errorf("hosts: delete from a set of nftables: %w", err)
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("hosts: change a set of nftables: %w", err)
	}
	return nil
}

func elements(keys [][]byte) []nftables.SetElement {
	all := make([]nftables.SetElement, len(keys))
	for i, key := range keys {
		all[i] = nftables.SetElement{Key: key}
	}
	return all
}

// silence changes to whom a host may not send.
func (h *Host) silence(add, drop []*Host) error {
	if h.muted == nil {
		f, err := newFilter(h.ns, h.hosts.cfg.Prefix, sending())
		if err != nil {
			return err
		}
		h.muted = f
	}
	keys := func(hosts []*Host) (all [][]byte) {
		for _, other := range hosts {
			all = append(all, other.addr.AsSlice())
		}
		return all
	}
	return h.muted.change(keys(add), keys(drop))
}

// key returns what a packet of a link has for source and destination.
func (h *Hosts) key(l Link) []byte {
	return slices.Concat(h.byName[l.From].addr.AsSlice(), h.byName[l.To].addr.AsSlice())
}
