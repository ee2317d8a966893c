package loadgen

import (
	"net/netip"
	"syscall"

	"lastport/reports/result"
)

// Peer is the other end of a run's connections, usually the bundled listener.
type Peer interface {
	// Addrs lists the addresses that it listens on.
	Addrs() []netip.AddrPort
	// Stats tells what it has seen so far. It may be called at any time from any
	// goroutine.
	Stats() result.Server
	// Drain closes every connection that it still holds, in its own close mode,
	// and returns when all are closed.
	Drain() error
	// Close stops listening, closes what is left and frees everything.
	Close() error
}

// End is the listener's side of --ends together: it accepts on the generator's
// own thread, so its descriptors live in that thread's table. It belongs to
// one thread.
type End interface {
	// Accept takes the next connection from the queue. EAGAIN: there is none.
	Accept() (fd int, peerPort uint16, errno syscall.Errno)
	// Shut closes a connection that Accept returned.
	Shut(fd int, rst bool)
}

// TogetherPeer is a Peer that can work on the generator's threads.
type TogetherPeer interface {
	Peer
	// End returns a new End for one thread and one of the addresses. It opens no
	// descriptor: the listening socket was open before the thread began.
	End(target int) End
}
