package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// lookUpFor bounds how long a name may take.
const lookUpFor = 10 * time.Second

// lookup finds the addresses of a name.
type lookup func(ctx context.Context, network, name string) ([]netip.Addr, error)

// resolveTargets replaces names in --target by their addresses: of the family, if
// one was asked for, and where there are several the one that --resolve names. A
// run that took one of several by itself would be another run each time.
func (f *runFlags) resolveTargets(find lookup) ([]string, error) {
	var only netip.Addr
	if f.resolve != "" {
		var err error
		if only, err = netip.ParseAddr(f.resolve); err != nil {
			return nil, usagef("--resolve 192.0.2.7", "--resolve %q: want an address in numbers", f.resolve)
		}
		only, _ = onLink(only.Unmap()) // of no link it is no address of the name either
	}
	words, names := slices.Clone(f.targets), 0
	for i, word := range words {
		name, ports, ok := nameAndPorts(word)
		if !ok {
			continue
		}
		names++
		addr, err := f.resolveOne(find, name, only)
		if err != nil {
			return nil, err
		}
		words[i] = joinHostPorts(addr, ports)
	}
	if f.resolve != "" && names == 0 {
		return nil, usagef("leave --resolve out", "--resolve %s says which address of a name is meant, and no --target is a name", f.resolve)
	}
	return words, nil
}

// findName is the lookup of the system.
func findName(ctx context.Context, network, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, network, name)
}

// nameAndPorts takes NAME:PORTS apart; false if it is an address, or nothing that
// can be a name.
func nameAndPorts(word string) (name, ports string, ok bool) {
	colon := strings.LastIndexByte(word, ':')
	if colon <= 0 || strings.ContainsAny(word[:colon], "[]:/% ") {
		return "", "", false
	}
	if _, err := netip.ParseAddr(word[:colon]); err == nil {
		return "", "", false
	}
	return word[:colon], word[colon+1:], true
}

func joinHostPorts(addr netip.Addr, ports string) string {
	if addr.Is6() {
		return "[" + addr.String() + "]:" + ports
	}
	return addr.String() + ":" + ports
}

func (f *runFlags) resolveOne(find lookup, name string, only netip.Addr) (netip.Addr, error) {
	network := "ip"
	switch {
	case f.v4:
		network = "ip4"
	case f.v6:
		network = "ip6"
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpFor)
	defer cancel()
	found, err := find(ctx, network, name)
	if err != nil {
		return netip.Addr{}, &lookupError{name, err}
	}
	var addrs []netip.Addr
	for _, a := range found {
		if a, _ = onLink(a.Unmap()); !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	switch {
	case only.IsValid() && slices.Contains(addrs, only):
		return only, nil
	case len(addrs) == 0:
		return netip.Addr{}, usagef("--target with an address in numbers", "--target %s: it has no address", name)
	case only.IsValid():
		return netip.Addr{}, usagef("--resolve "+addrs[0].String(), "--resolve %s: %s is %s", only, name, addressWords(addrs))
	case len(addrs) > 1:
		return netip.Addr{}, usagef("--resolve "+addrs[0].String(), "--target %s: it has %d addresses, %s, and a run is against one of them", name, len(addrs), addressWords(addrs))
	}
	return addrs[0], nil
}

// lookupError is a name that could not be looked up.
type lookupError struct {
	name string
	err  error
}

func (e *lookupError) Error() string { return fmt.Sprintf("--target %s: %v", e.name, e.err) }
func (e *lookupError) Unwrap() error { return e.err }

// Hint says what to type.
func (e *lookupError) Hint() string {
	return "--target with a name that `getent ahosts` finds, or with an address in numbers"
}

func addressWords(addrs []netip.Addr) string {
	words := make([]string, len(addrs))
	for i, a := range addrs {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}
