//go:build !race

package gossip

import "time"

// longestStay is as long as any test wants.
const longestStay = 24 * time.Hour
