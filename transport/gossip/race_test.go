//go:build race

package gossip

import "time"

// longestStay under the race detector: its record of a bubble's timers overflows
// after some ten thousand of them and takes the program down, a fault of Go 1.26
// (golang/go#78156).
const longestStay = 20 * time.Second
