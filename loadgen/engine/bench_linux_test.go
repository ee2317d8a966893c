package engine_test

import (
	"testing"

	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// BenchmarkFill opens and accepts 9,000 connections of as many ports on one
// thread. What it takes a connection is reported as ns/conn; releasing them is
// not timed.
func BenchmarkFill(b *testing.B) {
	const n = 9_000 // two descriptors each, below a limit of 20,000
	for _, strategy := range []string{"connect", "socket-range"} {
		b.Run(strategy, func(b *testing.B) {
			listener, target := listen(b, backlog)
			r := newRig(b, setup{
				target: target, together: listener, sources: sourcePorts(b, 30000, 30000+n-1),
				strategy: strategy, mode: step.ClientRST, connections: n,
			})
			defer r.count()()
			for range b.N {
				fill := scenario.NewOpening(scenario.Opening{Connections: n, Expected: n, Timeout: patience})
				if err := r.Run(fill); err != nil {
					b.Fatal(err)
				}
				if got := len(fill.Conns()); got != n {
					b.Fatalf("%d connections, want %d", got, n)
				}
				b.StopTimer()
				if err := r.Run(scenario.NewRelease(fill.Conns())); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/conn")
		})
	}
}

// BenchmarkOpenClose opens, accepts and closes one connection after another on
// one thread.
func BenchmarkOpenClose(b *testing.B) {
	listener, target := listen(b, backlog)
	r := newRig(b, setup{target: target, together: listener, sources: sourcePorts(b, 30000, 60999), mode: step.ClientRST})
	const each = 1000
	work := &churn{}
	b.ReportAllocs()
	for n := b.N; n > 0; n -= each {
		work.left = min(n, each)
		if err := r.Run(work); err != nil {
			b.Fatal(err)
		}
		r.collector.TakeAll()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conn/s")
}
