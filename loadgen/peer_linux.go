package loadgen

import (
	"net/netip"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// Peer is the other end of a run's connections, usually the bundled listener.
type Peer interface {
	// Addrs lists the addresses that it listens on.
	Addrs() []netip.AddrPort
	// Stats tells what it has seen so far. It may be called at any time from any
	// goroutine.
	Stats() result.Server
	// CPUTime tells the processor time of its own threads so far, as Stats does; nothing
	// if it has none or they are not known here.
	CPUTime() kernel.CPUTime
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
