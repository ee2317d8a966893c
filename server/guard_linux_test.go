package server

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// While nobody asks them, the strangers of one address take up its share of the room
// and no more: another address has room all the same, and the first one again when
// its own have been taken over.
func TestGuardHasRoomForEveryAddress(t *testing.T) {
	g, err := NewGuard(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	waiting := 0
	come := func(from string) (handed bool) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, before := g.Strangers()
		g.pass(fd, netip.MustParseAddr(from))
		if _, after := g.Strangers(); after != before {
			return false
		}
		waiting++
		return true
	}
	for range 10 * mostQueued { // a flood
		come("192.0.2.1")
	}
	if waiting != mostQueuedOfOne {
		t.Errorf("%d of one address wait, want %d", waiting, mostQueuedOfOne)
	}
	for i := range byte(mostQueued/mostQueuedOfOne - 1) {
		for range mostQueuedOfOne {
			if from := netip.AddrFrom4([4]byte{192, 0, 2, 2 + i}); !come(from.String()) {
				t.Fatalf("%s has no room in the flood of another address", from)
			}
		}
	}
	if come("198.51.100.1") {
		t.Errorf("more than %d wait in all", mostQueued)
	}
	for ; waiting > 0; waiting-- {
		if _, err := g.receive(); err != nil {
			t.Fatal(err)
		}
	}
	if !come("192.0.2.1") || !come("::ffff:192.0.2.2") || !come("2001:db8::1") {
		t.Error("there is no room after all have gone")
	}
}
