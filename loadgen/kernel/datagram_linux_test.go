package kernel

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/nstest"
)

// datagrams returns a UDP socket on a port that the kernel chooses.
func datagrams(t *testing.T, addr string) (fd int, at Sockaddr) {
	t.Helper()
	at = NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))
	fd, errno := DatagramSocket(at.Family())
	open(t, fd, errno)
	if errno := Bind(fd, &at); errno != 0 {
		t.Fatalf("bind: %v", errno)
	}
	if errno := LocalAddr(fd, &at); errno != 0 || at.Port() == 0 {
		t.Fatalf("own address: %v, port %d", errno, at.Port())
	}
	return fd, at
}

// await waits for something to be received: over loopback too it comes a moment
// later when the machine is busy, by a thread of the kernel.
func await(t *testing.T, fd int) {
	t.Helper()
	const patience = 10_000 // milliseconds
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
	for errors.Is(err, unix.EINTR) { // the runtime's own signals
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
	}
	if n != 1 {
		t.Fatalf("nothing to be received: %v", err)
	}
}

// A datagram comes whole, or cut to what there is room for, with its sender,
// and the answer finds the way back.
func TestDatagrams(t *testing.T) {
	for _, addr := range []string{nstest.Addr, nstest.Addr6, "127.0.0.1", "::1"} {
		server, to := datagrams(t, addr)
		client, own := datagrams(t, addr)
		var data [3]byte
		var from Sockaddr
		if n, errno := ReceiveFrom(server, data[:], &from); n != 0 || errno != syscall.EAGAIN {
			t.Errorf("%s: %d bytes and %v before anything came", addr, n, errno)
		}
		for _, said := range []string{"", "a", "abc", "abcd"} {
			if errno := SendTo(client, []byte(said), &to); errno != 0 {
				t.Fatalf("%s: send: %v", addr, errno)
			}
			await(t, server)
			n, errno := ReceiveFrom(server, data[:], &from)
			if want := said[:min(3, len(said))]; errno != 0 || string(data[:n]) != want || from.AddrPort() != own.AddrPort() {
				t.Errorf("%s: %q and %v from %v, want %q from %v", addr, data[:n], errno, from.AddrPort(), want, own.AddrPort())
			}
			if errno := SendTo(server, []byte("x"), &from); errno != 0 {
				t.Fatalf("%s: answer: %v", addr, errno)
			}
			await(t, client)
			if n, errno := ReceiveFrom(client, data[:], &from); n != 1 || errno != 0 || from.AddrPort() != to.AddrPort() {
				t.Errorf("%s: an answer of %d bytes and %v from %v", addr, n, errno, from.AddrPort())
			}
		}
	}
}

// A connected socket learns that nobody is there, and is told once.
func TestDatagramsToNobody(t *testing.T) {
	gone, at := datagrams(t, nstest.Addr)
	_ = CloseFD(gone)
	client, errno := DatagramSocket(at.Family())
	open(t, client, errno)
	if errno := Connect(client, &at); errno != 0 {
		t.Fatal(errno)
	}
	if errno := WriteByte(client, 1); errno != 0 {
		t.Fatal(errno)
	}
	await(t, client)
	for _, want := range []syscall.Errno{syscall.ECONNREFUSED, syscall.EAGAIN} {
		if _, errno := Read(client, make([]byte, 1)); errno != want {
			t.Errorf("read: %v, want %v", errno, want)
		}
	}
}

func TestGrowBuffers(t *testing.T) {
	fd, _ := datagrams(t, nstest.Addr)
	for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		if errno := SetInt(fd, unix.SOL_SOCKET, option, 4096); errno != 0 {
			t.Fatal(errno)
		}
		small, _ := GetInt(fd, unix.SOL_SOCKET, option)
		GrowBuffers(fd, 1<<20)
		if grown, errno := GetInt(fd, unix.SOL_SOCKET, option); errno != 0 || grown <= small {
			t.Errorf("option %d was %d and is %d, %v", option, small, grown, errno)
		}
	}
}

func TestDatagramCallsDoNotAllocate(t *testing.T) {
	server, to := datagrams(t, nstest.Addr)
	client, _ := datagrams(t, nstest.Addr)
	came := 0
	n := testing.AllocsPerRun(100, func() {
		data := [1]byte{1}
		var from Sockaddr
		_ = SendTo(client, data[:], &to)
		for range 10_000_000 { // a busy kernel hands it over later
			if n, _ := ReceiveFrom(server, data[:], &from); n > 0 {
				came += n
				break
			}
		}
	})
	if n != 0 || came != 101 { // one more to warm up
		t.Errorf("%v allocations a datagram, want none; %d came", n, came)
	}
}
