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

// FarPeer is a Peer on another machine.
type FarPeer interface {
	Peer
	// Gone says why it is no longer there, or no longer consents to the run; nil
	// while it does.
	Gone() error
}

// far says whether the peer is on another machine.
func (r *run) far() bool {
	_, far := r.peer.(FarPeer)
	return far
}

// gone is why the peer is no longer there, if it was elsewhere.
func (r *run) gone() error {
	if far, ok := r.peer.(FarPeer); ok {
		return far.Gone()
	}
	return nil
}

// TogetherPeer is a Peer that can also work on the generator's own threads.
type TogetherPeer interface {
	Peer
	// End returns a new end for a worker's thread and one of the addresses. With
	// several workers, each is pinned to a processor of its own (kernel.CPUs), and
	// gets back what it has opened itself.
	End(worker, target int) engine.End
}
