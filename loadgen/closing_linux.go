package loadgen

import (
	"net/netip"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/scenario"
)

// closingStates are those of a connection that the generator has closed, and whose
// other end has yet to close, or to acknowledge that it did.
var closingStates = diag.Of(diag.FinWait1, diag.FinWait2, diag.Closing, diag.LastAck)

// closing returns what tells which ports have a connection still that has not come
// to its end; nil where the listener closes its end within the generator's call, or
// late by what is predicted.
func (r *run) closing() func() map[scenario.Tuple]bool {
	if r.cfg.Ends != EndsApart || r.cfg.Mode != ModeClose || r.cfg.Linger > 0 || r.cfg.UDP {
		return nil
	}
	sources := map[netip.Addr]uint16{}
	for i, a := range r.cfg.Sources {
		sources[kernel.PlainAddr(a)] = uint16(i)
	}
	targets := r.targetNumbers()
	return func() map[scenario.Tuple]bool {
		found := map[scenario.Tuple]bool{}
		r.eachClosing(func(s *diag.Socket) {
			// Without sources the kernel's choice is the first.
			source, target := sources[kernel.PlainAddr(s.Local.Addr())], targets[kernel.PlainAddrPort(s.Remote)]
			found[scenario.Tuple{Source: source, Target: target, Port: s.Local.Port()}] = true
		})
		return found
	}
}

// targetNumbers are the targets by what the kernel's lists have of them.
func (r *run) targetNumbers() map[netip.AddrPort]uint16 {
	numbers := make(map[netip.AddrPort]uint16, len(r.cfg.Targets))
	for i, t := range r.cfg.Targets {
		numbers[kernel.PlainAddrPort(t)] = uint16(i)
	}
	return numbers
}

// eachClosing calls f for every such socket of the run on the generator's hosts. Of
// what cannot be listed nothing is said; while the list changes one may be missing.
func (r *run) eachClosing(f func(*diag.Socket)) {
	query := diag.Query{Family: familyOf(r.cfg.Targets[0]), States: closingStates}
	mine, targets := r.mine(), r.targetNumbers()
	list := func() error {
		return query.Each(func(s *diag.Socket) {
			if _, toTarget := targets[kernel.PlainAddrPort(s.Remote)]; toTarget && mine(s) {
				f(s)
			}
		})
	}
	if r.cfg.Clients < 2 {
		_ = list()
		return
	}
	for i := range r.cfg.Clients { // the caller may be on any of them
		_ = r.cfg.Hosts.Client(i, list)
	}
}
