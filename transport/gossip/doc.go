// Package gossip implements transport.Transport on real networks: membership and
// failure detection by hashicorp/memberlist, frames and streams over connections
// of its own, all on one TCP and UDP port.
//
// # Usage
//
//	t, err := gossip.New(gossip.Config{
//		Bind:    "10.0.0.5:7946",
//		Seeds:   []string{"10.0.0.6:7946", "10.0.0.7:7946"},
//		Cluster: "shop-production",
//		Key:     key, // 32 random bytes, the same on all nodes
//	})
//
// The transport is then given to the registry, which starts and closes it.
//
// # Guarantees
//
// Those of package transport, and:
//
//   - A program that ends is noticed as soon as its connections break: the peers
//     dial it at once, and a refusal by the same address is proof (some
//     milliseconds on one network). memberlist may call it alive for some seconds
//     yet; only a new link of the same run brings it back.
//   - A peer that falls silent, because it froze or a cable was cut, is noticed
//     within memberlist's bound (LAN: five to six seconds among three nodes, up
//     to fifteen on the small side of a large split). A peer with a live link is
//     up whatever memberlist says; without one it is up while memberlist calls it
//     alive, be it in the judgement of others.
//   - A split heals by itself however long it lasted, up to Config.ForgetAfter:
//     every address that was ever met is tried about each second (WAN: each 2.5
//     seconds), so links are back within two seconds of the network's return.
//   - A restarted node is a new peer. Its old run is down before its new one is up.
//   - Nodes of different clusters, keys or protocol versions neither exchange a
//     frame nor show each other, and each attempt is counted.
//
// Nothing holds between two live nodes that have one name, other than that the
// one that is linked to a node stays, and that the other one is refused, counted
// and logged. Start refuses a name that is taken as far as the seeds can tell.
//
// # Security
//
// Config.Key keeps out who does not have it: membership packets are encrypted with
// AES-GCM by memberlist, connections with TLS 1.3 under certificates derived from
// the key. Who has the key is trusted: it can claim any name. memberlist has no
// protection against the replay of its packets within one key.
//
// # Concurrency
//
// Every method may be called from any goroutine, Close not from within a handler.
// Send takes a lock for a moment and never waits for the network. memberlist's
// callbacks only leave a note. The handler is called by one goroutine for each
// node that has news, and by the one that reads its link.
//
// # Failure
//
// Send is bounded by Config.Queue for each lane of each peer. A peer that takes
// nothing off its link for 30 seconds although it gives signs of life loses the
// link. A stream whose connection broke ends with io.ErrUnexpectedEOF.
//
// After Close timers of memberlist may still fire for some seconds; they find a
// closed transport. Its goroutines are awaited.
//
// # Counters
//
// For each lane (urgent, deltas, bulk) frames_sent, bytes_sent, frames_received,
// bytes_received and dropped_full (refused with ErrQueueFull), as in
// frames_sent_urgent; bytes are those of the frames alone. Further:
//
//	dropped_broken     frames that waited when their link broke
//	links_made         links, dialled and accepted
//	links_dialled      those that this node dialled
//	links_broken       links that ended
//	links_replaced     links that a newer one of the same peer replaced
//	peers_gone         runs that were proved to have ended
//	peers_left         runs that said that they leave
//	rejoin_attempts    tries at missing addresses
//	rejoin_successes   links made to peers that had been lost
//	merge_attempts     exchanges of the whole membership with a linked peer
//	merge_failures     those that failed
//	refused_cluster    connections and packets of another cluster, either way
//	refused_key        those that lack the key, either way
//	refused_version    those of another version of the protocol
//	refused_peer       connections meant for another run than the one that listens
//	refused_duplicate  runs refused because a live one has the same node name
//	refused_busy       handshakes refused by a node that starts or stops
//	refused_half_open  connections closed to make room for newer ones
//	garbage            connections, packets and frames that make no sense
//	streams_opened     streams that this node opened
//	streams_accepted   streams that peers opened
//	streams_refused    streams refused at a limit or while there is no link
//	packets_sent       memberlist's datagrams
//	packets_received   datagrams of any kind
//	fault_dropped      packets and dials dropped by Fault
//
// # Testing
//
// Transport.Fault cuts peers off for real, without special rights. The package
// passes transporttest.Run; ROLLCALL_LONG=1 also measures detection times with
// programs that are killed and frozen.
package gossip
