package server

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

func TestMain(m *testing.M) { os.Exit(nstest.Run(m)) }

// anyPort is the tests' address with a port that the kernel chooses: what an
// earlier test left in TIME_WAIT is not in the way.
var anyPort = netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), 0)

// patience bounds how long a test waits for what must come. No test passes
// because it ran out.
const patience = 20 * time.Second

// listenApart starts a listener with threads of its own and closes it with
// the test.
func listenApart(t testing.TB, config Config) *Listener {
	t.Helper()
	l := listenOnly(t, config)
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	return l
}

func listenOnly(t testing.TB, config Config) *Listener {
	t.Helper()
	if config.Addrs == nil {
		config.Addrs = []netip.AddrPort{anyPort}
	}
	l, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// listenFresh is listenOnly on a port that has nothing in TIME_WAIT from
// another test, so that what gathers can be counted.
func listenFresh(t testing.TB, config Config) *Listener {
	t.Helper()
	for {
		l := listenOnly(t, config)
		own, peers := tcpStates(t, l.Addrs()[0].Port())
		if len(own) == 1 && len(peers) == 0 { // it listens, that is all
			return l
		}
	}
}

// noAssassins keeps connections in TIME_WAIT that a late segment would take out
// of it: the two ends work on different processors, segments overtake each
// other, and the RST that answers one of them ends the TIME_WAIT of a few in a
// hundred (RFC 1337), unless the kernel is told to ignore it.
func noAssassins(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_rfc1337", []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dial connects on the calling thread.
func dial(t testing.TB, to netip.AddrPort) int {
	t.Helper()
	fd, errno := dialErrno(to)
	if errno != 0 {
		t.Fatalf("connect to %s: %v", to, errno)
	}
	return fd
}

func dialErrno(to netip.AddrPort) (int, syscall.Errno) {
	fd, _, errno := dialFrom(netip.AddrPort{}, to)
	return fd, errno
}

// dialFrom connects from the address and port, if one is given, and returns
// where from, also when the connection was reset at once.
func dialFrom(from, to netip.AddrPort) (fd int, source netip.AddrPort, errno syscall.Errno) {
	sa := kernel.NewSockaddr(to)
	if fd, errno = kernel.StreamSocket(sa.Family()); errno != 0 {
		return -1, source, errno
	}
	if from.IsValid() {
		own := kernel.NewSockaddr(from)
		if errno := kernel.Bind(fd, &own); errno != 0 {
			_ = kernel.CloseFD(fd)
			return -1, source, errno
		}
	}
	begin := kernel.Connect(fd, &sa)
	var own kernel.Sockaddr
	if errno := kernel.LocalAddr(fd, &own); errno == 0 {
		source = own.AddrPort()
	}
	for start := time.Now(); begin == syscall.EINPROGRESS && time.Since(start) < patience; {
		switch errno = kernel.Connect(fd, &sa); errno {
		case 0:
			return fd, source, 0
		case syscall.EALREADY:
			kernel.Sleep(10 * time.Microsecond)
		default:
			_ = kernel.CloseFD(fd)
			return -1, source, errno
		}
	}
	_ = kernel.CloseFD(fd)
	return -1, source, begin
}

// finish reads to the end of the stream and returns what ended it: 0 for FIN.
func finish(t testing.TB, fd int) syscall.Errno {
	t.Helper()
	buf := make([]byte, 64)
	for start := time.Now(); time.Since(start) < patience; {
		n, errno := kernel.Read(fd, buf)
		switch {
		case errno == syscall.EAGAIN:
			kernel.Sleep(50 * time.Microsecond)
		case errno != 0 || n == 0:
			return errno
		}
	}
	t.Fatal("the listener did not close")
	return 0
}

// clients are connections on threads of their own, so that a low descriptor
// limit binds the listener and not the test.
type clients struct {
	threads []*kernel.Thread
	fds     [][]int
}

// open makes n connections, perThread on each thread.
func (c *clients) open(t testing.TB, to netip.AddrPort, n, perThread int) {
	t.Helper()
	for ; n > 0; n -= perThread {
		thread, err := kernel.NewThread()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(thread.Close)
		var fds []int
		var failed syscall.Errno
		thread.Do(func() {
			for range min(n, perThread) {
				fd, errno := dialErrno(to)
				if errno != 0 {
					failed = errno
					return
				}
				fds = append(fds, fd)
			}
		})
		c.threads, c.fds = append(c.threads, thread), append(c.fds, fds)
		if failed != 0 {
			t.Fatalf("connect to %s: %v", to, failed)
		}
	}
}

// each runs f for every connection, on its thread, and forgets the connections.
func (c *clients) each(f func(fd int)) {
	for i, thread := range c.threads {
		thread.Do(func() {
			for _, fd := range c.fds[i] {
				f(fd)
			}
		})
		c.fds[i] = nil
	}
}

// waitStats waits until the statistics are as wanted.
func waitStats(t testing.TB, l *Listener, what string, as func(result.Server) bool) result.Server {
	t.Helper()
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Millisecond) {
		if s := l.Stats(); as(s) {
			return s
		}
	}
	t.Fatalf("%s never came: %+v", what, l.Stats())
	return result.Server{}
}

// saw is what a TCP listener has seen that closed all it accepted.
func saw(closed, peers, tuples int64) result.Server {
	return result.Server{Accepted: closed, Closed: &closed, DistinctPeers: &peers, DistinctTuples: &tuples}
}

// tcpStates counts the sockets of /proc/net/tcp by state, those with the
// port as their own (the listener's) and those with it as their peer's (the
// clients'). States are numbered as in include/net/tcp_states.h.
func tcpStates(t testing.TB, port uint16) (own, peers map[int]int) {
	t.Helper()
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read only
	own, peers = map[int]int{}, map[int]int{}
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		var state int
		if n, _ := fmt.Sscanf(fields[3], "%X", &state); n != 1 {
			continue // the heading
		}
		switch {
		case strings.HasSuffix(fields[1], suffix):
			own[state]++
		case strings.HasSuffix(fields[2], suffix):
			peers[state]++
		}
	}
	return own, peers
}

const (
	stateEstablished = 1
	stateTimeWait    = 6
	stateCloseWait   = 8
	stateListen      = 10
)

// settled waits until no socket of the port is on its way from one state to
// another: all that is left listens or is in TIME_WAIT.
func settled(t testing.TB, port uint16) (own, peers map[int]int) {
	t.Helper()
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Millisecond) {
		own, peers = tcpStates(t, port)
		moving := 0
		for state, n := range own {
			if state != stateListen && state != stateTimeWait {
				moving += n
			}
		}
		for state, n := range peers {
			if state != stateTimeWait {
				moving += n
			}
		}
		if moving == 0 {
			return own, peers
		}
	}
	t.Fatalf("sockets of port %d never settled: %v %v", port, own, peers)
	return nil, nil
}
