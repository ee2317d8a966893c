package kernel

import (
	"maps"
	"slices"
	"syscall"
	"testing"

	"lastport/loadgen/kernel/nstest"
)

func TestParseCounters(t *testing.T) {
	for _, c := range []struct {
		text string
		want Counters // nil: an error
	}{
		{"", Counters{}},
		{"\n\n", Counters{}},
		{"Tcp: MaxConn ActiveOpens\nTcp: -1 7\n", Counters{"MaxConn": -1, "ActiveOpens": 7}},
		{"TcpExt: TWRecycled\nTcpExt: 3\nIpExt: InPkts\nIpExt: 9\n", Counters{"TWRecycled": 3}},
		{"Udp: InErrors\nUdp: 4\nUdpLite: InErrors\nUdpLite: 5\n", Counters{"UdpInErrors": 4}},
		{"Tcp: A B\nTcp: 1\n", nil},
		{"Tcp: A\nTcpExt: 1\n", nil},
		{"Tcp: A\nTcp: x\n", nil},
		{"Tcp: A\nTcp: 99999999999999999999\n", nil},
	} {
		got := Counters{}
		err := got.parse([]byte(c.text))
		if (err != nil) != (c.want == nil) || c.want != nil && !maps.Equal(got, c.want) {
			t.Errorf("%q: %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestParseCounters6(t *testing.T) {
	for _, c := range []struct {
		text string
		want Counters // nil: an error
	}{
		{"", Counters{}},
		{"Udp6InErrors                    \t4\nUdpLite6InErrors \t5\nIp6InReceives 6\n", Counters{"Udp6InErrors": 4}},
		{"Udp6NoPorts 1\nUdp6\n\nUdp6RcvbufErrors 0", Counters{"Udp6NoPorts": 1, "Udp6RcvbufErrors": 0}},
		{"Udp6NoPorts x\n", nil},
	} {
		got := Counters{}
		err := got.parse6([]byte(c.text))
		if (err != nil) != (c.want == nil) || c.want != nil && !maps.Equal(got, c.want) {
			t.Errorf("%q: %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

// No text makes the parser panic, and every name that it keeps is one of the text.
func FuzzParseCounters(f *testing.F) {
	f.Add([]byte("Tcp: MaxConn ActiveOpens\nTcp: -1 7\nUdp: InErrors\nUdp: 4\n"))
	f.Add([]byte("TcpExt: \nTcpExt: \n\n\nTcp:"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Counters{}
		_ = c.parse6(text)
		if err := c.parse(text); err != nil {
			return
		}
		if len(c) > len(text) {
			t.Fatalf("%d counters in %d bytes", len(c), len(text))
		}
	})
}

func TestSince(t *testing.T) {
	before := Counters{"ActiveOpens": 5, "CurrEstab": 1, "OutRsts": 2}
	now := Counters{"ActiveOpens": 9, "CurrEstab": 7, "OutRsts": 2, "TWRecycled": 3}
	if got, want := now.Since(before), (Counters{"ActiveOpens": 4, "TWRecycled": 3}); !maps.Equal(got, want) {
		t.Errorf("since: %v, want %v", got, want)
	}
}

// The counters are those of this namespace, and count what happens in it.
func TestCountersOfThisNamespace(t *testing.T) {
	fd, at := listener(t, nstest.Addr)
	before, err := ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		connected(t, fd, at)
	}
	after, err := ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	changed := after.Since(before)
	if changed["ActiveOpens"] != 10 || changed["PassiveOpens"] != 10 {
		t.Errorf("10 connections changed %v", changed)
	}
	for _, name := range []string{"ListenOverflows", "ListenDrops", "TCPTimeWaitOverflow", "TWRecycled", "UdpInErrors", "RetransSegs", "UdpRcvbufErrors", "Udp6RcvbufErrors"} {
		if _, ok := after[name]; !ok {
			t.Errorf("the kernel has no counter %s; it has %v", name, slices.Sorted(maps.Keys(after)))
		}
	}
}

func TestSockStat(t *testing.T) {
	before, err := ReadSockStat()
	if err != nil {
		t.Fatal(err)
	}
	fd, at := listener(t, nstest.Addr)
	client, _ := connected(t, fd, at)
	now, err := ReadSockStat()
	if err != nil {
		t.Fatal(err)
	}
	if now.InUse-before.InUse != 3 || now.Alloc == 0 {
		t.Errorf("a listener and a connection made %d sockets in use (%+v)", now.InUse-before.InUse, now)
	}
	var errno syscall.Errno
	if errno = CloseFD(client); errno != 0 {
		t.Fatal(errno)
	}
}
