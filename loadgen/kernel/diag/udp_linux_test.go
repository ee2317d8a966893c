package diag_test

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/kernel/nstest"
)

// socket opens a TCP or UDP socket that is closed with the test.
func socket(t *testing.T, udp bool, family int) int {
	t.Helper()
	fd := opened(t, udp, family)
	t.Cleanup(func() { _ = kernel.CloseFD(fd) })
	return fd
}

// opened is a TCP or UDP socket.
func opened(t *testing.T, udp bool, family int) int {
	t.Helper()
	open := kernel.StreamSocket
	if udp {
		open = kernel.DatagramSocket
	}
	fd, errno := open(family)
	if errno != 0 {
		t.Fatal(errno)
	}
	return fd
}

// A UDP socket is listed once it is bound, as that or as connected, with its
// addresses; TCP's socket on the same port is another.
func TestStatesOfDatagramSockets(t *testing.T) {
	for _, addr := range []string{nstest.Addr, nstest.Addr6, "::1"} {
		listener := listening(t, 8)
		at := netip.AddrPortFrom(netip.MustParseAddr(addr), listener.Port())
		sa := kernel.NewSockaddr(at)
		family := uint8(sa.Family())
		if errno := kernel.Bind(socket(t, true, sa.Family()), &sa); errno != 0 {
			t.Fatal(errno)
		}
		client := socket(t, true, sa.Family())
		if errno := kernel.Connect(client, &sa); errno != 0 {
			t.Fatal(errno)
		}
		own := kernel.Sockaddr{}
		if errno := kernel.LocalAddr(client, &own); errno != 0 {
			t.Fatal(errno)
		}
		for _, c := range []struct {
			states diag.States
			want   []netip.AddrPort // local addresses
		}{
			{diag.All, []netip.AddrPort{at, own.AddrPort()}},
			{diag.Of(diag.Established), []netip.AddrPort{own.AddrPort()}},
			{diag.Of(diag.BoundInactive), []netip.AddrPort{at}},
			{diag.Of(diag.Listen, diag.TimeWait), nil},
		} {
			var got []netip.AddrPort
			for _, s := range list(t, diag.UDP, family, c.states, at.Port()) {
				got = append(got, s.Local)
				connected := s.Local != at
				if (s.State == diag.Established) != connected || (s.State == diag.BoundInactive) == connected ||
					(s.Remote == at) != connected || s.Inode == 0 {
					t.Errorf("%+v", s)
				}
			}
			slices.SortFunc(c.want, netip.AddrPort.Compare)
			slices.SortFunc(got, netip.AddrPort.Compare)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, states %b: %v, want %v", addr, c.states, got, c.want)
			}
		}
	}
}

// holders are the kinds of local address that a socket can have.
var holders = []struct {
	local    string
	dual     bool // an IPv6 socket with IPV6_V6ONLY off
	wildcard bool // of its family
}{
	{local: nstest.Addr},
	{local: "0.0.0.0", wildcard: true},
	{local: nstest.Addr6},
	{local: nstest.Addr6, dual: true},
	{local: "::", wildcard: true},
	{local: "::", dual: true, wildcard: true},
}

// Holds says of each kind of address what the kernel does: which binds find the
// port taken, over TCP and over UDP.
func TestHoldsAsTheKernelDoes(t *testing.T) {
	for _, udp := range []bool{false, true} {
		for _, h := range holders {
			s := holder(t, udp, h.local, h.dual)
			// An address of its own makes an IPv6 socket V6Only, whatever was asked for
			// (__inet6_bind in net/ipv6/af_inet6.c).
			only := s.Local.Addr().Is6() && (!h.dual || !h.wildcard)
			if s.Local.Addr() != netip.MustParseAddr(h.local) || s.V6Only != only {
				t.Errorf("%s, dual %t: listed as %+v", h.local, h.dual, s)
			}
			for _, addr := range []string{nstest.Addr, "127.0.0.1", "0.0.0.0", nstest.Addr6, "::1", "::"} {
				sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), s.Local.Port()))
				errno := tryBind(t, udp, &sa)
				if errno != 0 && errno != syscall.EADDRINUSE {
					t.Fatalf("bind to %s: %v", addr, errno)
				}
				if got := s.Holds(netip.MustParseAddr(addr)); got != (errno != 0) {
					t.Errorf("udp %t: %s, dual %t, holds %s: %t, but bind says %v", udp, h.local, h.dual, addr, got, errno)
				}
			}
		}
	}
}

// tryBind binds a socket of its own, and closes it.
func tryBind(t *testing.T, udp bool, sa *kernel.Sockaddr) syscall.Errno {
	t.Helper()
	fd := opened(t, udp, sa.Family())
	defer func() { _ = kernel.CloseFD(fd) }()
	return kernel.Bind(fd, sa)
}

// holder binds a socket, over TCP makes it listen, and returns it as it is
// listed.
func holder(t *testing.T, udp bool, local string, dual bool) diag.Socket {
	t.Helper()
	sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(local), 0))
	fd, from, only := socket(t, udp, sa.Family()), lists(diag.TCP), 1
	if dual {
		only = 0
	}
	if udp {
		from = diag.UDP
	}
	if sa.Family() == unix.AF_INET6 {
		if errno := kernel.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); errno != 0 {
			t.Fatal(errno)
		}
	}
	if errno := kernel.Bind(fd, &sa); errno != 0 {
		t.Fatal(errno)
	}
	if !udp {
		if errno := kernel.Listen(fd, 1); errno != 0 {
			t.Fatal(errno)
		}
	}
	if errno := kernel.LocalAddr(fd, &sa); errno != 0 {
		t.Fatal(errno)
	}
	got := list(t, from, uint8(sa.Family()), diag.All, sa.Port())
	if len(got) != 1 {
		t.Fatalf("port %d is held by %+v, want one socket", sa.Port(), got)
	}
	return got[0]
}

// An IPv4 address in IPv6's clothes is IPv4's.
func TestMappedHolds(t *testing.T) {
	s := diag.Socket{Local: netip.MustParseAddrPort("[::ffff:198.18.0.1]:80")}
	for addr, want := range map[string]bool{"198.18.0.1": true, "::ffff:198.18.0.1": true, "127.0.0.1": false, "0.0.0.0": true, "2001:2::1": false} {
		if got := s.Holds(netip.MustParseAddr(addr)); got != want {
			t.Errorf("holds %s: %t", addr, got)
		}
	}
}

// What a socket in the range costs where the kernel chooses the port. At a bind
// to an address: what Holds says of it. At a UDP connect likewise, of all
// addresses, as the port is taken before the source is known. At a TCP connect:
// its port, whatever its address and family.
func TestWhatAHolderCosts(t *testing.T) {
	for _, udp := range []bool{false, true} {
		for _, h := range holders {
			for _, from := range []string{nstest.Addr, nstest.Addr6} {
				s, source := holder(t, udp, h.local, h.dual), netip.MustParseAddr(from)
				to := kernel.NewSockaddr(holder(t, udp, from, false).Local)
				any := netip.IPv6Unspecified()
				if source.Is4() {
					any = netip.IPv4Unspecified()
				}
				port := s.Local.Port()
				if got, want := refused(t, udp, port, &to, netip.Addr{}), !udp || s.Holds(any); got != want {
					t.Errorf("udp %t: beside %s, dual %t, connect to %s is refused: %t", udp, h.local, h.dual, from, got)
				}
				if got, want := refused(t, udp, port, &to, source), s.Holds(source); got != want {
					t.Errorf("udp %t: beside %s, dual %t, bind to %s is refused: %t", udp, h.local, h.dual, from, got)
				}
			}
		}
	}
}

// refused says whether the kernel finds no port where only one may be chosen: at
// a connect, or at a bind to the source if one is given.
func refused(t *testing.T, udp bool, port uint16, to *kernel.Sockaddr, source netip.Addr) bool {
	t.Helper()
	fd := opened(t, udp, to.Family())
	defer func() { _ = kernel.Reset(fd) }()
	if errno := kernel.SetLocalPortRange(fd, port, port); errno != 0 {
		t.Fatal(errno)
	}
	var errno syscall.Errno
	if source.IsValid() {
		sa := kernel.NewSockaddr(netip.AddrPortFrom(source, 0))
		errno = kernel.Bind(fd, &sa)
	} else {
		errno = kernel.Connect(fd, to)
	}
	switch errno {
	case syscall.EADDRNOTAVAIL, syscall.EAGAIN, syscall.EADDRINUSE:
		return true
	case 0, syscall.EINPROGRESS:
		return false
	}
	t.Fatalf("toward %v: %v", to.AddrPort(), errno)
	return false
}
