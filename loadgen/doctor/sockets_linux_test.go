package doctor

import (
	"net/netip"
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
	open := socket("192.0.2.1:40000", "192.0.2.9:443", diag.Established)
	open.Inode = 7
	sockets := []*diag.Socket{
		open,
		socket("[::ffff:192.0.2.1]:40001", "[::ffff:192.0.2.9]:443", diag.FinWait2),
		socket("192.0.2.1:40002", "192.0.2.9:443", diag.TimeWait),
		socket("192.0.2.1:40000", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40001", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40002", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:40003", "192.0.2.8:443", diag.TimeWait),
		socket("192.0.2.1:50000", "192.0.2.9:443", diag.Established), // not of the range
		socket("192.0.2.1:443", "192.0.2.7:50000", diag.Established),
		socket("192.0.2.1:40005", "192.0.2.7:50001", diag.Established), // came in to a listener
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
			system: ports.Range{Low: 40000, High: 40099}, between: make(map[ends]*Pair), owned: make(map[uint32]owned),
			reuses: func(netip.Addr, netip.Addr) bool { return c.reuses },
			held:   ports.Of(ports.Range{Low: 80, High: 80}, ports.Range{Low: 40005, High: 40006}),
		}
		for _, s := range sockets {
			count.add(s)
		}
		if pairs := count.fullest(); len(pairs) != 2 || pairs[0] != c.want {
			t.Errorf("reuse %v: %+v, want first %+v", c.reuses, pairs, c.want)
		}
		if u := count.use; u.Connections != 7 || u.TimeWait != 5 || u.Ownerless != 1 || len(count.owned) != 1 {
			t.Errorf("%+v, %d with a process", u, len(count.owned))
		}
	}
}

// Of the listeners the one counts that is nearest to being full.
func TestFullestQueue(t *testing.T) {
	var c census
	for i, queued := range []uint32{0, 3, 5, 4} {
		c.wait(&diag.Socket{
			State: diag.Listen, Local: netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(80+i)), Queued: queued, QueuedMax: 128,
		})
	}
	c.wait(&diag.Socket{State: diag.BoundInactive, Queued: 127, QueuedMax: 128})
	if got := c.use.Queue; got.Listener.Port() != 82 || got.left() != 123 {
		t.Errorf("%+v", got)
	}
}
