package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/server"
)

// serveFlags are the flags of serve, as they were typed.
type serveFlags struct {
	listen         []string
	proto          string
	close          string
	idle           time.Duration
	duration       time.Duration
	maxConnections int
	maxPeer        int
	maxBytes       int64
	tokenFile      string
	allow, behind  []string
	output         output

	// As they were understood.
	allowed []netip.Prefix
	inFront []netip.AddrPort
	mode    step.CloseMode
}

const (
	listenDefault = "127.0.0.1:7000"
	// maxConnectionsDefault is more than one address can open to one port.
	maxConnectionsDefault = 65536
	// maxBytesDefault is more than the most requests that a run sends over one
	// connection, many times over.
	maxBytesDefault = 1 << 20
)

func (f *serveFlags) add(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.listen, "listen", []string{listenDefault}, "`ADDRESS:PORT[-PORT]` to listen on; 0.0.0.0 is all IPv4 addresses and [::] all IPv6 ones; with port 0 the kernel chooses (repeatable)")
	fs.StringVar(&f.proto, "proto", "tcp", "the protocol, a `NAME` of tcp, udp")
	fs.StringVar(&f.close, "close", step.ClientFIN.String(), "who closes first, and how: a `MODE` of "+strings.Join(step.CloseModes(), ", "))
	fs.DurationVar(&f.idle, "idle", 0, "close a connection that sends nothing for so `LONG` (default: never)")
	fs.IntVar(&f.maxConnections, "max-connections", maxConnectionsDefault, "reset what comes when this `NUMBER` is open")
	fs.IntVar(&f.maxPeer, "max-per-peer", 0, "keep at most this `NUMBER` open for one generator (default: as many as --max-connections)")
	fs.Int64Var(&f.maxBytes, "max-bytes", maxBytesDefault, "reset a connection that has sent more than this `NUMBER` of bytes")
	fs.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the token; it is made if it is not there (default: LASTPORT_TOKEN, or a new file)")
	fs.StringSliceVar(&f.allow, "allow", nil, "`CIDR`, several separated by commas: addresses that may connect at all (default: any that has the token)")
	fs.StringSliceVar(&f.behind, "behind", nil, "`ADDRESS:PORT[-PORT]` of a proxy, load balancer or gateway in front that may be loaded too (repeatable)")
	fs.DurationVar(&f.duration, "duration", 0, "end after this `TIME` (default: when told to)")
	fs.StringVar(&f.output.format, "format", "text", "`FORM` of the statistics: text or json")
}

// config understands the flags. given tells whether one was.
func (f *serveFlags) config(given func(flag string) bool) (server.Config, error) {
	switch f.proto {
	case "tcp":
		return f.tcp(given)
	case "udp":
		return f.udp(given)
	}
	return server.Config{}, usagef("--proto tcp", "--proto %q: not one of tcp, udp", f.proto)
}

// udp understands the flags of a listener without connections.
func (f *serveFlags) udp(given func(flag string) bool) (c server.Config, err error) {
	for _, flag := range []string{"close", "idle", "max-connections", "max-bytes"} {
		if given(flag) {
			return c, usagef("--proto tcp", "--%s is for connections, and with --proto udp there are none", flag)
		}
	}
	if err := f.checkRest(given); err != nil {
		return c, err
	}
	addrs, err := parseListens(f.listen)
	for _, addr := range addrs {
		if addr.Addr().IsUnspecified() {
			return c, usagef("--listen 10.0.0.7:7000", "--listen %s: over UDP want one address of this host, as an answer must come from where the question went", addr)
		}
	}
	return server.Config{UDP: true, Addrs: addrs}, err
}

// checkRest checks the flags that have nothing to do with connections. A flag that
// was given means something: an empty variable must not open what it was to close.
func (f *serveFlags) checkRest(given func(flag string) bool) error {
	if f.duration < 0 {
		return usagef("--duration 1m", "--duration %v: a time cannot be below 0", f.duration)
	}
	if given("token-file") && f.tokenFile == "" {
		return errNoFile()
	}
	var err error
	if given("allow") && len(f.allow) == 0 {
		f.allow = []string{""}
	}
	if f.allowed, err = parseAllow(f.allow); err != nil {
		return err
	}
	if given("behind") {
		if f.inFront, err = parseAddresses("behind", f.behind); err != nil {
			return err
		}
	}
	if f.maxPeer < 0 {
		return usagef("--max-per-peer 1000", "--max-per-peer %d: want 1 or more, or 0 for as many as --max-connections", f.maxPeer)
	}
	return f.output.check()
}

// tcp understands the flags of a listener with connections.
func (f *serveFlags) tcp(given func(flag string) bool) (c server.Config, err error) {
	mode, err := parseClose(f.close)
	if err != nil {
		return c, err
	}
	switch {
	case f.idle < 0:
		return c, usagef("--idle 1m", "--idle %v: a time cannot be below 0", f.idle)
	case f.maxConnections < 1:
		return c, usagef("--max-connections 1000", "--max-connections %d: want 1 or more", f.maxConnections)
	case f.maxBytes < 1:
		return c, usagef("--max-bytes 65536", "--max-bytes %d: want 1 or more", f.maxBytes)
	}
	f.mode = mode
	if err := f.checkRest(given); err != nil {
		return c, err
	}
	addrs, err := parseListens(f.listen)
	return server.Config{
		Addrs: addrs, ServerFirst: mode.ServerFirst(), Keep: true, RST: mode.RST(), Idle: f.idle,
		Connections: f.maxConnections, MaxConnections: f.maxConnections, MaxBytes: f.maxBytes,
	}, err
}

// parseClose reads --close.
func parseClose(word string, also ...string) (step.CloseMode, error) {
	mode, err := step.ParseCloseMode(word)
	if err == nil {
		return mode, nil
	}
	accepted := append(step.CloseModes(), also...)
	near, ok := ports.Nearest(word, accepted)
	if !ok {
		near = step.ClientRST.String()
	}
	return mode, usagef("--close "+near, "--close %q: not one of %s", word, strings.Join(accepted, ", "))
}

// parseListens reads every --listen. No address may come twice.
func parseListens(texts []string) (all []netip.AddrPort, err error) {
	return parseAddresses("listen", texts)
}

// parseAddresses reads every value of a flag that takes addresses with ports.
func parseAddresses(flag string, texts []string) (all []netip.AddrPort, err error) {
	if len(texts) == 0 {
		return nil, badAddress(flag, "")
	}
	seen := map[netip.AddrPort]bool{}
	for _, text := range texts {
		addrs, err := parseAddress(flag, text)
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			if addr.Port() != 0 && seen[addr] {
				return nil, usagef("--"+flag+" "+addr.String()+", once", "--%s %s: named twice", flag, addr)
			}
			seen[addr] = true
		}
		all = append(all, addrs...)
	}
	return all, nil
}

// parseAddress reads ADDRESS:PORT[-PORT].
func parseAddress(flag, text string) ([]netip.AddrPort, error) {
	// A zone may have a dash in it, and a port has none before it.
	colon := max(0, strings.LastIndexByte(text, ':'))
	low, last, isRange := strings.Cut(text[colon:], "-")
	first, err := netip.ParseAddrPort(text[:colon] + low)
	if err != nil {
		return nil, badAddress(flag, text)
	}
	addr, ok := onLink(first.Addr().Unmap())
	if !ok {
		return nil, usagef("--"+flag+" with a link that `ip -brief link` lists", "--%s %s: this host has no link %q", flag, text, addr.Zone())
	}
	high := uint64(first.Port())
	if isRange {
		if high, err = strconv.ParseUint(last, 10, 16); err != nil || first.Port() == 0 || high < uint64(first.Port()) {
			return nil, badAddress(flag, text)
		}
	}
	if addr.IsLinkLocalUnicast() && addr.Is6() && addr.Zone() == "" {
		return nil, usagef(fmt.Sprintf("--%s [%s%%eth0]:%d", flag, addr, first.Port()), "--%s %s: a link-local address is on every link: say which", flag, text)
	}
	var addrs []netip.AddrPort
	for port := uint64(first.Port()); port <= high; port++ {
		addrs = append(addrs, netip.AddrPortFrom(addr, uint16(port)))
	}
	return addrs, nil
}

func badAddress(flag, text string) error {
	return usagef("--"+flag+" 127.0.0.1:7000-7009", "--%s %q: want ADDRESS:PORT or ADDRESS:PORT-PORT, the address in numbers and the ports in ascending order", flag, text)
}

// parseAllow reads --allow: prefixes, or single addresses.
func parseAllow(words []string) (list []netip.Prefix, err error) {
	for _, word := range words {
		p, err := netip.ParsePrefix(word)
		if addr, addrErr := netip.ParseAddr(word); addrErr == nil && addr.Zone() == "" {
			p, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, usagef("--allow 10.0.0.0/8,2001:db8::/32", "--allow %q: want ADDRESS or ADDRESS/BITS, in numbers", word)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// addressList writes addresses, neighbouring ports as one range.
func addressList(addrs []netip.AddrPort) string {
	var parts []string
	for i := 0; i < len(addrs); {
		first, last := addrs[i], addrs[i]
		for i++; i < len(addrs) && addrs[i].Addr() == last.Addr() && int(addrs[i].Port()) == int(last.Port())+1; i++ {
			last = addrs[i]
		}
		part := first.String()
		if last != first {
			part += fmt.Sprintf("-%d", last.Port())
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
