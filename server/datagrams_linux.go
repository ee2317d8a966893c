package server

import (
	"errors"
	"fmt"

	"lastport/loadgen/kernel"
)

const (
	// datagramBuffer is what is asked for a socket's buffers: room for 20,000
	// datagrams that wait, which the kernel counts at 768 bytes each.
	datagramBuffer = 16 << 20
	// datagramsAtOnce bounds how many are answered before something else is done.
	datagramsAtOnce = 1024
)

// checkUDP finds what cannot be meant where there are no connections.
func (c *Config) checkUDP() error {
	for _, addr := range c.Addrs {
		// The answer to a wildcard may leave from another address than was asked,
		// and a connected socket does not take it.
		if addr.Addr().Unmap().IsUnspecified() {
			return fmt.Errorf("listen on %s over UDP: want one host's address", addr)
		}
	}
	switch {
	case c.ServerFirst || c.RST:
		return errors.New("listen over UDP and close: there is no connection to close")
	case c.Idle > 0 || c.MaxConnections > 0 || c.MaxBytes > 0:
		return errors.New("listen over UDP and bound connections: there are none")
	case c.Vanish:
		return errors.New("listen over UDP and vanish from a connection: there is none")
	}
	return nil
}

// exchange answers the datagrams that wait at a target, by its socket, and counts
// them. What a client has the answer of is counted already. An answer that
// cannot be sent is lost, as any datagram may be, and none is longer than what it
// answers, nor is it an opening or a request itself: who forges a sender gains
// nothing, and two listeners do not go on answering each other.
func (c *counts) exchange(socket int, guests *guests, target int, guard *Guard) {
	var data [2]byte // of one that is longer than a byte, two show it
	var peer kernel.Sockaddr
	for range datagramsAtOnce {
		n, errno := kernel.ReceiveFrom(socket, data[:], &peer)
		switch {
		case errno != 0: // EAGAIN, or no memory: it still waits
			return
		case n != 1:
			continue
		}
		tenant, welcome := guard.tenant(peer.AddrPort())
		switch {
		case !welcome:
			guard.strangers.Add(1)
			continue
		case data[0] == byteOpen:
			c.accepted.Add(1)
			guests.add(peer.AddrPort(), target)
			tenant.arrive(peer.AddrPort(), target)
		case data[0] == byteRequest:
			c.requests.Add(1)
			tenant.asked(1)
		default:
			continue
		}
		data[0] |= answerBit
		_ = kernel.SendTo(socket, data[:1], &peer)
	}
}

// receive answers what waits at an address. It does not make the round a busy
// one: the pause after that, which makes accepting cheap, would be part of the
// time that the client measures.
func (w *worker) receive(address int) {
	w.exchange(w.sockets[address], w.l.guests, address, w.l.config.Guard)
}
