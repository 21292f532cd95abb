package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"time"

	"github.com/go-kit/log"
	dskitcodec "github.com/grafana/dskit/kv/codec"
	"github.com/grafana/dskit/kv/memberlist"
	"github.com/grafana/dskit/services"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-dev/rollcall/bench/resources"
	"github.com/rollcall-dev/rollcall/bench/sightings"
	"github.com/rollcall-dev/rollcall/bench/wire"
)

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// node is a node of the KV.
type node struct {
	kv      *memberlist.KV
	client  *memberlist.Client
	metrics *prometheus.Registry
	seen    sightings.Log
}

func serve(in io.Reader, out io.Writer) error {
	n := &node{metrics: prometheus.NewRegistry()}
	verbs := map[string]wire.Verb{
		"open": n.open, "reached": n.reached, "fill": n.fill, "sequence": n.sequence, "watch": n.watch,
		"count": n.count, "sent": n.sent, "cpu": resources.CPU, "heap": resources.Heap,
	}
	maps.Copy(verbs, n.seen.Verbs())
	return wire.Serve(context.Background(), in, out, verbs)
}

// open starts the node with dskit's defaults.
func (n *node) open(ctx context.Context, a *wire.Args) ([]int64, error) {
	name, _, seeds := a.Word(), a.Word(), a.Rest()
	if err := a.Err(); err != nil {
		return nil, err
	}
	var config memberlist.KVConfig
	flags := flag.NewFlagSet("dskit", flag.ContinueOnError)
	config.RegisterFlags(flags)
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config.NodeName, config.AdvertiseAddr, config.AdvertisePort = name, "127.0.0.1", port
	config.TCPTransport.BindAddrs, config.TCPTransport.BindPort = []string{"127.0.0.1"}, port
	config.JoinMembers = seeds
	config.Codecs = []dskitcodec.Codec{codec{}}
	n.kv = memberlist.NewKV(config, log.NewNopLogger(), noDNS{}, n.metrics)
	if err := services.StartAndAwaitRunning(ctx, n.kv); err != nil {
		return nil, err
	}
	client, err := memberlist.NewClient(n.kv, codec{})
	if err != nil {
		return nil, err
	}
	n.client = client
	return []int64{int64(port)}, nil
}

// freePort returns a port that nobody listens on: dskit has to be told the port
// that it advertises.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// noDNS is dskit's DNS provider where there are none but addresses.
type noDNS struct{}

// Resolve does nothing.
func (noDNS) Resolve(context.Context, []string) error { return nil }

// Addresses returns none.
func (noDNS) Addresses() []string { return nil }

// reached returns the number of members.
func (n *node) reached(context.Context, *wire.Args) ([]int64, error) {
	return n.metric("memberlist_client_cluster_members_count")
}

// sent returns the bytes that the transport has sent, all included.
func (n *node) sent(context.Context, *wire.Args) ([]int64, error) {
	sent, err := n.metric("memberlist_tcp_transport_sent_bytes_total")
	return append(sent, 0), err
}

func (n *node) metric(name string) ([]int64, error) {
	families, err := n.metrics.Gather()
	if err != nil {
		return nil, err
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			return []int64{int64(m.GetCounter().GetValue() + m.GetGauge().GetValue())}, nil
		}
	}
	return nil, fmt.Errorf("dskit: no metric %s", name)
}

// fill sets names in one CAS; the key is the prefix.
func (n *node) fill(ctx context.Context, a *wire.Args) ([]int64, error) {
	_, prefix, from, count, _ := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	began := time.Now()
	err := n.client.CAS(ctx, prefix, func(in any) (any, bool, error) {
		e := clone(in)
		for i := range count {
			e.Set[sightings.NameOf(prefix, from+i)] = time.Now().UnixNano()
		}
		return e, true, nil
	})
	return []int64{began.UnixNano(), time.Now().UnixNano()}, err
}

func clone(in any) *entries {
	if e, ok := in.(*entries); ok && e != nil {
		return e
	}
	return newEntries()
}

// sequence sets one name after the other, each in a CAS; the key is the prefix.
func (n *node) sequence(ctx context.Context, a *wire.Args) ([]int64, error) {
	_, prefix, from, count, gap := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	return sightings.Sequence(prefix, from, count, gap, func(name string) error {
		return n.client.CAS(ctx, prefix, func(in any) (any, bool, error) {
			e := clone(in)
			e.Set[name] = time.Now().UnixNano()
			return e, true, nil
		})
	})
}

// watch notes the names of a key from a number on, in their order.
func (n *node) watch(_ context.Context, a *wire.Args) ([]int64, error) {
	prefix, from, count := a.Word(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	go n.client.WatchKey(context.Background(), prefix, func(in any) bool {
		e, ok := in.(*entries)
		if !ok || e == nil {
			return true
		}
		for i := from; i < from+count; i++ {
			name := sightings.NameOf(prefix, i)
			if _, ok := e.Set[name]; ok {
				n.seen.Saw(name)
			}
		}
		return true
	})
	return nil, nil
}

// count returns how many names a key has.
func (n *node) count(ctx context.Context, a *wire.Args) ([]int64, error) {
	prefix := a.Word()
	if err := a.Err(); err != nil {
		return nil, err
	}
	in, err := n.client.Get(ctx, prefix)
	if err != nil {
		return nil, err
	}
	e, ok := in.(*entries)
	if !ok {
		return nil, errors.New("dskit: no entries")
	}
	return []int64{int64(len(e.Set))}, nil
}
