package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rollcall-dev/rollcall/bench/cluster"
	"github.com/rollcall-dev/rollcall/bench/node"
	"github.com/rollcall-dev/rollcall/bench/peers"
)

func main() {
	if role := os.Getenv(cluster.RoleVariable); role != "" {
		os.Exit(play(cluster.Kind(role)))
	}
	read, unread := signal.NotifyContext(context.Background(), syscall.SIGPIPE)
	defer unread()
	ctx, stop := signal.NotifyContext(read, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second interrupt ends the program at once; what it started ends with it.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// play is the program as a node that is measured.
func play(role cluster.Kind) int {
	var err error
	switch role {
	case cluster.Rollcall:
		return node.Main(os.Stdin, os.Stdout, os.Stderr)
	case cluster.Serf:
		err = peers.Serf(os.Stdin, os.Stdout)
	case cluster.Memberlist:
		err = peers.Memberlist(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
