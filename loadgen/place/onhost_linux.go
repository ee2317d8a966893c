package place

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// AsItIs is what Setup is in a private place: it reports what the host is like, and
// changes nothing. It refuses to work anywhere else than where ReadHost has looked.
func AsItIs(host Host) (Report, error) {
	own, err := kernel.NetNS()
	if err != nil {
		return Report{}, err
	}
	if host.NetNS != own {
		return Report{}, fmt.Errorf("place host: network namespace %s is not the host's, %q", own, host.NetNS)
	}
	return Report{Sysctls: inForce(kernelStore{})}, nil
}

// Own says whether packets to the address stay on this host, by the kernel's own
// routes. It says nothing of what rules in between make of them.
func Own(addr netip.Addr) bool {
	options := &netlink.RouteGetOptions{}
	if zone := addr.Zone(); zone != "" {
		link, err := netlink.LinkByName(zone)
		if err != nil {
			return false
		}
		options.OifIndex = link.Attrs().Index
	}
	routes, err := netlink.RouteGetWithOptions(addr.AsSlice(), options)
	return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
}
