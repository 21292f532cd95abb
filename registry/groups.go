package registry

import (
	"context"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/registry/replica"
)

// Join puts a process of this node in a group; a process is in a group once, and
// joining again gives its membership the new value. It returns ErrKey, ErrValue,
// ErrNoProcess or ErrClosed, or the context's error.
func (r *Registry) Join(ctx context.Context, group string, p *Process, options ...Option) error {
	if err := r.usable(ctx, p); err != nil {
		return err
	}
	o := joinOptions(options)
	var err error
	r.do(func(m *replica.Machine, now crdt.Reading) { _, err = m.Join(now, p.pid.Serial, group, o.value) })
	return wrapKey("join", group, err)
}

// Leave takes a process of this node out of a group. It returns ErrNotHolder,
// ErrNoProcess or ErrClosed, or the context's error.
func (r *Registry) Leave(ctx context.Context, group string, p *Process) error {
	if err := r.usable(ctx, p); err != nil {
		return err
	}
	var err error
	r.do(func(m *replica.Machine, now crdt.Reading) { err = m.LeaveGroup(now, p.pid.Serial, group) })
	return wrapKey("leave", group, err)
}

// Members returns the members of a group on all nodes that can be reached, in the
// order of their PIDs. The slice is a snapshot that readers share: do not modify
// it. It costs nothing while the group does not change; after a change the first
// reader pays for sorting it.
func (r *Registry) Members(group string) []Member {
	if members, ok := r.views.Load(group); ok {
		return members
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := r.machine.Members(nil, group)
	if len(entries) == 0 {
		return nil
	}
	members := make([]Member, len(entries))
	for i, e := range entries {
		members[i] = memberOf(e)
	}
	r.views.Store(group, members)
	return members
}

// LocalMembers returns the members of a group on this node, in the order of
// their PIDs.
func (r *Registry) LocalMembers(group string) []Member {
	var local []Member
	for _, m := range r.Members(group) {
		if m.PID.Node == r.cfg.Node {
			local = append(local, m)
		}
	}
	return local
}

// GroupSize is a group and the number of its members.
type GroupSize = replica.GroupSize

// Groups returns the groups that have members, with their sizes, in the order of
// their names.
func (r *Registry) Groups() []GroupSize {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.machine.Groups()
}
