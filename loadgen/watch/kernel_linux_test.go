package watch

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/ports"
)

// listed is how many sockets sock_diag itself lists toward a target.
func listed(t *testing.T, target netip.AddrPort, states diag.States) (n int64) {
	t.Helper()
	for range 10 {
		n = 0
		err := diag.TCP(unix.AF_INET, states, func(s *diag.Socket) {
			if s.Remote == target {
				n++
			}
		})
		if err == nil {
			return n
		}
		if !errors.Is(err, diag.ErrInterrupted) {
			t.Fatal(err)
		}
	}
	t.Fatal("the table never stood still")
	return 0
}

// connected makes connections to a listener of its own, of which the first are closed
// by this end: they are in TIME_WAIT, and the others open.
func connected(t *testing.T, addr string, closed, open int) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "20000"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	target := l.Addr().(*net.TCPAddr).AddrPort()
	for i := range closed + open {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		end, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if i >= closed {
			t.Cleanup(func() { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close(); _ = end.Close() })
			continue
		}
		_ = c.Close()
		if _, err := end.Read(make([]byte, 1)); err == nil {
			t.Fatal("no end of the stream")
		}
		_ = end.Close()
	}
	for listed(t, target, diag.Of(diag.TimeWait)) < int64(closed) { // the last ACKs may take a moment; the test's own timeout bounds it
		time.Sleep(time.Millisecond)
	}
	return target
}

// What a watch counts is what was made, and what sock_diag lists.
func TestSocketsOfTheKernel(t *testing.T) {
	const closed, open = 1200, 800
	target := connected(t, nstest.Addr, closed, open)
	w := New(ThisHost(), time.Second, 10)
	seen := looked(t, w)
	p := seen.Fullest()
	if p == nil || p.Target != target.String() || p.Source != nstest.Addr {
		t.Fatalf("fullest: %+v, want %s", p, target)
	}
	if all := listed(t, target, diag.All); p.Used != all || all != closed+open {
		t.Errorf("%d ports in use, sock_diag lists %d, %d were made", p.Used, all, closed+open)
	}
	if waiting := listed(t, target, diag.Of(diag.TimeWait)); p.TimeWait != waiting || waiting != closed {
		t.Errorf("%d in TIME_WAIT, sock_diag lists %d, %d were made", p.TimeWait, waiting, closed)
	}
	if seen.Connections != closed+open || seen.TimeWait != closed || seen.PairsTotal != 1 {
		t.Errorf("%d connections of %d pairs, %d in TIME_WAIT", seen.Connections, seen.PairsTotal, seen.TimeWait)
	}
	if len(seen.Processes) != 1 || seen.Processes[0].PID != os.Getpid() || seen.Processes[0].Connections != open {
		t.Errorf("processes: %+v, want this one with %d", seen.Processes, open)
	}
	// All are there still, and none has come.
	if p = looked(t, w).Fullest(); *p.GrowthPerS != 0 {
		t.Errorf("grows by %v", *p.GrowthPerS)
	}
}

// The usable ports are those of the settings, less what is held.
func TestUsablePortsOfTheKernel(t *testing.T) {
	for key, value := range map[string]string{
		"net.ipv4.ip_local_port_range": "30000 30099", "net.ipv4.ip_local_reserved_ports": "30010-30019,40000",
	} {
		before, err := kernel.ReadSysctl(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := kernel.WriteSysctl(key, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = kernel.WriteSysctl(key, before) })
	}
	for _, addr := range []string{nstest.Addr + ":30000", "[" + nstest.Addr6 + "]:30001", nstest.Addr + ":30010"} { // the last is reserved, too
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	seen := looked(t, New(ThisHost(), time.Second, 10))
	if p := seen.Ports; p.Range != (ports.Range{Low: 30000, High: 30099}).String() || p.Reserved != 10 || p.Held != 2 || p.Usable != 88 {
		t.Errorf("%+v", p)
	}
}
