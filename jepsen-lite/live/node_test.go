//go:build linux

package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/rollcall-dev/rollcall/registry"
	"github.com/rollcall-dev/rollcall/transport/gossip"
)

// asNode makes this test binary a node: its name, its address and the seed's.
const asNode = "ROLLCALL_LIVE_NODE"

// order is a command for a node, one JSON object a line.
type order struct {
	Do   string // register, look
	Name string
}

// answer is what a node says to an order.
type answer struct {
	Component int               // nodes that reach each other
	Names     map[string]string // shown, with the nodes of their holders
	Lost      []string          // names that processes of this node lost
	Error     string
}

// node is the program of a node.
type node struct {
	reg  *registry.Registry
	lost chan string
	all  []string // that were lost
}

func playNode(spec string) error {
	part := strings.Fields(spec)
	quiet := slog.New(slog.DiscardHandler)
	tr, err := gossip.New(gossip.Config{Bind: part[1], Seeds: part[2:], Logger: quiet})
	if err != nil {
		return err
	}
	reg, err := registry.Open(registry.Config{Node: part[0], Transport: tr, Logger: quiet})
	if err != nil {
		return err
	}
	n := &node{reg: reg, lost: make(chan string, 100)}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		line, err := json.Marshal(n.obey(o))
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

func (n *node) obey(o order) answer {
	a := answer{Component: n.reg.Status().Component, Names: map[string]string{}}
	if o.Do == "register" {
		if err := n.register(o.Name); err != nil {
			a.Error = err.Error()
		}
	}
	for name, holder := range n.reg.Names("") {
		a.Names[name] = holder.PID.Node
	}
	for len(n.lost) > 0 {
		n.all = append(n.all, <-n.lost)
	}
	a.Lost = n.all
	return a
}

// register gives a name to a process of its own.
func (n *node) register(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := n.reg.Attach(context.Background())
	if err != nil {
		return err
	}
	p.OnLoss(func(*registry.ConflictError) { n.lost <- name })
	_, err = n.reg.Register(ctx, name, p)
	return err
}
