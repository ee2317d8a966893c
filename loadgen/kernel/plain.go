package kernel

import "net/netip"

// PlainAddr is the address as the kernel's lists of sockets have it: IPv4 out of
// IPv6's clothes (::ffff:192.0.2.1 is 192.0.2.1), and without a zone, which they do
// not tell. Addresses from two sources are compared in this form.
func PlainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// PlainAddrPort is PlainAddr of an address with a port.
func PlainAddrPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(PlainAddr(a.Addr()), a.Port())
}
