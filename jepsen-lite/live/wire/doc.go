// Package wire is a switch in this program: it carries frames of Ethernet between
// ports, each over the link.Link that leads from the one to the other.
//
// # Usage
//
//	s := wire.New(seed)
//	defer s.Close()
//	err := s.Attach("n1", hardwareAddress, tap) // and so on, a port for each host
//	err = s.Set(map[wire.Pair]link.Conditions{{From: "n1", To: "n2"}: {Closed: true}})
//
// A port is anything that gives one frame on each Read and takes one on each
// Write: the descriptor of a TAP device, or a pipe of a test.
//
// # Guarantees
//
// All links of one Set change at one moment: no frame passes one of them as it is
// now and another as it was. A frame in flight on a link that is closed is lost.
// Frames for an address that no port has are dropped and counted; those for all
// (broadcast, multicast) go to every other port, each over its own link.
//
// # Concurrency
//
// Every method may be called from any goroutine. One goroutine reads each port,
// one delivers; Close ends and awaits them.
//
// # Failure
//
// A port whose Read or Write fails is out of use from then on, and Close says
// why. The others go on.
package wire
