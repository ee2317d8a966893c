package server

import (
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

const (
	// A worker that had something to do sleeps before it looks again: being woken
	// for every connection is the main cost of accepting. roundPause is for when a
	// client may be waiting: measured 1.4 times the rate of a worker that blocks.
	// Where clients only connect and close nobody waits, as the kernel answers them,
	// and acceptPause is worth 8 % more; at a millisecond nothing is gained.
	roundPause  = 200 * time.Microsecond
	acceptPause = 500 * time.Microsecond
	// A worker that is out of descriptors looks again after a pause that
	// doubles from the least to the most: it does not spin, and it takes a
	// connection soon after a descriptor is free.
	leastStarved = time.Millisecond
	mostStarved  = 16 * time.Millisecond

	eventsPerRound  = 512
	acceptsPerRound = 1024      // of one address, so that it does not keep the others waiting
	readAtOnce      = 16 * 1024 // bytes of one connection, likewise
)

// What a tag of epoll names: its kind, and in the lower half a descriptor or
// the index of an address.
const (
	tagKind     = uint64(math.MaxUint32) << 32
	tagConn     = uint64(0) << 32
	tagListener = uint64(1) << 32
	tagWaker    = uint64(2) << 32
)

// worker accepts and holds connections on a thread with a descriptor table of
// its own. Apart from counts and full all fields are the thread's.
type worker struct {
	counts
	full atomic.Bool // its table is; only the thread writes

	l       *Listener
	index   int
	share   int   // of the listeners, which it accepts from
	sockets []int // those, by address
	thread  *kernel.Thread
	room    int // connections that its table can hold
	orders  chan func()
	stopped bool

	epoll     int
	events    []kernel.Event
	listening bool // the listeners are watched: it is this worker's turn
	held      fdSet
	owners    owners
	peer      kernel.Sockaddr
	buf       []byte
	now       int64     // of this round; 0 where nothing depends on time
	hold      deadlines // when the listener closes what it closes first
	idle      deadlines // when a connection that sends nothing is closed
	linger    deadlines // when a connection is closed that was to be closed before

	busy    bool // there was something to do in this round
	asked   bool // a client waits for what this listener does
	starved bool // a connection waits and cannot be taken
	backoff time.Duration
}

// newWorker starts the worker's thread and makes it ready to run.
func newWorker(l *Listener, index int) (*worker, error) {
	thread, err := kernel.NewThread()
	if err != nil {
		return nil, err
	}
	share := index % l.config.shares()
	w := &worker{
		l: l, index: index, share: share, sockets: l.share(share), thread: thread, room: thread.Free() - 1, // less the epoll descriptor
		orders: make(chan func(), 1),
		events: make([]kernel.Event, eventsPerRound), buf: make([]byte, readAtOnce),
		idle: deadlines{after: l.config.Idle}, linger: deadlines{after: l.config.Linger},
		owners: owners{kept: l.config.Guard != nil || l.config.MaxBytes > 0},
	}
	if l.config.ServerFirst {
		w.hold.after = l.config.Hold
	}
	if w.room < 1 {
		thread.Close()
		return nil, tableError{max(0, w.room)}
	}
	var errno syscall.Errno
	thread.Do(func() {
		if errno = w.open(); errno == 0 && len(l.config.CPUs) > 1 {
			err = kernel.PinTo(l.config.CPUs[share])
		}
	})
	if errno != 0 {
		err = fmt.Errorf("epoll: %w", errno)
	}
	if err != nil {
		thread.Close()
		return nil, err
	}
	return w, nil
}

func (w *worker) open() (errno syscall.Errno) {
	if w.epoll, errno = kernel.NewEpoll(); errno != 0 {
		return errno
	}
	// Edge-triggered, as nobody reads it: one wake-up of every worker a Wake.
	return kernel.EpollAdd(w.epoll, w.l.waker, unix.EPOLLIN|unix.EPOLLET, tagWaker)
}

// run is the worker's life. It returns with nothing open but what the process
// had open when the thread began.
func (w *worker) run() {
	wait := time.Duration(-1)
	for !w.stopped {
		w.busy, w.asked, w.starved = false, w.l.config.ServerFirst, false
		w.takeTurn()
		w.round(wait)
		w.obey()
		wait = w.pause()
	}
	_ = kernel.CloseFD(w.epoll)
	_ = kernel.CloseFD(w.l.waker)
	closeAll(w.l.sockets)
}

// takeTurn watches the listeners while it is this worker's turn, and no longer.
// Over UDP no table gets full, so it is every worker's turn.
func (w *worker) takeTurn() {
	mine, events := int(w.turn().Load()) == w.index, uint32(unix.EPOLLIN)
	if w.l.config.UDP {
		mine, events = true, unix.EPOLLIN|unix.EPOLLEXCLUSIVE // a datagram wakes one of them
	}
	mine = mine && !w.l.paused.Load()
	if mine == w.listening {
		return
	}
	w.listening = mine
	for i, fd := range w.sockets {
		if !mine {
			_ = kernel.EpollRemove(w.epoll, fd)
		} else if errno := kernel.EpollAdd(w.epoll, fd, events, tagListener|uint64(i)); errno != 0 {
			w.l.flaw.CompareAndSwap(0, uint32(errno))
		}
	}
}

// round waits for events and handles them. A descriptor is in one batch but
// once, and one that was closed is not in the rest of it: no event meets a
// connection that only took over its number.
func (w *worker) round(wait time.Duration) {
	n, _ := kernel.EpollWait(w.epoll, w.events, wait) // fails for a wrong argument alone
	w.readClock()
	for i := range w.events[:n] {
		switch tag := w.events[i].Tag(); tag & tagKind {
		case tagListener:
			w.serve(int(tag &^ tagKind))
		case tagConn:
			w.hear(int(tag))
		}
	}
	w.expire()
}

// obey carries out the order that came, if one did. After every order there is
// a Wake, so that it is seen without being waited for.
func (w *worker) obey() {
	select {
	case order := <-w.orders:
		order()
	default:
	}
}

// pause ends a round and says how long the next may wait for an event.
func (w *worker) pause() time.Duration {
	if w.starved {
		w.backoff = min(max(2*w.backoff, leastStarved), mostStarved)
		w.l.sleep(w.backoff)
		return 0
	}
	w.backoff = 0
	switch {
	case w.busy && w.asked:
		w.l.sleep(roundPause)
		return 0
	case w.busy:
		w.l.sleep(acceptPause)
		return 0
	}
	return w.untilDue()
}

// serve does what waits at one address.
func (w *worker) serve(address int) {
	if w.l.config.UDP {
		w.receive(address)
	} else {
		w.accept(address)
	}
}

// accept takes the connections that wait at one address.
func (w *worker) accept(address int) {
	for n := range acceptsPerRound {
		fd, errno := kernel.Accept(w.sockets[address], &w.peer)
		switch {
		case errno == 0:
			w.take(fd, address)
		case errno == syscall.EAGAIN:
			return
		case errno == syscall.EMFILE && w.handOver():
			return
		case outOfDescriptors(errno):
			// The kernel looks for a descriptor before it looks into the queue
			// (__sys_accept4_file in net/socket.c). Only the first accept after
			// epoll called the listener ready is known to have failed a connection.
			if n == 0 {
				w.noFD.Add(1)
				w.starved = true
			}
			return
		default: // no memory, say: the connection still waits
			w.starved = true
			return
		}
	}
}

// handOver lets a worker accept whose table has room, if there is one.
func (w *worker) handOver() bool {
	w.full.Store(true)
	return w.l.passTurn(w)
}

// stop ends run, with nothing held.
func (w *worker) stop() {
	w.drain()
	w.stopped = true
}
