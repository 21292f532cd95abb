package gossip_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/gossip"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// Two nodes find each other through a seed.
func Example() {
	start := func(name string, seeds ...string) (*gossip.Transport, *transporttest.Recorder) {
		t, err := gossip.New(gossip.Config{Bind: "127.0.0.1:0", Seeds: seeds, RequireSeed: len(seeds) > 0})
		if err != nil {
			log.Fatal(err)
		}
		heard := &transporttest.Recorder{}
		if err := t.Start(transport.Peer{Node: name, Run: 1}, heard); err != nil {
			log.Fatal(err)
		}
		return t, heard
	}
	berlin, _ := start("berlin")
	defer func() { _ = berlin.Close() }()
	paris, heard := start("paris", berlin.Addr())
	defer func() { _ = paris.Close() }()

	linked := func() bool { return heard.Linked(transport.Peer{Node: "berlin", Run: 1}) }
	if err := heard.Wait(context.Background(), linked); err != nil {
		log.Fatal(err)
	}
	fmt.Println("paris has a link to berlin")
	// Output: paris has a link to berlin
}
