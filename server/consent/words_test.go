package consent

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

// Where there is no connection the hint is to start a server; where there is one
// that is reset, to look at it.
func TestUnreached(t *testing.T) {
	for err, want := range map[error]string{syscall.ECONNREFUSED: "start 'lastport serve'", syscall.ECONNRESET: "--allow"} {
		if hint := Unreached(target, fmt.Errorf("connect: %w", err)).Hint(); !strings.Contains(hint, want) {
			t.Errorf("%v: %q, want %q", err, hint, want)
		}
	}
}

func TestCovers(t *testing.T) {
	terms := Terms{Ports: []PortRange{{7000, 7001}, {9000, 9000}}}
	for _, test := range []struct {
		dialled, other string
		want           bool
	}{
		{"10.0.0.1:7000", "10.0.0.1:7001", true},
		{"10.0.0.1:7000", "10.0.0.1:9000", true},
		{"10.0.0.1:7000", "10.0.0.1:7002", false},
		{"192.0.2.1:443", "192.0.2.1:443", true}, // what was dialled has been proven
		{"10.0.0.1:7000", "10.0.0.2:7000", false},
		{"10.0.0.1:7000", "172.17.0.1:7001", false},
		{"[fe80::1%near]:7000", "[fe80::1%near]:7001", true},
		{"[fe80::1%near]:7000", "[fe80::1%other]:7000", false},
		{"[fe80::1%near]:7000", "[fe80::1%other]:7001", false},
	} {
		if got := terms.Covers(netip.MustParseAddrPort(test.dialled), netip.MustParseAddrPort(test.other)); got != test.want {
			t.Errorf("dialled %s: covers %s: %v", test.dialled, test.other, got)
		}
	}
}
