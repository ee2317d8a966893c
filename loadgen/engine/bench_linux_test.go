package engine_test

import (
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
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

// BenchmarkBareFill opens as many connections by nothing but socket and connect,
// and does not accept them: what BenchmarkFill is to be compared with.
func BenchmarkBareFill(b *testing.B) {
	const n = 9_000
	for _, windowed := range []bool{false, true} {
		b.Run(map[bool]string{false: "connect", true: "socket-range"}[windowed], func(b *testing.B) {
			_, target := listen(b, backlog)
			sourcePorts(b, 30000, 30000+n-1)
			thread, err := kernel.NewThread()
			if err != nil {
				b.Fatal(err)
			}
			defer thread.Close()
			sa := kernel.NewSockaddr(target)
			fds := make([]int, n)
			for range b.N {
				var errno syscall.Errno
				thread.Do(func() { errno = bareFill(fds, &sa, windowed) })
				if errno != syscall.EINPROGRESS {
					b.Fatal(errno)
				}
				b.StopTimer()
				thread.Do(func() {
					for _, fd := range fds {
						_ = kernel.Reset(fd)
					}
				})
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/conn")
		})
	}
}

// bareFill opens a connection for each place in fds.
func bareFill(fds []int, to *kernel.Sockaddr, windowed bool) (errno syscall.Errno) {
	for i := range fds {
		if fds[i], errno = kernel.StreamSocket(to.Family()); errno != 0 {
			return errno
		}
		if windowed {
			if errno = kernel.SetLocalPortRange(fds[i], 30000, uint16(30000+len(fds)-1)); errno != 0 {
				return errno
			}
		}
		if errno = kernel.Connect(fds[i], to); errno != syscall.EINPROGRESS {
			return errno
		}
	}
	return errno
}

// BenchmarkOpenClose opens, accepts and closes one connection after another on
// one thread; over UDP, opens by a round trip and closes.
func BenchmarkOpenClose(b *testing.B) {
	for _, k := range []kind{{udp: false}, {udp: true}} {
		for _, name := range strategy.Names() {
			b.Run(k.String()+"/"+name, func(b *testing.B) {
				s := newSpace(b, k, 1, 1, 20000)
				s.tuples = nil
				r := newRig(b, s.setup(s.with(b, name), 0, nil))
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
			})
		}
	}
}
