package server

import (
	"net/netip"
	"reflect"
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
)

// acceptOne accepts the connection that waits.
func acceptOne(t testing.TB, e *End) (fd int, peerPort uint16) {
	t.Helper()
	fd, peerPort, errno := e.Accept()
	if errno != 0 {
		t.Fatalf("accept: %v", errno)
	}
	return fd, peerPort
}

func TestTogetherCloseModes(t *testing.T) {
	noAssassins(t)
	const n = 1000
	for _, mode := range closeModes {
		t.Run(mode.name, func(t *testing.T) {
			l := listenFresh(t, Config{Together: true})
			end, to := l.NewEnd(0), l.Addrs()[0]
			sources := map[netip.AddrPort]bool{}
			for range n {
				client, source := dialEager(t, to)
				sources[source] = true // after an RST the kernel may give it again
				conn, port := acceptOne(t, end)
				if source.Port() != port {
					t.Fatalf("accepted from port %d, want %d", port, source.Port())
				}
				if mode.serverFirst {
					end.Shut(conn, mode.rst)
					closeClient(client, false)
				} else {
					closeClient(client, mode.rst)
					end.Shut(conn, false)
				}
			}
			if _, _, errno := end.Accept(); errno != syscall.EAGAIN {
				t.Errorf("accept from an empty queue: %v, want EAGAIN", errno)
			}
			want := saw(n, int64(len(sources)), int64(len(sources)))
			if got := l.Stats(); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
			checkTimeWait(t, to.Port(), n, mode.serverWaits, mode.clientWaits)
		})
	}
}

// Ends of several threads and addresses: each thread has its own copy of the
// listeners, and one client port toward two targets is one peer.
func TestEndsOnThreads(t *testing.T) {
	const n = 100
	l := listenOnly(t, Config{Together: true, Addrs: []netip.AddrPort{anyPort, anyPort}})
	const clientPort = 20000
	for target, to := range l.Addrs() {
		thread, err := kernel.NewThread()
		if err != nil {
			t.Fatal(err)
		}
		defer thread.Close()
		end := l.NewEnd(target)
		thread.Do(func() {
			for port := uint16(clientPort); port < clientPort+n; port++ {
				client, _, errno := dialFrom(netip.AddrPortFrom(anyPort.Addr(), port), to)
				if errno != 0 {
					t.Errorf("connect from port %d to %s: %v", port, to, errno)
					return
				}
				conn, got, errno := end.Accept()
				if errno != 0 || got != port {
					t.Errorf("accepted from port %d, %v, want %d", got, errno, port)
				}
				_ = kernel.Reset(client)
				end.Shut(conn, false)
			}
		})
	}
	if got, want := l.Stats(), saw(2*n, n, 2*n); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A listener that is closed listens no more, even where another table has a
// copy of it.
func TestCloseReachesEveryTable(t *testing.T) {
	l := listenOnly(t, Config{Together: true})
	thread, err := kernel.NewThread()
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, errno := dialErrno(l.Addrs()[0]); errno != syscall.ECONNREFUSED {
		t.Errorf("connect after Close: %v, want ECONNREFUSED", errno)
	}
}

func TestTogetherDoesNotAllocate(t *testing.T) {
	l := listenOnly(t, Config{Together: true})
	end, to := l.NewEnd(0), kernel.NewSockaddr(l.Addrs()[0])
	cycle := func() {
		client, _ := kernel.StreamSocket(to.Family())
		_ = kernel.Connect(client, &to)
		if conn, _, errno := end.Accept(); errno == 0 {
			end.Shut(conn, true)
		}
		_ = kernel.Reset(client)
	}
	if allocs := testing.AllocsPerRun(200, cycle); allocs != 0 {
		t.Errorf("%.1f allocations a connection, want none", allocs)
	}
	if s := l.Stats(); s.Accepted != 201 {
		t.Errorf("%+v: the cycle did not accept", s)
	}
}

func TestTogetherResetBeforeAccept(t *testing.T) {
	l := listenOnly(t, Config{Together: true})
	end := l.NewEnd(0)
	_ = kernel.Reset(dial(t, l.Addrs()[0]))
	if conn, _, errno := end.Accept(); errno == 0 { // the kernel hands out the dead one too
		if got := finish(t, conn); got != syscall.ECONNRESET {
			t.Errorf("read from a reset connection: %v, want ECONNRESET", got)
		}
		end.Shut(conn, false)
	} else if errno != syscall.EAGAIN {
		t.Errorf("accept of a reset connection: %v", errno)
	}
	alive := dial(t, l.Addrs()[0])
	conn, _ := acceptOne(t, end)
	end.Shut(conn, true)
	_ = kernel.CloseFD(alive)
	if s := l.Stats(); s.Accepted != *s.Closed {
		t.Errorf("%+v: want as many closed", s)
	}
}
