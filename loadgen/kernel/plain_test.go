package kernel

import (
	"net/netip"
	"testing"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1", "fe80::1%2": "fe80::1",
		"2001:db8::1": "2001:db8::1", "::": "::", "::ffff:192.0.2.1%eth0": "192.0.2.1",
	} {
		addr := netip.MustParseAddr(text)
		if got := PlainAddr(addr); got.String() != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if got, want := PlainAddrPort(netip.AddrPortFrom(addr, 7)), netip.AddrPortFrom(netip.MustParseAddr(want), 7); got != want {
			t.Errorf("%s with a port is %s, want %s", text, got, want)
		}
	}
}
