package observe

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

// callers are UDP sockets that are connected to a listener of their own.
func callers(t *testing.T, addr string, n int) (target netip.AddrPort, fds []int) {
	t.Helper()
	sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))
	listener := opened(t)(kernel.DatagramSocket(sa.Family()))
	if errno := kernel.Bind(listener, &sa); errno != 0 {
		t.Fatal(errno)
	}
	if errno := kernel.LocalAddr(listener, &sa); errno != 0 {
		t.Fatal(errno)
	}
	for range n {
		fd := opened(t)(kernel.DatagramSocket(sa.Family()))
		if errno := kernel.Connect(fd, &sa); errno != 0 {
			t.Fatal(errno)
		}
		fds = append(fds, fd)
	}
	return sa.AddrPort(), fds
}

// onlyEstablished says whether that is all that is there, and the number.
func onlyEstablished(s result.States, n int64) bool {
	return s.Established != nil && *s.Established == n && s == result.States{Established: s.Established}
}

// Over UDP connected sockets are counted, and no state that it does not have.
// TCP connections to the same port are others.
func TestCountOverUDP(t *testing.T) {
	callers(t, nstest.Addr, 2) // somebody else's
	var both []netip.AddrPort
	for _, addr := range []string{nstest.Addr, nstest.Addr6, "127.0.0.1", "::1"} {
		p := connect(t, addr, 3)
		sa := kernel.NewSockaddr(p.target)
		listener := opened(t)(kernel.DatagramSocket(sa.Family()))
		if errno := kernel.Bind(listener, &sa); errno != 0 {
			t.Fatal(errno)
		}
		fd := opened(t)(kernel.DatagramSocket(sa.Family()))
		if errno := kernel.Connect(fd, &sa); errno != 0 {
			t.Fatal(errno)
		}
		client, server, err := count([]netip.AddrPort{p.target}, true)
		if err != nil || !onlyEstablished(client, 1) || !onlyEstablished(server, 0) {
			t.Errorf("%s: %+v, %+v, %v", addr, client, server, err)
		}
		both = append(both, p.target)
	}
	client, _, err := count(both, true)
	if err != nil || !onlyEstablished(client, int64(len(both))) {
		t.Errorf("all targets: %+v, %v", client, err)
	}
}

func TestSamplesOverUDP(t *testing.T) {
	target, _ := callers(t, nstest.Addr, 5)
	o := Start(kernel.NewClock(), View{Targets: []netip.AddrPort{target}, UDP: true}, 10*ms)
	defer o.Stop()
	for seen := 0; seen < 2; {
		s := <-o.Samples()
		if s.States == nil { // this one has no list
			continue
		}
		seen++
		if !onlyEstablished(*s.States, 5) {
			t.Errorf("sample %+v, want 5 established and nothing else", s.States)
		}
	}
	// A datagram to a port that nobody has is told of.
	nobody := kernel.NewSockaddr(netip.MustParseAddrPort(nstest.Addr + ":9"))
	fd := opened(t)(kernel.DatagramSocket(unix.AF_INET))
	if errno := kernel.SendTo(fd, []byte{1}, &nobody); errno != 0 {
		t.Fatal(errno)
	}
	told := int64(0)
	for start := time.Now(); told == 0 && time.Since(start) < patience; {
		told = (<-o.Samples()).Kernel["UdpNoPorts"]
	}
	if told != 1 {
		t.Errorf("samples tell of %d datagrams to nobody, want 1", told)
	}
}

// TIME_WAIT is counted for both families in every sample.
func TestSamplesCountTimeWaitOverIPv6(t *testing.T) {
	p := connect(t, nstest.Addr6, 4)
	before, err := kernel.ReadSockStat()
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.client {
		_ = kernel.CloseFD(p.client[i])
		_ = kernel.CloseFD(p.server[i])
	}
	expect(t, []netip.AddrPort{p.target}, states{timeWait: 4}, states{})
	o := Start(kernel.NewClock(), View{Targets: []netip.AddrPort{p.target}}, 10*ms)
	defer o.Stop()
	if s := <-o.Samples(); s.States == nil || *s.States.TimeWait != before.TimeWait+4 {
		t.Errorf("sample %+v, want %d in TIME_WAIT", s.States, before.TimeWait+4)
	}
}
