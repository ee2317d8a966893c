package server

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// Tenant is someone who may load a listener: addresses, ports, and what came from
// them.
type Tenant struct {
	addrs []netip.Addr
	ports *portFilter
	most  int64 // connections open at once; 0: no bound of its own

	guests     *guests
	accepted   atomic.Int64
	closed     atomic.Int64
	overLimit  atomic.Int64
	requests   atomic.Int64
	idleClosed atomic.Int64
}

// NewTenant makes a tenant of up to most connections at once that come from these
// addresses to a listener on so many targets. ports lists pairs of the lowest and
// the highest source port; empty: any port.
func NewTenant(addrs []netip.Addr, ports [][2]uint16, most int64, targets int) *Tenant {
	t := &Tenant{ports: newPortFilter(ports), most: most, guests: newGuests(targets)}
	for _, a := range addrs {
		if a = kernel.PlainAddr(a); !slices.Contains(t.addrs, a) {
			t.addrs = append(t.addrs, a)
		}
	}
	return t
}

// Has says whether a connection from there is the tenant's.
func (t *Tenant) Has(peer netip.AddrPort) bool {
	return t.ports.has(peer.Port()) && slices.Contains(t.addrs, kernel.PlainAddr(peer.Addr()))
}

// meets says whether both have a port in common.
func (t *Tenant) meets(other *Tenant) bool {
	for p := 0; p <= 65535; p++ {
		if t.ports.has(uint16(p)) && other.ports.has(uint16(p)) {
			return true
		}
	}
	return false
}

// Stats tells what came of the tenant so far, as Listener.Stats does of all.
// Accepts that failed for want of a descriptor are nobody's.
func (t *Tenant) Stats() result.Server {
	closed := t.closed.Load()
	sum := result.Server{Closed: &closed}
	sum.IdleClosed, sum.Requests, sum.OverLimit = t.idleClosed.Load(), t.requests.Load(), t.overLimit.Load()
	peers, tuples := t.guests.distinct()
	sum.DistinctPeers, sum.DistinctTuples = &peers, &tuples
	sum.Accepted = t.accepted.Load()
	return sum
}

// The methods below do nothing for nil, which is a connection of a listener
// without a guard.

// arrive counts a connection, or an opening over UDP.
func (t *Tenant) arrive(peer netip.AddrPort, target int) {
	if t != nil {
		t.accepted.Add(1)
		t.guests.add(peer, target)
	}
}

// mayKeep says whether one more may be open.
func (t *Tenant) mayKeep() bool {
	return t == nil || t.most == 0 || t.accepted.Load()-t.closed.Load() <= t.most
}

func (t *Tenant) left() {
	if t != nil {
		t.closed.Add(1)
	}
}

func (t *Tenant) tooMany() {
	if t != nil {
		t.overLimit.Add(1)
	}
}

func (t *Tenant) asked(requests int64) {
	if t != nil && requests != 0 {
		t.requests.Add(requests)
	}
}

func (t *Tenant) idled() {
	if t != nil {
		t.idleClosed.Add(1)
	}
}

// portFilter has a bit for each port; nil has all of them.
type portFilter [65536 / 64]uint64

func newPortFilter(ranges [][2]uint16) *portFilter {
	if len(ranges) == 0 {
		return nil
	}
	f := new(portFilter)
	for _, r := range ranges {
		for p := int(r[0]); p <= int(r[1]); p++ {
			f[p/64] |= 1 << (p % 64)
		}
	}
	return f
}

func (f *portFilter) has(port uint16) bool { return f == nil || f[port/64]>>(port%64)&1 == 1 }
