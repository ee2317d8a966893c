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
	hold, idle     time.Duration
	duration       time.Duration
	maxConnections int
	output         output
}

const (
	listenDefault = "127.0.0.1:7000"
	// maxConnectionsDefault is more than one address can open to one port.
	maxConnectionsDefault = 65536
)

func (f *serveFlags) add(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.listen, "listen", []string{listenDefault}, "`ADDRESS:PORT[-PORT]` to listen on, in 127.0.0.0/8 or ::1; with port 0 the kernel chooses (repeatable)")
	fs.StringVar(&f.proto, "proto", "tcp", "the protocol, a `NAME` of tcp, udp")
	fs.StringVar(&f.close, "close", step.ClientFIN.String(), "who closes first, and how: a `MODE` of "+strings.Join(step.CloseModes(), ", "))
	fs.DurationVar(&f.hold, "hold", 0, "where the listener closes first: how `LONG` after the accept (default: when the client sends the byte 0)")
	fs.DurationVar(&f.idle, "idle", 0, "close a connection that sends nothing for so `LONG` (default: never)")
	fs.IntVar(&f.maxConnections, "max-connections", maxConnectionsDefault, "reset what comes when this `NUMBER` is open")
	fs.DurationVar(&f.duration, "duration", 0, "end after this `TIME` (default: when told to)")
	fs.StringVar(&f.output.format, "format", "text", "`FORM` of the statistics: text or json")
}

// config understands the flags. given tells whether one was: a --hold of 0, which
// closes at once, is not the same as none.
func (f *serveFlags) config(given func(flag string) bool) (server.Config, error) {
	switch f.proto {
	case "tcp":
		return f.tcp(given("hold"))
	case "udp":
		return f.udp(given)
	}
	return server.Config{}, usagef("--proto tcp", "--proto %q: not one of tcp, udp", f.proto)
}

// udp understands the flags of a listener without connections.
func (f *serveFlags) udp(given func(flag string) bool) (c server.Config, err error) {
	for _, flag := range []string{"close", "hold", "idle", "max-connections"} {
		if given(flag) {
			return c, usagef("--proto tcp", "--%s is for connections, and with --proto udp there are none", flag)
		}
	}
	if err := f.checkRest(); err != nil {
		return c, err
	}
	addrs, err := parseListens(f.listen)
	return server.Config{UDP: true, Addrs: addrs}, err
}

// checkRest checks the flags that have nothing to do with connections.
func (f *serveFlags) checkRest() error {
	if f.duration < 0 {
		return usagef("--duration 1m", "--duration %v: a time cannot be below 0", f.duration)
	}
	return f.output.check()
}

// tcp understands the flags of a listener with connections.
func (f *serveFlags) tcp(holdGiven bool) (c server.Config, err error) {
	mode, err := parseClose(f.close)
	if err != nil {
		return c, err
	}
	switch {
	case f.hold < 0:
		return c, usagef("--hold 10s", "--hold %v: a time cannot be below 0", f.hold)
	case holdGiven && !mode.ServerFirst():
		return c, usagef("--close server-fin", "--hold is for a listener that closes first, and with --close %s the client does", mode)
	case f.idle < 0:
		return c, usagef("--idle 1m", "--idle %v: a time cannot be below 0", f.idle)
	case f.maxConnections < 1:
		return c, usagef("--max-connections 1000", "--max-connections %d: want 1 or more", f.maxConnections)
	}
	if err := f.checkRest(); err != nil {
		return c, err
	}
	addrs, err := parseListens(f.listen)
	return server.Config{
		Addrs: addrs, ServerFirst: mode.ServerFirst(), Keep: !holdGiven, Hold: f.hold, RST: mode.RST(), Idle: f.idle,
		Connections: f.maxConnections, MaxConnections: f.maxConnections,
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
	if len(texts) == 0 {
		return nil, badListen("")
	}
	seen := map[netip.AddrPort]bool{}
	for _, text := range texts {
		addrs, err := parseListen(text)
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			if addr.Port() != 0 && seen[addr] {
				return nil, usagef("--listen "+addr.String()+", once", "--listen %s: named twice", addr)
			}
			seen[addr] = true
		}
		all = append(all, addrs...)
	}
	return all, nil
}

// parseListen reads ADDRESS:PORT[-PORT].
func parseListen(text string) ([]netip.AddrPort, error) {
	one, last, isRange := strings.Cut(text, "-")
	first, err := netip.ParseAddrPort(one)
	if err != nil || first.Addr().Zone() != "" {
		return nil, badListen(text)
	}
	high := uint64(first.Port())
	if isRange {
		if high, err = strconv.ParseUint(last, 10, 16); err != nil || first.Port() == 0 || high < uint64(first.Port()) {
			return nil, badListen(text)
		}
	}
	addr := first.Addr().Unmap()
	if !addr.IsLoopback() {
		return nil, usagef("--listen "+listenDefault, "--listen %s: this version listens on 127.0.0.0/8 and ::1 alone", text)
	}
	var addrs []netip.AddrPort
	for port := uint64(first.Port()); port <= high; port++ {
		addrs = append(addrs, netip.AddrPortFrom(addr, uint16(port)))
	}
	return addrs, nil
}

func badListen(text string) error {
	return usagef("--listen 127.0.0.1:7000-7009", "--listen %q: want ADDRESS:PORT or ADDRESS:PORT-PORT, the address in numbers and the ports in ascending order", text)
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
