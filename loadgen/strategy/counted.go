package strategy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
)

// counted is the order of algorithms that count on from the last port they
// tried: the index is a counter plus an offset. What sets them apart is which
// connections share a counter and which an offset.
//
// The counter counts tries, busy ports included, as in the RFC's loops; the
// search tells how many the loop would have made. Workers share it: racing ones
// may begin at the same port, and the book gives it to one.
type counted struct {
	size    uint64
	targets int
	flows   []flow // by source and target
}

type flow struct {
	offset uint64
	next   *atomic.Uint64
}

// newCounted makes a strategy of that order, with an offset and a counter for
// each pair of source and target.
func newCounted(space Space, of func(netip.Addr, netip.AddrPort) flow) (Run, error) {
	shared := sync.OnceValue(func() order { return countedOf(space, of) })
	return newExplicit(space, func(int) order { return shared() })
}

func countedOf(space Space, of func(netip.Addr, netip.AddrPort) flow) *counted {
	c := &counted{size: uint64(space.Ranges.Size()), targets: max(1, len(space.Targets))}
	sources, targets := space.Sources, space.Targets
	if len(sources) == 0 {
		sources = make([]netip.Addr, 1)
	}
	if len(targets) == 0 {
		targets = make([]netip.AddrPort, 1)
	}
	for _, source := range sources {
		for _, target := range targets {
			f := of(source, target)
			f.offset %= c.size // so that the sum with the counter does not overflow
			c.flows = append(c.flows, f)
		}
	}
	return c
}

func (c *counted) pick(free *set, a Attempt) int {
	f := &c.flows[int(a.Source)*c.targets+int(a.Target)]
	start := int((f.next.Load() + f.offset) % c.size)
	i := free.search(start)
	tries := i - start + 1
	if i < start {
		tries += int(c.size)
	}
	f.next.Add(uint64(tries))
	return i
}

// hash is F and G of the RFC, with their secret: an offset for each pair of
// addresses and target port that an outsider cannot know.
type hash func(source netip.Addr, target netip.AddrPort) uint64

// newHash returns the hash of a secret made of the seed and the function's name.
// RFC 6056, section 3.3.3, wants a cryptographic one; it is computed once for each
// source and target, before the start, so it may be a slow one: HMAC (RFC 2104)
// with SHA-256.
func newHash(seed uint64, name string) hash {
	key := binary.BigEndian.AppendUint64([]byte(name), seed)
	return func(source netip.Addr, target netip.AddrPort) uint64 {
		from, to := source.As16(), target.Addr().As16()
		mac := hmac.New(sha256.New, key)
		mac.Write(from[:])
		mac.Write(to[:])
		mac.Write(binary.BigEndian.AppendUint16(nil, target.Port()))
		return binary.BigEndian.Uint64(mac.Sum(nil))
	}
}
