package strategy

import (
	"net/netip"
	"sync/atomic"
)

const sequentialName = "sequential"

// newSequential takes one port after the other, with one counter for everything,
// as BSD systems did: the traditional algorithm of RFC 6056, section 2.2.
func newSequential(space Space) (Run, error) {
	var next atomic.Uint64
	return newCounted(space, func(netip.Addr, netip.AddrPort) flow { return flow{next: &next} })
}
