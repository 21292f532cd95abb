package registry_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rollcall-dev/rollcall/registry"
)

// names makes n names of 24 bytes.
func names(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("session/%016d", i)
	}
	return s
}

func filled(b *testing.B, n int) (*registry.Registry, *registry.Process, []string) {
	r := open(b, registry.Config{})
	p := attach(b, r)
	all := names(n)
	for _, name := range all {
		if _, err := r.Register(b.Context(), name, p); err != nil {
			b.Fatal(err)
		}
	}
	return r, p, all
}

func BenchmarkWhereis(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, _, all := filled(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := r.Whereis(all[i]); !ok {
					b.Fatal("lost")
				}
				if i++; i == len(all) {
					i = 0
				}
			}
		})
	}
}

func BenchmarkRegister(b *testing.B) {
	for _, c := range []struct {
		name string
		o    []registry.Option
	}{{"optimistic", []registry.Option{registry.Optimistic()}}, {"arbitrated", nil}} {
		b.Run(c.name, func(b *testing.B) {
			r := open(b, registry.Config{})
			p := attach(b, r)
			all := names(100_000)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i == len(all) {
					b.StopTimer()
					p.Stop(nil)
					p = attach(b, r)
					i = 0
					b.StartTimer()
				}
				if _, err := r.Register(b.Context(), all[i], p, c.o...); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkRegisterThreeNodes(b *testing.B) {
	for _, c := range []struct {
		name string
		o    []registry.Option
	}{{"optimistic", []registry.Option{registry.Optimistic()}}, {"arbitrated", nil}} {
		b.Run(c.name, func(b *testing.B) {
			_, n := three(b, registry.Config{})
			p := attach(b, n[0])
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := n[0].Register(b.Context(), fmt.Sprintf("session/%016d", i), p, c.o...); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkUnregister(b *testing.B) {
	r := open(b, registry.Config{})
	p := attach(b, r)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Register(b.Context(), "session/0", p); err != nil {
			b.Fatal(err)
		}
		if err := r.Unregister(b.Context(), "session/0", p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJoin(b *testing.B) {
	r := open(b, registry.Config{})
	for range 10_000 {
		if err := r.Join(b.Context(), "room", attach(b, r)); err != nil {
			b.Fatal(err)
		}
	}
	ps := make([]*registry.Process, 10_000)
	for i := range ps {
		ps[i] = attach(b, r)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Join(b.Context(), "room", ps[i]); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(ps) {
			b.StopTimer()
			for _, p := range ps {
				_ = r.Leave(b.Context(), "room", p)
			}
			i = 0
			b.StartTimer()
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := open(b, registry.Config{})
			for range n {
				if err := r.Join(b.Context(), "room", attach(b, r)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			sum := uint64(0)
			for b.Loop() {
				for _, m := range r.Members("room") {
					sum += m.PID.Serial
				}
			}
		})
	}
}

func BenchmarkProcessWith100000NamesEnds(b *testing.B) {
	all := names(100_000)
	for b.Loop() {
		b.StopTimer()
		r := open(b, registry.Config{})
		p := attach(b, r)
		for _, name := range all {
			if _, err := r.Register(b.Context(), name, p, registry.Optimistic()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		p.Stop(nil)
	}
}

func BenchmarkCall(b *testing.B) {
	echo := func(_ context.Context, m registry.Message) ([]byte, error) { return m.Payload, nil }
	for _, where := range []string{"same node", "memory transport"} {
		b.Run(where, func(b *testing.B) {
			_, n := three(b, registry.Config{})
			callee := n[0]
			if where != "same node" {
				callee = n[1]
			}
			p := attach(b, callee)
			p.Handle(echo)
			payload := make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n[0].CallBytes(b.Context(), registry.To(p.PID()), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
