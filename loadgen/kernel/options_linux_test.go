package kernel

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"lastport/loadgen/kernel/nstest"
)

// sockets are the four kinds of socket that connections come by.
var sockets = []struct {
	name string
	udp  bool
	addr netip.Addr
}{
	{"TCP over IPv4", false, netip.MustParseAddr(nstest.Addr)},
	{"TCP over IPv6", false, netip.IPv6Loopback()},
	{"UDP over IPv4", true, netip.MustParseAddr(nstest.Addr)},
	{"UDP over IPv6", true, netip.IPv6Loopback()},
}

// setPorts sets the namespace's range, until the test is over.
func setPorts(t *testing.T, low, high uint16) {
	t.Helper()
	const key = "net.ipv4.ip_local_port_range"
	before, err := ReadSysctl(key)
	if err == nil {
		err = WriteSysctl(key, fmt.Sprintf("%d %d", low, high))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = WriteSysctl(key, before) })
}

// socketOf opens a socket that is reset with the test, so that its port is free
// for the next.
func socketOf(t *testing.T, udp bool, family int) int {
	t.Helper()
	socket := StreamSocket
	if udp {
		socket = DatagramSocket
	}
	fd, errno := socket(family)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { _ = Reset(fd) })
	return fd
}

// receiver is where sockets of the kind connect to.
func receiver(t *testing.T, udp bool, addr netip.Addr) Sockaddr {
	t.Helper()
	if !udp {
		_, at := listener(t, addr.String())
		return at
	}
	at := NewSockaddr(netip.AddrPortFrom(addr, 0))
	fd := socketOf(t, true, at.Family())
	errno := Bind(fd, &at)
	if errno == 0 {
		errno = LocalAddr(fd, &at)
	}
	if errno != 0 {
		t.Fatalf("receiver on %v: %v", addr, errno)
	}
	return at
}

// began says how a connect went, where a TCP connection that is under way is one.
func began(fd int, to *Sockaddr) syscall.Errno {
	if errno := Connect(fd, to); errno != syscall.EINPROGRESS {
		return errno
	}
	return 0
}

// ownPort returns the socket's port, 0 if it has none.
func ownPort(t *testing.T, fd int) uint16 {
	t.Helper()
	var own Sockaddr
	if errno := LocalAddr(fd, &own); errno != 0 {
		t.Fatal(errno)
	}
	return own.Port()
}

// The kernel chooses from the window, to the last port, at connect as at bind;
// a bound outside the namespace's range is silently ignored.
func TestSetLocalPortRange(t *testing.T) {
	for _, s := range sockets {
		for _, bound := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/bound=%v", s.name, bound), func(t *testing.T) {
				full := syscall.EADDRNOTAVAIL
				switch {
				case bound:
					full = syscall.EADDRINUSE
				case s.udp:
					full = syscall.EAGAIN
				}
				localPortRange(t, s.udp, bound, s.addr, full)
			})
		}
	}
}

func localPortRange(t *testing.T, udp, bound bool, addr netip.Addr, full syscall.Errno) {
	to := receiver(t, udp, addr)
	setPorts(t, 40000, 40099)
	source := NewSockaddr(netip.AddrPortFrom(addr, 0))
	choose := func(low, high uint16) (uint16, syscall.Errno) {
		fd := socketOf(t, udp, to.Family())
		errno := SetLocalPortRange(fd, low, high)
		if errno != 0 {
			t.Fatalf("port range %d-%d: %v", low, high, errno)
		}
		if bound {
			errno = Bind(fd, &source)
		}
		if errno == 0 {
			errno = began(fd, &to)
		}
		return ownPort(t, fd), errno
	}
	used := map[uint16]bool{}
	for range 4 { // an even number: a bind to port 0 may leave out one port of an odd one
		port, errno := choose(40010, 40013)
		if errno != 0 || port < 40010 || port > 40013 || used[port] {
			t.Errorf("port %d, %v, used before: %v", port, errno, used[port])
		}
		used[port] = true
	}
	if port, errno := choose(40010, 40013); errno != full {
		t.Errorf("of four ports the fifth is %d, %v, want %v", port, errno, full)
	}
	if port, errno := choose(40020, 40020); errno != 0 || port != 40020 {
		t.Errorf("a window of one port: %d, %v", port, errno)
	}
	if port, errno := choose(60000, 60000); errno != 0 || port < 40000 || port > 40099 {
		t.Errorf("a window outside the namespace's range: port %d, %v", port, errno)
	}
}

// A bind without a port leaves the port to connect, and so TCP connections
// toward two targets share the only one; UDP sockets do not.
func TestSetBindNoPort(t *testing.T) {
	for _, s := range sockets {
		t.Run(s.name, func(t *testing.T) {
			targets := []Sockaddr{receiver(t, s.udp, s.addr), receiver(t, s.udp, s.addr)}
			setPorts(t, 40000, 40000)
			source := NewSockaddr(netip.AddrPortFrom(s.addr, 0))
			for i := range targets {
				fd := socketOf(t, s.udp, source.Family())
				errno := SetBindNoPort(fd)
				if errno == 0 {
					errno = Bind(fd, &source)
				}
				if port := ownPort(t, fd); errno != 0 || port != 0 {
					t.Errorf("bound with %v, to port %d", errno, port)
				}
				want := syscall.Errno(0)
				if i > 0 && s.udp {
					want = syscall.EAGAIN
				}
				if errno := began(fd, &targets[i]); errno != want || errno == 0 && ownPort(t, fd) != 40000 {
					t.Errorf("target %d: %v, want %v; port %d", i, errno, want, ownPort(t, fd))
				}
			}
		})
	}
}

// With SO_REUSEADDR on both, two sockets have one address and port. TCP then
// refuses the second of a 4-tuple, UDP does not: that is why it is never used
// there.
func TestSetReuseAddr(t *testing.T) {
	for _, s := range sockets {
		t.Run(s.name, func(t *testing.T) {
			to, other := receiver(t, s.udp, s.addr), receiver(t, s.udp, s.addr)
			source := NewSockaddr(netip.AddrPortFrom(s.addr, 22000))
			second := syscall.EADDRNOTAVAIL
			if s.udp {
				second = 0
			}
			for i, c := range []struct {
				to            *Sockaddr
				reuse         bool
				bind, connect syscall.Errno
			}{
				{&to, true, 0, 0},
				{&to, false, syscall.EADDRINUSE, 0},
				{&other, true, 0, 0},
				{&to, true, 0, second},
			} {
				fd := socketOf(t, s.udp, source.Family())
				if c.reuse {
					if errno := SetReuseAddr(fd); errno != 0 {
						t.Fatal(errno)
					}
				}
				if errno := Bind(fd, &source); errno != c.bind {
					t.Errorf("socket %d: bind: %v, want %v", i, errno, c.bind)
				}
				if c.bind != 0 {
					continue
				}
				if errno := began(fd, c.to); errno != c.connect {
					t.Errorf("socket %d: connect: %v, want %v", i, errno, c.connect)
				}
			}
		})
	}
}
