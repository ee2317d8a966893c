package diag_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/kernel/nstest"
)

// lists are diag.TCP or diag.UDP.
type lists func(uint8, diag.States, func(*diag.Socket)) error

// list returns the sockets of the family whose local or remote port is the one.
func list(t *testing.T, from lists, family uint8, states diag.States, port uint16) []diag.Socket {
	t.Helper()
	for range 10 {
		var sockets []diag.Socket
		err := from(family, states, func(s *diag.Socket) {
			if s.Local.Port() == port || s.Remote.Port() == port {
				sockets = append(sockets, *s)
			}
		})
		if err == nil {
			return sockets
		}
		if !errors.Is(err, diag.ErrInterrupted) {
			t.Fatal(err)
		}
	}
	t.Fatal("the table never stood still")
	return nil
}

// bound is a socket that is bound to a port that the kernel chooses: there, no
// earlier test has left anything.
func bound(t *testing.T, addr string) (fd int, at netip.AddrPort) {
	t.Helper()
	sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))
	fd = socket(t, false, sa.Family())
	if errno := kernel.Bind(fd, &sa); errno != 0 {
		t.Fatalf("bind to %s: %v", addr, errno)
	}
	if errno := kernel.LocalAddr(fd, &sa); errno != 0 {
		t.Fatal(errno)
	}
	return fd, sa.AddrPort()
}

func listening(t *testing.T, backlog int) netip.AddrPort {
	t.Helper()
	fd, at := bound(t, nstest.Addr)
	if errno := kernel.Listen(fd, backlog); errno != 0 {
		t.Fatal(errno)
	}
	return at
}

// Each state that a socket goes through is listed as what it is, with its
// addresses.
func TestStatesOfRealSockets(t *testing.T) {
	for _, addr := range []string{nstest.Addr, "::1"} {
		fd, at := bound(t, addr)
		sa := kernel.NewSockaddr(at)
		family := uint8(sa.Family())
		expect(t, family, at, diag.BoundInactive)
		if errno := kernel.Listen(fd, 8); errno != 0 {
			t.Fatal(errno)
		}
		expect(t, family, at, diag.Listen)
		client := socket(t, false, sa.Family())
		_ = kernel.Connect(client, &sa)
		var peer kernel.Sockaddr
		server, errno := kernel.Accept(fd, &peer)
		for ; errno != 0; server, errno = kernel.Accept(fd, &peer) {
			kernel.Sleep(1e6)
		}
		expect(t, family, at, diag.Listen, diag.Established, diag.Established)
		open := cookies(list(t, diag.TCP, family, diag.Of(diag.Established), at.Port()))
		if len(open) != 2 || open[0] == open[1] {
			t.Errorf("cookies %v, want two", open)
		}
		for _, s := range list(t, diag.TCP, family, diag.Of(diag.Established), at.Port()) {
			if s.Local == at && s.Remote != peer.AddrPort() || s.Local != at && (s.Local != peer.AddrPort() || s.Remote != at) {
				t.Errorf("%v to %v, want %v to %v or back", s.Local, s.Remote, peer.AddrPort(), at)
			}
			if s.Inode == 0 || int(s.UID) != os.Geteuid() {
				t.Errorf("%v: inode %d of user %d", s.Local, s.Inode, s.UID)
			}
		}
		_ = kernel.CloseFD(client) // its descriptor is closed twice: once more with the test
		expect(t, family, at, diag.Listen, diag.FinWait2, diag.CloseWait)
		_ = kernel.CloseFD(server)
		expect(t, family, at, diag.Listen, diag.TimeWait)
		got := list(t, diag.TCP, family, diag.Of(diag.TimeWait), at.Port())
		if len(got) != 1 || got[0].Local != peer.AddrPort() || got[0].Inode != 0 {
			t.Errorf("in TIME_WAIT: %+v, want %v without an inode", got, peer.AddrPort())
		}
		if !cmp.Equal(cookies(got), open[:1]) && !cmp.Equal(cookies(got), open[1:]) {
			t.Errorf("in TIME_WAIT: cookie %v, want one of %v", cookies(got), open)
		}
	}
}

func cookies(sockets []diag.Socket) (list []uint64) {
	for _, s := range sockets {
		list = append(list, s.Cookie)
	}
	return list
}

// expect waits a moment for the states, and then wants them exactly.
func expect(t *testing.T, family uint8, at netip.AddrPort, want ...diag.State) {
	t.Helper()
	var got []diag.Socket
	count := map[diag.State]int{}
	for range 500 {
		got = list(t, diag.TCP, family, diag.All, at.Port())
		clear(count)
		for _, s := range got {
			count[s.State]++
		}
		for _, s := range want {
			count[s]--
		}
		wrong := false
		for _, n := range count {
			wrong = wrong || n != 0
		}
		if !wrong {
			return
		}
		kernel.Sleep(1e6)
	}
	t.Errorf("port %d: %+v, want %v", at.Port(), got, want)
}

// Only what is asked for is listed: a family, and states.
func TestFilters(t *testing.T) {
	at := listening(t, 8)
	for _, c := range []struct {
		family uint8
		states diag.States
		want   int
	}{
		{unix.AF_INET, diag.All, 1},
		{unix.AF_INET, diag.Of(diag.Listen, diag.Established), 1},
		{unix.AF_INET, diag.Of(diag.Established, diag.TimeWait), 0},
		{unix.AF_INET6, diag.All, 0},
	} {
		if got := list(t, diag.TCP, c.family, c.states, at.Port()); len(got) != c.want {
			t.Errorf("family %d, states %b: %+v, want %d", c.family, c.states, got, c.want)
		}
	}
}

// A listener shows how many wait to be accepted, and how many may.
func TestQueueOfAListener(t *testing.T) {
	at := listening(t, 8)
	sa := kernel.NewSockaddr(at)
	for range 3 {
		_ = kernel.Connect(socket(t, false, sa.Family()), &sa)
	}
	for {
		got := list(t, diag.TCP, unix.AF_INET, diag.Of(diag.Listen), at.Port())
		if len(got) != 1 || got[0].QueuedMax != 8 {
			t.Fatalf("%+v, want one of at most 8", got)
		}
		if got[0].Queued == 3 {
			return
		}
		kernel.Sleep(1e6) // handshakes end on their own
	}
}

// Thousands of sockets take several datagrams, and none is lost between them.
func TestManySockets(t *testing.T) {
	const n = 5000
	at := listening(t, n)
	sa := kernel.NewSockaddr(at)
	for range n {
		if errno := kernel.Connect(socket(t, false, unix.AF_INET), &sa); errno != 0 && errno != unix.EINPROGRESS {
			t.Fatal(errno)
		}
	}
	ports := map[uint16]bool{}
	for _, s := range list(t, diag.TCP, unix.AF_INET, diag.Of(diag.Established), at.Port()) {
		if s.Remote == at {
			ports[s.Local.Port()] = true
		}
	}
	if len(ports) != n {
		t.Errorf("%d distinct clients listed, want %d", len(ports), n)
	}
}

// message is a netlink message of the kind.
func message(kind, flags uint16, body []byte) []byte {
	b := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(body))
	binary.NativeEndian.PutUint32(b[0:], uint32(unix.SizeofNlMsghdr+len(body)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], flags)
	return append(b, body...)
}

func number(n int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }

func TestParse(t *testing.T) {
	socket := make([]byte, 72)
	socket[0], socket[1] = unix.AF_INET, byte(diag.Established)
	const byFamily = 20
	for name, c := range map[string]struct {
		bytes             []byte
		sockets           int
		done, interrupted bool
		err               error
		fails             bool
	}{
		"nothing":           {},
		"half a header":     {bytes: make([]byte, 15)},
		"the end":           {bytes: message(unix.NLMSG_DONE, unix.NLM_F_MULTI, number(0)), done: true},
		"a bare end":        {bytes: message(unix.NLMSG_DONE, 0, nil), done: true},
		"a dump broken off": {bytes: message(unix.NLMSG_DONE, 0, number(-int32(unix.ENOMEM))), done: true, fails: true, err: unix.ENOMEM},
		"an error":          {bytes: message(unix.NLMSG_ERROR, 0, number(-int32(unix.ENOENT))), fails: true, err: unix.ENOENT},
		"a short error":     {bytes: message(unix.NLMSG_ERROR, 0, []byte{1}), fails: true},
		"a socket":          {bytes: message(byFamily, unix.NLM_F_MULTI, socket), sockets: 1},
		"a short socket":    {bytes: message(byFamily, 0, socket[:71]), fails: true},
		"an unknown kind":   {bytes: append(message(99, 0, number(1)), message(byFamily, 0, socket)...), sockets: 1},
		"padded to four bytes": {
			bytes:   slices.Concat(message(byFamily, 0, slices.Concat(socket, []byte{1})), make([]byte, 3), message(byFamily, 0, socket)),
			sockets: 2,
		},
		"interrupted": {
			bytes:   append(message(byFamily, unix.NLM_F_DUMP_INTR, socket), message(unix.NLMSG_DONE, 0, number(0))...),
			sockets: 1, done: true, interrupted: true,
		},
		"longer than it is":   {bytes: message(byFamily, 0, socket)[:80], fails: true},
		"shorter than itself": {bytes: make([]byte, 16), fails: true},
	} {
		sockets := 0
		done, interrupted, err := diag.Parse(c.bytes, func(*diag.Socket) { sockets++ })
		if sockets != c.sockets || done != c.done || interrupted != c.interrupted || (err != nil) != c.fails || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %d sockets, done %v, interrupted %v, %v", name, sockets, done, interrupted, err)
		}
	}
}

// No bytes make the parser panic or read beyond them, and it comes to an end.
func FuzzParse(f *testing.F) {
	f.Add(message(20, unix.NLM_F_MULTI, make([]byte, 72)))
	f.Add(append(message(20, 0, make([]byte, 73)), message(unix.NLMSG_DONE, 0, number(0))...))
	f.Add(message(unix.NLMSG_ERROR, 0, number(-2)))
	f.Add(message(20, 0, slices.Concat(make([]byte, 72), []byte{5, 0, 11, 0, 1, 0, 0, 0, 4, 0, 11, 0, 3, 0, 0, 0})))
	f.Fuzz(func(t *testing.T, b []byte) {
		sockets := 0
		_, _, _ = diag.Parse(b, func(s *diag.Socket) {
			sockets++
			if s.State.String() == "" {
				t.Error("a state without a name")
			}
		})
		if sockets > len(b)/(16+72) {
			t.Errorf("%d sockets in %d bytes", sockets, len(b))
		}
	})
}

func TestStateNames(t *testing.T) {
	if got := diag.BoundInactive.String(); got != "BOUND" {
		t.Errorf("bound is called %s", got)
	}
	for _, s := range []diag.State{0, 14, 255} {
		if got := s.String(); got != "UNKNOWN" {
			t.Errorf("state %s is called %s", strconv.Itoa(int(s)), got)
		}
	}
}
