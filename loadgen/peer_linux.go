package loadgen

import (
	"net/netip"

	"lastport/loadgen/engine"
	"lastport/reports/result"
)

// Peer is the other end of a run's connections, usually the bundled listener.
type Peer interface {
	// Addrs lists the addresses that it listens on.
	Addrs() []netip.AddrPort
	// Stats tells what it has seen so far. It may be called at any time from any
	// goroutine.
	Stats() result.Server
	// Drain closes every connection that it still holds and returns when all are
	// closed.
	Drain() error
	// Close stops listening, closes what is left and frees everything.
	Close() error
}

// TogetherPeer is a Peer that can also work on the generator's own threads.
type TogetherPeer interface {
	Peer
	// End returns a new end for a worker's thread and one of the addresses. With
	// several workers, each is pinned to a processor of its own (kernel.CPUs), and
	// gets back what it has opened itself.
	End(worker, target int) engine.End
}
