package server

import (
	"syscall"

	"lastport/loadgen/kernel"
)

// End is the listener's side where one thread opens and accepts (--ends
// together). It belongs to one thread and one of the addresses. It opens no
// descriptor of its own: the listening socket was open before the thread began,
// so its table has a copy.
type End struct {
	counts
	guests   *guests
	target   int  // index of the address
	listener int  // its socket
	vanish   bool // drop what comes on each connection
	peer     kernel.Sockaddr
	buf      [answersAtOnce]byte
}

// answersAtOnce bounds what Answer reads: a client has seldom more than one
// request under way.
const answersAtOnce = 256

// Accept takes the next connection from the queue, without waiting: EAGAIN says
// that there is none. EMFILE and ENFILE, which the kernel may return for an
// empty queue too, count as no_fd. It does not allocate, but for the first
// connection of an address.
func (e *End) Accept() (fd int, peerPort uint16, errno syscall.Errno) {
	fd, errno = kernel.Accept(e.listener, &e.peer)
	if errno != 0 {
		if outOfDescriptors(errno) {
			e.noFD.Add(1)
		}
		return -1, 0, errno
	}
	if e.vanish {
		_ = kernel.Deafen(fd) // a filter of one instruction is always taken
	}
	peer := e.peer.AddrPort()
	e.accepted.Add(1)
	e.guests.add(peer, e.target)
	return fd, peer.Port(), 0
}

// Answer reads what the client has sent, at most 256 bytes of it, without
// waiting, and sends a byte 1 back for each byte 1. All other bytes are thrown
// away. EAGAIN says that nothing has come. EPIPE says that the client has
// closed, ENOBUFS that it does not read its answers; after these and any other
// error the connection is only to be shut. It does not allocate.
func (e *End) Answer(fd int) syscall.Errno {
	_, _, errno := e.converse(fd, e.buf[:], false, nil)
	return errno
}

// Shut closes a connection that Accept returned, by RST or by FIN.
func (e *End) Shut(fd int, rst bool) { e.shut(fd, rst) }

// Socket returns the listening socket, for who accepts from it without Accept, by
// a ring of its own, and closes what it accepted.
func (e *End) Socket() int { return e.listener }

// Took counts a connection that was accepted from Socket and is closed again. It
// does not allocate, but for the first connection of an address.
func (e *End) Took(peer *kernel.Sockaddr) {
	e.accepted.Add(1)
	e.guests.add(peer.AddrPort(), e.target)
	e.closed.Add(1)
}

// Serve answers the datagrams that have come, at most 1,024 of them, without
// waiting: a byte 2, an opening, counts as accepted and is answered by a 2, a
// byte 1 by a 1, and all else is thrown away. It does not allocate, but for the
// first datagram from an address. Over TCP there is nothing to serve.
func (e *End) Serve() { e.exchange(e.listener, e.guests, e.target, nil) }
