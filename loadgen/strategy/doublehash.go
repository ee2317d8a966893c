package strategy

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
)

const doubleHashName = "double-hash"

// tableLength is TABLE_LENGTH of the RFC, which leaves it open: the more
// counters, the fewer targets share one. Linux began with as many
// (INET_TABLE_PERTURB_SIZE).
const tableLength = 256

// newDoubleHash is algorithm 4 of RFC 6056, section 3.3.4: as simple-hash, but
// with a table of counters, each begun at random, of which a second hash chooses
// one. So what is opened toward one target hardly shows toward another.
func newDoubleHash(space Space) (Run, error) {
	return doubleHash(space, newHash(space.Seed, "F"), newHash(space.Seed, "G"), newRandomSource(space.Seed, ofTheRun))
}

func doubleHash(space Space, f, g hash, random rand.Source) (Run, error) {
	table := make([]atomic.Uint64, tableLength)
	for i := range table {
		table[i].Store(random.Uint64() % (1 << 16))
	}
	return newCounted(space, func(source netip.Addr, target netip.AddrPort) flow {
		return flow{offset: f(source, target), next: &table[g(source, target)%tableLength]}
	})
}
