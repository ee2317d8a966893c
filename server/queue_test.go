package server

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestOrigin(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8::1:2:3:4": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Origin(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", addr, got, want)
		}
	}
}

// Whoever comes and goes, an origin that has less than its share is let in as long as
// there is room, and none has more; of who has left nothing is kept.
func TestQueueIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		model, all := map[netip.Prefix]int{}, 0
		for range rapid.IntRange(0, 500).Draw(t, "moves") {
			origin := Origin(netip.AddrFrom4([4]byte{192, 0, 2, rapid.Uint8Max(30).Draw(t, "host")}))
			if model[origin] > 0 && rapid.IntRange(0, 3).Draw(t, "move") == 0 {
				q.leave(origin)
				model[origin]--
				all--
				continue
			}
			room := all < mostQueued && model[origin] < mostQueuedOfOne
			if got := q.enter(origin); got != room {
				t.Fatalf("%v has %d of %d: let in %v", origin, model[origin], all, got)
			}
			if room {
				model[origin]++
				all++
			}
		}
		for origin, n := range model {
			for range n {
				q.leave(origin)
			}
		}
		if len(q.from) != 0 || q.all != 0 {
			t.Fatalf("%d and %v are left of nobody", q.all, q.from)
		}
	})
}
