package doctor

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// Pair is a source address and a target, and the local ports of the host's range
// that are in use between them.
type Pair struct {
	Source   netip.Addr
	Target   netip.AddrPort
	Ports    int64 // in use, in whatever state
	TimeWait int64 // of these, in TIME_WAIT
	Taken    int64 // of these, those that the kernel does not give out again by tcp_tw_reuse
}

// census is what one look at all TCP sockets finds.
type census struct {
	system    ports.Range // whose ports count
	reuses    func(source, target netip.Addr) bool
	held      []ports.Range
	between   map[ends]*Pair
	mostTaken *Pair
}

type ends struct {
	source netip.Addr
	target netip.AddrPort
}

// lookAtSockets finds the ports that are held, and the pair that has the most
// taken.
func (f *Facts) lookAtSockets() {
	c := census{between: make(map[ends]*Pair), mostTaken: new(Pair)}
	var unknown error
	c.system, unknown = f.system()
	c.reuses = f.reuses()
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := diag.TCP(family, diag.All, c.add)
		if family == unix.AF_INET6 && errors.Is(err, unix.ENOENT) {
			continue // a kernel without IPv6
		}
		if err != nil && !errors.Is(err, diag.ErrInterrupted) {
			f.Held.Err = fmt.Errorf("ports in use: %w", err)
			f.Fullest.Err = f.Held.Err
			return
		}
	}
	f.Held.Value = ports.Of(c.held...)
	f.Fullest = Fact[Pair]{*c.mostTaken, unknown}
}

// add counts a socket. One that listens or is only bound had its port by an
// explicit bind, and the kernel does not choose that port.
func (c *census) add(s *diag.Socket) {
	port := s.Local.Port()
	if s.State == diag.Listen || s.State == diag.BoundInactive {
		c.held = append(c.held, ports.Range{Low: port, High: port})
	}
	if s.Remote.Port() == 0 || port < c.system.Low || port > c.system.High {
		return
	}
	key := ends{s.Local.Addr().Unmap(), netip.AddrPortFrom(s.Remote.Addr().Unmap(), s.Remote.Port())}
	p := c.between[key]
	if p == nil {
		p = &Pair{Source: key.source, Target: key.target}
		c.between[key] = p
	}
	p.Ports++
	waits := s.State == diag.TimeWait
	if waits {
		p.TimeWait++
	}
	if !waits || !c.reuses(key.source, key.target.Addr()) {
		p.Taken++
	}
	if p.Taken > c.mostTaken.Taken {
		c.mostTaken = p
	}
}

// reuses returns what says whether the kernel gives ports in TIME_WAIT between
// two addresses out again, as far as is known.
func (f *Facts) reuses() func(source, target netip.Addr) bool {
	s, known := f.settings()
	return func(source, target netip.Addr) bool {
		loopback := source.IsLoopback() && target.IsLoopback()
		return known && s.Timestamps && (s.TWReuse == 1 || s.TWReuse == 2 && loopback)
	}
}

// fullestTarget is the name of its check; the others are the shares of the ports
// from which it is told.
const (
	fullestTarget = "fullest target"
	fullNote      = 50 // percent: from half on, connect searches every other port in vain
	fullWarn      = 90
)

// checkFullest looks at the target that is nearest to having no port left.
func checkFullest(f *Facts) result.Check {
	if f.Fullest.Err != nil {
		return unread(f.Fullest.Err)
	}
	system, err := f.system()
	if err != nil {
		return unread(err)
	}
	reserved, err := f.reserved()
	if err != nil {
		return unread(err)
	}
	p := f.Fullest.Value
	have := int64(ports.Of(system).Minus(reserved).Minus(f.Held.Value).Size())
	if p.Taken == 0 || have == 0 {
		return result.Check{Status: result.Fine, Found: "no port of the range is taken toward a target"}
	}
	share, left := 100*p.Taken/have, max(0, have-p.Taken)
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprintf("%s: %s of %s from %v taken, %s in TIME_WAIT", p.Target, count(p.Ports), plural(have, "port"), p.Source, count(p.TimeWait)),
		Allows: fmt.Sprintf("%s more there", plural(left, "connection")),
	}
	const more = "connections that are kept and used again, another target address or port, or another source address take from it"
	switch {
	case share >= fullWarn:
		c.Status = result.Falsifies
		c.Allows, c.Blocks = "", fmt.Sprintf("new connections there: %s left; %s", plural(left, "port"), more)
	case share >= fullNote:
		c.Status = result.Noted
		c.Allows += ", and from half the ports on each connect searches longer; " + more
	}
	if c.Status != result.Fine {
		c.WayOut = "to see whose they are: sudo ss -tanp dst " + p.Target.String()
		if 2*p.TimeWait >= p.Taken && !f.reuses()(p.Source, p.Target.Addr()) {
			f.set(&c, keyTWReuse, "1")
			c.Price = reusePrice
		}
	}
	return c
}
