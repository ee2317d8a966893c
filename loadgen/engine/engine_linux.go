// Package engine does batches of steps: it opens and closes connections and
// times each call. It is the only room of loadgen, besides kernel, that
// touches a connection's socket.
//
// An engine decides nothing: what to do and when comes from a scenario
// (step.Work), from which source port from a strategy, and what a failure
// means from package outcome.
package engine

import (
	"net/netip"
	"syscall"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// Engine is one worker's hands. It belongs to one goroutine.
type Engine interface {
	// Run does the work's steps until the work says step.Done. Connections that
	// are open then stay open, for the next work. What is still pending is
	// ended as canceled.
	Run(work step.Work) error
	// CPUTime returns the processor time of the engine's threads so far: with ends
	// together the listener's part is in it.
	CPUTime() kernel.CPUTime
	// Close ends the engine's threads, and with them closes what is open.
	Close()
}

// End is the listener's side of --ends together: it accepts on the engine's
// own thread, so its descriptors live in that thread's table. It belongs to
// one thread.
type End interface {
	// Accept takes the next connection from the queue. EAGAIN: there is none.
	Accept() (fd int, peerPort uint16, errno syscall.Errno)
	// Answer reads the requests that have come on a connection that Accept
	// returned, and answers each.
	Answer(fd int) syscall.Errno
	// Shut closes a connection that Accept returned, by RST or by FIN.
	Shut(fd int, rst bool)
	// Socket is the listening socket, for an engine that accepts and closes by
	// itself and tells by Took of whom it has.
	Socket() int
	Took(peer *kernel.Sockaddr)
	// Serve answers the datagrams that have come, without waiting: over UDP there
	// is nothing to accept.
	Serve()
}

// Path knows what becomes of packets on the way to the target, where something
// is on it that drops them. Engines ask it from their threads.
type Path interface {
	// Delayed is told that an attempt got through after it had lost so many SYNs,
	// and returns how many of them were lost here.
	Delayed(lost int) (here int)
	// Failed says what an attempt came to that has sent so many SYNs, or
	// datagrams, and had no answer: outcome.TimedOut, or outcome.NATNoPort where
	// each of them was dropped for want of a port.
	Failed(from, to netip.AddrPort, sent int) outcome.Code
}

// Options are what every engine must know of a run.
type Options struct {
	Clock       kernel.Clock
	UDP         bool
	Sources     []kernel.Sockaddr // with port 0; for strategies that bind
	Targets     []kernel.Sockaddr
	Strategy    strategy.Strategy // this worker's own
	Traits      strategy.Traits   // the strategy's
	Pools       strategy.Pools    // how the strategy's ports fall into pools
	Counted     strategy.Pools    // how occupancy is counted: by those of a gateway; zero: by Pools
	Path        Path              // nil: nothing is between the ends
	Enter       func() error      // moves each of the engine's threads to where its sockets are to be; nil: it stays
	CloseMode   step.CloseMode
	AskToClose  bool                 // ends apart, server first: the listener closes when it is sent a byte
	Timeout     time.Duration        // of one attempt
	LeavePeer   bool                 // ends together: closing leaves the listener's end open
	Keepalive   bool                 // SO_KEEPALIVE on every connection
	UserTimeout time.Duration        // TCP_USER_TIMEOUT of every connection; 0: not set
	Connections int                  // at most open at once on this worker
	Ends        func(target int) End // ends together: a new end for one thread; nil: ends apart
	Unaccepted  int                  // ends together: how many connections may wait in the listener's queue before they are accepted
	Log         *record.Writer       // takes every completion
	Tally       *Tally
	// Unnumbered: of the attempts failures alone have a number, and none says how
	// full its pool was. It spares each attempt a look at what the other workers
	// have just written, which is what a processor waits for longest.
	Unnumbered bool
	Worker     int  // index in the tally
	Pinned     bool // its threads stay on the processor CPU
	CPU        int
}
