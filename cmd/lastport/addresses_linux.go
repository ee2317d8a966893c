package main

import (
	"net/netip"
)

// addrPrefix is the address as a host of its own.
func addrPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func comparePrefix(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) }
