package server

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// cycle connects and resets, the cheapest client there is.
func cycle(b *testing.B, to *kernel.Sockaddr) {
	fd, errno := kernel.StreamSocket(to.Family())
	if errno == 0 {
		_ = kernel.Connect(fd, to)
		errno = kernel.Reset(fd)
	}
	if errno != 0 {
		b.Fatal(errno)
	}
}

// BenchmarkAccept prints accepts per second, both ends on one machine: the
// client is in the figure. The client waits when it is 1,000 ahead.
func BenchmarkAccept(b *testing.B) {
	for name, config := range map[string]Config{
		"apart, client first": {Connections: 2000},
		"apart, server first": {Connections: 2000, ServerFirst: true, RST: true},
	} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			l := listenApart(b, config)
			to := kernel.NewSockaddr(l.Addrs()[0])
			b.ReportAllocs()
			opened := int64(0)
			for b.Loop() {
				cycle(b, &to)
				for opened++; opened%100 == 0 && opened-l.Stats().Accepted > 1000; {
					kernel.Sleep(roundPause)
				}
			}
			waitStats(b, l, "every accept", func(s result.Server) bool { return s.Accepted == opened })
			b.ReportMetric(float64(opened)/b.Elapsed().Seconds(), "accepts/s")
		})
	}
	b.Run("together", func(b *testing.B) {
		l := listenOnly(b, Config{Together: true})
		end := l.NewEnd(0)
		to := kernel.NewSockaddr(l.Addrs()[0])
		b.ReportAllocs()
		for b.Loop() {
			fd, _ := kernel.StreamSocket(to.Family())
			_ = kernel.Connect(fd, &to)
			conn, _ := acceptOne(b, end)
			_ = kernel.Reset(fd)
			end.Shut(conn, false)
		}
		b.ReportMetric(float64(l.Stats().Accepted)/b.Elapsed().Seconds(), "accepts/s")
	})
}

// BenchmarkDatagrams is one opening after the other, there and back.
func BenchmarkDatagrams(b *testing.B) {
	for _, together := range []bool{false, true} {
		b.Run(fmt.Sprintf("together=%t", together), func(b *testing.B) {
			l := listenApart(b, Config{UDP: true, Together: together})
			end := l.NewEnd(0)
			fd, _ := caller(b, anyPort.Addr(), l.Addrs()[0])
			buf := make([]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				_ = kernel.WriteByte(fd, byteOpen)
				if together {
					end.Serve()
				}
				for answered := false; !answered; {
					_, errno := kernel.Read(fd, buf)
					answered = errno == 0
				}
			}
		})
	}
}

// BenchmarkPeers is what counting a peer costs of an accept.
func BenchmarkPeers(b *testing.B) {
	var s peerSet
	b.ReportAllocs()
	for port := uint16(0); b.Loop(); port++ {
		s.add(netip.AddrPortFrom(anyPort.Addr(), port))
	}
}
