package kernel

import (
	"errors"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"lastport/loadgen/kernel/nstest"
)

// Addresses come back as they went in, but for IPv4 in IPv6's clothes.
func TestSockaddr(t *testing.T) {
	if (&Sockaddr{}).AddrPort().IsValid() {
		t.Error("no address is a valid one")
	}
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		port := rapid.Uint16().Draw(t, "port")
		addr := netip.AddrFrom16([16]byte(bytes))
		if rapid.Bool().Draw(t, "v4") {
			addr = netip.AddrFrom4([4]byte(bytes[:4]))
		}
		sa := NewSockaddr(netip.AddrPortFrom(addr, port))
		family := unix.AF_INET6
		if addr.Unmap().Is4() {
			family = unix.AF_INET
		}
		if sa.AddrPort() != netip.AddrPortFrom(addr.Unmap(), port) || sa.Port() != port || sa.Family() != family {
			t.Fatalf("%v port %d became %v, family %d", addr, port, sa.AddrPort(), sa.Family())
		}
		other := rapid.Uint16().Draw(t, "other port")
		if sa.SetPort(other); sa.AddrPort() != netip.AddrPortFrom(addr.Unmap(), other) {
			t.Fatalf("%v with port %d became %v", addr, other, sa.AddrPort())
		}
	})
}

// listener listens on a port that the kernel chooses.
func listener(t *testing.T, addr string) (fd int, at Sockaddr) {
	t.Helper()
	at = NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))
	fd, errno := StreamSocket(at.Family())
	open(t, fd, errno)
	if errno := Bind(fd, &at); errno != 0 {
		t.Fatalf("bind: %v", errno)
	}
	if errno := Listen(fd, 16); errno != 0 {
		t.Fatalf("listen: %v", errno)
	}
	if errno := LocalAddr(fd, &at); errno != 0 || at.Port() == 0 {
		t.Fatalf("own address: %v, port %d", errno, at.Port())
	}
	return fd, at
}

// connected returns both ends of a connection.
func connected(t *testing.T, listener int, to Sockaddr) (client, server int) {
	t.Helper()
	client, errno := StreamSocket(to.Family())
	open(t, client, errno)
	waitFor(t, "the connection", func() bool {
		errno := Connect(client, &to)
		return errno == 0 || errno == syscall.EISCONN
	})
	var peer, own Sockaddr
	waitFor(t, "the accept", func() bool {
		server, errno = Accept(listener, &peer)
		return errno != syscall.EAGAIN
	})
	open(t, server, errno)
	if errno := LocalAddr(client, &own); errno != 0 || own.AddrPort() != peer.AddrPort() {
		t.Errorf("the client is %v, the listener sees %v (%v)", own.AddrPort(), peer.AddrPort(), errno)
	}
	return client, server
}

func TestConnection(t *testing.T) {
	for _, addr := range []string{nstest.Addr, "127.0.0.1", "::1"} {
		fd, at := listener(t, addr)
		if _, errno := Accept(fd, &Sockaddr{}); errno != syscall.EAGAIN {
			t.Errorf("%s: accept without a connection: %v", addr, errno)
		}
		client, server := connected(t, fd, at)
		if Finished(client) || Finished(server) {
			t.Errorf("%s: a new connection has finished", addr)
		}
		if errno := WriteByte(client, 7); errno != 0 {
			t.Errorf("%s: write: %v", addr, errno)
		}
		buf := make([]byte, 4)
		if n, errno := Read(server, buf); n != 1 || errno != 0 || buf[0] != 7 {
			t.Errorf("%s: read %d, %v, %d", addr, n, errno, buf[0])
		}
		if n, errno := Read(server, buf); errno != syscall.EAGAIN {
			t.Errorf("%s: read of nothing: %d, %v", addr, n, errno)
		}
		if v, errno := GetInt(client, unix.SOL_SOCKET, unix.SO_DOMAIN); errno != 0 || v != at.Family() {
			t.Errorf("%s: domain %d, %v", addr, v, errno)
		}
	}
}

// FIN and RST are both the end, at either end. What came before does not hide
// it.
func TestEndOfAConnection(t *testing.T) {
	fd, at := listener(t, nstest.Addr)
	for name, end := range map[string]func(int) syscall.Errno{"FIN": CloseFD, "RST": Reset} {
		client, server := connected(t, fd, at)
		if errno := WriteByte(server, 1); errno != 0 {
			t.Fatal(errno)
		}
		if Finished(client) {
			t.Errorf("%s: finished before", name)
		}
		if errno := end(server); errno != 0 {
			t.Errorf("%s: %v", name, errno)
		}
		waitFor(t, name, func() bool { _, errno := Read(client, make([]byte, 1)); return errno != syscall.EAGAIN })
		client, server = connected(t, fd, at)
		_ = end(client)
		waitFor(t, name+" at the listener's end", func() bool { return Finished(server) })
	}
}

// A reset is an error where it is read, and no signal where one writes.
func TestReset(t *testing.T) {
	fd, at := listener(t, nstest.Addr)
	client, server := connected(t, fd, at)
	_ = Reset(server)
	waitFor(t, "the reset", func() bool {
		_, errno := Read(client, make([]byte, 1))
		return errno == syscall.ECONNRESET
	})
	if errno := WriteByte(client, 1); errno != syscall.EPIPE {
		t.Errorf("a byte after the reset: %v, want EPIPE", errno)
	}
}

func TestSocketCallsDoNotAllocate(t *testing.T) {
	fd, at := listener(t, nstest.Addr)
	var peer, own Sockaddr
	n := testing.AllocsPerRun(100, func() {
		client, _ := StreamSocket(at.Family())
		_ = SetLocalPortRange(client, 40000, 40099)
		_ = SetBindNoPort(client)
		_ = SetReuseAddr(client)
		_ = Connect(client, &at)
		_ = LocalAddr(client, &own)
		server, errno := Accept(fd, &peer)
		_ = WriteByte(client, 1)
		_ = Finished(client)
		if errno == 0 {
			_ = Reset(server)
		}
		_ = Reset(client)
	})
	if n != 0 {
		t.Errorf("%v allocations a connection, want none", n)
	}
}

// The address that the route gives is the one that a connect takes, whatever the
// port.
func TestSourceFor(t *testing.T) {
	for _, target := range []string{nstest.Addr + ":80", "127.0.0.1:0", "127.0.0.77:65535", "[::1]:80"} {
		to := netip.MustParseAddrPort(target)
		want := to.Addr() // of an address of this host, itself; but for 127.0.0.0/8
		if target == "127.0.0.77:65535" {
			want = netip.MustParseAddr("127.0.0.1")
		}
		for _, reserved := range []string{"", "1-65535"} { // it needs no port of the kernel's
			if err := WriteSysctl("net.ipv4.ip_local_reserved_ports", reserved); err != nil {
				t.Fatal(err)
			}
			if got, err := SourceFor(to); err != nil || got != want {
				t.Errorf("toward %s, reserved %q: %v, %v, want %v", target, reserved, got, err, want)
			}
		}
		if err := WriteSysctl("net.ipv4.ip_local_reserved_ports", ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, target := range []string{"203.0.113.1:80", "[2001:db8::1]:80"} { // the namespace has no route
		if got, err := SourceFor(netip.MustParseAddrPort(target)); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("toward %s: %v, %v, want ENETUNREACH", target, got, err)
		}
	}
}

// A link is named by its name, digits though it may have, or else by its number.
func TestScope(t *testing.T) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	digits := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: strconv.Itoa(lo.Attrs().Index)}, PeerName: "peer"}
	if got := scope(digits.Name); got != uint32(lo.Attrs().Index) {
		t.Errorf("the number of lo is %d", got)
	}
	if err := netlink.LinkAdd(digits); err != nil {
		t.Fatal(err)
	}
	defer netlink.LinkDel(digits) //nolint:errcheck // the namespace ends with the tests
	for zone, want := range map[string]int{"lo": lo.Attrs().Index, digits.Name: digits.Index, strconv.Itoa(digits.Index): digits.Index, "": 0, "none": 0, "-1": 0} {
		if got := scope(zone); got != uint32(want) {
			t.Errorf("%q is %d, want %d", zone, got, want)
		}
	}
}
