// Package cluster opens clusters of the programs that are measured, each node a
// process of its own on 127.0.0.1, and tells them what to do.
//
// # Usage
//
//	stage := &cluster.Stage{Self: self, Tools: tools}
//	c, err := stage.Open(ctx, cluster.Global, 3)
//	defer c.Close()
//	moments, err := c.Ask(ctx, 0, "sequence", "arbitrated", "session", 0, 1000, 0)
//
// Nodes are numbered from 0 in the order in which they were started; they are
// called n1, n2 and so on.
package cluster
