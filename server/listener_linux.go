package server

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

const (
	// maxThreads bounds the accepting threads: under the usual limits of 1,024
	// and 20,000 descriptors they hold 260,000 and 5 million connections.
	maxThreads = 256
	// maxBacklog is the longest queue that is worth asking for; the kernel cuts
	// it to net.core.somaxconn (listen(2)).
	maxBacklog = 65535
)

// Config says what a Listener listens on and how it treats connections.
type Config struct {
	Addrs []netip.AddrPort // at least one; port 0: the kernel chooses
	// UDP: datagrams are answered, and there are no connections. Each address is
	// one host's, no wildcard. Of the fields below it takes Together, CPUs, Threads
	// and Deaf; CPUs change nothing, as all threads share one socket.
	UDP     bool
	Backlog int // connections that may wait to be accepted, for each address; 0: as many as the kernel allows
	// Together: no thread of its own, ends made by NewEnd accept. The fields below
	// are for a listener apart.
	Together bool
	// CPUs: each of these processors has a listener of its own on each address
	// (SO_REUSEPORT), and the kernel gives it the connections that are opened on that
	// processor. Together the i-th thread with ends is pinned to CPUs[i] by its
	// engine; apart each processor has threads that accept there and hold all that
	// its listeners get. Empty: one listener on each address, whatever the processor.
	CPUs []int
	// ServerFirst: the listener closes first: Hold after it has accepted, or with
	// Keep only when it is told to Drain. A client that sends the byte 0 is closed
	// earlier. Without ServerFirst it closes when the client has.
	ServerFirst bool
	Keep        bool
	Hold        time.Duration
	// Linger: apart, it closes so late: after it has heard that the client has closed,
	// or has asked it to close first. What was reset it closes at once. 0: at once.
	Linger      time.Duration
	RST         bool // it closes by RST where it is first; an answer is always FIN
	Connections int  // expected at most at once: how many threads with descriptor tables there are
	Threads     int  // this many threads instead, at most 256; 0: as Connections needs
	// MaxConnections may be open at once; what comes beyond is accepted and reset,
	// so that its client is told. 0: no limit.
	MaxConnections int
	// Ring accepts and closes by io_uring, one ring for each share of the listeners,
	// for connections that are closed as soon as they are open: a client that
	// closes by RST (RST) is not waited for, and nothing that one says is heard.
	// Peers are not told apart. What it holds at once is bounded by the descriptor
	// limit, and what comes beyond the kernel resets. It goes with Addrs, Backlog,
	// CPUs and RST alone; that the kernel can is what uring.Probe says.
	Ring bool
	// Deaf drops everything that comes to the addresses, as if nobody was there;
	// Vanish, with Together, does so to each connection once it is accepted. Both
	// are for measuring how long a client waits.
	Deaf, Vanish bool
	// Guard, if there is one, knows who may load the listener; what others open
	// is the guard's, and their datagrams are thrown away. MaxBytes: a connection
	// that has sent more is reset; 0: no bound.
	Guard    *Guard
	MaxBytes int64
	// Within opens the listening sockets: it calls a function, on the same thread,
	// in the network namespace that they are to be in. Nil: in the caller's own.
	Within func(func() error) error
	// Idle: a connection that sends nothing for so long is closed, in the close
	// mode. 0: never.
	Idle time.Duration
}

// check finds what cannot be meant.
func (c *Config) check() error {
	if err := c.checkTimes(); err != nil {
		return err
	}
	switch {
	case len(c.Addrs) == 0:
		return errors.New("listen: no address is given")
	case c.Threads < 0 || c.Threads > maxThreads:
		return fmt.Errorf("listen with %d threads: want 0 to %d", c.Threads, maxThreads)
	case c.MaxConnections < 0:
		return fmt.Errorf("listen for at most %d connections: want 1 or more, or 0 for no limit", c.MaxConnections)
	case c.Together && c.Guard != nil:
		return errors.New("listen with a guard and ends on the generator's threads: a guard is for generators elsewhere")
	case c.Ring:
		return c.checkRing()
	case c.UDP:
		return c.checkUDP()
	}
	return nil
}

// checkTimes finds times that cannot be meant.
func (c *Config) checkTimes() error {
	switch {
	case c.Hold < 0:
		return fmt.Errorf("listen and hold connections for %v: a time cannot be below 0", c.Hold)
	case c.Linger < 0 || c.Linger > 0 && (c.Together || c.UDP):
		return fmt.Errorf("listen and close %v late: want 0 or more, over TCP and apart", c.Linger)
	case c.Keep && c.Hold > 0:
		return fmt.Errorf("listen, keep connections and close them after %v: want one or the other", c.Hold)
	case c.Idle < 0:
		return fmt.Errorf("listen and close what is idle for %v: a time cannot be below 0", c.Idle)
	}
	return nil
}

// within calls f where sockets are to be opened.
func (c *Config) within(f func() error) error {
	if c.Within == nil {
		return f()
	}
	return c.Within(f)
}

// Listener is a bundled listener. Its methods may be called from any
// goroutine that does not run on a thread with a descriptor table of its own.
type Listener struct {
	config  Config
	addrs   []netip.AddrPort
	sockets []int // one for each address and thread that shares it; tables made later have copies
	waker   int   // wakes all workers
	guests  *guests
	turns   []atomic.Int32 // of each share: the index of the worker that accepts
	paused  atomic.Bool    // nobody accepts
	open    atomic.Int64   // connections, where MaxConnections bounds them
	flaw    atomic.Uint32  // first error number of a watch that failed
	sleep   func(time.Duration)
	now     func() int64   // nanoseconds
	running sync.WaitGroup // workers

	life   sync.Mutex // one of Start, Drain and Close at a time
	closed bool

	lists   sync.Mutex // guards the lists below, which only grow
	workers []*worker
	rings   []*acceptor
	ends    []*End
}

// New opens and binds every listener. The kernel answers connections from now
// on; they wait in the queue. An address that cannot be had is a *ListenError.
func New(config Config) (*Listener, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.Backlog <= 0 || config.Backlog > maxBacklog {
		config.Backlog = maxBacklog
	}
	if config.UDP {
		config.CPUs = nil
	}
	var sockets []int
	var addrs []netip.AddrPort
	err := config.within(func() (err error) {
		sockets, addrs, err = opening{udp: config.UDP, backlog: config.Backlog, cpus: config.CPUs}.all(config.Addrs)
		return err
	})
	if err != nil {
		return nil, err
	}
	if config.Deaf {
		for _, fd := range sockets {
			if errno := kernel.Deafen(fd); errno != 0 {
				closeAll(sockets)
				return nil, fmt.Errorf("listen: drop what comes: %w", errno)
			}
		}
	}
	// Open before any thread starts, so that each table has a copy and the
	// thread's count of free descriptors knows of it.
	waker, errno := kernel.NewWaker()
	if errno != 0 {
		closeAll(sockets)
		return nil, fmt.Errorf("listen: eventfd: %w", errno)
	}
	return &Listener{
		config: config, addrs: addrs, sockets: sockets, waker: waker, guests: newGuests(len(addrs)),
		turns: make([]atomic.Int32, config.shares()), sleep: kernel.Sleep, now: kernel.NewClock().Now,
	}, nil
}

// Start begins to accept. It starts all threads at once, because a thread's
// table would otherwise get copies of what the process opened since. Together
// there is nothing to start. After an error the listener must still be closed.
func (l *Listener) Start() error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.closed || l.config.Together || len(l.workers)+len(l.rings) > 0 {
		return nil
	}
	if l.config.Ring {
		return l.startRings()
	}
	workers, err := l.newWorkers()
	if err != nil {
		return fmt.Errorf("start the listener: %w", err)
	}
	l.lists.Lock()
	l.workers = workers
	l.lists.Unlock()
	for _, w := range workers {
		l.running.Go(func() {
			w.thread.Do(w.run)
			w.thread.Close()
		})
	}
	return nil
}

// startRings is Start for a listener with rings.
func (l *Listener) startRings() error {
	rings, err := l.newAcceptors()
	if err != nil {
		return fmt.Errorf("start the listener: %w", err)
	}
	l.lists.Lock()
	l.rings = rings
	l.lists.Unlock()
	for _, a := range rings {
		l.running.Go(func() {
			a.thread.Do(a.run)
			a.thread.Close()
		})
	}
	return nil
}

// Addrs lists the addresses that it listens on, in the order of the Config.
func (l *Listener) Addrs() []netip.AddrPort { return append([]netip.AddrPort(nil), l.addrs...) }

// NewEnd returns a new End for one thread and one of the addresses, by its
// index. The thread must have been started after New.
func (l *Listener) NewEnd(target int) *End { return l.NewSharedEnd(target, 0) }

// NewSharedEnd is NewEnd for the i-th of the threads that share the address, the
// one on Config.CPUs[i].
func (l *Listener) NewSharedEnd(target, i int) *End {
	e := &End{guests: l.guests, target: target, listener: l.share(i % l.config.shares())[target], vanish: l.config.Vanish}
	l.lists.Lock()
	defer l.lists.Unlock()
	l.ends = append(l.ends, e)
	return e
}

// Stats tells what was seen so far. It may be called at any time, also after
// Close. While connections come and go its numbers are of slightly different
// moments; never are more closed, or more peers or tuples distinct, than were
// accepted. Peers are counted from the first 1,024 addresses, tuples from fewer
// where there are more than eight targets.
//
// Over UDP the accepted are the openings that were answered, each counted
// before its answer leaves; nothing closes, and Closed is absent.
func (l *Listener) Stats() result.Server {
	l.lists.Lock()
	defer l.lists.Unlock()
	peers, tuples := l.guests.distinct()
	sum := result.Server{Closed: new(int64), DistinctPeers: &peers, DistinctTuples: &tuples}
	if l.config.Ring {
		sum.DistinctPeers, sum.DistinctTuples = nil, nil
	}
	for _, w := range l.workers {
		w.addTo(&sum)
	}
	for _, a := range l.rings {
		a.addTo(&sum)
	}
	for _, e := range l.ends {
		e.addTo(&sum)
	}
	if l.config.UDP {
		sum.Closed = nil
	}
	return sum
}

// CPUTime tells the processor time of the listener's threads so far. It may be called
// at any time; together, where it has none, and after Close it is 0.
func (l *Listener) CPUTime() (sum kernel.CPUTime) {
	l.lists.Lock()
	defer l.lists.Unlock()
	for _, w := range l.workers {
		sum = sum.Plus(w.thread.CPUTime())
	}
	for _, a := range l.rings {
		sum = sum.Plus(a.thread.CPUTime())
	}
	return sum
}

// Pause stops accepting, or goes on with it. While it lasts connections wait in
// the queues, and when those are full the kernel drops what comes
// (ListenOverflows). When Pause returns it is in force. An [End] is not stopped:
// its thread decides when to accept.
func (l *Listener) Pause(pause bool) {
	l.life.Lock()
	defer l.life.Unlock()
	l.paused.Store(pause)
	if !l.closed {
		l.tell((*worker).takeTurn)
	}
}

// Drain closes every connection that it holds or that waits to be accepted,
// first and in its close mode, and returns when all are closed. Connections
// that come while it works may stay. What an End accepted is its thread's to
// close. Over UDP it answers what has come.
//
// A listener with rings never closes first: there Drain waits until clients have
// closed, or until nothing has come from any for a second. What they keep open
// then is closed by Close.
//
// The error tells of connections that could not be watched, and so may have
// outlived their client's close; they are closed all the same.
func (l *Listener) Drain() error {
	l.life.Lock()
	defer l.life.Unlock()
	if !l.closed {
		l.tell((*worker).drain)
		l.tellRings(func(*acceptor) {}) // which obey when all is closed
	}
	return l.watched()
}

// Close stops listening, closes what is left, in its close mode, and ends the
// threads. Later calls do nothing. The error is that of Drain.
func (l *Listener) Close() error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.tell((*worker).drain)
	// Also in tables that are not ours: an engine's thread has a copy.
	for _, fd := range l.sockets {
		if l.config.UDP {
			_ = kernel.Deafen(fd) // its port stays bound until the last copy is closed, but fills no buffer
		} else {
			_ = kernel.StopListening(fd)
		}
	}
	l.tell((*worker).stop)
	l.tellRings(func(a *acceptor) { a.stopped = true })
	l.running.Wait()
	closeAll(l.sockets)
	_ = kernel.CloseFD(l.waker)
	return l.watched()
}

// tell has every worker do something and returns when all have.
func (l *Listener) tell(order func(*worker)) {
	var obeyed sync.WaitGroup
	obeyed.Add(len(l.workers))
	for _, w := range l.workers {
		w.orders <- func() {
			order(w)
			obeyed.Done()
		}
	}
	_ = kernel.Wake(l.waker)
	obeyed.Wait()
}

// tellRings has every acceptor do something, when no connection is open any more,
// and returns when all have.
func (l *Listener) tellRings(order func(*acceptor)) {
	var obeyed sync.WaitGroup
	obeyed.Add(len(l.rings))
	for _, a := range l.rings {
		a.orders <- func() {
			order(a)
			obeyed.Done()
		}
	}
	obeyed.Wait()
}

func (l *Listener) watched() error {
	if errno := syscall.Errno(l.flaw.Load()); errno != 0 {
		return watchError{errno}
	}
	return nil
}
