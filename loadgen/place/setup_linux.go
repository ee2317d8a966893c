package place

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// Spec says what the place shall be like. Its own settings and addresses are
// those of the host that the child is started on: of the only one, or of every
// client.
type Spec struct {
	Kind      Kind
	Host      Host              // as ReadHost saw it
	Tool      []Setting         // what the run needs, in this order
	User      map[string]string // what the user asked for, by key; wins over Tool
	Addresses []netip.Prefix    // of the only host, beside 127.0.0.1 and ::1, or of the first client

	Server  Server           // of Pair and NAT
	Others  [][]netip.Prefix // of NAT: the addresses of each client beyond the first
	Gateway Gateway          // of NAT
}

// Server says what the host of the listener shall be like, where it is another
// one. It takes the same of the host's settings over as the client.
type Server struct {
	Tool      []Setting
	User      map[string]string
	Addresses []netip.Prefix
}

// Report says what a host of a place is like.
type Report struct {
	Sysctls map[string]string // settings in force that bear on a run, those that exist
	Changed map[string]Change // set by Tool or User to something else than the host has
	Differs map[string]Change // the host's, and could not be taken over
}

// Change is a setting's value on the host, empty if the host has none, and in
// the namespace.
type Change struct {
	Host string
	Run  string
	Why  string
}

// Setup makes the child's namespace a private host: it brings lo up, takes the
// host's settings over as far as the namespace has them, then sets what the
// tool and what the user want, and adds the addresses. What cannot be taken
// over is reported; everything else that fails is an error, a *UsageError if it
// is about User.
//
// It refuses to work in the host's own namespace.
func Setup(spec Spec) (Report, error) {
	if err := awayFrom(spec.Host.NetNS); err != nil {
		return Report{}, fmt.Errorf("private place: %w", err)
	}
	report, err := furnish(spec)
	if err == nil {
		err = addAddresses("lo", spec.Addresses)
	}
	if err != nil {
		return Report{}, fmt.Errorf("private place: %w", err)
	}
	return report, nil
}

// furnish makes the calling thread's namespace a host without addresses of its
// own. Those come last: a setting may keep them from being added, such as
// disable_ipv6, or take them away again.
func furnish(spec Spec) (Report, error) {
	// lo comes first: it is what shows whether the namespace obeys us.
	if _, err := bringUp("lo"); err != nil {
		return Report{}, powerless(err)
	}
	report, err := applySettings(kernelStore{}, spec)
	if err != nil {
		return Report{}, err
	}
	ownTable(kernelStore{}, spec.Host, &report)
	return report, nil
}

// addAddresses adds addresses to a link.
func addAddresses(name string, list []netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	for _, prefix := range list {
		if err := addAddress(link, prefix); err != nil {
			return err
		}
	}
	return nil
}

// awayFrom makes sure that this is not the host's namespace: as root, everything
// below would work there as well.
func awayFrom(host string) error {
	own, err := kernel.NetNS()
	if err != nil {
		return err
	}
	if host == "" || host == own {
		return fmt.Errorf("network namespace %s: it is the host's, or the host's (%q) is not known", own, host)
	}
	return nil
}

func bringUp(name string) (netlink.Link, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find link %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("bring link %s up: %w", name, err)
	}
	return link, nil
}

// powerless explains an EPERM in a namespace of our own: Ubuntu's AppArmor may
// let an ordinary user make a user namespace and then denies its root every
// capability.
func powerless(err error) error {
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	s := readSystem()
	s.root = false // root inside is an ordinary user outside
	blocker, hint := diagnose(unix.EPERM, s)
	return &RefusedError{blocker: "the new namespace has no privileges: " + blocker, hint: hint, err: err}
}

func addAddress(link netlink.Link, prefix netip.Prefix) error {
	addr, err := netlink.ParseAddr(prefix.String())
	if err != nil {
		return fmt.Errorf("address %s: %w", prefix, err)
	}
	if prefix.Addr().Is6() {
		// Nobody else can have it, so it needs no second of duplicate address
		// detection (RFC 4862) before it can be bound.
		addr.Flags = unix.IFA_F_NODAD
	}
	err = netlink.AddrAdd(link, addr)
	switch {
	case err == nil, errors.Is(err, unix.EEXIST):
		return awaitRoute(prefix.Addr())
	case errors.Is(err, unix.EACCES) && prefix.Addr().Is6():
		return &addressError{fmt.Errorf("add address %s: IPv6 is disabled, as on the host: %w", prefix, err), sysctlFlag}
	}
	return fmt.Errorf("add address %s: %w", prefix, err)
}

// awaitRoute waits until the address is one of this host's. An IPv6 address can be
// bound at once, and there is a route to its link at once; that it is the host's
// own a worker of the kernel writes down (addrconf_dad_work in
// net/ipv6/addrconf.c), on a busy machine seconds later. Until then what is sent
// to it is lost.
func awaitRoute(addr netip.Addr) error {
	const patience, pause = 20 * time.Second, time.Millisecond
	for began := time.Now(); ; time.Sleep(pause) {
		routes, err := netlink.RouteGet(addr.AsSlice())
		switch {
		case err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL:
			return nil
		case time.Since(began) > patience:
			return errors.Join(fmt.Errorf("address %s: the kernel has not made it the host's own: routes %v", addr, routes), err)
		}
	}
}

// addressError is an IPv6 address on a host that has IPv6 disabled.
type addressError struct {
	error
	flag string // which sets that host's settings
}

// Hint says how the run gets IPv6 all the same.
func (e *addressError) Hint() string { return e.flag + " net.ipv6.conf.all.disable_ipv6=0" }

// Unwrap returns the error of the call.
func (e *addressError) Unwrap() error { return e.error }
