package server

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// closeModes are the four ways to close, and what each leaves behind: FACTS of
// TCP (RFC 9293, 3.6): who closes first by FIN waits, and RST leaves nothing.
var closeModes = []struct {
	name             string
	serverFirst, rst bool
	clientWaits      bool
	serverWaits      bool
	clientSees       syscall.Errno
}{
	{name: "client-fin", clientWaits: true},
	{name: "client-rst", rst: true},
	{name: "server-fin", serverFirst: true, serverWaits: true},
	{name: "server-rst", serverFirst: true, rst: true, clientSees: syscall.ECONNRESET},
}

func TestApartCloseModes(t *testing.T) {
	noAssassins(t)
	const n = 1000
	for _, mode := range closeModes {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s keep=%t", mode.name, keep), func(t *testing.T) {
				l := listenFresh(t, Config{ServerFirst: mode.serverFirst, RST: mode.rst, Keep: keep, Connections: n})
				if err := l.Start(); err != nil {
					t.Fatal(err)
				}
				to := l.Addrs()[0]
				fds, sources := make([]int, n), map[netip.AddrPort]bool{}
				for i := range fds {
					var source netip.AddrPort
					fds[i], source = dialEager(t, to)
					sources[source] = true // after an RST the kernel may give it again
				}
				waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == n })
				if mode.serverFirst {
					if keep {
						drainKept(t, l, n)
					}
					finishAll(t, fds, mode.clientSees)
				}
				for _, fd := range fds {
					closeClient(fd, mode.rst && !mode.serverFirst)
				}
				want := saw(n, int64(len(sources)), int64(len(sources)))
				waitStats(t, l, "every close", func(s result.Server) bool { return reflect.DeepEqual(s, want) })
				checkTimeWait(t, to.Port(), n, mode.serverWaits, mode.clientWaits)
			})
		}
	}
}

// dialEager connects to a listener that may reset at once: then there is no
// connection to return any more, but -1.
func dialEager(t *testing.T, to netip.AddrPort) (fd int, source netip.AddrPort) {
	t.Helper()
	fd, source, errno := dialFrom(netip.AddrPort{}, to)
	if errno != 0 && errno != syscall.ECONNRESET {
		t.Fatalf("connect to %s: %v", to, errno)
	}
	return fd, source
}

// drainKept checks that all n connections are open, and has them closed.
func drainKept(t *testing.T, l *Listener, n int) {
	t.Helper()
	if own, _ := tcpStates(t, l.Addrs()[0].Port()); own[stateEstablished] != n {
		t.Errorf("%d connections are kept, want %d", own[stateEstablished], n)
	}
	if err := l.Drain(); err != nil {
		t.Error(err)
	}
}

// finishAll checks how the clients see the listener's close.
func finishAll(t *testing.T, fds []int, want syscall.Errno) {
	t.Helper()
	for _, fd := range fds {
		if fd < 0 {
			continue
		}
		if got := finish(t, fd); got != want {
			t.Fatalf("the listener's close is seen as %v, want %v", got, want)
		}
	}
}

func closeClient(fd int, rst bool) {
	switch {
	case fd < 0:
	case rst:
		_ = kernel.Reset(fd)
	default:
		_ = kernel.CloseFD(fd)
	}
}

// checkTimeWait checks who has n connections in TIME_WAIT.
func checkTimeWait(t *testing.T, port uint16, n int, atServer, atClient bool) {
	t.Helper()
	own, peers := settled(t, port)
	for _, side := range []struct {
		name  string
		waits bool
		got   int
	}{{"the listener", atServer, own[stateTimeWait]}, {"the client", atClient, peers[stateTimeWait]}} {
		want := 0
		if side.waits {
			want = n
		}
		if side.got != want {
			t.Errorf("%s has %d connections in TIME_WAIT, want %d", side.name, side.got, want)
		}
	}
}

func TestResetBeforeAccept(t *testing.T) {
	const n = 100
	l := listenOnly(t, Config{Connections: n})
	to := l.Addrs()[0]
	for range n { // nothing accepts yet
		_ = kernel.Reset(dial(t, to))
	}
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	alive := dial(t, to)
	s := waitStats(t, l, "the live connection", func(s result.Server) bool { return s.Accepted-*s.Closed == 1 })
	if s.NoFD != 0 || s.Accepted > n+1 {
		t.Errorf("%+v, want at most %d accepted", s, n+1)
	}
	_ = kernel.CloseFD(alive)
	waitStats(t, l, "its close", func(s result.Server) bool { return s.Accepted == *s.Closed })
}

func TestHalfClosedClientLeavesNothing(t *testing.T) {
	l := listenApart(t, Config{})
	to := l.Addrs()[0]
	fd := dial(t, to)
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	waitStats(t, l, "the close", func(s result.Server) bool { return *s.Closed == 1 })
	if own, _ := tcpStates(t, to.Port()); own[stateCloseWait] != 0 {
		t.Errorf("%d connections linger in CLOSE_WAIT", own[stateCloseWait])
	}
	_ = kernel.CloseFD(fd)
}

// A client that sends much is read to the end: unread bytes would turn the
// listener's FIN into an RST.
func TestDataIsThrownAway(t *testing.T) {
	l := listenApart(t, Config{})
	fd := dial(t, l.Addrs()[0])
	sent, data := 0, make([]byte, 100_000)
	for sent < 10*readAtOnce {
		n, err := unix.Write(fd, data)
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		sent += max(0, n)
	}
	if s := l.Stats(); *s.Closed != 0 {
		t.Errorf("%+v: data closed the connection", s)
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if got := finish(t, fd); got != 0 {
		t.Errorf("the close is seen as %v, want FIN", got)
	}
	_ = kernel.CloseFD(fd)
}

func TestAskedToClose(t *testing.T) {
	for _, mode := range closeModes[2:] {
		t.Run(mode.name, func(t *testing.T) {
			l := listenApart(t, Config{ServerFirst: true, RST: mode.rst, Keep: true})
			asks, stays := dial(t, l.Addrs()[0]), dial(t, l.Addrs()[0])
			if _, err := unix.Write(asks, []byte{0}); err != nil {
				t.Fatal(err)
			}
			if got := finish(t, asks); got != mode.clientSees {
				t.Errorf("the close is seen as %v, want %v", got, mode.clientSees)
			}
			waitStats(t, l, "the count", func(s result.Server) bool { return *s.Closed == 1 })
			if own, _ := tcpStates(t, l.Addrs()[0].Port()); own[stateEstablished] != 1 {
				t.Errorf("%d connections stay, want the one that did not ask", own[stateEstablished])
			}
			_, _ = kernel.CloseFD(asks), kernel.CloseFD(stays)
		})
	}
}

func TestManyPortsAndFamilies(t *testing.T) {
	const each, perAddr = 100, 5
	loopback := []netip.Addr{anyPort.Addr(), netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	var addrs []netip.AddrPort
	for i := range each * len(loopback) {
		addrs = append(addrs, netip.AddrPortFrom(loopback[i%len(loopback)], 0))
	}
	l := listenApart(t, Config{Addrs: addrs, Connections: len(addrs) * perAddr})
	bound := l.Addrs()
	slices.SortFunc(bound, netip.AddrPort.Compare)
	if distinct := slices.Compact(bound); len(distinct) != len(addrs) {
		t.Fatalf("%d distinct addresses, want %d", len(distinct), len(addrs))
	}
	var fds []int
	peers := map[netip.AddrPort]bool{}
	for _, to := range l.Addrs() {
		for range perAddr {
			fd, source, errno := dialFrom(netip.AddrPort{}, to)
			if errno != 0 {
				t.Fatalf("connect to %s: %v", to, errno)
			}
			fds = append(fds, fd)
			peers[source] = true // the kernel gives one port to several targets
		}
	}
	n := int64(len(fds))
	waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == n })
	for _, fd := range fds {
		_ = kernel.CloseFD(fd)
	}
	want := saw(n, int64(len(peers)), n)
	waitStats(t, l, "every close", func(s result.Server) bool { return reflect.DeepEqual(s, want) })
}

// Drain also closes what no thread has accepted yet.
func TestDrainTakesTheQueue(t *testing.T) {
	const n = 200
	l := listenOnly(t, Config{ServerFirst: true, Keep: true, Connections: n})
	fds := make([]int, n)
	for i := range fds {
		fds[i] = dial(t, l.Addrs()[0])
	}
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	want := saw(n, n, n)
	if s := l.Stats(); !reflect.DeepEqual(s, want) {
		t.Errorf("after Drain: %+v, want %+v", s, want)
	}
	for _, fd := range fds {
		if got := finish(t, fd); got != 0 {
			t.Fatalf("the close is seen as %v, want FIN", got)
		}
		_ = kernel.CloseFD(fd)
	}
}

// Statistics are never impossible while threads count.
func TestStatsWhileRunning(t *testing.T) {
	const n = 2000
	l := listenApart(t, Config{Connections: n})
	to := l.Addrs()[0]
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := (result.Server{}); ; {
				s := l.Stats()
				if *s.Closed > s.Accepted || *s.DistinctPeers > s.Accepted || s.Accepted < last.Accepted {
					t.Errorf("%+v after %+v", s, last)
				}
				last = s
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range n {
		_ = kernel.Reset(dial(t, to))
	}
	waitStats(t, l, "every close", func(s result.Server) bool { return s.Accepted == n && *s.Closed == n })
	close(done)
	readers.Wait()
}
