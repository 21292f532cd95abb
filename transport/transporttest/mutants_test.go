package transporttest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rollcall-dev/rollcall/transport"
	"github.com/rollcall-dev/rollcall/transport/memory"
	"github.com/rollcall-dev/rollcall/transport/transporttest"
)

// mutantVariable names the mutant that TestMutant runs the suite on.
const mutantVariable = "TRANSPORTTEST_MUTANT"

// TestSuiteFindsMutants runs the suite on transports that break one rule each, in
// programs of their own, for a case that fails cannot be undone.
func TestSuiteFindsMutants(t *testing.T) {
	tests := []struct{ mutant, finder string }{
		{"none", ""},
		{"loses", "FrameOrder"},
		{"repeats", "FrameOrder"},
		{"swaps", "FrameOrder"},
		{"shortens", "FrameSizes"},
		{"swells", "FrameSizes"},
		{"shares", "FrameOwned"},
		{"mixesLanes", "UrgentPassesBulk"},
		{"grows", "SlowReceiver"},
		{"blocks", "SlowReceiver"},
		{"hidesLinkDown", "CutAndHeal"},
		{"hidesLeave", "Leave"},
		{"seesItself", "Meet2"},
		{"startsAgain", "StartTwice"},
		{"takesAnyName", "DuplicateName"},
		{"leaks", "Meet2"},
		{"closesLater", "CloseWaitsForCalls"},
		{"callsLater", "Closed"},
		{"mistakesRuns", "UnknownPeer"},
		{"overlaps", "FrameOrder"},
		{"losesTails", "StreamClose"},
		{"ignoresContext", "OpenCancelled"},
	}
	program, err := os.Executable()
	require.NoError(t, err)
	for _, test := range tests {
		t.Run(test.mutant, func(t *testing.T) {
			run := "^TestMutant$/^" + test.finder + "$"
			if test.finder == "" {
				run = "^TestMutant$/^(Meet2|FrameSizes|Leave)$"
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, program, "-test.run="+run, "-test.v")
			command.Env = append(os.Environ(), mutantVariable+"="+test.mutant)
			output, err := command.CombinedOutput()
			if test.finder == "" {
				require.NoError(t, err, "the wrapper alone breaks nothing:\n%s", output)
				return
			}
			require.Contains(t, string(output), "--- FAIL: TestMutant/"+test.finder+" ",
				"the case finds the mutant, and returns")
			require.NotContains(t, string(output), "panic:")
			t.Logf("%s", output)
		})
	}
}

// TestMutant is what TestSuiteFindsMutants runs.
func TestMutant(t *testing.T) {
	name := os.Getenv(mutantVariable)
	if name == "" {
		t.Skip("run by TestSuiteFindsMutants")
	}
	transporttest.Run(t, func(testing.TB, int) *transporttest.Cluster {
		network := memory.NewNetwork(memory.Config{QueueFrames: 64})
		var shared atomic.Pointer[[]byte]
		return &transporttest.Cluster{
			Transport: func(i int) transport.Transport {
				return &mutant{Transport: network.Transport(), name: name, network: network, shared: &shared}
			},
			Patience: time.Second,
			Quiet:    10 * time.Millisecond,
			Cut:      func(a, b int) { network.Cut(transporttest.Name(a), transporttest.Name(b)) },
			Heal:     network.Heal,
		}
	})
}

// mutant is a transport that breaks the rule of its name.
type mutant struct {
	transport.Transport
	name    string
	network *memory.Network
	shared  *atomic.Pointer[[]byte] // the last frame sent in the cluster

	mu      sync.Mutex
	sent    int
	held    []byte
	handler *mutantHandler
	stop    chan struct{}
}

func (m *mutant) Start(self transport.Peer, h transport.Handler) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handler = &mutantHandler{Handler: h, name: m.name, shared: m.shared}
	if m.name == "takesAnyName" {
		self.Node += string(rune('a' + self.Run))
	}
	err := m.Transport.Start(self, m.handler)
	switch {
	case m.name == "startsAgain" && errors.Is(err, transport.ErrStarted):
		return nil
	case m.name == "seesItself":
		h.PeerUp(self, "here")
	case m.name == "leaks":
		m.stop = make(chan struct{})
		go func() { <-m.stop }()
	}
	return err
}

func (m *mutant) Send(to transport.Peer, lane transport.Lane, frame []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	m.shared.Store(&frame)
	send := func(frame []byte) error { return m.Transport.Send(to, lane, frame) }
	switch m.name {
	case "loses":
		if m.sent%100 == 0 {
			return nil
		}
	case "repeats":
		if m.sent%100 == 0 {
			_ = send(frame)
		}
	case "swaps":
		if m.sent%100 == 0 {
			m.held = frame
			return nil
		}
		if m.held != nil && m.sent%100 == 3 { // the next of its lane has just gone
			defer func() { _ = send(m.held); m.held = nil }()
		}
	case "shortens":
		frame = frame[:min(len(frame), transport.MaxFrame-1)]
	case "swells":
		if len(frame) > transport.MaxFrame {
			return nil
		}
	case "mixesLanes":
		lane = transport.Bulk
	case "grows":
		if err := send(frame); !errors.Is(err, transport.ErrQueueFull) {
			return err
		}
		return nil
	case "blocks":
		for {
			if err := send(frame); !errors.Is(err, transport.ErrQueueFull) {
				return err
			}
			<-time.After(time.Millisecond)
		}
	case "mistakesRuns":
		if err := send(frame); !errors.Is(err, transport.ErrNoLink) {
			return err
		}
		return nil
	}
	return send(frame)
}

func (m *mutant) Close() error {
	switch m.name {
	case "closesLater":
		go func() { _ = m.Transport.Close() }()
		return nil
	case "callsLater":
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.handler != nil {
			h := m.handler.Handler
			time.AfterFunc(time.Millisecond, func() { h.PeerUp(transport.Peer{Node: "ghost"}, "") })
		}
	}
	return m.Transport.Close()
}

// mutantHandler breaks rules on the way to the handler.
type mutantHandler struct {
	transport.Handler
	name   string
	shared *atomic.Pointer[[]byte]
}

func (h *mutantHandler) LinkDown(p transport.Peer) {
	if h.name != "hidesLinkDown" {
		h.Handler.LinkDown(p)
	}
}

func (h *mutantHandler) PeerDown(p transport.Peer, why transport.Reason) {
	if h.name == "hidesLeave" {
		why = transport.Failed
	}
	h.Handler.PeerDown(p, why)
}

func (h *mutantHandler) Receive(from transport.Peer, lane transport.Lane, frame []byte) {
	switch h.name {
	case "shares":
		if last := *h.shared.Load(); len(last) == len(frame) {
			frame = last
		}
	case "overlaps":
		go h.Handler.Receive(from, lane, bytes.Clone(frame))
		return
	}
	h.Handler.Receive(from, lane, frame)
}
