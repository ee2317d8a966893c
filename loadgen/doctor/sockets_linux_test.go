package doctor

import (
	"net/netip"
	"slices"
	"testing"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// The pair that counts is the one with the most ports that cannot be had: of
// what is in TIME_WAIT none, where the kernel gives it out again.
func TestCensus(t *testing.T) {
	socket := func(local, remote string, state diag.State) *diag.Socket {
		s := &diag.Socket{Local: netip.MustParseAddrPort(local), State: state}
		if remote != "" {
			s.Remote = netip.MustParseAddrPort(remote)
		}
		return s
	}
	sockets := []*diag.Socket{
		socket("192.0.2.1:40000", "192.0.2.9:443", diag.Established),
		socket("[::ffff:192.0.2.1]:40001", "[::ffff:192.0.2.9]:443", diag.FinWait2),
		socket("192.0.2.1:40002", "192.0.2.9:443", diag.TimeWait),
		socket("192.0.2.1:40000", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40001", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40002", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40003", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:50000", "192.0.2.9:443", diag.Established), // not of the range
		socket("192.0.2.1:443", "192.0.2.7:50000", diag.Established),
		socket("0.0.0.0:40005", "", diag.Listen),
		socket("0.0.0.0:80", "", diag.Listen),
		socket("192.0.2.1:40006", "", diag.BoundInactive),
	}
	for _, c := range []struct {
		reuses bool
		want   Pair
	}{
		{false, Pair{Target: netip.MustParseAddrPort("192.0.2.8:443"), Ports: 4, TimeWait: 4, Taken: 4}},
		{true, Pair{Target: netip.MustParseAddrPort("192.0.2.9:443"), Ports: 3, TimeWait: 1, Taken: 2}},
	} {
		c.want.Source = netip.MustParseAddr("192.0.2.1")
		count := census{
			system: ports.Range{Low: 40000, High: 40099}, between: make(map[ends]*Pair), mostTaken: new(Pair),
			reuses: func(netip.Addr, netip.Addr) bool { return c.reuses },
		}
		for _, s := range sockets {
			count.add(s)
		}
		if *count.mostTaken != c.want {
			t.Errorf("reuse %v: %+v, want %+v", c.reuses, *count.mostTaken, c.want)
		}
		held := ports.Of(count.held...)
		if want := []ports.Range{{Low: 80, High: 80}, {Low: 40005, High: 40006}}; !slices.Equal(held, want) {
			t.Errorf("held %v, want %v", held, want)
		}
	}
}
