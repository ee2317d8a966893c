package strategy

import (
	"net/netip"
	"sync/atomic"
)

const simpleHashName = "simple-hash"

// newSimpleHash is algorithm 3 of RFC 6056, section 3.3.3: one counter for
// everything, and an offset that is a hash of addresses and target port. So ports
// toward one target rise by one, if nothing else is opened between, and those
// toward another cannot be told from them.
func newSimpleHash(space Space) (Run, error) { return simpleHash(space, newHash(space.Seed, "F")) }

func simpleHash(space Space, f hash) (Run, error) {
	var next atomic.Uint64
	return newCounted(space, func(source netip.Addr, target netip.AddrPort) flow {
		return flow{offset: f(source, target), next: &next}
	})
}
