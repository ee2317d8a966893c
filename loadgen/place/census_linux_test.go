package place

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

func only(p uint16) ports.Ranges { return ports.Of(ports.Range{Low: p, High: p}) }

// A census finds who listens, who is connected and what is in TIME_WAIT, on this
// host's own stack and on a port of the kernel's choice.
func TestCensus(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	target := l.Addr().(*net.TCPAddr).AddrPort()
	near, err := net.Dial("tcp4", target.String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	own := near.LocalAddr().(*net.TCPAddr).AddrPort()
	c, err := TakeCensus(false)
	if err != nil {
		t.Fatal(err)
	}
	both := only(target.Port()).Union(only(own.Port()))
	if missing := both.Minus(c.Taken()); missing.Size() > 0 {
		t.Errorf("ports %s are taken, and not listed", missing)
	}
	if !c.Serves(target) || c.Serves(own) {
		t.Errorf("who listens: at %v %v, at %v %v", target, c.Serves(target), own, c.Serves(own))
	}
	if w := c.Waiting(only(own.Port()), nil); w.Sockets != 0 {
		t.Errorf("in TIME_WAIT before the close: %+v", w)
	}
	me := "[" + strconv.Itoa(os.Getpid()) + "]"
	if list := c.Holders(only(own.Port())); len(list) == 0 || !strings.HasSuffix(list[0].Who, me) || list[0].Ports.String() != only(own.Port()).String() {
		t.Errorf("who has port %d: %+v, want %s", own.Port(), list, me)
	}

	_ = near.Close() // first, and so its end waits
	_, _ = far.Read(make([]byte, 1))
	_ = far.Close()
	if c, err = TakeCensus(false); err != nil {
		t.Fatal(err)
	}
	w := c.Waiting(only(own.Port()), []netip.AddrPort{target})
	if w.Sockets != 1 || w.Left <= 0 || w.Left > time.Minute {
		t.Errorf("in TIME_WAIT: %+v, want one for a minute at most", w)
	}
	elsewhere := netip.AddrPortFrom(target.Addr(), own.Port())
	if w := c.Waiting(only(own.Port()), []netip.AddrPort{elsewhere}); w.Sockets != 0 {
		t.Errorf("in TIME_WAIT toward %v: %+v", elsewhere, w)
	}
	if list := c.Holders(only(own.Port())); len(list) != 1 || list[0].Who != "TIME_WAIT" {
		t.Errorf("who has port %d now: %+v", own.Port(), list)
	}
}

// Over UDP who serves is who is bound and not connected.
func TestCensusOverUDP(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	at := l.LocalAddr().(*net.UDPAddr).AddrPort()
	near, err := net.Dial("udp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close() //nolint:errcheck // nothing is lost
	c, err := TakeCensus(true)
	if err != nil {
		t.Fatal(err)
	}
	own := near.LocalAddr().(*net.UDPAddr).AddrPort()
	if !c.Serves(at) || c.Serves(own) || !c.Taken().Contains(own.Port()) {
		t.Errorf("who serves: at %v %v, at %v %v", at, c.Serves(at), own, c.Serves(own))
	}
}

// A holder is named by its process, or by what is known instead.
func TestHolder(t *testing.T) {
	owners := map[uint32]kernel.Process{7: {PID: 12, Name: "nginx"}}
	for _, test := range []struct {
		sock diag.Socket
		want string
	}{
		{diag.Socket{State: diag.Established, Inode: 7}, "nginx[12]"},
		{diag.Socket{State: diag.Established, Inode: 8, UID: 33}, "a process of user 33"},
		{diag.Socket{State: diag.TimeWait}, "TIME_WAIT"},
		{diag.Socket{State: diag.FinWait2}, "FIN_WAIT2"},
	} {
		if got := holder(&test.sock, owners); got != test.want {
			t.Errorf("%+v: %q, want %q", test.sock, got, test.want)
		}
	}
}

func TestOwn(t *testing.T) {
	for text, want := range map[string]bool{"127.0.0.1": true, "127.1.2.3": true, "192.0.2.1": false, "fe80::1%none": false} {
		if got := Own(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is this host's own: %v", text, got)
		}
	}
}

// On the host everything stays as it is, and nowhere else is it taken for the host.
func TestAsItIs(t *testing.T) {
	host, err := ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	report, err := AsItIs(host)
	if err != nil || len(report.Changed)+len(report.Differs) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	for key, value := range report.Sysctls {
		if have, ok := host.Settings[key]; ok && have != value {
			t.Errorf("%s is %q, and was %q", key, value, have)
		}
	}
	host.NetNS = "net:[1]"
	if _, err := AsItIs(host); err == nil {
		t.Error("another namespace is taken for the host's")
	}
}
