package place

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// end is one end of a link: a host, and what it calls the link.
type end struct {
	on   *Net
	name string
}

// Addresses that a link's ends have for each other. A host sends all that is
// not its own to the other end, as to a router: one neighbour is known for ever,
// and no first packet waits until somebody has answered for an address.
const (
	nearHardware = "02:00:00:00:00:01"
	farHardware  = "02:00:00:00:00:02"
	nextHop4     = "169.254.0.1"
	nextHop6     = "fe80::1"
)

// link joins two hosts by a pair of virtual Ethernet links (veth(4)) and brings
// both ends up. The far host is not the process's own.
func link(near, far end) error {
	nearAddr, err := net.ParseMAC(nearHardware)
	if err != nil {
		return err
	}
	farAddr, err := net.ParseMAC(farHardware)
	if err != nil {
		return err
	}
	err = near.on.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.HardwareAddr = near.name, nearAddr
		err := netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: attrs, PeerName: far.name, PeerHardwareAddr: farAddr, PeerNamespace: netlink.NsFd(far.on.fd),
		})
		if err != nil {
			return noLinks(fmt.Errorf("add link %s: %w", near.name, err))
		}
		return ready(near.name, farAddr)
	})
	if err != nil {
		return err
	}
	return far.on.Do(func() error { return ready(far.name, nearAddr) })
}

// ready brings a link up and names the host at its other end.
func ready(name string, other net.HardwareAddr) error {
	l, err := bringUp(name)
	if err != nil {
		return err
	}
	for _, hop := range []string{nextHop4, nextHop6} {
		err := netlink.NeighSet(&netlink.Neigh{
			LinkIndex: l.Attrs().Index, State: netlink.NUD_PERMANENT, IP: net.ParseIP(hop), HardwareAddr: other,
		})
		// A kernel without IPv6, or a host that has it disabled: whoever wants an IPv6
		// address there is told when it is added.
		if hop == nextHop6 && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EINVAL)) {
			continue
		}
		if err != nil {
			return fmt.Errorf("link %s: neighbour %s: %w", name, hop, err)
		}
	}
	return nil
}

// settle gives a link addresses, and sends over it what is for the others of
// their networks, from the first of each family.
func settle(name string, addresses []netip.Prefix) error {
	if err := addAddresses(name, addresses); err != nil {
		return err
	}
	seen := make(map[netip.Prefix]bool)
	for _, a := range addresses {
		net := benchmarkNet(a.Addr())
		if seen[net] {
			continue
		}
		seen[net] = true
		if err := route(name, net, a.Addr()); err != nil {
			return err
		}
	}
	return nil
}

// routes sends over a link what is for some addresses.
func routes(name string, to []netip.Prefix) error {
	for _, prefix := range to {
		if err := route(name, prefix, netip.Addr{}); err != nil {
			return err
		}
	}
	return nil
}

// route sends over a link what is for a network. A source that is valid is the
// one of connections that choose none.
func route(name string, to netip.Prefix, source netip.Addr) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	hop := nextHop4
	if to.Addr().Is6() {
		hop = nextHop6
	}
	r := &netlink.Route{
		LinkIndex: l.Attrs().Index, Gw: net.ParseIP(hop), Flags: int(netlink.FLAG_ONLINK),
		Dst: &net.IPNet{IP: to.Masked().Addr().AsSlice(), Mask: net.CIDRMask(to.Bits(), to.Addr().BitLen())},
	}
	if source.IsValid() {
		r.Src = source.AsSlice()
	}
	if err := netlink.RouteAdd(r); err != nil {
		return fmt.Errorf("route to %s over %s: %w", to, name, err)
	}
	return nil
}

// Networks that are set aside for benchmarks: RFC 2544, section C.2.2, and RFC
// 5180, section 8. Every address of a place is of one of them.
func benchmarkNet(of netip.Addr) netip.Prefix {
	if of.Is4() {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15)
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2}), 48)
}

// MissingError says what a place needs that this kernel does not have, or does
// not allow.
type MissingError struct {
	What string // what is missing
	hint string
	err  error
}

// Error names the operation that failed and what it lacks.
func (e *MissingError) Error() string { return e.err.Error() + ": " + e.What }

// Hint says which place works without it.
func (e *MissingError) Hint() string { return e.hint }

// Unwrap returns the error of the operation.
func (e *MissingError) Unwrap() error { return e.err }

// noLinks explains an answer of kernels that cannot make a link.
func noLinks(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM) {
		return &MissingError{What: "this kernel gives no virtual Ethernet links (CONFIG_VETH)", hint: "--place private, which needs none", err: err}
	}
	return err
}
