//go:build linux

package hosts

import (
	"context"
	"fmt"

	"github.com/rollcall-dev/rollcall/jepsen-lite/live/link"
)

// Fault is something that happens to links.
type Fault struct {
	// Name says what happens, for errors and logs.
	Name string
	// Links are those that it happens to.
	Links []Link
	// State is how they are then.
	State State
}

// Cut is a fault by which links carry nothing.
func Cut(links ...Link) Fault {
	return Fault{"cut", links, State{Conditions: link.Conditions{Closed: true}}}
}

// Muting is a fault by which senders are refused by their own hosts.
func Muting(links ...Link) Fault { return Fault{"mute", links, State{Mute: true}} }

// Worsening is a fault by which links carry frames under conditions.
func Worsening(c link.Conditions, links ...Link) Fault {
	return Fault{"worsen", links, State{Conditions: c}}
}

// Inject lets a fault happen. What was set on its links before counts no more.
func (h *Hosts) Inject(f Fault) error {
	h.cfg.Logger.Info("fault injected", "fault", f.Name, "links", f.Links)
	if err := h.Set(with(f.State, f.Links)); err != nil {
		return fmt.Errorf("inject %s: %w", f.Name, err)
	}
	return nil
}

// Recover lets all links of a fault be as Config.Net says, be it that another
// fault worsened them too: as heal does in the scenario language.
func (h *Hosts) Recover(f Fault) error {
	h.cfg.Logger.Info("fault recovered", "fault", f.Name, "links", f.Links)
	if err := h.Set(with(h.calm(), f.Links)); err != nil {
		return fmt.Errorf("recover from %s: %w", f.Name, err)
	}
	return nil
}

// Apply injects a fault and verifies that it took effect, and that no other link
// changed. Without effect it is an error that wraps ErrNoEffect; the links stay as
// they were set.
func (h *Hosts) Apply(ctx context.Context, f Fault) error {
	if err := h.Inject(f); err != nil {
		return err
	}
	if err := h.Verify(ctx); err != nil {
		return fmt.Errorf("%s was injected: %w", f.Name, err)
	}
	return nil
}

// Lift recovers from a fault and verifies that its links are well again.
func (h *Hosts) Lift(ctx context.Context, f Fault) error {
	if err := h.Recover(f); err != nil {
		return err
	}
	if err := h.Verify(ctx); err != nil {
		return fmt.Errorf("%s was recovered from: %w", f.Name, err)
	}
	return nil
}
