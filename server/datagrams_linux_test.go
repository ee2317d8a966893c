package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

// any6 is the IPv6 address of the tests.
var any6 = netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr6), 0)

// caller is a UDP socket that is connected to a listener.
func caller(t testing.TB, from netip.Addr, to netip.AddrPort) (fd int, source netip.AddrPort) {
	t.Helper()
	sa := kernel.NewSockaddr(to)
	fd, errno := kernel.DatagramSocket(sa.Family())
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { _ = kernel.CloseFD(fd) })
	own := kernel.NewSockaddr(netip.AddrPortFrom(from, 0))
	if errno := kernel.Bind(fd, &own); errno != 0 {
		t.Fatalf("bind to %s: %v", from, errno)
	}
	if errno := kernel.Connect(fd, &sa); errno != 0 {
		t.Fatalf("connect to %s: %v", to, errno)
	}
	if errno := kernel.LocalAddr(fd, &own); errno != 0 {
		t.Fatal(errno)
	}
	return fd, own.AddrPort()
}

// say sends one datagram.
func say(t testing.TB, fd int, data string) {
	t.Helper()
	if _, err := unix.Write(fd, []byte(data)); err != nil {
		t.Errorf("send: %v", err)
	}
}

// hears returns the datagram that has come, or "" and false.
func hears(fd int) (string, bool) {
	buf := make([]byte, 64)
	n, errno := kernel.Read(fd, buf)
	return string(buf[:max(0, n)]), errno == 0
}

// answered waits for a datagram.
func answered(t testing.TB, fd int) string {
	t.Helper()
	for start := time.Now(); time.Since(start) < patience; kernel.Sleep(20 * time.Microsecond) {
		if data, ok := hears(fd); ok {
			return data
		}
	}
	t.Fatal("no answer")
	return ""
}

// sawUDP is what a UDP listener has seen: no close, and not that there was none.
func sawUDP(opened, peers, tuples, requests int64) result.Server {
	return result.Server{Accepted: opened, DistinctPeers: &peers, DistinctTuples: &tuples, Requests: requests}
}

// Openings and requests are answered by themselves, and counted before the
// answer is there.
func TestDatagramsApart(t *testing.T) {
	for _, threads := range []int{0, 3} {
		for _, addr := range []netip.AddrPort{anyPort, any6, netip.MustParseAddrPort("[::1]:0")} {
			t.Run(fmt.Sprintf("%d threads on %s", threads, addr.Addr()), func(t *testing.T) {
				l := listenApart(t, Config{UDP: true, Addrs: []netip.AddrPort{addr}, Threads: threads})
				if got := len(l.workers); got != max(1, threads) {
					t.Errorf("%d threads", got)
				}
				for i := range int64(50) {
					fd, _ := caller(t, addr.Addr(), l.Addrs()[0])
					say(t, fd, "\x02")
					if got := answered(t, fd); got != "\x82" {
						t.Fatalf("an opening is answered by %q", got)
					}
					say(t, fd, "\x01")
					if got := answered(t, fd); got != "\x81" {
						t.Fatalf("a request is answered by %q", got)
					}
					if got, want := l.Stats(), sawUDP(i+1, i+1, i+1, i+1); !reflect.DeepEqual(got, want) {
						t.Fatalf("%+v, want %+v", got, want)
					}
				}
			})
		}
	}
}

// Many clients at once, each with one datagram under way: none is lost and none
// is counted twice, whoever of the threads answers.
func TestDatagramsOnSeveralThreads(t *testing.T) {
	const clients, each = 4, 500
	l := listenApart(t, Config{UDP: true, Addrs: []netip.AddrPort{anyPort, anyPort}, Threads: 3})
	var callers sync.WaitGroup
	for range clients {
		var fds [2]int
		for i, to := range l.Addrs() {
			fds[i], _ = caller(t, anyPort.Addr(), to)
		}
		callers.Go(func() {
			for i := range each {
				fd := fds[i%2]
				if i < 2 {
					say(t, fd, "\x02")
				} else {
					say(t, fd, "\x01")
				}
				for start := time.Now(); ; kernel.Sleep(20 * time.Microsecond) {
					if _, ok := hears(fd); ok {
						break
					}
					if time.Since(start) > patience {
						t.Error("no answer")
						return
					}
				}
			}
		})
	}
	callers.Wait()
	if got, want := l.Stats(), sawUDP(2*clients, 2*clients, 2*clients, clients*(each-2)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Serve answers what has come, returns at once when nothing has, and the ends of
// several threads share a socket.
func TestDatagramsTogether(t *testing.T) {
	l := listenOnly(t, Config{UDP: true, Together: true, Addrs: []netip.AddrPort{anyPort, any6}, CPUs: []int{0, 0}})
	for i, to := range l.Addrs() {
		first, second := l.NewSharedEnd(i, 0), l.NewSharedEnd(i, 1)
		first.Serve()
		for n := range 10 {
			fd, _ := caller(t, to.Addr(), to)
			say(t, fd, "\x02")
			say(t, fd, "\x01")
			if got, ok := hears(fd); ok {
				t.Fatalf("%q before anybody served", got)
			}
			[]*End{first, second}[n%2].Serve()
			for _, want := range []string{"\x82", "\x81"} {
				if got, ok := hears(fd); !ok || got != want {
					t.Errorf("served, and heard %q, %t, want %q", got, ok, want)
				}
			}
		}
		if _, _, errno := first.Accept(); errno == 0 {
			t.Error("a datagram was accepted as a connection")
		}
	}
	if got, want := l.Stats(), sawUDP(20, 20, 20, 20); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What a stranger says is not answered, never counted, and in nobody's way.
func TestGarbageIsThrownAway(t *testing.T) {
	l := listenOnly(t, Config{UDP: true, Together: true})
	end := l.NewEnd(0)
	fd, _ := caller(t, anyPort.Addr(), l.Addrs()[0])
	for _, data := range []string{"", "\x00", "\x03", "\xff", "\x82", "\x81", "\x02\x02", "\x01\x00", "GET / HTTP/1.1\r\n\r\n", string(make([]byte, 60_000))} {
		say(t, fd, data)
		end.Serve()
		if got, ok := hears(fd); ok {
			t.Errorf("%.20q is answered by %q", data, got)
		}
	}
	if got, want := l.Stats(), sawUDP(0, 0, 0, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	say(t, fd, "\x02")
	end.Serve()
	if got, ok := hears(fd); !ok || got != "\x82" {
		t.Errorf("after the garbage an opening is answered by %q, %t", got, ok)
	}
}

// More than the buffer holds is lost, the kernel says so, and what was not lost
// is answered. Serve does a bounded part of it at a time.
func TestFloodOfDatagrams(t *testing.T) {
	l := listenOnly(t, Config{UDP: true, Together: true})
	end := l.NewEnd(0)
	// Of the machine's limit or with its privilege, the buffer would be too large to
	// fill in a moment.
	for _, fd := range l.sockets {
		if errno := kernel.SetInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20); errno != 0 {
			t.Fatal(errno)
		}
	}
	before, err := kernel.ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	fd, _ := caller(t, anyPort.Addr(), l.Addrs()[0])
	for range n {
		say(t, fd, "\x01")
	}
	end.Serve()
	first := l.Stats().Requests
	for last := int64(-1); last != l.Stats().Requests; end.Serve() {
		last = l.Stats().Requests
	}
	got := l.Stats().Requests
	after, err := kernel.ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	if first == 0 || first > datagramsAtOnce || got == n {
		t.Errorf("%d answered at first, %d in all", first, got)
	}
	// The answers flood the client in turn, so the loss is counted before they are.
	lost := after["UdpRcvbufErrors"] - before["UdpRcvbufErrors"]
	if lost < n-got {
		t.Errorf("%d of %d answered, and the kernel counts %d lost", got, n, lost)
	}
}

// Distinct peers are addresses with ports, tuples are these for each target.
func TestDatagramPeers(t *testing.T) {
	sources := addAddresses(t, "198.18.0.7", "198.18.0.8", "198.18.0.9")
	l := listenOnly(t, Config{UDP: true, Together: true, Addrs: []netip.AddrPort{anyPort, anyPort}})
	ends := []*End{l.NewEnd(0), l.NewEnd(1)}
	seen := map[netip.AddrPort]bool{}
	for _, from := range sources {
		for range 5 {
			fd, source := caller(t, from, l.Addrs()[0])
			seen[source] = true
			for i, to := range l.Addrs() {
				for range 2 { // the second is no other
					sa := kernel.NewSockaddr(to)
					if errno := kernel.Connect(fd, &sa); errno != 0 {
						t.Fatal(errno)
					}
					say(t, fd, "\x02")
					ends[i].Serve()
				}
			}
		}
	}
	if len(seen) != 15 {
		t.Fatalf("%d sources", len(seen))
	}
	if got, want := l.Stats(), sawUDP(60, 15, 30, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// addAddresses gives the namespace's loopback link more addresses.
func addAddresses(t *testing.T, texts ...string) (addrs []netip.Addr) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		addr := netip.MustParseAddr(text)
		ip := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}, Flags: unix.IFA_F_NODAD}
		if err := netlink.AddrAdd(lo, ip); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := netlink.AddrDel(lo, ip); err != nil {
				t.Error(err)
			}
		})
		addrs = append(addrs, addr)
	}
	return addrs
}

// Paused, datagrams wait; then they are answered, and a drained or closed
// listener has answered all that came before.
func TestDatagramsPauseDrainClose(t *testing.T) {
	l := listenApart(t, Config{UDP: true})
	fd, _ := caller(t, anyPort.Addr(), l.Addrs()[0])
	l.Pause(true)
	say(t, fd, "\x02")
	time.Sleep(10 * time.Millisecond)
	if got, ok := hears(fd); ok {
		t.Errorf("paused, and answered by %q", got)
	}
	l.Pause(false)
	answered(t, fd)
	l.Pause(true)
	say(t, fd, "\x01")
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	if got, ok := hears(fd); !ok || got != "\x81" {
		t.Errorf("drained, and heard %q, %t", got, ok)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	say(t, fd, "\x02")
	if _, errno := kernel.Read(fd, make([]byte, 1)); errno != syscall.ECONNREFUSED {
		t.Errorf("after Close: %v, want ECONNREFUSED", errno)
	}
	if got, want := l.Stats(), sawUDP(1, 1, 1, 1); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A deaf listener has the port and says nothing: a client waits, as for a host
// that is gone.
func TestDeafDatagrams(t *testing.T) {
	l := listenOnly(t, Config{UDP: true, Together: true, Deaf: true})
	fd, _ := caller(t, anyPort.Addr(), l.Addrs()[0])
	say(t, fd, "\x02")
	l.NewEnd(0).Serve()
	if _, errno := kernel.Read(fd, make([]byte, 1)); errno != syscall.EAGAIN {
		t.Errorf("read: %v, want EAGAIN", errno)
	}
	if got, want := l.Stats(), sawUDP(0, 0, 0, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A UDP port that is taken is refused, and TCP's port of the number is not it.
func TestDatagramPortIsTaken(t *testing.T) {
	at := listenOnly(t, Config{Together: true}).Addrs()
	listenOnly(t, Config{UDP: true, Together: true, Addrs: at})
	_, err := New(Config{UDP: true, Together: true, Addrs: at})
	var refused *ListenError
	if !errors.As(err, &refused) || refused.Errno != syscall.EADDRINUSE || !refused.UDP {
		t.Errorf("the same port again: %v", err)
	}
}

func TestServeDoesNotAllocate(t *testing.T) {
	l := listenOnly(t, Config{UDP: true, Together: true})
	end := l.NewEnd(0)
	fd, _ := caller(t, anyPort.Addr(), l.Addrs()[0])
	buf := make([]byte, 2)
	cycle := func() {
		_ = kernel.WriteByte(fd, byteOpen)
		end.Serve()
		_, _ = kernel.Read(fd, buf)
	}
	cycle() // the first of an address makes room for it
	if allocs := testing.AllocsPerRun(200, cycle); allocs != 0 {
		t.Errorf("%.1f allocations a round trip, want none", allocs)
	}
	if s := l.Stats(); s.Accepted != 202 {
		t.Errorf("%+v: not every cycle was answered", s)
	}
}
