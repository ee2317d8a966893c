package diag

import (
	"net/netip"

	"lastport/loadgen/kernel"
)

// Holds says whether the socket's local address takes its port from a bind to
// addr without SO_REUSEADDR: it has the address itself or all addresses of its
// family, or addr is all of them. All addresses of IPv6 are all of IPv4 too,
// unless the socket is V6Only: [::]:80 takes 0.0.0.0:80, and ::ffff:198.18.0.1
// is 198.18.0.1. A zone of addr is not looked at. Source: inet_rcv_saddr_equal of
// net/ipv4/inet_connection_sock.c.
//
// A socket that listens holds it from a bind with SO_REUSEADDR too. Where the
// kernel chooses the port, it passes over what is held, at a bind from its
// address, and at a UDP connect from all addresses of the family. At a TCP
// connect it passes over every port that a socket has by a bind of its own,
// whatever the addresses are.
func (s *Socket) Holds(addr netip.Addr) bool {
	local, addr := kernel.PlainAddr(s.Local.Addr()), kernel.PlainAddr(addr)
	if local.Is4() == addr.Is4() {
		return local == addr || local.IsUnspecified() || addr.IsUnspecified()
	}
	if local.Is4() {
		// Whether addr's own socket is V6Only is not asked: an ordinary bind to [::]
		// is for both families.
		return addr.IsUnspecified()
	}
	return local.IsUnspecified() && !s.V6Only
}
