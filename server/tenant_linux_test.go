package server

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// Two tenants meet where they have a port in common; without ports a tenant has
// all.
func TestTenantsMeet(t *testing.T) {
	for _, test := range []struct {
		a, b [][2]uint16
		want bool
	}{
		{[][2]uint16{{1, 10}}, [][2]uint16{{11, 20}}, false},
		{[][2]uint16{{1, 10}}, [][2]uint16{{10, 20}}, true},
		{[][2]uint16{{1, 10}, {65535, 65535}}, [][2]uint16{{11, 20}, {65535, 65535}}, true},
		{nil, [][2]uint16{{7, 7}}, true},
		{nil, nil, true},
		{[][2]uint16{{10, 1}}, nil, false}, // no port at all
	} {
		a, b := NewTenant(nil, test.a, 0, 1), NewTenant(nil, test.b, 0, 1)
		if a.meets(b) != test.want || b.meets(a) != test.want {
			t.Errorf("%v and %v meet: %v, want %v", test.a, test.b, !test.want, test.want)
		}
	}
}

func TestPortFilterHasItsRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Uint16().Draw(t, "low")
		high := rapid.Uint16Min(low).Draw(t, "high")
		port := rapid.Uint16().Draw(t, "port")
		if got, want := newPortFilter([][2]uint16{{low, high}}).has(port), low <= port && port <= high; got != want {
			t.Fatalf("%d in %d-%d: %v", port, low, high, got)
		}
	})
}

// A guard knows a tenant by its addresses, in whatever clothes they come, and by
// its ports, and forgets it when it is dismissed.
func TestGuardKnowsItsTenants(t *testing.T) {
	var g Guard
	tenant := NewTenant([]netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:192.0.2.1")}, [][2]uint16{{10, 20}}, 0, 1)
	if n := len(tenant.addrs); n != 2 {
		t.Fatalf("%d addresses, want 2: %v", n, tenant.addrs)
	}
	if err := g.Admit(tenant); err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[string]bool{
		"192.0.2.1:10": true, "[::ffff:192.0.2.1]:20": true, "[fe80::1]:15": true, "[fe80::1%2]:15": true,
		"192.0.2.1:9": false, "192.0.2.1:21": false, "192.0.2.2:10": false,
	} {
		if _, welcome := g.tenant(netip.MustParseAddrPort(peer)); welcome != want {
			t.Errorf("%s is welcome: %v, want %v", peer, welcome, want)
		}
		if got := tenant.Has(netip.MustParseAddrPort(peer)); got != want {
			t.Errorf("%s is the tenant's: %v, want %v", peer, got, want)
		}
	}
	if err := g.Admit(NewTenant([]netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil, 0, 1)); err == nil {
		t.Error("two tenants have the same ports")
	}
	if allocs := testing.AllocsPerRun(100, func() { g.tenant(netip.MustParseAddrPort("192.0.2.1:10")) }); allocs != 0 {
		t.Errorf("looking a peer up allocates %v times", allocs)
	}
	g.Dismiss(tenant)
	if _, welcome := g.tenant(netip.MustParseAddrPort("192.0.2.1:10")); welcome {
		t.Error("it is welcome after its dismissal")
	}
}
