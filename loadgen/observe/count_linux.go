package observe

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/diag"
	"lastport/reports/result"
)

// live are the states of sockets that a program holds or the kernel is still
// finishing; TIME_WAIT is counted without a list.
var live = diag.Of(diag.Established, diag.SynSent, diag.FinWait1, diag.FinWait2, diag.CloseWait, diag.LastAck, diag.Closing)

// Count lists the sockets toward the targets and counts them by state: the
// generator's ends, whose remote address is a target, and the listener's, whose
// local address is one. It tries again when the table changes meanwhile.
//
// Over UDP established is what is connected, and the other states are absent. A
// UDP listener is not connected, so it counts nowhere.
//
// Of sockets toward the targets those count whose local address is mine; nil takes
// all.
func Count(to []netip.AddrPort, udp bool, mine func(local netip.AddrPort) bool) (client, server result.States, err error) {
	t := newTargets(to, udp)
	t.mine = mine
	for range 5 {
		client, server, err = t.count(live | diag.Of(diag.TimeWait))
		if !errors.Is(err, diag.ErrInterrupted) {
			break
		}
	}
	return client, server, err
}

// targets are what sockets are counted by.
type targets struct {
	udp  bool
	addr map[netip.AddrPort]bool // plain
	mine func(local netip.AddrPort) bool
}

func newTargets(to []netip.AddrPort, udp bool) targets {
	t := targets{udp: udp, addr: make(map[netip.AddrPort]bool, len(to))}
	for _, a := range to {
		t.addr[plain(a)] = true
	}
	return t
}

// count lists the sockets once. IPv4 connections of an IPv6 listener are in
// IPv6's list, so both are read whatever the targets are.
func (t targets) count(states diag.States) (client, server result.States, err error) {
	list, zero := diag.TCP, zeroTCP
	if t.udp {
		list, zero = diag.UDP, zeroUDP
	}
	client, server = zero(), zero()
	each := func(s *diag.Socket) {
		switch {
		case t.addr[plain(s.Remote)]:
			if t.mine == nil || t.mine(plain(s.Local)) {
				add(&client, s.State)
			}
		case t.addr[plain(s.Local)]:
			add(&server, s.State)
		}
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err = list(family, states, each); err != nil {
			return client, server, err
		}
	}
	return client, server, nil
}

// plain turns an IPv4-mapped IPv6 address into IPv4, and takes the zone away,
// which sock_diag does not tell.
func plain(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// zeroTCP has every state that can be counted: 0 is measured, not absent.
func zeroTCP() result.States {
	return result.States{
		SynSent: new(int64), Established: new(int64), FinWait1: new(int64), FinWait2: new(int64),
		CloseWait: new(int64), LastAck: new(int64), Closing: new(int64), TimeWait: new(int64),
	}
}

// zeroUDP has the one state of UDP.
func zeroUDP() result.States { return result.States{Established: new(int64)} }

// add counts a socket, if its state is one that s has.
func add(s *result.States, state diag.State) {
	if n := counterOf(s, state); n != nil {
		*n++
	}
}

func counterOf(s *result.States, state diag.State) *int64 {
	switch state {
	case diag.SynSent:
		return s.SynSent
	case diag.Established:
		return s.Established
	case diag.FinWait1:
		return s.FinWait1
	case diag.FinWait2:
		return s.FinWait2
	case diag.CloseWait:
		return s.CloseWait
	case diag.LastAck:
		return s.LastAck
	case diag.Closing:
		return s.Closing
	case diag.TimeWait:
		return s.TimeWait
	}
	return nil
}
