package memory_test

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

func Example() {
	network := memory.NewNetwork(memory.Config{})
	a, b := network.Transport(), network.Transport()
	var atA, atB transporttest.Recorder
	peerA, peerB := transport.Peer{Node: "a", Run: 1}, transport.Peer{Node: "b", Run: 1}
	_ = a.Start(peerA, &atA)
	_ = b.Start(peerB, &atB)

	ctx := context.Background()
	_ = atA.Wait(ctx, func() bool { return atA.Linked(peerB) })
	_ = a.Send(peerB, transport.Urgent, []byte("hello"))
	_ = atB.Wait(ctx, func() bool { return atB.Received(peerA, transport.Urgent) == 1 })
	fmt.Printf("b received %s\n", atB.Frames(peerA, transport.Urgent)[0])

	network.Partition([]string{"a"}, []string{"b"})
	fmt.Println("parted:", a.Send(peerB, transport.Urgent, []byte("lost?")))
	network.Heal()
	fmt.Println("healed:", a.Send(peerB, transport.Urgent, []byte("hello again")))

	_ = a.Leave(ctx)
	_, _ = a.Close(), b.Close()
	events := atB.Events("a")
	fmt.Println("at last:", events[len(events)-1])
	// Output:
	// b received hello
	// parted: transport: no link to the peer
	// healed: <nil>
	// at last: PeerDown(a#1, left)
}
