package diag_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/kernel/nstest"
)

// tuple is one end of a connection.
type tuple struct{ local, remote netip.AddrPort }

// dialed makes a connection for each source port and returns the listener's.
func dialed(t *testing.T, addr string, sources []int) (listener uint16) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, port := range sources {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr), Port: port}}
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() })
	}
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// asked lists the established sockets of a query, once the table stands still.
func asked(t *testing.T, q diag.Query) map[tuple]bool {
	t.Helper()
	for range 10 {
		got := make(map[tuple]bool)
		err := q.Each(func(s *diag.Socket) { got[tuple{s.Local, s.Remote}] = true })
		if err == nil {
			return got
		}
		if !errors.Is(err, diag.ErrInterrupted) {
			t.Fatal(err)
		}
	}
	t.Fatal("the table never stood still")
	return nil
}

// Whatever the ports are, the kernel lists exactly the sockets that have one of
// them at either end: those that a list without a filter has, less the others.
func TestPortsAreFilteredInTheKernel(t *testing.T) {
	for family, addr := range map[uint8]string{unix.AF_INET: nstest.Addr, unix.AF_INET6: nstest.Addr6} {
		listener := dialed(t, addr, []int{20000, 20001, 20007, 20100})
		all := asked(t, diag.Query{Family: family, States: diag.Of(diag.Established)})
		if len(all) != 8 {
			t.Fatalf("%d ends of 4 connections", len(all))
		}
		bounds := rapid.SampledFrom([]uint16{1, 19999, 20000, 20001, 20002, 20007, 20099, 20100, 20101, listener - 1, listener, listener + 1, 65535})
		rapid.Check(t, func(t *rapid.T) {
			low, high := bounds.Draw(t, "low"), bounds.Draw(t, "high")
			has := func(p uint16) bool { return low <= p && p <= high }
			want := make(map[tuple]bool)
			for s := range all {
				if has(s.local.Port()) || has(s.remote.Port()) {
					want[s] = true
				}
			}
			got := make(map[tuple]bool)
			err := diag.Query{Family: family, States: diag.Of(diag.Established), Ports: diag.Ports{Low: low, High: high}}.Each(
				func(s *diag.Socket) { got[tuple{s.Local, s.Remote}] = true })
			if err != nil && !errors.Is(err, diag.ErrInterrupted) {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d to %d: %v, want %v", low, high, got, want)
			}
			for s := range want {
				if !got[s] {
					t.Fatalf("%d to %d: %v is missing", low, high, s)
				}
			}
		})
	}
}

// TIME_WAIT has no socket of its own, and is filtered all the same.
func TestTimeWaitIsFilteredToo(t *testing.T) {
	l, err := net.Listen("tcp", net.JoinHostPort(nstest.Addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(nstest.Addr), Port: 20500}}
	c, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	end, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if _, err := end.Read(make([]byte, 1)); err == nil {
		t.Fatal("no end of the stream")
	}
	_ = end.Close()
	waiting := func(port uint16) int {
		return len(asked(t, diag.Query{Family: unix.AF_INET, States: diag.Of(diag.TimeWait), Ports: diag.Ports{Low: port, High: port}}))
	}
	for waiting(20500) == 0 { // the last ACK may take a moment; the test's own timeout bounds it
	}
	if n := waiting(20500); n != 1 {
		t.Errorf("%d in TIME_WAIT on port 20500, want 1", n)
	}
	if n := waiting(20501); n != 0 {
		t.Errorf("%d in TIME_WAIT on port 20501, want none", n)
	}
}
