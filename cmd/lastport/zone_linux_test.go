package main

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
)

// A link is one by name and by number, and is asked for where it counts alone.
func TestOnLink(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	digits := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "1"}, PeerName: "peer"} // which lo is by number
	if err := netlink.LinkAdd(digits); err != nil {
		t.Fatal(err)
	}
	number := digits.Index
	for text, want := range map[string]string{
		"fe80::1%lo": "fe80::1%lo", "fe80::1%1": "fe80::1%1", fmt.Sprintf("fe80::1%%%d", number): "fe80::1%1",
		"fe80::1": "fe80::1", "2001:db8::1%lo": "2001:db8::1", "2001:db8::1": "2001:db8::1", "192.0.2.1": "192.0.2.1",
	} {
		if got, ok := onLink(netip.MustParseAddr(text)); !ok || got.String() != want {
			t.Errorf("%s is %s, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"fe80::1%none", "fe80::1%4711", "2001:db8::1%none"} {
		if got, ok := onLink(netip.MustParseAddr(text)); ok {
			t.Errorf("%s is %s, and there is no such link", text, got)
		}
	}
}

// Of this host's addresses those that the kernel may choose instead of another are of
// its family and, if they are a link's, of its link.
func TestBesides(t *testing.T) {
	var own []netip.Addr
	for _, text := range []string{"127.0.0.1", "::1", "192.0.2.1", "192.0.2.2", "198.51.100.1", "fe80::1%a", "fe80::2%a", "fe80::2%b", "2001:db8::1"} {
		own = append(own, netip.MustParseAddr(text))
	}
	for chosen, want := range map[string]string{
		"192.0.2.1": "[192.0.2.2 198.51.100.1]", "127.0.0.1": "[]", "fe80::1%a": "[fe80::2]", "2001:db8::1": "[]", "fe80::9%c": "[]",
	} {
		if got := fmt.Sprint(besides(netip.MustParseAddr(chosen), own)); got != want {
			t.Errorf("besides %s: %s, want %s", chosen, got, want)
		}
	}
}
