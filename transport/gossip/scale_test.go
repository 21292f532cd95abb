package gossip

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestScale measures how fast thirty nodes of one program meet through one seed
// and what they cost when idle. Set ROLLCALL_LONG=1.
func TestScale(t *testing.T) {
	if os.Getenv("ROLLCALL_LONG") == "" {
		t.Skip("set ROLLCALL_LONG=1 to measure thirty nodes")
	}
	begin := time.Now()
	nodes := []*testNode{startNode(t, "n00", Config{})}
	for i := range 29 {
		nodes = append(nodes, startNode(t, fmt.Sprintf("n%02d", i+1), Config{Seeds: []string{nodes[0].Addr()}}))
	}
	started := time.Since(begin)
	awaitMesh(t, nodes...)
	t.Logf("30 nodes started in %s, all 870 links up after %s", started, time.Since(begin))
	time.Sleep(3 * time.Second) // real clock: processor time is measured
	cpu, now := processTime(), time.Now()
	time.Sleep(5 * time.Second) // real clock: processor time is measured
	t.Logf("idle: %.2f %% of a core for each node", 100*(processTime()-cpu).Seconds()/time.Since(now).Seconds()/30)
}

// processTime returns the processor time that this program has used.
func processTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
