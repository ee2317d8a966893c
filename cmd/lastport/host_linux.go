package main

import (
	"fmt"
	"math"
	"net/netip"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// onHost says whether the run is on the real host, and not in a place of its own.
func onHost(c *loadgen.Config) bool { return c.Host.Place == place.OnHost.String() }

// hostFlags refuses flags that mean something on the real host alone.
func (f *runFlags) hostFlags(c *loadgen.Config) error {
	if onHost(c) {
		if f.keepFree < keepEnough {
			return usagef("--keep-free 1000", "--keep-free %d: want 0 or more", f.keepFree)
		}
		return nil
	}
	switch {
	case f.given("keep-free"):
		return usagef("leave --keep-free out", "--keep-free %d is for --place host: the ports of place %s are the run's own", f.keepFree, c.Host.Place)
	case f.waitClean:
		return usagef("leave --wait-clean out", "--wait-clean is for --place host: place %s is new, and nothing in it is in TIME_WAIT", c.Host.Place)
	case f.tokenFile != "":
		return usagef("--place host", "--token-file is for a target elsewhere, and place %s reaches none", c.Host.Place)
	case f.resolve != "":
		return usagef("--place host", "--resolve is for a target elsewhere, and place %s reaches none", c.Host.Place)
	}
	return nil
}

// look lists the host's sockets, once for a command line.
func (f *runFlags) look(c *loadgen.Config) (err error) {
	if f.census == nil {
		f.census, err = place.TakeCensus(c.UDP)
	}
	return err
}

// hostTargets decides whose the targets are: the run's own listener's, or servers'
// that must consent. What is not on this host is elsewhere; so is what somebody on
// it serves already, and everything for which a token's file is given.
func (f *runFlags) hostTargets(c *loadgen.Config, host place.Host) error {
	if f.given("token-file") && f.tokenFile == "" {
		return errNoFile()
	}
	words, err := f.resolveTargets(findName)
	if err != nil {
		return err
	}
	if c.Targets, err = parseTargets(words, true); err != nil {
		return err
	}
	if err := f.look(c); err != nil {
		return err
	}
	if len(c.Targets) == 0 {
		if f.tokenFile != "" {
			return usagef("--target ADDRESS:PORT of 'lastport serve'", "--token-file without --target: the run's own listener needs no token")
		}
		target, err := f.ownTarget(c, host)
		c.Targets = []netip.AddrPort{target}
		return err
	}
	far := func(t netip.AddrPort) bool {
		return f.tokenFile != "" || !place.Own(t.Addr()) || f.census.Serves(t)
	}
	first := far(c.Targets[0])
	for _, t := range c.Targets {
		if far(t) != first {
			return usagef("--target "+c.Targets[0].String(), "--target %s and %s: one is a server elsewhere, the other would be this run's own listener", c.Targets[0], t)
		}
	}
	if !first {
		return nil
	}
	return f.elsewhere(c)
}

// elsewhere prepares a run against servers elsewhere.
func (f *runFlags) elsewhere(c *loadgen.Config) error {
	if f.ends == loadgen.EndsTogether.String() {
		return usagef("--ends apart", "--ends together with --target %s: the other end is a server's", c.Targets[0])
	}
	token, err := runToken(f.tokenFile)
	if err != nil {
		return fmt.Errorf("--target %s: %w", c.Targets[0], err)
	}
	c.Ends, c.Far = loadgen.EndsApart, true
	f.token = token.Secret()
	return nil
}

// ownTarget is where the run's own listener is if no target is given: on a source,
// or on the loopback address, and on a port that is free and outside the range if
// there is one.
func (f *runFlags) ownTarget(c *loadgen.Config, host place.Host) (netip.AddrPort, error) {
	addr := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	switch {
	case len(c.Sources) > 0:
		addr = c.Sources[0]
	case f.v6:
		addr = netip.IPv6Loopback()
	}
	system, err := hostRange(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	const unprivileged = 1024
	usual := ports.Of(ports.Range{Low: unprivileged, High: 9999}, ports.Range{Low: 10000, High: ports.Max})
	free := usual.Minus(f.census.Taken())
	for _, choice := range []ports.Ranges{free.Minus(c.Range).Minus(system), free.Minus(c.Range), free} {
		if n := choice.Size(); n > 0 {
			return netip.AddrPortFrom(addr, choice[0].Low), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("this run's own listener: no port of %s is free", addr)
}

// keepEnough as --keep-free is what lets the machine go on working.
const keepEnough = -1

// kept is how many ports of the host's range the run leaves to others.
func (f *runFlags) kept(system ports.Ranges) int {
	if f.keepFree != keepEnough {
		return f.keepFree
	}
	const (
		atLeast = 1000 // what a busy service opens in a few seconds
		share   = 20
	)
	return min(max(atLeast, system.Size()/share), system.Size()/2)
}

// reserve bounds what a run on the real host takes, so that --keep-free ports of the
// host's range stay free. It comes when all else of the run is understood. What
// --wait-clean is to wait for counts as gone: beforeHost reserves again when it is.
func (f *runFlags) reserve(c *loadgen.Config, host place.Host) error {
	if !onHost(c) {
		return nil
	}
	if err := f.look(c); err != nil {
		return err
	}
	taken := f.census.Taken()
	if f.waitClean {
		taken = f.census.TakenAfterWait(c.Ports(), c.Targets)
	}
	return f.reserveFrom(c, host, taken)
}

// reserveFrom is reserve, and is told which ports are taken.
//
// Strategies that stay inside their range lose the top of it, as far as there are
// too few free ports elsewhere. With others the kernel picks from all of the host's
// range: there the number of connections is what is bounded.
func (f *runFlags) reserveFrom(c *loadgen.Config, host place.Host, taken ports.Ranges) error {
	system, err := hostRange(host)
	if err != nil {
		return err
	}
	reserved, err := ports.ParseSysctl(host.Settings[keyReserved])
	if err != nil {
		return fmt.Errorf("%s: %w", keyReserved, err)
	}
	t, err := c.Traits()
	if err != nil {
		return err
	}
	if err := hostStrategy(c, t, system, reserved); err != nil {
		return err
	}
	free := system.Minus(reserved).Minus(taken)
	keep := f.kept(system)
	c.OnHost = &result.OnHost{KeepFree: int64(keep), FreeBefore: int64(free.Size())}
	if t.Explicit || t.Windowed {
		return f.cutRange(c, free, keep)
	}
	return f.boundConnections(c, free.Size()-keep, keep)
}

// cutRange takes the top of the range away, as far as the ports that are free
// outside it are fewer than those to keep.
func (f *runFlags) cutRange(c *loadgen.Config, free ports.Ranges, keep int) error {
	mine := free.Intersect(c.Ports())
	short := keep - free.Minus(mine).Size()
	if short <= 0 {
		return nil
	}
	if short >= mine.Size() {
		return f.tooFew(c, free.Size(), keep)
	}
	var low uint16
	n := 0
	for port := range mine.All() { // ascending
		if n++; n == mine.Size()-short {
			low = port
		}
	}
	c.Range, c.RangeName = c.Range.Intersect(ports.Of(ports.Range{Low: 1, High: low})), ""
	c.Workers = min(c.Workers, c.Ports().Size())
	return nil
}

// boundConnections bounds what a run can have open or in TIME_WAIT, where the
// kernel picks from all of the host's range.
func (f *runFlags) boundConnections(c *loadgen.Config, most, keep int) error {
	if most <= 0 {
		return f.tooFew(c, most+keep, keep)
	}
	bound := func(n *int64) {
		if *n == 0 || *n > int64(most) {
			*n = int64(most)
			c.OnHost.Bounded = true
		}
	}
	switch c.Scenario {
	case "fill":
		if err := f.keeps(c); err != nil {
			return err
		}
		bound(&c.Connections)
		c.Workers = min(c.Workers, int(c.Connections))
		return nil
	case "survey":
		bound(&c.Attempts)
		return nil
	}
	if uses := usesAtOnce(c); uses > int64(most) {
		all := figures.Grouped(uses)
		if uses == math.MaxInt64 {
			all = "all"
		}
		return usagef("--strategy socket-range, which stays inside a range, or fewer: --attempts, --connections or --rate",
			"this %s may have %s ports of the host's range in use at once, in TIME_WAIT too, and --keep-free %d leaves it %s",
			c.Scenario, all, keep, figures.Grouped(int64(most)))
	}
	return nil
}

// tooFew says that the host has no port to spare.
func (f *runFlags) tooFew(c *loadgen.Config, free, keep int) error {
	hint := fmt.Sprintf("--keep-free %d, or another time", free/2)
	waiting := f.census.Taken().Minus(f.census.TakenAfterWait(c.Ports(), c.Targets)).Size()
	if !f.waitClean && free+waiting > keep {
		hint = "--wait-clean, or another time"
	}
	return usagef(hint, "%d ports of the host's range are free, and --keep-free %d leaves none of them to the run", free, keep)
}
