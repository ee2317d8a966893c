package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
)

// Bounds of a tuple space.
const (
	maxSources = 1024 // as many as the listener counts the peers of
	maxTargets = 1024
	maxPairs   = 4096 // sources × targets: each is a pool of ports to keep account of
)

// Addresses of the private place. The bundled listener is on the first of the
// benchmarking networks: RFC 2544, section C.2.2, and RFC 5180, section 8.
var (
	listenerAddr4 = netip.AddrFrom4([4]byte{198, 18, 0, 1})
	listenerAddr6 = netip.MustParseAddr("2001:2::1")
	privateNets   = []netip.Prefix{
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("2001:2::/48"),
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}
)

// privateNames lists the networks that a private place can have addresses of.
func privateNames() string {
	names := make([]string, len(privateNets))
	for i, n := range privateNets {
		names[i] = n.String()
	}
	return strings.Join(names, ", ")
}

// inPrivate says whether a private place can have the address.
func inPrivate(a netip.Addr) bool {
	return slices.ContainsFunc(privateNets, func(n netip.Prefix) bool { return n.Contains(a) })
}

// addresses reads --source, --target, -4 and -6: the tuple space without its
// ports.
func (f *runFlags) addresses(c *loadgen.Config, host place.Host) (err error) {
	if f.v4 && f.v6 {
		return usagef("-6", "-4 and -6 exclude each other: a run has one address family")
	}
	if c.Sources, err = parseSources(f.sources, onHost(c)); err != nil {
		return err
	}
	if onHost(c) {
		err = f.hostTargets(c, host)
	} else {
		err = f.privateTargets(c)
	}
	if err != nil {
		return err
	}
	if err := f.checkFamilies(c); err != nil {
		return err
	}
	if n := max(1, len(c.Sources)) * len(c.Targets); n > maxPairs {
		fewer := max(1, min(len(c.Sources), maxPairs/len(c.Targets)))
		return usagef(fmt.Sprintf("--source %s-%s", c.Sources[0], c.Sources[fewer-1]),
			"%d sources × %d targets: at most %d pairs", len(c.Sources), len(c.Targets), maxPairs)
	}
	return nil
}

// privateTargets are addresses of the run's own listener in a private place.
func (f *runFlags) privateTargets(c *loadgen.Config) (err error) {
	if c.Targets, err = parseTargets(f.targets, false); err != nil || len(c.Targets) > 0 {
		return err
	}
	addr := listenerAddr4
	if f.v6 || !f.v4 && len(c.Sources) > 0 && c.Sources[0].Is6() {
		addr = listenerAddr6
	}
	if len(c.Sources) > 0 && c.Sources[0].IsLoopback() {
		addr = c.Sources[0] // it reaches nothing else
	}
	c.Targets = []netip.AddrPort{netip.AddrPortFrom(addr, listenerPort(c.Range))}
	return nil
}

// checkFamilies refuses addresses that cannot be used together.
func (f *runFlags) checkFamilies(c *loadgen.Config) error {
	first := c.Targets[0].Addr()
	switch {
	case f.v4 && !first.Is4():
		return usagef("-6", "-4 with the target %s, which is IPv6", c.Targets[0])
	case f.v6 && !first.Is6():
		return usagef("-4", "-6 with the target %s, which is IPv4", c.Targets[0])
	}
	for _, t := range c.Targets {
		if t.Addr().Is4() != first.Is4() {
			return usagef("--target "+c.Targets[0].String(), "--target %s and %s: one run has one address family", c.Targets[0], t)
		}
		if t.Addr().IsLoopback() != first.IsLoopback() {
			return usagef("--target "+c.Targets[0].String(), "--target %s and %s: the kernel gives ports toward loopback addresses back by other rules (tcp_tw_reuse=2), and one prediction cannot hold for both", c.Targets[0], t)
		}
	}
	for _, s := range c.Sources {
		if s.Is4() != first.Is4() {
			return usagef("--source "+exampleSource(first), "--source %s cannot reach the target %s: another address family", s, c.Targets[0])
		}
		if s.IsLoopback() != first.IsLoopback() {
			return usagef("--source "+exampleSource(first), "--source %s with --target %s: a loopback address talks to loopback addresses alone", s, c.Targets[0])
		}
	}
	return nil
}

// exampleSource is a source that goes with the address.
func exampleSource(with netip.Addr) string {
	switch {
	case with.IsLoopback():
		return with.String()
	case with.Is6():
		return "2001:2::100"
	}
	return "198.18.1.1"
}

// parseSources reads addresses, CIDR prefixes and LOW-HIGH ranges, and returns
// each address once, in their order.
func parseSources(words []string, onHost bool) ([]netip.Addr, error) {
	const form = "--source 198.18.1.1,198.18.1.8-198.18.1.15,198.18.2.0/28"
	var list []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, word := range words {
		low, high, ok := addressRange(word)
		if !ok && low.IsValid() && low.Is4() == high.Is4() && high.Less(low) {
			return nil, usagef(fmt.Sprintf("--source %s-%s", high, low), "--source %q: ends before it begins", word)
		}
		if !ok {
			return nil, usagef(form, "--source %q: want ADDRESS, ADDRESS/BITS or LOW-HIGH, in numbers", word)
		}
		if err := canBeSources(word, low, high, onHost); err != nil {
			return nil, err
		}
		for a := low; ; a = a.Next() {
			if !seen[a] {
				seen[a] = true
				list = append(list, a)
			}
			if len(list) > maxSources {
				return nil, usagef(fmt.Sprintf("--source %s-%s", low, list[maxSources-1]), "--source %s: more than %d addresses", word, maxSources)
			}
			if a == high {
				break
			}
		}
	}
	return list, nil
}

// canBeSources refuses addresses that the place of the run does not have.
func canBeSources(word string, low, high netip.Addr, onHost bool) error {
	if !onHost {
		if !inPrivate(low) || !inPrivate(high) {
			return usagef("--source "+exampleSource(low), "--source %s: it is not on this host; a private place can have %s", word, privateNames())
		}
		return nil
	}
	for a, n := low, 0; n < maxSources; a, n = a.Next(), n+1 { // more are refused in any case
		if !place.Own(a) {
			return usagef("", "--source %s: %s is not on this host", word, a)
		}
		if a == high {
			break
		}
	}
	return nil
}

// addressRange reads ADDRESS, ADDRESS/BITS or LOW-HIGH.
func addressRange(word string) (low, high netip.Addr, ok bool) {
	if p, err := netip.ParsePrefix(word); err == nil && !p.Addr().Is4In6() {
		return p.Masked().Addr(), lastOf(p), true
	}
	first, last, isRange := strings.Cut(word, "-")
	if !isRange {
		last = first
	}
	low, lowErr := netip.ParseAddr(first)
	high, highErr := netip.ParseAddr(last)
	if lowErr != nil || highErr != nil || low.Zone() != "" || high.Zone() != "" {
		return low, high, false
	}
	low, high = low.Unmap(), high.Unmap()
	return low, high, low.Is4() == high.Is4() && low.Compare(high) <= 0 && !low.IsUnspecified()
}

// lastOf returns the highest address of the prefix.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes) // of a length that it has
	return last
}

// parseTargets reads ADDRESS:PORT and ADDRESS:LOW-HIGH. What is no private address
// is one on the real host alone.
func parseTargets(words []string, onHost bool) (list []netip.AddrPort, err error) {
	for _, word := range words {
		addr, set, ok := addressPorts(word)
		if !ok && onHost {
			return nil, usagef("--target "+exampleTarget(word), "--target %q: want HOST:PORT or HOST:LOW-HIGH, the host a name or an address ([…] around IPv6) and ports from 1 to 65535", word)
		}
		if !ok || addr.Zone() != "" && !onHost {
			return nil, usagef("--target 198.18.0.1:1000", "--target %q: want ADDRESS:PORT or ADDRESS:LOW-HIGH, the address in numbers ([…] around IPv6) and ports from 1 to 65535", word)
		}
		if !onHost && !inPrivate(addr) {
			return nil, usagef("--place host --target "+word+", and 'lastport serve' there",
				"--target %s: a private place holds %s; a target elsewhere needs --place host", word, privateNames())
		}
		if onHost {
			addr, err = oneHost(word, addr, set)
		}
		if err != nil {
			return nil, err
		}
		if len(list)+set.Size() > maxTargets {
			return nil, usagef(fmt.Sprintf("--target %s:%d-%d", word[:strings.LastIndexByte(word, ':')], set.Hull().Low, int(set.Hull().Low)+maxTargets-len(list)-1), "--target %s: more than %d targets", word, maxTargets)
		}
		for port := range set.All() {
			t := netip.AddrPortFrom(addr, port)
			if slices.Contains(list, t) {
				return nil, usagef("--target "+t.String()+" once", "--target %s is given twice", t)
			}
			list = append(list, t)
		}
	}
	return list, nil
}

// exampleTarget is the target that a word without a port may have meant, with the
// port that serve has unless told otherwise.
func exampleTarget(word string) string {
	addrText, zone, _ := strings.Cut(word, "%")
	if link, portText, ok := strings.Cut(zone, ":"); ok { // no link has a colon in its name
		word = strings.Trim(addrText+"%"+link, "[]")
		example := "[" + word + "]:" + portText
		if _, _, ok := addressPorts(example); ok {
			return example
		}
	}
	host := strings.Trim(word, "[]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return joinHostPorts(addr, "7000")
	}
	if host == "" || strings.ContainsAny(host, ":/ ") {
		host = "10.0.0.7"
	}
	return host + ":7000"
}

// oneHost is the address of a host as it can be reached from here; what is none is
// refused.
func oneHost(word string, addr netip.Addr, set ports.Ranges) (netip.Addr, error) {
	at, ok := onLink(addr)
	switch {
	case addr.IsUnspecified(), addr.IsMulticast(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return at, usagef("--target 10.0.0.7:7000", "--target %s: want the address of one host", word)
	case addr.Is6() && addr.IsLinkLocalUnicast() && addr.Zone() == "":
		return at, usagef(fmt.Sprintf("--target [%s%%eth0]:%d", addr, set.Hull().Low), "--target %s: a link-local address is on every link: say which", word)
	case !ok:
		return at, usagef("--target with a link that `ip -brief link` lists", "--target %s: this host has no link %q", word, addr.Zone())
	}
	return at, nil
}

func addressPorts(word string) (addr netip.Addr, set ports.Ranges, ok bool) {
	colon := strings.LastIndexByte(word, ':')
	if colon < 0 {
		return addr, nil, false
	}
	// The first port stands for all, so that the address is read by its own rules.
	low, high, isRange := strings.Cut(word[colon+1:], "-")
	if !isRange {
		high = low
	}
	first, err := netip.ParseAddrPort(word[:colon+1] + low)
	last, lastErr := strconv.ParseUint(high, 10, 16)
	if err != nil || lastErr != nil || first.Port() == 0 || uint16(last) < first.Port() {
		return addr, nil, false
	}
	return first.Addr().Unmap(), ports.Of(ports.Range{Low: first.Port(), High: uint16(last)}), true
}
