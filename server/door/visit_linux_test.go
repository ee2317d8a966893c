package door

import (
	"fmt"
	"net/netip"
	"testing"

	"lastport/loadgen/kernel/nstest"
	"lastport/server"
	"lastport/server/consent"
)

// A visit proves the consent for an address, and lets nobody in.
func TestVisit(t *testing.T) {
	h := open(t, nil, nil)
	port := h.Addrs()[0].Port()
	visit, err := h.prove(t, consent.Wish{Visit: true})
	if err != nil {
		t.Fatal(err)
	}
	if terms := visit.Terms(); terms.Server != "h" || len(terms.Ports) != 1 || terms.Ports[0] != (consent.PortRange{Low: port, High: port}) {
		t.Errorf("%+v", terms)
	}
	<-visit.Ended()
	if serves(h.dial(t)) {
		t.Error("load is served after a visit")
	}
	h.welcome(t) // which the address is free for
	if came, _ := h.guard.Strangers(); came != 1 {
		t.Errorf("%d strangers, want the one that was not served", came)
	}
}

// Consent is for the address that was dialled and no other.
func TestConsentIsForOneAddress(t *testing.T) {
	at := netip.MustParseAddrPort
	h := open(t, nil, func(listening *server.Config, c *Config) {
		listening.Addrs = []netip.AddrPort{at("0.0.0.0:7000"), at("0.0.0.0:7001"), at(nstest.Addr + ":7003"), at("[::]:7009")}
		c.Behind = []netip.AddrPort{at("192.0.2.1:443"), at("192.0.2.2:444")}
	})
	for _, test := range []struct{ dialled, own, want string }{
		{nstest.Addr, nstest.Addr + ":7000", "[{7000 7001} {7003 7003}]"},
		{"127.0.0.1", "127.0.0.1:7000", "[{7000 7001}]"},
		{"192.0.2.1", nstest.Addr + ":7000", "[{443 443}]"},
		{"192.0.2.3", nstest.Addr + ":7000", "[]"},
	} {
		if got := fmt.Sprint(h.door.portsAt(netip.MustParseAddr(test.dialled), at(test.own))); got != test.want {
			t.Errorf("dialled %s: %s, want %s", test.dialled, got, test.want)
		}
	}
}

// What is a lease's own is neither another port's nor the lease's connection.
func TestMine(t *testing.T) {
	lease := netip.MustParseAddrPort("192.0.2.1:20005")
	mine := load(server.NewTenant([]netip.Addr{lease.Addr()}, [][2]uint16{{20000, 20009}}, 0, 1), lease)
	for peer, want := range map[string]bool{
		"192.0.2.1:20000": true, "[::ffff:192.0.2.1]:20000": true, "192.0.2.1:20010": false, "192.0.2.2:20000": false,
		"192.0.2.1:20005": false, "[::ffff:192.0.2.1]:20005": false,
	} {
		if got := mine(netip.MustParseAddrPort(peer)); got != want {
			t.Errorf("%s: %v, want %v", peer, got, want)
		}
	}
}
