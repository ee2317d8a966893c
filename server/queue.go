package server

import (
	"net/netip"
	"sync"

	"lastport/loadgen/kernel"
)

// Bounds of the strangers' connections that are on their way to who asks them for a
// proof. One origin has a small part of the room, so that a flood from there keeps
// nobody else out.
const (
	mostQueued       = 64
	mostQueuedOfOne  = 4
	bitsOfOneOrigin6 = 64
)

// Origin is what counts as one stranger: an address, which in IPv6 is a network of
// 64 bits, as that is what one host has.
func Origin(a netip.Addr) netip.Prefix {
	a = kernel.PlainAddr(a)
	bits := a.BitLen()
	if a.Is6() {
		bits = bitsOfOneOrigin6
	}
	p, _ := a.Prefix(bits) // of a length that it has
	return p
}

// queue counts strangers' connections by where they came from. Threads that accept
// share it; of load it knows nothing.
type queue struct {
	mu   sync.Mutex
	all  int
	from map[netip.Prefix]int
}

// enter counts one more, if there is room.
func (q *queue) enter(origin netip.Prefix) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all >= mostQueued || q.from[origin] >= mostQueuedOfOne {
		return false
	}
	if q.from == nil {
		q.from = make(map[netip.Prefix]int, mostQueued)
	}
	q.all++
	q.from[origin]++
	return true
}

// leave counts one less.
func (q *queue) leave(origin netip.Prefix) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.from[origin]--; q.from[origin] <= 0 {
		delete(q.from, origin)
	}
}
