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
	peers    *peerSet
	listener int
	peer     kernel.Sockaddr
}

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
	peer := e.peer.AddrPort()
	e.accepted.Add(1)
	e.peers.add(peer)
	return fd, peer.Port(), 0
}

// Shut closes a connection that Accept returned, by RST or by FIN.
func (e *End) Shut(fd int, rst bool) { e.shut(fd, rst) }
