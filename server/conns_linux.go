package server

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// What a worker does with the connections that it accepted.

// heard is what came of listening to a connection.
type heard uint8

const (
	silent heard = iota // nothing has come
	spoke               // something has
	gone                // the connection is closed now, or nothing more is heard of it
)

// take counts a connection that was accepted at an address, and closes or holds
// it. A stranger's is the guard's.
func (w *worker) take(fd, address int) {
	w.busy = true
	config, peer := &w.l.config, w.peer.AddrPort()
	tenant, welcome := config.Guard.tenant(peer)
	if !welcome {
		config.Guard.pass(fd, peer.Addr())
		return
	}
	w.accepted.Add(1)
	w.l.guests.add(peer, address)
	tenant.arrive(peer, address)
	switch {
	case config.ServerFirst && !config.Keep && config.Hold == 0:
		w.shut(fd, config.RST)
		tenant.left()
	case !tenant.mayKeep() || !w.l.admit():
		w.overLimit.Add(1)
		tenant.tooMany()
		w.shut(fd, true)
		tenant.left()
	default:
		w.keep(fd, tenant)
	}
}

// keep holds a connection until something ends it.
func (w *worker) keep(fd int, tenant *Tenant) {
	w.held.add(fd)
	w.owners.set(fd, tenant)
	w.hold.add(fd, w.now)
	w.idle.add(fd, w.now)
	// Of many clients the close is there already: that costs one read instead of
	// a watch, an event and a read.
	if w.hear(fd) == gone {
		return
	}
	if errno := kernel.EpollAdd(w.epoll, fd, unix.EPOLLIN, tagConn|uint64(fd)); errno != 0 {
		w.l.flaw.CompareAndSwap(0, uint32(errno))
	}
}

// hear listens to a held connection, a bounded part for each event, so that it
// does not keep the others waiting. The end of the stream or an error closes
// it: what has closed at the client shall not linger here in CLOSE_WAIT.
func (w *worker) hear(fd int) heard {
	w.busy = true
	n, asked, errno := w.converse(fd, w.buf, w.l.config.ServerFirst, w.owners.of(fd))
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return silent
	case w.l.config.Linger > 0 && (asked || errno == syscall.EPIPE):
		w.stay(fd)
		return gone
	case errno != 0:
		// By FIN what nobody reads would stay in the kernel and be sent again
		// and again.
		w.release(fd, errno == syscall.ENOBUFS)
		return gone
	case asked:
		w.release(fd, w.l.config.RST)
		return gone
	case w.owners.heard(fd, n, w.l.config.MaxBytes), w.l.config.Guard != nil && w.buf[0] == helloByte:
		w.release(fd, true)
		return gone
	}
	w.asked = true
	w.idle.add(fd, w.now)
	return spoke
}

// stay keeps a connection that is to be closed, and listens to it no more: its
// end of the stream would be news again and again.
func (w *worker) stay(fd int) {
	_ = kernel.EpollRemove(w.epoll, fd) // one that was just accepted is not watched
	w.hold.remove(fd)
	w.idle.remove(fd)
	w.linger.add(fd, w.now)
}

// release closes a held connection.
func (w *worker) release(fd int, rst bool) {
	w.held.remove(fd)
	w.hold.remove(fd)
	w.idle.remove(fd)
	w.linger.remove(fd)
	w.shut(fd, rst)
	w.owners.of(fd).left()
	w.owners.forget(fd)
	w.l.dismiss()
	w.full.Store(false)
}

// admit makes room for one more connection, if there may be one.
func (l *Listener) admit() bool {
	if l.config.MaxConnections == 0 || l.open.Add(1) <= int64(l.config.MaxConnections) {
		return true
	}
	l.open.Add(-1)
	return false
}

// dismiss gives back what admit took.
func (l *Listener) dismiss() {
	if l.config.MaxConnections > 0 {
		l.open.Add(-1)
	}
}

// readClock notes the round's time, where anything depends on it.
func (w *worker) readClock() {
	if w.hold.after > 0 || w.idle.after > 0 || w.linger.after > 0 {
		w.now = w.l.now()
	}
}

// expire closes the connections whose time is over. It comes after the round's
// events: none of them is left to meet a descriptor that was closed. What was
// sent in time but is still unread is heard first: it is no silence, and unread
// it would turn the listener's FIN into an RST.
func (w *worker) expire() {
	for fd := range w.linger.due(w.now) {
		// Whose client has closed answers by FIN, as without the delay.
		w.release(fd, w.l.config.RST && w.l.config.ServerFirst)
	}
	for fd := range w.hold.due(w.now) {
		if w.hear(fd) != gone {
			w.release(fd, w.l.config.RST)
		}
	}
	for fd := range w.idle.due(w.now) {
		if w.hear(fd) == silent {
			w.idleClosed.Add(1)
			w.owners.of(fd).idled()
			w.release(fd, w.l.config.RST)
		}
	}
}

// untilDue returns how long the next round may wait for an event: until a
// connection's time is over, or for ever, which is below 0.
func (w *worker) untilDue() time.Duration {
	wait := time.Duration(-1)
	for _, list := range []*deadlines{&w.hold, &w.idle, &w.linger} {
		if at, ok := list.next(); ok {
			left := max(0, time.Duration(at-w.now))
			if wait < 0 || left < wait {
				wait = left
			}
		}
	}
	if wait <= 0 {
		return wait
	}
	// The poller counts in milliseconds and rounds down. A wait that is too short
	// would be one of many.
	return wait + time.Millisecond - 1
}

// drain closes what is held and what waits to be accepted. Each worker looks
// into the queues, as it may have been full; a turn may pass meanwhile.
func (w *worker) drain() {
	if w.l.config.UDP {
		for address := range w.l.addrs {
			w.receive(address)
		}
		return
	}
	for fd := range w.held.all() {
		w.release(fd, w.l.config.RST)
	}
	for address, listener := range w.sockets {
		// The queue holds one more than the backlog (sk_acceptq_is_full in
		// include/net/sock.h). The bound is for who keeps on connecting.
		for range w.l.config.Backlog + 1 {
			fd, errno := kernel.Accept(listener, &w.peer)
			if errno != 0 {
				break
			}
			peer := w.peer.AddrPort()
			tenant, welcome := w.l.config.Guard.tenant(peer)
			if !welcome {
				_ = kernel.Reset(fd)
				continue
			}
			w.accepted.Add(1)
			w.l.guests.add(peer, address)
			tenant.arrive(peer, address)
			w.shut(fd, w.l.config.RST)
			tenant.left()
		}
	}
}
