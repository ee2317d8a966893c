package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/figures"
)

// Sources that the tool gives a run by itself begin here, away from the
// listener's addresses and in the same networks.
var (
	firstSource4 = netip.AddrFrom4([4]byte{198, 19, 0, 1})
	firstSource6 = netip.MustParseAddr("2001:2:0:1::1")
)

// widen makes the tuple space of a fill large enough for --connections, where
// the user has left the addresses to the tool and the ports of one source toward
// one target are too few: it adds targets, or sources where a port is taken for
// all targets.
func (f *runFlags) widen(c *loadgen.Config, host place.Host) error {
	if c.Scenario != "fill" || c.NAT != nil || onHost(c) || len(f.sources)+len(f.targets) > 0 {
		return nil
	}
	usable, err := usablePorts(c, host)
	if err != nil || c.Connections <= int64(usable) {
		return err
	}
	t, err := c.Traits()
	if err != nil || !t.ByTarget(c.UDP) && !t.Source {
		return err // without sources to choose from, the kernel's one is all there is
	}
	if !f.workersGiven {
		c.Workers = runtime.NumCPU()
	}
	// What the machine cannot hold needs no addresses.
	if err := c.Needs(c.Connections).Check(); err != nil {
		return err
	}
	each := int64(comfortable(usable, t))
	n, what := int((c.Connections+each-1)/each), "targets"
	if most := maxTargets; n > most {
		return usagef(fmt.Sprintf("--connections %d, or --range all", int64(most)*each),
			"--connections %d: %d ports toward each of at most %d addresses hold %d at a usual cost", c.Connections, usable, most, int64(most)*each)
	}
	if t.ByTarget(c.UDP) {
		c.Targets = targetsFrom(c.Targets[0], c.Range, n)
	} else {
		c.Sources, what = sourcesFor(c.Targets[0].Addr(), n), "sources"
	}
	c.Widened = fmt.Sprintf("%d %s, so that each takes at most %s of %s ports",
		n, what, figures.Grouped((c.Connections+int64(n)-1)/int64(n)), figures.Grouped(int64(usable)))
	return nil
}

// usablePorts counts the ports of the range that nothing reserves.
func usablePorts(c *loadgen.Config, host place.Host) (int, error) {
	reserved, err := reservedPorts(c, host)
	if err != nil {
		return 0, err
	}
	return max(1, c.Ports().Minus(reserved).Size()), nil
}

// comfortable is how many ports of a pool can be taken before a search for one
// more becomes long. One that looks at every second port first has used those up
// at half of the range, and the last of them are rare well before: it gets three
// quarters of that half. Others get nine tenths.
func comfortable(usable int, t strategy.Traits) int {
	if t.Step == 2 {
		return max(1, usable*3/8)
	}
	return max(1, usable*9/10)
}

// targetsFrom returns n targets in ascending order, the first one among them: ports
// outside the range on its address, those below its port before those above, and
// when there are no more, the same on the addresses after it. A port inside the
// range is only taken where the first is one.
func targetsFrom(first netip.AddrPort, r ports.Ranges, n int) []netip.AddrPort {
	free := []uint16{first.Port()}
	for p := int(first.Port()) - 1; p > 0 && len(free) < n; p-- {
		if !r.Contains(uint16(p)) {
			free = append(free, uint16(p))
		}
	}
	for p := int(first.Port()) + 1; p <= ports.Max && len(free) < n; p++ {
		if !r.Contains(uint16(p)) {
			free = append(free, uint16(p))
		}
	}
	slices.Sort(free)
	targets := make([]netip.AddrPort, 0, n)
	for addr := first.Addr(); len(targets) < n; addr = addr.Next() {
		for _, p := range free[:min(len(free), n-len(targets))] {
			targets = append(targets, netip.AddrPortFrom(addr, p))
		}
	}
	return targets
}

// sourcesFor returns n sources that reach the target.
func sourcesFor(target netip.Addr, n int) []netip.Addr {
	addr := firstSource4
	if target.Is6() {
		addr = firstSource6
	}
	sources := make([]netip.Addr, n)
	for i := range sources {
		sources[i], addr = addr, addr.Next()
	}
	return sources
}
