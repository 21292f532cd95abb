package peers

import (
	"context"
	"io"
	"log"
	"maps"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/rollcall-dev/rollcall/bench/resources"
	"github.com/rollcall-dev/rollcall/bench/sightings"
	"github.com/rollcall-dev/rollcall/bench/wire"
)

// serfNode is a node of serf, with memberlist's LAN preset.
type serfNode struct {
	serf *serf.Serf
	seen sightings.Log
}

// eventBuffer is how many events wait for the one who notes them: serf stalls
// when there is no room.
const eventBuffer = 1 << 16

// Serf serves a serf node until in ends.
func Serf(in io.Reader, out io.Writer) error {
	n := &serfNode{}
	verbs := map[string]wire.Verb{
		"open": n.open, "reached": n.reached, "sequence": n.sequence, "cpu": resources.CPU, "heap": resources.Heap,
	}
	maps.Copy(verbs, n.seen.Verbs())
	return wire.Serve(context.Background(), in, out, verbs)
}

func (n *serfNode) open(_ context.Context, a *wire.Args) ([]int64, error) {
	name, _, seeds := a.Word(), a.Word(), a.Rest()
	if err := a.Err(); err != nil {
		return nil, err
	}
	events := make(chan serf.Event, eventBuffer)
	config := serf.DefaultConfig()
	config.NodeName, config.EventCh = name, events
	config.Logger = log.New(io.Discard, "", 0)
	config.MemberlistConfig = lan(name)
	s, err := serf.Create(config)
	if err != nil {
		return nil, err
	}
	n.serf = s
	go n.note(events)
	if len(seeds) > 0 {
		if _, err := s.Join(seeds, true); err != nil {
			return nil, err
		}
	}
	return []int64{int64(s.Memberlist().LocalNode().Port)}, nil
}

// lan returns memberlist's LAN preset on a free port of 127.0.0.1.
func lan(name string) *memberlist.Config {
	config := memberlist.DefaultLANConfig()
	config.Name, config.BindAddr, config.BindPort, config.AdvertiseAddr = name, "127.0.0.1", 0, "127.0.0.1"
	config.Logger = log.New(io.Discard, "", 0)
	return config
}

// note notes the tags and the user events of all nodes.
func (n *serfNode) note(events <-chan serf.Event) {
	for event := range events {
		switch e := event.(type) {
		case serf.UserEvent:
			n.seen.Saw(string(e.Payload))
		case serf.MemberEvent:
			for _, m := range e.Members {
				n.seen.Saw(m.Tags["name"])
			}
		}
	}
}

func (n *serfNode) reached(context.Context, *wire.Args) ([]int64, error) {
	alive := int64(0)
	for _, m := range n.serf.Members() {
		if m.Status == serf.StatusAlive {
			alive++
		}
	}
	return []int64{alive}, nil
}

// sequence spreads names as tags of this node, each in the place of the one
// before, or as user events.
func (n *serfNode) sequence(_ context.Context, a *wire.Args) ([]int64, error) {
	mode, prefix, from, count, gap := a.Word(), a.Word(), a.Int(), a.Int(), a.Int()
	if err := a.Err(); err != nil {
		return nil, err
	}
	return sightings.Sequence(prefix, from, count, gap, func(name string) error {
		if mode == "tag" {
			return n.serf.SetTags(map[string]string{"name": name})
		}
		return n.serf.UserEvent("up", []byte(name), false)
	})
}
