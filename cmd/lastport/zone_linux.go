package main

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// onLink is the address with the name of its link as the zone, so that one link is
// one however it was named: by its name, or by its number (RFC 4007, section 11.2).
// Only a link-local address keeps its zone: of others the kernel does not look at it
// (__ipv6_addr_needs_scope_id in include/net/ipv6.h). It is false if this host has no
// such link.
func onLink(addr netip.Addr) (netip.Addr, bool) {
	zone := addr.Zone()
	if zone == "" {
		return addr, true
	}
	links, err := net.Interfaces()
	if err != nil {
		return addr, false
	}
	is := slices.IndexFunc(links, func(l net.Interface) bool { return l.Name == zone })
	if is < 0 {
		is = slices.IndexFunc(links, func(l net.Interface) bool { return strconv.Itoa(l.Index) == zone })
	}
	switch {
	case is < 0:
		return addr, false
	case addr.IsLinkLocalUnicast():
		return addr.WithZone(links[is].Name), true
	}
	return addr.WithZone(""), true
}
