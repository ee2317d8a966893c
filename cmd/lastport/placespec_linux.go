package main

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
)

// spread puts the addresses of a run on the hosts of its place. What the listener
// needs goes to its own.
func spread(c *loadgen.Config, s *place.Spec, listener []place.Setting) error {
	var err error
	if s.Kind, err = place.Parse(c.Host.Place); err != nil {
		return err
	}
	targets := hostPrefixes(targetAddrs(c)...)
	if s.Kind == place.Private {
		s.Tool = append(s.Tool, listener...)
		s.Addresses = hostPrefixes(append(slices.Clone(c.Sources), targetAddrs(c)...)...)
		return nil
	}
	s.Server = place.Server{Tool: listener, User: maps.Clone(c.PeerSysctls), Addresses: targets}
	sources := c.Sources
	if len(sources) == 0 {
		sources = freeFrom(c, firstClient4, firstClient6, 1)
	}
	clients := max(1, c.Clients)
	s.Addresses = hostPrefixes(every(sources, 0, clients)...)
	for i := 1; i < clients; i++ {
		s.Others = append(s.Others, hostPrefixes(every(sources, i, clients)...))
	}
	if c.NAT != nil {
		s.Gateway = place.Gateway{Ports: c.NAT.Range, Outside: c.NAT.Addresses, Random: c.NAT.Random, Settings: conntrackSettings(c.NAT.Timeouts)}
	}
	return nil
}

// every returns every n-th element, from the first-th on: how a run's sources are
// dealt to clients.
func every(list []netip.Addr, first, n int) (dealt []netip.Addr) {
	for i := first; i < len(list); i += n {
		dealt = append(dealt, list[i])
	}
	return dealt
}

// conntrackSettings turns timeouts into settings, in seconds.
func conntrackSettings(timeouts map[string]time.Duration) map[string]int64 {
	settings := make(map[string]int64, len(timeouts))
	for state, t := range timeouts {
		settings[trackingPrefix+conntrackKeys()[state]] = int64(t / time.Second)
	}
	return settings
}

func targetAddrs(c *loadgen.Config) []netip.Addr {
	addrs := make([]netip.Addr, len(c.Targets))
	for i, t := range c.Targets {
		addrs[i] = t.Addr()
	}
	return addrs
}

// hostPrefixes are the addresses as hosts of their own, each once and in their
// order, but for those that every host has.
func hostPrefixes(addrs ...netip.Addr) []netip.Prefix {
	var list []netip.Prefix
	seen := make(map[netip.Addr]bool)
	for _, a := range addrs {
		if !a.IsLoopback() && !seen[a] {
			seen[a] = true
			list = append(list, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return list
}
