package loadgen

import (
	"net/netip"
	"testing"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// A tuple that was in TIME_WAIT before the run may be the run's next: sockets are
// told apart, not tuples.
func TestSocketsOfTheRunAreTold(t *testing.T) {
	at := netip.MustParseAddrPort
	socket := func(state diag.State, local, remote string, cookie uint64) *diag.Socket {
		return &diag.Socket{State: state, Local: at(local), Remote: at(remote), Cookie: cookie}
	}
	const target, other = "127.0.0.1:9500", "127.0.0.1:9501"
	r := &run{cfg: &Config{Range: ports.Ranges{{Low: 40000, High: 40009}}}}
	r.around.others = map[uint64]bool{}
	for _, sock := range []*diag.Socket{
		socket(diag.Established, "127.0.0.1:40001", target, 1),
		socket(diag.TimeWait, "127.0.0.1:40002", target, 2),
	} {
		r.around.others[sock.Cookie] = true
	}
	mine := r.mine()
	for _, c := range []struct {
		sock *diag.Socket
		want bool
	}{
		{socket(diag.Established, "127.0.0.1:40000", target, 3), true},
		{socket(diag.Established, "127.0.0.1:40010", target, 4), false}, // not of the range
		{socket(diag.Established, "127.0.0.1:40001", target, 1), false},
		{socket(diag.TimeWait, "127.0.0.1:40001", target, 1), false}, // once it has closed
		{socket(diag.Established, "127.0.0.1:40001", other, 6), true},
		{socket(diag.TimeWait, "127.0.0.1:40002", target, 2), false},
		{socket(diag.Established, "127.0.0.1:40002", target, 7), true},
		{socket(diag.TimeWait, "127.0.0.1:40002", target, 8), true},
		{socket(diag.Established, "[::ffff:127.0.0.1]:40001", "[::ffff:127.0.0.1]:9500", 1), false},
	} {
		if got := mine(c.sock); got != c.want {
			t.Errorf("%v %v to %v, cookie %d: %t, want %t", c.sock.State, c.sock.Local, c.sock.Remote, c.sock.Cookie, got, c.want)
		}
	}
}
