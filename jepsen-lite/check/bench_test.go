package check_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-dev/rollcall/jepsen-lite/check"
	"github.com/rollcall-dev/rollcall/jepsen-lite/history"
)

// benchmarks are histories of about 100,000 records, each with another shape.
func benchmarks() map[string]func() *history.History {
	return map[string]func() *history.History{
		"mixed":    func() *history.History { return newWorld(1, "notify(last-writer)", 5).live(2200) },
		"bulk":     bulk,
		"churn":    churn,
		"one-name": oneName,
		"flapping": flapping,
	}
}

// bulk registers 20,000 names and views them all 24 times: 480,000 rows.
func bulk() *history.History {
	s := tell("n1", "n2", "n3").at(2)
	var words []string
	for i := range 20_000 {
		name := fmt.Sprint("user/", i)
		s.optimistic("n1", "p1", name)
		words = append(words, name+"=p1")
	}
	for i := range 8 {
		s.at(float64(10+i)).views("n1 n2 n3", words...)
	}
	return &s.h
}

// churn joins and leaves one group with ever new processes.
func churn() *history.History {
	s := tell("n1", "n2", "n3").at(2)
	for i := range 12_000 {
		p := fmt.Sprint("p", i)
		s.at(2+float64(i)/100).join("n1", p, "g").leave(p, "g").exit(p).lookup("n2", "k", "")
		if i%20 == 0 {
			s.views("n1 n2 n3")
		}
	}
	return &s.h
}

// oneName registers one name again and again, for two processes in turn.
func oneName() *history.History {
	s := tell("n1", "n2", "n3").at(2)
	for i := range 10_000 {
		p, n := fmt.Sprint("p", i%2), fmt.Sprint("n", 1+i%2)
		s.at(2+float64(i)/10).register(n, p, "k").lookup("n3", "k", p).lookup(n, "k", p).unregister(p, "k").lookup(n, "k", "")
	}
	return &s.h
}

// flapping cuts and heals a link 15,000 times while a node is read.
func flapping() *history.History {
	s := tell("n1", "n2", "n3", "n4", "n5").at(2).register("n1", "p1", "k")
	for i := range 12_000 {
		s.at(2+float64(i)/10).cut("n1-n2").at(2.05+float64(i)/10).heal().lookup("n3", "k", "p1").lookup("n4", "k", "p1")
	}
	return &s.h
}

func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"mixed", "bulk", "churn", "one-name", "flapping"} {
		b.Run(name, func(b *testing.B) {
			h := benchmarks()[name]()
			b.ReportAllocs()
			for b.Loop() {
				check.Run(h)
			}
			b.ReportMetric(float64(len(h.Records)), "records")
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	h := benchmarks()["mixed"]()
	for _, c := range check.All() {
		b.Run(c.Name, func(b *testing.B) {
			for b.Loop() {
				check.Run(h, c.Name)
			}
		})
	}
}
