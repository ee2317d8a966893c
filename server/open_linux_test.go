package server

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
)

func anyPorts(n int) []netip.AddrPort {
	addrs := make([]netip.AddrPort, n)
	for i := range addrs {
		addrs[i] = anyPort
	}
	return addrs
}

func TestNewRefuses(t *testing.T) {
	taken := listenOnly(t, Config{}).Addrs()[0]
	for name, test := range map[string]struct {
		addr  netip.AddrPort
		errno syscall.Errno
		usage bool
	}{
		"a port that is taken":    {taken, syscall.EADDRINUSE, false},
		"an address of elsewhere": {netip.MustParseAddrPort("192.0.2.1:80"), syscall.EADDRNOTAVAIL, true},
	} {
		before := openDescriptors(t)
		_, err := New(Config{Addrs: []netip.AddrPort{anyPort, test.addr}})
		var refused *ListenError
		switch {
		case !errors.As(err, &refused) || !errors.Is(err, test.errno):
			t.Errorf("%s: %v, want a ListenError of %v", name, err, test.errno)
		case refused.Addr != test.addr || !strings.Contains(err.Error(), test.addr.String()):
			t.Errorf("%s: %v does not name %s", name, err, test.addr)
		case refused.Usage() != test.usage || refused.Hint() == "":
			t.Errorf("%s: usage %t, hint %q", name, refused.Usage(), refused.Hint())
		}
		if after := openDescriptors(t); after != before {
			t.Errorf("%s: %d descriptors stay open", name, after-before)
		}
	}
	for name, config := range map[string]Config{
		"no address":       {},
		"the zero address": {Addrs: make([]netip.AddrPort, 1)},
		"a guard together": {Together: true, Guard: new(Guard), Addrs: []netip.AddrPort{anyPort}},
		"threads below 0":  {Addrs: anyPorts(1), Threads: -1},
		"too many threads": {Addrs: anyPorts(1), Threads: maxThreads + 1},
		"hold below 0":     {Addrs: anyPorts(1), Hold: -1},
		"keep and hold":    {Addrs: anyPorts(1), Keep: true, Hold: 1},
		"idle below 0":     {Addrs: anyPorts(1), Idle: -1},
		"linger below 0":   {Addrs: anyPorts(1), Linger: -1},
		"linger together":  {Addrs: anyPorts(1), Linger: 1, Together: true},
		"UDP that lingers": {UDP: true, Addrs: anyPorts(1), Linger: 1},
		"limit below 0":    {Addrs: anyPorts(1), MaxConnections: -1},
		"UDP closes first": {UDP: true, Addrs: anyPorts(1), ServerFirst: true},
		"UDP by RST":       {UDP: true, Addrs: anyPorts(1), RST: true},
		"UDP that is idle": {UDP: true, Addrs: anyPorts(1), Idle: 1},
		"UDP with a limit": {UDP: true, Addrs: anyPorts(1), MaxConnections: 1},
		"UDP that goes":    {UDP: true, Addrs: anyPorts(1), Vanish: true},
		"UDP for all IPv4": {UDP: true, Addrs: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}},
		"UDP for all":      {UDP: true, Addrs: []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}},
	} {
		if l, err := New(config); err == nil {
			t.Errorf("%s: no error", name)
			_ = l.Close()
		}
	}
}

func TestListenErrorHasACauseAndAHint(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.EACCES, syscall.EMFILE} {
		for _, udp := range []bool{false, true} {
			err := &ListenError{anyPort, udp, "bind", errno}
			if err.Hint() == "" || strings.Contains(err.Error(), errno.Error()) {
				t.Errorf("%v, hint %q: want a cause and a hint of its own", err, err.Hint())
			}
			if udp && (strings.Contains(err.Error(), "TIME_WAIT") || strings.Contains(err.Hint(), "ss -t")) {
				t.Errorf("%v, hint %q: that is TCP's", err, err.Hint())
			}
		}
	}
	other := &ListenError{anyPort, false, "bind", syscall.ENOMEM}
	if other.Hint() != "" || !strings.Contains(other.Error(), syscall.ENOMEM.Error()) {
		t.Errorf("%v, hint %q: want the kernel's words alone", other, other.Hint())
	}
}

// With both families on one port, [::] does not take 0.0.0.0's.
func TestFamiliesDoNotShareAPort(t *testing.T) {
	first := listenOnly(t, Config{Addrs: []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}}).Addrs()[0]
	both := netip.AddrPortFrom(netip.IPv4Unspecified(), first.Port())
	l := listenOnly(t, Config{Together: true, Addrs: []netip.AddrPort{both}})
	end := l.NewEnd(0)
	_ = kernel.CloseFD(dial(t, netip.AddrPortFrom(anyPort.Addr(), first.Port())))
	conn, _ := acceptOne(t, end)
	end.Shut(conn, false)
}

// Sockets are opened where Within says, and what it says of its own ends New.
func TestWithin(t *testing.T) {
	calls := 0
	l := listenOnly(t, Config{Within: func(f func() error) error {
		calls++
		return f()
	}})
	if calls != 1 || len(l.Addrs()) != 1 {
		t.Errorf("%d calls, addresses %v", calls, l.Addrs())
	}
	nowhere := errors.New("nowhere")
	before := openDescriptors(t)
	if _, err := New(Config{Addrs: anyPorts(1), Within: func(func() error) error { return nowhere }}); !errors.Is(err, nowhere) {
		t.Errorf("New says %v", err)
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
